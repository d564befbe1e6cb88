#include "framework/cpu/fft.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <complex>
#include <memory>
#include <numbers>
#include <unsupported/Eigen/FFT>
#include <vector>

#include "framework/cpu/threads.h"
#include "framework/dlarray/error.h"

namespace lamina::cpu {
namespace {

// Steps of kissfft grow with the largest prime factor; from here on Bluestein's are fewer.
constexpr int64_t kLargePrime = 100;

int64_t LargestPrimeFactor(int64_t n) {
  int64_t largest = 1;
  for (int64_t p = 2; p * p <= n; ++p) {
    for (; n % p == 0; n /= p) largest = p;
  }
  return std::max(largest, n);
}

// Lines of one length and sign. Holds the roots of unity, and room for intermediate values: an
// object belongs to one thread.
template <class T>
class LineTransform {
 public:
  using Number = std::complex<T>;

  LineTransform(int64_t n, FftSign sign) : n_(n), sign_(sign) {
    fft_.SetFlag(Eigen::FFT<T>::Unscaled);
    if (LargestPrimeFactor(n) >= kLargePrime) PrepareBluestein();
  }

  void Run(const Number* x, Number* y) {
    if (n_ == 1) {  // kissfft writes beyond its memory.
      *y = *x;
      return;
    }
    if (!chirp_.empty()) return RunBluestein(x, y);
    sign_ == FftSign::kMinus ? fft_.fwd(y, x, n_) : fft_.inv(y, x, n_);
  }

 private:
  // From 2 j k = j^2 + k^2 - (k - j)^2: with w_j = exp(-+ pi i j^2 / n)
  //   y_k = w_k sum over j of (x_j w_j) conj(w_(k - j)),
  // a convolution, which transforms of any longer length can do.
  void PrepareBluestein() {
    chirp_.resize(n_);
    const double step = (sign_ == FftSign::kMinus ? -1 : 1) * std::numbers::pi / n_;
    for (int64_t j = 0; j < n_; ++j) {
      // The angle goes round every 2 n: a small one is exact to rounding.
      const double angle = step * static_cast<double>(j * j % (2 * n_));
      chirp_[j] = Number(static_cast<T>(std::cos(angle)), static_cast<T>(std::sin(angle)));
    }
    const size_t m = std::bit_ceil(static_cast<size_t>(2 * n_ - 1));
    work_.assign(m, Number());
    for (int64_t j = 0; j < n_; ++j) {
      work_[j] = std::conj(chirp_[j]);
      if (j > 0) work_[m - j] = work_[j];
    }
    filter_.resize(m);
    product_.resize(m);
    fft_.fwd(filter_.data(), work_.data(), m);
    for (Number& f : filter_) f /= static_cast<T>(m);
  }

  void RunBluestein(const Number* x, Number* y) {
    const int64_t m = static_cast<int64_t>(work_.size());
    for (int64_t j = 0; j < n_; ++j) work_[j] = x[j] * chirp_[j];
    std::fill(work_.begin() + n_, work_.end(), Number());
    fft_.fwd(product_.data(), work_.data(), m);
    for (int64_t j = 0; j < m; ++j) product_[j] *= filter_[j];
    fft_.inv(work_.data(), product_.data(), m);
    for (int64_t k = 0; k < n_; ++k) y[k] = work_[k] * chirp_[k];
  }

  const int64_t n_;
  const FftSign sign_;
  Eigen::FFT<T> fft_;
  std::vector<Number> chirp_, filter_, work_, product_;  // Bluestein's; empty without.
};

template <class T>
void Run(FftSign sign, int64_t inner, int64_t n, int64_t outer, const std::complex<T>* x,
         std::complex<T>* y) {
  const int64_t grain = std::max<int64_t>(1, kElementwiseGrain / 8 / n);
  ParallelFor(inner * outer, grain, [&](int64_t begin, int64_t end) {
    LineTransform<T> transform(n, sign);
    std::vector<std::complex<T>> from(inner == 1 ? 0 : n), to(from.size());
    for (int64_t line = begin; line < end; ++line) {
      const int64_t first = line / inner * inner * n + line % inner;
      if (inner == 1) {
        transform.Run(x + first, y + first);
        continue;
      }
      for (int64_t j = 0; j < n; ++j) from[j] = x[first + j * inner];
      transform.Run(from.data(), to.data());
      for (int64_t k = 0; k < n; ++k) y[first + k * inner] = to[k];
    }
  });
}

}  // namespace

void Fft(DataType type, FftSign sign, int64_t inner, int64_t n, int64_t outer, const void* x,
         void* y) {
  LAMINA_CHECK(IsComplex(type) && n <= kMaxFftLength);
  if (inner == 0 || n == 0 || outer == 0) return;
  if (type == DataType::kComplexSingle) {
    using Number = std::complex<float>;
    Run(sign, inner, n, outer, static_cast<const Number*>(x), static_cast<Number*>(y));
  } else {
    using Number = std::complex<double>;
    Run(sign, inner, n, outer, static_cast<const Number*>(x), static_cast<Number*>(y));
  }
}

}  // namespace lamina::cpu
