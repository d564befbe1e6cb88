// A mistake: threads that are done with their tiles fill them anew, while others still read.
#ifndef LESSONS_GPU_KERNELS_PRODUCTS_BROKEN_ONE_BARRIER_LAYER_H_
#define LESSONS_GPU_KERNELS_PRODUCTS_BROKEN_ONE_BARRIER_LAYER_H_

#include "lessons/gpu_kernels/products/product.h"

namespace lamina {

// [region kernel]
inline const KernelFunction hasty_product = ProductBy({.name = "HastyProduct",
                                                       .source = R"(
__global__ void HastyProduct(const T* w, const T* x, T* y, long long m, long long n, long long k) {
  __shared__ T w_tile[16][16], x_tile[16][16];  // [j][row], [column][j]
  const long long tiles = (m + 15) / 16;
  const int a = threadIdx.x % 16, b = threadIdx.x / 16;
  const long long row = blockIdx.x % tiles * 16 + a, column = blockIdx.x / tiles * 16 + b;
  T sum = 0;
  for (long long first = 0; first < k; first += 16) {
    w_tile[b][a] = row < m && first + b < k ? w[row + m * (first + b)] : T(0);
    x_tile[b][a] = column < n && first + a < k ? x[first + a + k * column] : T(0);
    __syncthreads();
    for (int j = 0; j < 16; ++j) sum += w_tile[j][a] * x_tile[b][j];
  }
  if (row < m && column < n) y[row + m * column] = sum;
}
)",
                                                       .launch = LaunchTiles<16>});
// [endregion]

struct OneBarrierLayer : Layer, Acceleratable {
  Learnable weights{*this, "Weights"};

  void Initialize(const NetworkDataLayout& layout) {
    const int64_t channels = layout.Size('C');
    if (weights.empty()) weights = GlorotUniform({7, channels}, channels, 7);
  }
  DlArray Predict(const DlArray& x) const { return hasty_product(weights, x); }
};

}  // namespace lamina

#endif  // LESSONS_GPU_KERNELS_PRODUCTS_BROKEN_ONE_BARRIER_LAYER_H_
