// A whole layer as one kernel, y = max(0, W x + b).
#ifndef LESSONS_GPU_KERNELS_PRODUCTS_SOLUTION_PRODUCT_RELU_H_
#define LESSONS_GPU_KERNELS_PRODUCTS_SOLUTION_PRODUCT_RELU_H_

#include <cstdint>
#include <span>

#include "framework/lamina.h"

namespace lamina {

inline KernelLaunch LaunchProductRelu(std::span<const ArraySpec> in, std::span<const ArraySpec> y) {
  const int64_t m = y[0].sizes[0], n = y[0].sizes[1];
  return {.blocks = ((m + 15) / 16) * ((n + 15) / 16),
          .threads = 256,
          .numbers = {m, n, in[0].sizes[1]}};
}

inline const KernelFunction kernel_product_relu({.name = "ProductRelu",
                                                 .source = R"(
__global__ void ProductRelu(const T* w, const T* x, const T* b, T* y, long long m, long long n,
                            long long k) {
  __shared__ T w_tile[16][16], x_tile[16][16];  // [j][row], [column][j]
  const long long tiles = (m + 15) / 16;
  const int s = threadIdx.x % 16, t = threadIdx.x / 16;
  const long long row = blockIdx.x % tiles * 16 + s, column = blockIdx.x / tiles * 16 + t;
  T sum = 0;
  for (long long first = 0; first < k; first += 16) {
    w_tile[t][s] = row < m && first + t < k ? w[row + m * (first + t)] : T(0);
    x_tile[t][s] = column < n && first + s < k ? x[first + s + k * column] : T(0);
    __syncthreads();
    for (int j = 0; j < 16; ++j) sum += w_tile[j][s] * x_tile[t][j];
    __syncthreads();
  }
  if (row < m && column < n) y[row + m * column] = max(T(0), sum + b[row]);
}
)",
                                                 .launch = LaunchProductRelu},
                                                [](const DlArray& w, const DlArray& x,
                                                   const DlArray& b) {
                                                  return Relu(MatMul(w, x) + b);
                                                });

}  // namespace lamina

#endif  // LESSONS_GPU_KERNELS_PRODUCTS_SOLUTION_PRODUCT_RELU_H_
