#ifndef FRAMEWORK_CPU_CONVOLUTION_WINOGRAD_H_
#define FRAMEWORK_CPU_CONVOLUTION_WINOGRAD_H_

// Inside of convolution.h: convolutions of single with 3 x 3 filters by Winograd's minimal
// filtering F(4 x 4, 3 x 3) (Lavin and Gray, arXiv:1509.09308), on plain images.
//
// Tiles of 4 x 4 outputs are computed together from the 6 x 6 inputs d that they see:
//
//   y = A' [(G w G') o (B' d B)] A
//
// where ' is the transpose, o is the product of elements, and sums over channels stand between the
// brackets: for each of the 36 elements they are a product of matrices. So an output takes 36 / 16
// multiplications for each channel instead of 9. The gradient of the data is the same with turned
// filters; the gradient of the filters is the transpose of the above,
//
//   dw = G' [sum over tiles of (A dy A') o (B' d B)] G.
//
// The matrices interpolate at 0, 5/8, -5/8, 3/2, -3/2 and infinity (Cook and Toom), where numbers
// grow less than with the points 0, 1, -1, 2, -2. Measured on normal data: |error| is at most 10 u
// of the largest sum of |w| |x| of a tile with 64 channels, 17 u with 1 to 40.
//
// Threads: may be called from any thread; large work uses the pool of threads.h. The gradient of
// the filters is a sum over threads: its last bits depend on how many there are.

#include "framework/cpu/convolution.h"
#include "framework/cpu/convolution_blocks.h"

namespace lamina::cpu {

/// Whether WinogradConvolution may be called for this convolution and is faster than the plain way
/// (measured): 3 x 3 filters moved one by one over two dims without groups, padding up to 2, on a
/// processor with AVX2, and enough channels and tiles.
bool WinogradPays(ConvolutionKind kind, const ConvolutionShape& shape);

/// As the function of convolution.h of this kind, but without a gradient of the bias. `bias` (may
/// be nullptr) is read by kForward alone. What is written is y, x or weights.
void WinogradConvolution(ConvolutionKind kind, const ConvolutionShape& shape, float* x,
                         float* weights, const float* bias, float* y);

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_CONVOLUTION_WINOGRAD_H_
