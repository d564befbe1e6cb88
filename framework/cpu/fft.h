#ifndef FRAMEWORK_CPU_FFT_H_
#define FRAMEWORK_CPU_FFT_H_

// The discrete Fourier transform of lines of complex numbers.
//
// Types: complex single and complex double. Threads: may be called from any thread; lines are split
// with ParallelFor, and the result does not depend on the number of threads.
//
//   // 128 lines of 256 numbers, one after another
//   cpu::Fft(DataType::kComplexSingle, cpu::FftSign::kMinus, /*inner=*/1, 256, /*outer=*/128,
//            x, y);

#include <cstdint>

#include "framework/dlarray/data_type.h"

namespace lamina::cpu {

/// The sign of the exponent: minus for the transform, plus for its inverse times n.
enum class FftSign : uint8_t { kMinus, kPlus };

/// The longest line.
inline constexpr int64_t kMaxFftLength = int64_t{1} << 28;

// x and y are [inner x n x outer], first dim fastest, and do not overlap. Along the middle dim
//   y_k = sum over j of x_j exp(-+ 2 pi i j k / n),  j, k = 0 .. n - 1.
// Any n up to kMaxFftLength, in about n log n steps: Eigen's kissfft for lengths whose prime
// factors are below 100, and Bluestein's algorithm (L. Bluestein, A linear filtering approach to
// the computation of the discrete Fourier transform, 1970), with transforms of a power of two of at
// least 2 n - 1, for the others.
// The root of the mean squared error, in parts of the root of the mean squared y, is below
// u (2 + log2 n), twice that by Bluestein's algorithm, with u = 2^-24 or 2^-53.
// NaN or infinity in a line makes the whole line NaN.
void Fft(DataType type, FftSign sign, int64_t inner, int64_t n, int64_t outer, const void* x,
         void* y);

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_FFT_H_
