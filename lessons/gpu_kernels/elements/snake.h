// Snake, an activation with kernels of its own: from a thread for each element to four neighbours
// at once. Ziyin, Hartwig, Ueda, Neural Networks Fail to Learn Periodic Functions,
// arXiv:2006.08195.
//
//   DlArray y = four_snake(x, DlArray(2.0F));    // x + sin^2(a x) / a, of the size of x
//
// Types: single and double. Errors and threads: as KernelFunction.
#ifndef LESSONS_GPU_KERNELS_ELEMENTS_SNAKE_H_
#define LESSONS_GPU_KERNELS_ELEMENTS_SNAKE_H_

#include <algorithm>
#include <cstdint>
#include <span>
#include <utility>

#include "framework/lamina.h"

namespace lamina {

// [region plain]
inline const KernelFunction plain_snake({.name = "PlainSnake",
                                         .source = R"(
__global__ void PlainSnake(const T* x, const T* a, T* y, long long n) {
  const long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
  if (i >= n) return;
  const T v = x[i], f = a[0];
  const T s = sin(f * v);
  y[i] = v + s * s / f;
}
)",
                                         .types = {DataType::kSingle, DataType::kDouble}},
                                        [](const DlArray& x, const DlArray& a) {
                                          return x + Square(Sin(a * x)) / a;
                                        });
// [endregion]

// [region function]
// The same function of arrays, with another kernel.
inline auto SnakeBy(DeviceKernel kernel) {
  kernel.types = {DataType::kSingle, DataType::kDouble};
  return KernelFunction(std::move(kernel), [](const DlArray& x, const DlArray& a) {
    return x + Square(Sin(a * x)) / a;
  });
}
// [endregion]

// [region stride]
inline KernelLaunch LaunchStride(std::span<const ArraySpec> x, std::span<const ArraySpec>) {
  const int64_t n = x[0].numel();
  return {.blocks = std::min<int64_t>((n + 255) / 256, 1024), .threads = 256, .numbers = {n}};
}

inline const KernelFunction stride_snake = SnakeBy({.name = "StrideSnake",
                                                    .source = R"(
__global__ void StrideSnake(const T* x, const T* a, T* y, long long n) {
  const long long all_threads = gridDim.x * (long long)blockDim.x;
  const T f = a[0], over_f = 1 / f;
  for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < n; i += all_threads) {
    const T v = x[i];
    const T s = sin(f * v);
    y[i] = v + s * s * over_f;
  }
}
)",
                                                    .launch = LaunchStride});
// [endregion]

// [region four]
inline KernelLaunch LaunchFour(std::span<const ArraySpec> x, std::span<const ArraySpec>) {
  const int64_t n = x[0].numel(), threads = n / 4 + n % 4;
  return {.blocks = (threads + 255) / 256, .threads = 256, .numbers = {n}};
}

inline const KernelFunction four_snake = SnakeBy({.name = "FourSnake",
                                                  .source = R"(
struct alignas(4 * sizeof(T)) Four { T at[4]; };

static __device__ T Snake(T v, T f) {
  const T s = sin(f * v);
  return v + s * s / f;
}

__global__ void FourSnake(const T* x, const T* a, T* y, long long n) {
  const long long t = blockIdx.x * (long long)blockDim.x + threadIdx.x, fours = n / 4;
  const T f = a[0];
  if (t < fours) {
    const Four v = ((const Four*)x)[t];
    Four result;
    for (int k = 0; k < 4; ++k) result.at[k] = Snake(v.at[k], f);
    ((Four*)y)[t] = result;
  } else if (t < fours + n % 4) {  // The last ones, where n is no multiple of 4.
    const long long i = 4 * fours + (t - fours);
    y[i] = Snake(x[i], f);
  }
}
)",
                                                  .launch = LaunchFour});
// [endregion]

// [region layer]
struct SnakeLayer : Layer, Formattable, Acceleratable {
  Learnable frequency{*this, "Frequency", DlArray(1.0F)};
  DlArray Predict(const DlArray& x) const { return four_snake(x, frequency); }
};
// [endregion]

}  // namespace lamina

#endif  // LESSONS_GPU_KERNELS_ELEMENTS_SNAKE_H_
