// Swish, y = x sigmoid(beta x) = x / (1 + exp(-beta x)), with a kernel of its own. Ramachandran,
// Zoph, Le, Searching for Activation Functions, arXiv:1710.05941.
#ifndef LESSONS_GPU_KERNELS_ELEMENTS_SOLUTION_KERNEL_SWISH_H_
#define LESSONS_GPU_KERNELS_ELEMENTS_SOLUTION_KERNEL_SWISH_H_

#include "framework/lamina.h"

namespace lamina {

inline const KernelFunction kernel_swish({.name = "KernelSwish", .source = R"(
__global__ void KernelSwish(const T* x, const T* beta, T* y, long long n) {
  const long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
  if (i >= n) return;
  const T v = x[i];
  y[i] = v / (1 + exp(-beta[0] * v));
}
)"},
                                         [](const DlArray& x, const DlArray& beta) {
                                           return x * Sigmoid(beta * x);
                                         });

struct KernelSwishLayer : Layer, Formattable, Acceleratable {
  Learnable beta{*this, "Beta", DlArray(1.0F)};
  DlArray Predict(const DlArray& x) const { return kernel_swish(x, beta); }
};

}  // namespace lamina

#endif  // LESSONS_GPU_KERNELS_ELEMENTS_SOLUTION_KERNEL_SWISH_H_
