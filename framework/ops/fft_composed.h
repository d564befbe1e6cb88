// The Fourier transform by other array functions: products with small matrices.
//
// Inside of spectral.cc.
#ifndef FRAMEWORK_OPS_FFT_COMPOSED_H_
#define FRAMEWORK_OPS_FFT_COMPOSED_H_

#include "framework/cpu/fft.h"
#include "framework/dlarray/dlarray.h"

namespace lamina::internal {

/// cpu::Fft along dim `dim` of a complex array, in about n (n1 + n2 + ...) products for a length
/// n = n1 n2 ... Lengths with a prime factor above 100 by Bluestein's algorithm, as there.
/// Constants are computed in double. The root of the mean squared error, in parts of the root of
/// the mean squared result, is below 2 u (2 + log2 n), four times that by Bluestein's algorithm.
DlArray ComposedFft(const DlArray& x, cpu::FftSign sign, int dim);

}  // namespace lamina::internal

#endif  // FRAMEWORK_OPS_FFT_COMPOSED_H_
