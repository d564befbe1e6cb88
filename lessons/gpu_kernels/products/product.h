// A product of matrices with kernels of its own: from a thread for each result to sixteen results
// in the registers of each.
//
//   DlArray y = block_product(w, x);     // w: m x k, x: k x n, y: m x n
//
// Column-major as every array: w[row + m * column]. Types: single and double. Errors and threads:
// as KernelFunction.
#ifndef LESSONS_GPU_KERNELS_PRODUCTS_PRODUCT_H_
#define LESSONS_GPU_KERNELS_PRODUCTS_PRODUCT_H_

#include <cstdint>
#include <span>
#include <utility>

#include "framework/lamina.h"

namespace lamina {

// [region plain]
inline auto ProductBy(DeviceKernel kernel) {
  kernel.types = {DataType::kSingle, DataType::kDouble};
  return KernelFunction(std::move(kernel),
                        [](const DlArray& w, const DlArray& x) { return MatMul(w, x); });
}

inline KernelLaunch LaunchThreadForResult(std::span<const ArraySpec> in,
                                          std::span<const ArraySpec> y) {
  return {.blocks = (y[0].numel() + 255) / 256,
          .threads = 256,
          .numbers = {y[0].sizes[0], y[0].sizes[1], in[0].sizes[1]}};
}

inline const KernelFunction plain_product = ProductBy({.name = "PlainProduct",
                                                       .source = R"(
__global__ void PlainProduct(const T* w, const T* x, T* y, long long m, long long n, long long k) {
  const long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
  if (i >= m * n) return;
  const long long row = i % m, column = i / m;
  T sum = 0;
  for (long long j = 0; j < k; ++j) sum += w[row + m * j] * x[j + k * column];
  y[i] = sum;
}
)",
                                                       .launch = LaunchThreadForResult});
// [endregion]

// [region tiles]
// A block of 256 threads for each tile of so many rows and columns of y.
template <int64_t kTile>
KernelLaunch LaunchTiles(std::span<const ArraySpec> in, std::span<const ArraySpec> y) {
  const int64_t m = y[0].sizes[0], n = y[0].sizes[1];
  return {.blocks = ((m + kTile - 1) / kTile) * ((n + kTile - 1) / kTile),
          .threads = 256,
          .numbers = {m, n, in[0].sizes[1]}};
}

inline const KernelFunction tiles_product = ProductBy({.name = "TilesProduct",
                                                       .source = R"(
__global__ void TilesProduct(const T* w, const T* x, T* y, long long m, long long n, long long k) {
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
    __syncthreads();
  }
  if (row < m && column < n) y[row + m * column] = sum;
}
)",
                                                       .launch = LaunchTiles<16>});
// [endregion]

// [region block]
inline const KernelFunction block_product = ProductBy({.name = "BlockProduct",
                                                       .source = R"(
__global__ void BlockProduct(const T* w, const T* x, T* y, long long m, long long n, long long k) {
  // [j][row], [j][column] and some to spare.
  __shared__ T w_tile[16][64], x_tile[16][64 + 8 / sizeof(T)];
  const long long tiles = (m + 63) / 64;
  const long long first_row = blockIdx.x % tiles * 64, first_column = blockIdx.x / tiles * 64;
  const int t = threadIdx.x, a = t % 16, b = t / 16;
  T sum[4][4] = {};
  for (long long first = 0; first < k; first += 16) {
    for (int e = t; e < 16 * 64; e += 256) {
      const long long row = first_row + e % 64, j = first + e / 64;
      w_tile[e / 64][e % 64] = row < m && j < k ? w[row + m * j] : T(0);
    }
    for (int e = t; e < 16 * 64; e += 256) {
      const long long j = first + e % 16, column = first_column + e / 16;
      x_tile[e % 16][e / 16] = j < k && column < n ? x[j + k * column] : T(0);
    }
    __syncthreads();
    for (int j = 0; j < 16; ++j) {
      T from_w[4], from_x[4];
      for (int p = 0; p < 4; ++p) from_w[p] = w_tile[j][a + 16 * p];
      for (int q = 0; q < 4; ++q) from_x[q] = x_tile[j][b + 16 * q];
      for (int p = 0; p < 4; ++p) {
        for (int q = 0; q < 4; ++q) sum[p][q] += from_w[p] * from_x[q];
      }
    }
    __syncthreads();
  }
  for (int p = 0; p < 4; ++p) {
    for (int q = 0; q < 4; ++q) {
      const long long row = first_row + a + 16 * p, column = first_column + b + 16 * q;
      if (row < m && column < n) y[row + m * column] = sum[p][q];
    }
  }
}
)",
                                                       .launch = LaunchTiles<64>});
// [endregion]

// [region layer]
// Each observation, a column, times the weights.
struct ProductLayer : Layer, Acceleratable {
  explicit ProductLayer(int64_t outputs = 1) { output_size = outputs; }

  Property<int64_t> output_size{*this, "OutputSize", 1};
  Learnable weights{*this, "Weights"};

  void Initialize(const NetworkDataLayout& layout) {
    const int64_t channels = layout.Size('C');
    if (weights.empty()) {
      weights = GlorotUniform({output_size, channels}, channels, output_size);
    }
  }
  DlArray Predict(const DlArray& x) const { return block_product(weights, x); }
};
// [endregion]

}  // namespace lamina

#endif  // LESSONS_GPU_KERNELS_PRODUCTS_PRODUCT_H_
