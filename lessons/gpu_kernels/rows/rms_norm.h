// A normalization over channels with kernels of its own: from a thread for each row to a block that
// reads it once. Zhang, Sennrich, Root Mean Square Layer Normalization, arXiv:1910.07467, equation
// 4.
//
//   DlArray y = kept_rms_norm(x, scale);     // x "CB", "CBT"; scale: a number for each channel
//
// A row is what lies along C, which is the first dim: its elements are neighbours in memory. Types:
// single and double. Errors and threads: as KernelFunction.
#ifndef LESSONS_GPU_KERNELS_ROWS_RMS_NORM_H_
#define LESSONS_GPU_KERNELS_ROWS_RMS_NORM_H_

#include <cstdint>
#include <span>
#include <utility>

#include "framework/lamina.h"

namespace lamina {

// [region plain]
// x / sqrt(mean of x^2 over channels + 1e-5) * scale, by this kernel on a device.
inline auto RmsNormBy(DeviceKernel kernel) {
  kernel.types = {DataType::kSingle, DataType::kDouble};
  return KernelFunction(std::move(kernel), [](const DlArray& x, const DlArray& scale) {
    return x / Sqrt(Mean(Square(x), "C") + 1e-5) * scale;
  });
}

inline KernelLaunch LaunchThreadForRow(std::span<const ArraySpec> x, std::span<const ArraySpec>) {
  const int64_t length = x[0].sizes[0], rows = length == 0 ? 0 : x[0].numel() / length;
  return {.blocks = (rows + 255) / 256, .threads = 256, .numbers = {length, rows}};
}

inline const KernelFunction plain_rms_norm = RmsNormBy({.name = "PlainRmsNorm",
                                                        .source = R"(
__global__ void PlainRmsNorm(const T* x, const T* scale, T* y, long long length, long long rows) {
  const long long row = blockIdx.x * (long long)blockDim.x + threadIdx.x;
  if (row >= rows) return;
  x += row * length;
  y += row * length;
  T sum = 0;
  for (long long c = 0; c < length; ++c) {
    const T v = x[c];
    sum += v * v;
  }
  const T factor = 1 / sqrt(sum / length + T(1e-5));
  for (long long c = 0; c < length; ++c) y[c] = x[c] * factor * scale[c];
}
)",
                                                        .launch = LaunchThreadForRow});
// [endregion]

// [region shared]
inline KernelLaunch LaunchBlockForRow(std::span<const ArraySpec> x, std::span<const ArraySpec>) {
  const int64_t length = x[0].sizes[0], rows = length == 0 ? 0 : x[0].numel() / length;
  return {.blocks = rows, .threads = 256, .numbers = {length}};
}

inline const KernelFunction shared_rms_norm = RmsNormBy({.name = "SharedRmsNorm",
                                                         .source = R"(
__global__ void SharedRmsNorm(const T* x, const T* scale, T* y, long long length) {
  __shared__ T sums[256];
  const int t = threadIdx.x;
  x += blockIdx.x * length;
  y += blockIdx.x * length;
  T sum = 0;
  for (long long c = t; c < length; c += 256) {
    const T v = x[c];
    sum += v * v;
  }
  sums[t] = sum;
  __syncthreads();
  for (int half = 128; half > 0; half /= 2) {
    if (t < half) sums[t] += sums[t + half];
    __syncthreads();
  }
  const T factor = 1 / sqrt(sums[0] / length + T(1e-5));
  for (long long c = t; c < length; c += 256) y[c] = x[c] * factor * scale[c];
}
)",
                                                         .launch = LaunchBlockForRow});
// [endregion]

// [region warps]
inline const KernelFunction warps_rms_norm = RmsNormBy({.name = "WarpsRmsNorm",
                                                        .source = R"(
__global__ void WarpsRmsNorm(const T* x, const T* scale, T* y, long long length) {
  __shared__ T sums[8];
  const int t = threadIdx.x;
  x += blockIdx.x * length;
  y += blockIdx.x * length;
  T sum = 0;
  for (long long c = t; c < length; c += 256) {
    const T v = x[c];
    sum += v * v;
  }
  for (int by = 16; by > 0; by /= 2) sum += __shfl_down_sync(0xffffffff, sum, by);
  if (t % 32 == 0) sums[t / 32] = sum;
  __syncthreads();
  T all = 0;
  for (int warp = 0; warp < 8; ++warp) all += sums[warp];
  const T factor = 1 / sqrt(all / length + T(1e-5));
  for (long long c = t; c < length; c += 256) y[c] = x[c] * factor * scale[c];
}
)",
                                                        .launch = LaunchBlockForRow});
// [endregion]

// [region kept]
inline const KernelFunction kept_rms_norm = RmsNormBy({.name = "KeptRmsNorm",
                                                       .source = R"(
__global__ void KeptRmsNorm(const T* x, const T* scale, T* y, long long length) {
  constexpr int kKept = 16;  // Of a thread, in registers: rows of up to 4096.
  __shared__ T sums[8];
  const int t = threadIdx.x;
  x += blockIdx.x * length;
  y += blockIdx.x * length;
  T kept[kKept], sum = 0;
  #pragma unroll
  for (int k = 0; k < kKept; ++k) {
    const long long c = t + 256 * k;
    kept[k] = c < length ? x[c] : T(0);
    sum += kept[k] * kept[k];
  }
  for (long long c = t + 256 * kKept; c < length; c += 256) {
    const T v = x[c];
    sum += v * v;
  }
  for (int by = 16; by > 0; by /= 2) sum += __shfl_down_sync(0xffffffff, sum, by);
  if (t % 32 == 0) sums[t / 32] = sum;
  __syncthreads();
  T all = 0;
  for (int warp = 0; warp < 8; ++warp) all += sums[warp];
  const T factor = 1 / sqrt(all / length + T(1e-5));
  #pragma unroll
  for (int k = 0; k < kKept; ++k) {
    const long long c = t + 256 * k;
    if (c < length) y[c] = kept[k] * factor * scale[c];
  }
  for (long long c = t + 256 * kKept; c < length; c += 256) y[c] = x[c] * factor * scale[c];
}
)",
                                                       .launch = LaunchBlockForRow});
// [endregion]

// [region layer]
struct RmsNormLayer : Layer, Formattable, Acceleratable {
  Learnable scale{*this, "Scale"};

  void Initialize(const NetworkDataLayout& layout) {
    if (scale.empty()) scale = Ones(layout.Only('C'));
  }
  DlArray Predict(const DlArray& x) const {
    // A kernel knows memory, not labels: it is for rows that are neighbours.
    if (FindDim(x, 'C') == 0) return kept_rms_norm(x, scale);
    return x / Sqrt(Mean(Square(x), "C") + 1e-5) * scale;
  }
};
// [endregion]

}  // namespace lamina

#endif  // LESSONS_GPU_KERNELS_ROWS_RMS_NORM_H_
