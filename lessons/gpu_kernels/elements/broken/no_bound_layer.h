// A mistake: the kernel's last block has more threads than there are elements, and nothing stops
// those that are too many.
#ifndef LESSONS_GPU_KERNELS_ELEMENTS_BROKEN_NO_BOUND_LAYER_H_
#define LESSONS_GPU_KERNELS_ELEMENTS_BROKEN_NO_BOUND_LAYER_H_

#include "lessons/gpu_kernels/elements/snake.h"

namespace lamina {

// [region kernel]
inline const KernelFunction unbound_snake = SnakeBy({.name = "UnboundSnake", .source = R"(
__global__ void UnboundSnake(const T* x, const T* a, T* y, long long n) {
  const long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
  const T v = x[i], f = a[0];
  const T s = sin(f * v);
  y[i] = v + s * s / f;
}
)"});
// [endregion]

struct NoBoundLayer : Layer, Formattable, Acceleratable {
  Learnable frequency{*this, "Frequency", DlArray(1.0F)};
  DlArray Predict(const DlArray& x) const { return unbound_snake(x, frequency); }
};

}  // namespace lamina

#endif  // LESSONS_GPU_KERNELS_ELEMENTS_BROKEN_NO_BOUND_LAYER_H_
