// The arithmetic of a solver's step, one pass over memory. Rates are prepared in double and used in
// the precision of the arrays. T is float, double or std::complex of these; averages of squares are
// real.
#ifndef FRAMEWORK_TRAINNET_UPDATE_KERNELS_H_
#define FRAMEWORK_TRAINNET_UPDATE_KERNELS_H_

#include <complex>
#include <cstdint>

namespace lamina::internal {

template <class T>
struct RealOf {
  using Type = T;
};
template <class T>
struct RealOf<std::complex<T>> {
  using Type = T;
};

struct SgdmStepRates {
  double learn_rate, l2, momentum;
};
struct RmspropStepRates {
  double learn_rate, l2, decay, epsilon;
};
struct AdamStepRates {
  /// learn_rate / (1 - beta1^t), 1 / (1 - beta2^t), and 1 - learn_rate weight_decay.
  double step, square_correction, shrink;
  double l2, beta1, beta2, epsilon;
};

template <class T>
void SgdmKernel(int64_t n, const SgdmStepRates& rates, const T* w, const T* g, const T* v, T* new_w,
                T* new_v);
template <class T>
void RmspropKernel(int64_t n, const RmspropStepRates& rates, const T* w, const T* g,
                   const typename RealOf<T>::Type* v, T* new_w, typename RealOf<T>::Type* new_v);
template <class T>
void AdamKernel(int64_t n, const AdamStepRates& rates, const T* w, const T* g, const T* m,
                const typename RealOf<T>::Type* v, T* new_w, T* new_m,
                typename RealOf<T>::Type* new_v);

}  // namespace lamina::internal

#endif  // FRAMEWORK_TRAINNET_UPDATE_KERNELS_H_
