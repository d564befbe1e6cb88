#ifndef FRAMEWORK_CPU_CONVOLUTION_VECTORS_H_
#define FRAMEWORK_CPU_CONVOLUTION_VECTORS_H_

// Inside of convolution.h: convolutions of single for images of few channels. Libraries compute
// with blocks of 16 channels: where there are fewer, they compute what nobody asked for, and they
// reorder images to their blocks and back.
//
// Here images stay plain, and the lanes of a vector are neighbouring pixels. Some rows of an image,
// or some small images, are copied with zeros around them (convolution_sliding.h), so that a tap is
// a number of pixels away, the same for all pixels.
//
// - y is a product of matrices whose first factor is not stored: a tile of 8 filters by 3 vectors
//   of pixels stays in registers (AVX-512; fewer elsewhere), while terms, of channels and taps, are
//   added one after the other.
// - The gradient of the data is the same, of dy, with the filters turned around.
// - The gradient of the weights keeps a vector of partial sums over pixels for each pair of an
//   output channel and a term, 4 by 6 at a time, and adds its lanes after about 1000 pixels. Images
//   are divided into at most 32 parts, which are added in the end.
//
// Numeric contract: |error| <= n u sum |terms| for n terms, the bound of convolution.h, so strict
// mode may use it. The gradient of the weights adds short sums, and is more exact. A zero of the
// padding is never multiplied by a number that is not finite: if a filter has one, or a gradient of
// the weights gets one, the convolution is left to the other ways, and NaN and inf come out as
// there. Results do not depend on the number of threads.
//
// Threads: may be called from any thread; large work uses the pool of threads.h.

#include "framework/cpu/convolution.h"
#include "framework/cpu/convolution_blocks.h"

namespace lamina::cpu {

/// Whether VectorConvolution can be called: one or two dims, filters moved one by one without
/// groups, padding that is narrower than the filters, at most 256 channels, rows of at most 4096
/// pixels, filters that reach over at most 65 rows.
bool VectorConvolutionIsPossible(const ConvolutionShape& shape);

/// Whether that is so, and it is faster than oneDNN, its reorderings included (measured).
bool VectorConvolutionPays(ConvolutionKind kind, const ConvolutionShape& shape);

/// As the function of convolution.h of this kind. `bias` (may be nullptr) is read by kForward and
/// written by kBackwardWeights. What is written is y, x or weights. False where the convolution is
/// to be computed in another way, because of numbers that are not finite: then what was written
/// does not matter.
bool VectorConvolution(ConvolutionKind kind, const ConvolutionShape& shape, float* x,
                       float* weights, float* bias, float* y);

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_CONVOLUTION_VECTORS_H_
