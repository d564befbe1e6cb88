#ifndef FRAMEWORK_CPU_SOFTMAX_H_
#define FRAMEWORK_CPU_SOFTMAX_H_

// Softmax and its logarithm along one dim.
//
// Types: single and double. Threads: may be called from any thread; large work is split with
// ParallelFor, and the result does not depend on the number of threads.
//
//   // y[10x128] "CB": each column sums to 1
//   cpu::Softmax(DataType::kSingle, /*inner=*/1, /*n=*/10, /*outer=*/128, x, y);

#include <cstdint>

#include "framework/dlarray/data_type.h"

namespace lamina::cpu {

// x and y are [inner x n x outer], first dim fastest; y may be x. Along the middle dim
//   y_i = exp(x_i - m) / sum_j exp(x_j - m),  m = max_j x_j
// so nothing overflows. A NaN or +inf in a line gives NaN in the whole line (inf - inf), as does a
// line of -inf only; a single -inf gives 0.
void Softmax(DataType type, int64_t inner, int64_t n, int64_t outer, const void* x, void* y);

// y_i = (x_i - m) - log(sum_j exp(x_j - m)); exact to about 2 u (1 + |y|) where Softmax would round
// to 0. NaN as in Softmax; a single -inf gives -inf.
void LogSoftmax(DataType type, int64_t inner, int64_t n, int64_t outer, const void* x, void* y);

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_SOFTMAX_H_
