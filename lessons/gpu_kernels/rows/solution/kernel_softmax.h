// Softmax over the channels, by a block for each row.
//
//   y = exp(x - m) / (sum of exp(x - m)),     m the largest of the row
#ifndef LESSONS_GPU_KERNELS_ROWS_SOLUTION_KERNEL_SOFTMAX_H_
#define LESSONS_GPU_KERNELS_ROWS_SOLUTION_KERNEL_SOFTMAX_H_

#include <cstdint>
#include <span>

#include "framework/lamina.h"

namespace lamina {

inline KernelLaunch LaunchSoftmax(std::span<const ArraySpec> x, std::span<const ArraySpec>) {
  const int64_t length = x[0].sizes[0];
  return {.blocks = length == 0 ? 0 : x[0].numel() / length, .threads = 256, .numbers = {length}};
}

inline const KernelFunction kernel_softmax({.name = "KernelSoftmax",
                                            .source = R"(
__global__ void KernelSoftmax(const T* x, T* y, long long length) {
  __shared__ T parts[8], more[8];  // One of each warp.
  const int t = threadIdx.x;
  x += blockIdx.x * length;
  y += blockIdx.x * length;
  T largest = -INFINITY;
  for (long long c = t; c < length; c += 256) largest = max(largest, x[c]);
  for (int by = 16; by > 0; by /= 2) {
    largest = max(largest, __shfl_down_sync(0xffffffff, largest, by));
  }
  if (t % 32 == 0) parts[t / 32] = largest;
  __syncthreads();
  for (int warp = 0; warp < 8; ++warp) largest = warp == 0 ? parts[0] : max(largest, parts[warp]);
  T sum = 0;
  for (long long c = t; c < length; c += 256) sum += exp(x[c] - largest);
  for (int by = 16; by > 0; by /= 2) sum += __shfl_down_sync(0xffffffff, sum, by);
  if (t % 32 == 0) more[t / 32] = sum;
  __syncthreads();
  T all = 0;
  for (int warp = 0; warp < 8; ++warp) all += more[warp];
  for (long long c = t; c < length; c += 256) y[c] = exp(x[c] - largest) / all;
}
)",
                                            .launch = LaunchSoftmax},
                                           [](const DlArray& x) { return Softmax(x); });

}  // namespace lamina

#endif  // LESSONS_GPU_KERNELS_ROWS_SOLUTION_KERNEL_SOFTMAX_H_
