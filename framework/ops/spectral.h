// The discrete Fourier transform and its inverse.
//
//   Fft:   y_k = sum over j of x_j exp(-2 pi i j k / n)            j, k = 0 .. n - 1
//   Ifft:  x_j = 1/n  sum over k of y_k exp(2 pi i j k / n)
//
//   DlArray spectrum = Fft(x, 'T');                  // of each series, real or complex; complex
//   DlArray image = Real(Ifft(Fft(x, "S"), "S"));    // over all S dims: of each image, in 2-D
//
// Sizes and labels stay; any length. Several dims are transformed one after another, which is the
// transform in as many dimensions. y_0 is the sum; y_k and y_(n-k) belong to the same frequency, k
// periods in n samples, and are conjugates of one another when x is real.
// The result is complex, in the precision of x; logical and integers are taken as single. Both
// are linear, so derivatives are transforms too: of y = Fft(x) that of x is n Ifft(dL/dy), its real
// part when x is real. Gradients of any order.
//
// Numeric contract: framework/cpu/fft.h; in printed code, and on a device without cuFFT, where
// products with small matrices take its place: fft_composed.h. cuFFT's own error is not stated by
// its makers; the tests hold it to that of a sum of n numbers (framework/gpu/library_calls_test.cc). Errors of both: those of DimSet; "ops:TransformLength"
// beyond 2^28 along one dim. Threads: pure functions, callable from any thread.
#ifndef FRAMEWORK_OPS_SPECTRAL_H_
#define FRAMEWORK_OPS_SPECTRAL_H_

#include "framework/dlarray/dlarray.h"
#include "framework/ops/dims.h"

namespace lamina {

/// The spectrum of x along `dims`.
DlArray Fft(const DlArray& x, const DimSet& dims);
/// The array whose spectrum along `dims` is y: Ifft(Fft(x, dims), dims) is x, as complex numbers.
DlArray Ifft(const DlArray& y, const DimSet& dims);

}  // namespace lamina

#endif  // FRAMEWORK_OPS_SPECTRAL_H_
