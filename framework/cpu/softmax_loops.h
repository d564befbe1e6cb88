#ifndef FRAMEWORK_CPU_SOFTMAX_LOOPS_H_
#define FRAMEWORK_CPU_SOFTMAX_LOOPS_H_

// Inside of softmax.h: the loops. Which elements they are called for and on which thread stands in
// softmax.cc.

#include <cstdint>

namespace lamina::cpu {

inline constexpr int64_t kSoftmaxMaxWidth = 256;    // of columns
inline constexpr int64_t kSoftmaxMaxPacked = 8192;  // elements of packed matrices
inline constexpr int64_t kSoftmaxScratch = 4 * kSoftmaxMaxWidth + kSoftmaxMaxPacked;

// y may be x everywhere; scratch holds kSoftmaxScratch numbers.
template <class T>
struct SoftmaxLoops {
  // Softmax, or its logarithm, of n neighbouring elements.
  void (*line)(bool logarithm, const T* x, int64_t n, T* y, T* scratch);
  // Of each of `width` columns x[r * stride + j], r < n; width <= kSoftmaxMaxWidth.
  void (*columns)(bool logarithm, const T* x, int64_t stride, int64_t n, int64_t width, T* y,
                  T* scratch);
  // Along the middle dim of [inner x n x outer]: the columns are brought side by side first, for
  // small `inner`. inner * outer <= kSoftmaxMaxWidth, inner * n * outer <= kSoftmaxMaxPacked.
  void (*packed)(bool logarithm, const T* x, int64_t inner, int64_t n, int64_t outer, T* y,
                 T* scratch);
};

namespace v2 {
const SoftmaxLoops<float>& FindSoftmaxLoops(float);
const SoftmaxLoops<double>& FindSoftmaxLoops(double);
}  // namespace v2
namespace v3 {
const SoftmaxLoops<float>& FindSoftmaxLoops(float);
const SoftmaxLoops<double>& FindSoftmaxLoops(double);
}  // namespace v3
namespace v4 {
const SoftmaxLoops<float>& FindSoftmaxLoops(float);
const SoftmaxLoops<double>& FindSoftmaxLoops(double);
}  // namespace v4

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_SOFTMAX_LOOPS_H_
