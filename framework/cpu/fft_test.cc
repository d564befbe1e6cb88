// The transform against its formula, summed in long double.
#include "framework/cpu/fft.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <limits>
#include <numbers>
#include <random>
#include <vector>

#include "framework/cpu/threads.h"

namespace lamina::cpu {
namespace {

using Wide = std::complex<long double>;

template <class T>
class FftTest : public testing::Test {
 protected:
  using Number = std::complex<T>;
  static constexpr DataType kType =
      sizeof(T) == sizeof(float) ? DataType::kComplexSingle : DataType::kComplexDouble;
  static constexpr double kUnit = std::numeric_limits<T>::epsilon() / 2;

  std::vector<Number> Random(int64_t n) {
    std::uniform_real_distribution<T> uniform(-1, 1);
    std::vector<Number> x(n);
    for (Number& v : x) v = {uniform(random_), uniform(random_)};
    return x;
  }
  std::mt19937 random_{5};
};

using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(FftTest, Types);

template <class Number>
std::vector<Wide> Slow(FftSign sign, const std::vector<Number>& x) {
  const int64_t n = static_cast<int64_t>(x.size());
  std::vector<Wide> roots(n), y(n);
  for (int64_t j = 0; j < n; ++j) {
    const long double angle = 2 * std::numbers::pi_v<long double> * j / n;
    roots[j] = {std::cos(angle), (sign == FftSign::kMinus ? -1 : 1) * std::sin(angle)};
  }
  for (int64_t k = 0; k < n; ++k) {
    for (int64_t j = 0; j < n; ++j) y[k] += Wide(x[j]) * roots[j * k % n];
  }
  return y;
}

// The root of the mean squared error, in parts of that of the values.
template <class Number>
double RelativeError(const std::vector<Number>& actual, const std::vector<Wide>& expected) {
  long double error = 0, size = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    error += std::norm(Wide(actual[i]) - expected[i]);
    size += std::norm(expected[i]);
  }
  return static_cast<double>(std::sqrt(error / size));
}

double Bound(int64_t n, bool bluestein, double unit) {
  return unit * (2 + std::log2(static_cast<double>(n))) * (bluestein ? 2 : 1);
}

TYPED_TEST(FftTest, FollowsTheFormulaForEveryLength) {
  std::vector<int64_t> lengths;
  for (int64_t n = 1; n <= 130; ++n) lengths.push_back(n);
  // Powers, products of small primes, a prime, ten times and twice a prime.
  for (int64_t n : {256, 243, 625, 343, 360, 1024, 1009, 10 * 101, 2 * 503}) lengths.push_back(n);
  for (const int64_t n : lengths) {
    const auto x = this->Random(n);
    for (const FftSign sign : {FftSign::kMinus, FftSign::kPlus}) {
      auto y = x;
      Fft(this->kType, sign, 1, n, 1, x.data(), y.data());
      bool bluestein = false;
      for (int64_t p : {101, 103, 107, 109, 113, 127, 503, 1009}) bluestein |= n % p == 0;
      EXPECT_LE(RelativeError(y, Slow(sign, x)), Bound(n, bluestein, this->kUnit)) << n;
    }
  }
}

// Too long for the formula: there and back again is n times the line.
TYPED_TEST(FftTest, LongLinesComeBack) {
  for (const int64_t n : {1 << 17, 59049 * 2, 100003, 2 * 50021}) {
    const auto x = this->Random(n);
    auto y = x, z = x;
    Fft(this->kType, FftSign::kMinus, 1, n, 1, x.data(), y.data());
    Fft(this->kType, FftSign::kPlus, 1, n, 1, y.data(), z.data());
    std::vector<Wide> expected(x.begin(), x.end());
    for (Wide& v : expected) v *= n;
    EXPECT_LE(RelativeError(z, expected), 2 * Bound(n, true, this->kUnit)) << n;
    // A constant has one coefficient.
    std::fill(y.begin(), y.end(), 1);
    Fft(this->kType, FftSign::kMinus, 1, n, 1, y.data(), z.data());
    expected.assign(n, 0);
    expected[0] = n;
    EXPECT_LE(RelativeError(z, expected), 2 * Bound(n, true, this->kUnit)) << n;
  }
}

TYPED_TEST(FftTest, TransformsTheMiddleDim) {
  constexpr int64_t kInner = 3, kN = 6, kOuter = 4;
  const auto x = this->Random(kInner * kN * kOuter);
  auto y = x;
  Fft(this->kType, FftSign::kMinus, kInner, kN, kOuter, x.data(), y.data());
  for (int64_t o = 0; o < kOuter; ++o) {
    for (int64_t i = 0; i < kInner; ++i) {
      std::vector<typename TestFixture::Number> from, to;
      for (int64_t j = 0; j < kN; ++j) {
        from.push_back(x[i + kInner * (j + kN * o)]);
        to.push_back(y[i + kInner * (j + kN * o)]);
      }
      EXPECT_LE(RelativeError(to, Slow(FftSign::kMinus, from)), Bound(kN, false, this->kUnit));
    }
  }
}

TYPED_TEST(FftTest, DoesNotDependOnTheNumberOfThreads) {
  const int threads = NumThreads();
  for (const int64_t n : {512, 509}) {
    const auto x = this->Random(n * 64);
    auto one = x, two = x;
    SetNumThreads(1);
    Fft(this->kType, FftSign::kMinus, 4, n, 16, x.data(), one.data());
    SetNumThreads(2);
    Fft(this->kType, FftSign::kMinus, 4, n, 16, x.data(), two.data());
    EXPECT_EQ(one, two);
  }
  SetNumThreads(threads);
}

TYPED_TEST(FftTest, NanSpreadsOverItsLine) {
  for (const int64_t n : {12, 101}) {
    auto x = this->Random(2 * n), y = x;
    x[1] = std::numeric_limits<double>::quiet_NaN();
    Fft(this->kType, FftSign::kMinus, 1, n, 2, x.data(), y.data());
    for (int64_t k = 0; k < 2 * n; ++k) EXPECT_EQ(std::isnan(std::abs(y[k])), k < n) << k;
  }
}

TYPED_TEST(FftTest, NothingIsDoneToNothing) {
  Fft(this->kType, FftSign::kMinus, 3, 0, 2, nullptr, nullptr);
  Fft(this->kType, FftSign::kMinus, 0, 5, 2, nullptr, nullptr);
}

}  // namespace
}  // namespace lamina::cpu
