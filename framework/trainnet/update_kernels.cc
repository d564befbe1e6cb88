#include "framework/trainnet/update_kernels.h"

#include <cmath>

#include "framework/cpu/threads.h"

namespace lamina::internal {
namespace {

// Several reads, writes and a root for each element: half the grain of cheap work.
constexpr int64_t kGrain = cpu::kElementwiseGrain / 2;

template <class T>
T SquaredSize(T x) {
  return x * x;
}
template <class T>
T SquaredSize(std::complex<T> x) {
  return x.real() * x.real() + x.imag() * x.imag();
}

}  // namespace

template <class T>
void SgdmKernel(int64_t n, const SgdmRates& rates, const T* __restrict w, const T* __restrict g,
                const T* __restrict v, T* __restrict new_w, T* __restrict new_v) {
  using R = typename RealOf<T>::Type;
  const R rate = static_cast<R>(rates.learn_rate), l2 = static_cast<R>(rates.l2),
          momentum = static_cast<R>(rates.momentum);
  cpu::ParallelFor(n, kGrain, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const T gradient = g[i] + l2 * w[i];
      const T velocity = momentum * v[i] - rate * gradient;
      new_v[i] = velocity;
      new_w[i] = w[i] + velocity;
    }
  });
}

template <class T>
void RmspropKernel(int64_t n, const RmspropRates& rates, const T* __restrict w,
                   const T* __restrict g, const typename RealOf<T>::Type* __restrict v,
                   T* __restrict new_w, typename RealOf<T>::Type* __restrict new_v) {
  using R = typename RealOf<T>::Type;
  const R rate = static_cast<R>(rates.learn_rate), l2 = static_cast<R>(rates.l2),
          decay = static_cast<R>(rates.decay), rest = static_cast<R>(1 - rates.decay),
          epsilon = static_cast<R>(rates.epsilon);
  cpu::ParallelFor(n, kGrain, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const T gradient = g[i] + l2 * w[i];
      const R square = decay * v[i] + rest * SquaredSize(gradient);
      new_v[i] = square;
      new_w[i] = w[i] - rate / (std::sqrt(square) + epsilon) * gradient;
    }
  });
}

template <class T>
void AdamKernel(int64_t n, const AdamRates& rates, const T* __restrict w, const T* __restrict g,
                const T* __restrict m, const typename RealOf<T>::Type* __restrict v,
                T* __restrict new_w, T* __restrict new_m,
                typename RealOf<T>::Type* __restrict new_v) {
  using R = typename RealOf<T>::Type;
  const R step = static_cast<R>(rates.step), correction = static_cast<R>(rates.square_correction),
          shrink = static_cast<R>(rates.shrink), l2 = static_cast<R>(rates.l2),
          beta1 = static_cast<R>(rates.beta1), rest1 = static_cast<R>(1 - rates.beta1),
          beta2 = static_cast<R>(rates.beta2), rest2 = static_cast<R>(1 - rates.beta2),
          epsilon = static_cast<R>(rates.epsilon);
  cpu::ParallelFor(n, kGrain, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const T gradient = g[i] + l2 * w[i];
      const T average = beta1 * m[i] + rest1 * gradient;
      const R square = beta2 * v[i] + rest2 * SquaredSize(gradient);
      new_m[i] = average;
      new_v[i] = square;
      new_w[i] = shrink * w[i] - step / (std::sqrt(correction * square) + epsilon) * average;
    }
  });
}

#define LAMINA_INSTANTIATE(T)                                                                     \
  template void SgdmKernel<T>(int64_t, const SgdmRates&, const T*, const T*, const T*, T*, T*);   \
  template void RmspropKernel<T>(int64_t, const RmspropRates&, const T*, const T*,                \
                                 const typename RealOf<T>::Type*, T*, typename RealOf<T>::Type*); \
  template void AdamKernel<T>(int64_t, const AdamRates&, const T*, const T*, const T*,            \
                              const typename RealOf<T>::Type*, T*, T*, typename RealOf<T>::Type*);
LAMINA_INSTANTIATE(float)
LAMINA_INSTANTIATE(double)
LAMINA_INSTANTIATE(std::complex<float>)
LAMINA_INSTANTIATE(std::complex<double>)
#undef LAMINA_INSTANTIATE

}  // namespace lamina::internal
