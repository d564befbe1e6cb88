#ifndef FRAMEWORK_CPU_CONVOLUTION_AMX_H_
#define FRAMEWORK_CPU_CONVOLUTION_AMX_H_

// Inside of convolution.h: convolutions of single on the matrix unit of x86 processors with AMX
// (amx.h), which multiplies bfloat16 and adds in single.
//
// Each number is split into two bfloat16 and a rest, x = high + low + rest, with |low| <= 2^-8 |x|
// and |rest| <= 2^-17 |x|. Three of the four products are added:
//
//   high high' + high low' + low high'
//
// What is left out is at most (2^-16 + 2 * 2^-17) |x||x'| = 512 u |x||x'| for u = 2^-24. The unit
// adds up to 32 numbers in an instruction (gemm_amx.h), three times for each 32 channels of a tap,
// or, for the gradient of the weights, for each 32 pixels of an image with its padding. With k such
// times 32 terms in a sum
//
//   |error| <= (530 + 3 k) u sum |w||x|,
//
// a bound for each element alone, unlike Winograd's. It is below the n u of the plain way from
// about n = 600 terms on. Measured on normal data: at most 33 u of the element's own sum, where
// Winograd has 17 and the plain way 2 to 4; the more terms, the less.
//
// The unit takes subnormal numbers for 0. Numbers are multiplied by 2^24 before they are split, so
// that no part is subnormal, and sums by 2^-48. An image with a result that is not finite, because
// its numbers or the filters are not, or because 2^48 times a sum overflows, is computed again in
// the plain way, and so is a whole gradient of the weights: NaN and inf come out as there.
//
// No image is brought to another layout but for what is split, in parts that stay in the second
// cache: pixels with 32 channels each, so that a tap is a number of pixels away.
//
// Threads: may be called from any thread; large work uses the pool of threads.h, and results do not
// depend on the number of threads.

#include "framework/cpu/convolution.h"
#include "framework/cpu/convolution_blocks.h"

namespace lamina::cpu {

/// Whether AmxConvolution may be called for this convolution and is faster than oneDNN, Winograd's
/// algorithm included (measured): one or two dims, filters moved one by one without groups, padding
/// that is narrower than the filters, sums of 256 terms or more, and enough channels and pixels.
bool AmxConvolutionPays(ConvolutionKind kind, const ConvolutionShape& shape);

/// Computes in the plain way what the function of convolution.h of this kind does.
using PlainConvolution = void (*)(ConvolutionKind kind, const ConvolutionShape& shape, float* x,
                                  float* weights, float* bias, float* y);

/// As the function of convolution.h of this kind, but without a gradient of the bias. `bias` (may
/// be nullptr) is read by kForward alone. What is written is y, x or weights.
void AmxConvolution(ConvolutionKind kind, const ConvolutionShape& shape, float* x, float* weights,
                    const float* bias, float* y, PlainConvolution plain);

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_CONVOLUTION_AMX_H_
