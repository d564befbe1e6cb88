// Your turn: softmax over the channels, by a block for each row.
//
//   y = exp(x - m) / (sum of exp(x - m)),     m the largest of the row
//
// As it stands it is right, with a thread for each row: neighbouring threads load from memory that
// lies a row apart. Rows are at most 4096 long.
#ifndef LESSONS_GPU_KERNELS_ROWS_EXERCISE_KERNEL_SOFTMAX_H_
#define LESSONS_GPU_KERNELS_ROWS_EXERCISE_KERNEL_SOFTMAX_H_

#include <cstdint>
#include <span>

#include "framework/lamina.h"

namespace lamina {

// 1. A block for each row.
inline KernelLaunch LaunchSoftmax(std::span<const ArraySpec> x, std::span<const ArraySpec>) {
  const int64_t length = x[0].sizes[0], rows = length == 0 ? 0 : x[0].numel() / length;
  return {.blocks = (rows + 255) / 256, .threads = 256, .numbers = {length, rows}};
}

// 2. Two results that a block shares: first the largest, then the sum.
inline const KernelFunction kernel_softmax({.name = "KernelSoftmax",
                                            .source = R"(
__global__ void KernelSoftmax(const T* x, T* y, long long length, long long rows) {
  const long long row = blockIdx.x * (long long)blockDim.x + threadIdx.x;
  if (row >= rows) return;
  x += row * length;
  y += row * length;
  T largest = x[0], sum = 0;
  for (long long c = 1; c < length; ++c) largest = max(largest, x[c]);
  for (long long c = 0; c < length; ++c) sum += exp(x[c] - largest);
  for (long long c = 0; c < length; ++c) y[c] = exp(x[c] - largest) / sum;
}
)",
                                            .launch = LaunchSoftmax},
                                           [](const DlArray& x) { return Softmax(x); });

}  // namespace lamina

#endif  // LESSONS_GPU_KERNELS_ROWS_EXERCISE_KERNEL_SOFTMAX_H_
