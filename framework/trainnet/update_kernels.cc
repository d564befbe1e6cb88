#include "framework/trainnet/update_kernels.h"

#include <cmath>
#include <limits>

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

// x, or 0 where x is so small that its digits are fewer: a processor takes a hundred times as long
// for such numbers, and an average of gradients that are 0 never gets out of them.
template <class T>
T WithoutSubnormal(T x) {
  return std::abs(x) < std::numeric_limits<T>::min() ? T(0) : x;
}
template <class T>
std::complex<T> WithoutSubnormal(std::complex<T> x) {
  return {WithoutSubnormal(x.real()), WithoutSubnormal(x.imag())};
}

// The loops stand in functions of their own: __restrict, without which they are not vectorised,
// holds for parameters and not for what a lambda captured.
template <class T, class R>
void SgdmLoop(int64_t n, R rate, R l2, R momentum, const T* __restrict w, const T* __restrict g,
              const T* __restrict v, T* __restrict new_w, T* __restrict new_v) {
  for (int64_t i = 0; i < n; ++i) {
    const T gradient = g[i] + l2 * w[i];
    const T velocity = WithoutSubnormal(momentum * v[i] - rate * gradient);
    new_v[i] = velocity;
    new_w[i] = w[i] + velocity;
  }
}

template <class T, class R>
void RmspropLoop(int64_t n, R rate, R l2, R decay, R rest, R epsilon, const T* __restrict w,
                 const T* __restrict g, const R* __restrict v, T* __restrict new_w,
                 R* __restrict new_v) {
  for (int64_t i = 0; i < n; ++i) {
    const T gradient = g[i] + l2 * w[i];
    const R square = WithoutSubnormal(decay * v[i] + rest * SquaredSize(gradient));
    new_v[i] = square;
    new_w[i] = w[i] - rate / (std::sqrt(square) + epsilon) * gradient;
  }
}

template <class R>
struct AdamConstants {
  R step, correction, shrink, l2, beta1, rest1, beta2, rest2, epsilon;
};

template <class T, class R>
void AdamLoop(int64_t n, const AdamConstants<R>& rates, const T* __restrict w,
              const T* __restrict g, const T* __restrict m, const R* __restrict v,
              T* __restrict new_w, T* __restrict new_m, R* __restrict new_v) {
  const AdamConstants<R> c = rates;
  for (int64_t i = 0; i < n; ++i) {
    const T gradient = g[i] + c.l2 * w[i];
    const T average = WithoutSubnormal(c.beta1 * m[i] + c.rest1 * gradient);
    const R square = WithoutSubnormal(c.beta2 * v[i] + c.rest2 * SquaredSize(gradient));
    new_m[i] = average;
    new_v[i] = square;
    new_w[i] = c.shrink * w[i] - c.step / (std::sqrt(c.correction * square) + c.epsilon) * average;
  }
}

}  // namespace

template <class T>
void SgdmKernel(int64_t n, const SgdmStepRates& rates, const T* w, const T* g, const T* v, T* new_w,
                T* new_v) {
  using R = typename RealOf<T>::Type;
  cpu::ParallelFor(n, kGrain, [=](int64_t i, int64_t end) {
    SgdmLoop(end - i, static_cast<R>(rates.learn_rate), static_cast<R>(rates.l2),
             static_cast<R>(rates.momentum), w + i, g + i, v + i, new_w + i, new_v + i);
  });
}

template <class T>
void RmspropKernel(int64_t n, const RmspropStepRates& rates, const T* w, const T* g,
                   const typename RealOf<T>::Type* v, T* new_w, typename RealOf<T>::Type* new_v) {
  using R = typename RealOf<T>::Type;
  cpu::ParallelFor(n, kGrain, [=](int64_t i, int64_t end) {
    RmspropLoop(end - i, static_cast<R>(rates.learn_rate), static_cast<R>(rates.l2),
                static_cast<R>(rates.decay), static_cast<R>(1 - rates.decay),
                static_cast<R>(rates.epsilon), w + i, g + i, v + i, new_w + i, new_v + i);
  });
}

template <class T>
void AdamKernel(int64_t n, const AdamStepRates& rates, const T* w, const T* g, const T* m,
                const typename RealOf<T>::Type* v, T* new_w, T* new_m,
                typename RealOf<T>::Type* new_v) {
  using R = typename RealOf<T>::Type;
  const AdamConstants<R> constants{
      static_cast<R>(rates.step),   static_cast<R>(rates.square_correction),
      static_cast<R>(rates.shrink), static_cast<R>(rates.l2),
      static_cast<R>(rates.beta1),  static_cast<R>(1 - rates.beta1),
      static_cast<R>(rates.beta2),  static_cast<R>(1 - rates.beta2),
      static_cast<R>(rates.epsilon)};
  cpu::ParallelFor(n, kGrain, [=](int64_t i, int64_t end) {
    AdamLoop(end - i, constants, w + i, g + i, m + i, v + i, new_w + i, new_m + i, new_v + i);
  });
}

#define LAMINA_INSTANTIATE(T)                                                                     \
  template void SgdmKernel<T>(int64_t, const SgdmStepRates&, const T*, const T*, const T*, T*,    \
                              T*);                                                                \
  template void RmspropKernel<T>(int64_t, const RmspropStepRates&, const T*, const T*,            \
                                 const typename RealOf<T>::Type*, T*, typename RealOf<T>::Type*); \
  template void AdamKernel<T>(int64_t, const AdamStepRates&, const T*, const T*, const T*,        \
                              const typename RealOf<T>::Type*, T*, T*, typename RealOf<T>::Type*);
LAMINA_INSTANTIATE(float)
LAMINA_INSTANTIATE(double)
LAMINA_INSTANTIATE(std::complex<float>)
LAMINA_INSTANTIATE(std::complex<double>)
#undef LAMINA_INSTANTIATE

}  // namespace lamina::internal
