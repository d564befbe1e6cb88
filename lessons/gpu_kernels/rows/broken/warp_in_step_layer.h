// A mistake: the last steps of the tree have no barrier between them, as older devices forgave: "a
// warp runs in step".
#ifndef LESSONS_GPU_KERNELS_ROWS_BROKEN_WARP_IN_STEP_LAYER_H_
#define LESSONS_GPU_KERNELS_ROWS_BROKEN_WARP_IN_STEP_LAYER_H_

#include "lessons/gpu_kernels/rows/rms_norm.h"

namespace lamina {

// [region kernel]
inline const KernelFunction hasty_rms_norm = RmsNormBy({.name = "HastyRmsNorm",
                                                        .source = R"(
__global__ void HastyRmsNorm(const T* x, const T* scale, T* y, long long length) {
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
    if (half > 32) __syncthreads();  // The rest is one warp, which runs in step.
  }
  __syncthreads();
  const T factor = 1 / sqrt(sums[0] / length + T(1e-5));
  for (long long c = t; c < length; c += 256) y[c] = x[c] * factor * scale[c];
}
)",
                                                        .launch = LaunchBlockForRow});
// [endregion]

struct WarpInStepLayer : Layer, Formattable, Acceleratable {
  Learnable scale{*this, "Scale"};

  void Initialize(const NetworkDataLayout& layout) {
    if (scale.empty()) scale = Ones(layout.Only('C'));
  }
  DlArray Predict(const DlArray& x) const {
    if (FindDim(x, 'C') == 0) return hasty_rms_norm(x, scale);
    return x / Sqrt(Mean(Square(x), "C") + 1e-5) * scale;
  }
};

}  // namespace lamina

#endif  // LESSONS_GPU_KERNELS_ROWS_BROKEN_WARP_IN_STEP_LAYER_H_
