#include "framework/cpu/gemm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <limits>
#include <random>
#include <vector>

#include "framework/cpu/threads.h"

namespace lamina::cpu {
namespace {

using Wide = std::complex<double>;

template <class T>
struct Traits {
  using Real = T;
  static T Make(double re, double) { return static_cast<T>(re); }
  static Wide Widen(T x) { return Wide(x, 0); }
};
template <class R>
struct Traits<std::complex<R>> {
  using Real = R;
  static std::complex<R> Make(double re, double im) {
    return {static_cast<R>(re), static_cast<R>(im)};
  }
  static Wide Widen(std::complex<R> x) { return Wide(x.real(), x.imag()); }
};

template <class T>
class GemmTest : public testing::Test {
 protected:
  static constexpr double kUnit = std::numeric_limits<typename Traits<T>::Real>::epsilon();

  std::vector<T> Random(int64_t n) {
    std::uniform_real_distribution<double> uniform(-1, 1);
    std::vector<T> x(static_cast<size_t>(n));
    for (T& v : x) {
      const double re = uniform(random_), im = uniform(random_);
      v = Traits<T>::Make(re, im);
    }
    return x;
  }
  // Element (i, l) of op(A), stored with the distance ld.
  static Wide At(const std::vector<T>& a, Transpose t, int64_t i, int64_t l, int64_t ld,
                 int64_t start) {
    const int64_t where = t == Transpose::kNo ? i + l * ld : l + i * ld;
    const Wide x = Traits<T>::Widen(a[static_cast<size_t>(start + where)]);
    return t == Transpose::kConjugate ? std::conj(x) : x;
  }
  std::mt19937 random_{5};
};

using Types = testing::Types<float, double, std::complex<float>, std::complex<double>>;
TYPED_TEST_SUITE(GemmTest, Types);

constexpr Transpose kOps[] = {Transpose::kNo, Transpose::kYes, Transpose::kConjugate};

TYPED_TEST(GemmTest, IsTheSumOfProducts) {
  using T = TypeParam;
  const int64_t sizes[][3] = {{1, 1, 1},   {2, 3, 4},   {8, 8, 8},     {16, 8, 32},  {1, 70, 33},
                              {70, 1, 33}, {65, 33, 1}, {33, 65, 129}, {96, 70, 110}};
  for (const auto& [m, n, k] : sizes) {
    for (Transpose ta : kOps) {
      for (Transpose tb : kOps) {
        const int64_t lda = (ta == Transpose::kNo ? m : k) + 3;
        const int64_t ldb = (tb == Transpose::kNo ? k : n) + 1, ldc = m + 2;
        const auto a = this->Random(lda * (ta == Transpose::kNo ? k : m));
        const auto b = this->Random(ldb * (tb == Transpose::kNo ? n : k));
        const auto before = this->Random(ldc * n);
        auto c = before;
        Gemm(DataTypeOf<T>(), ta, tb, m, n, k, 0.5, a.data(), lda, b.data(), ldb, -2.0, c.data(),
             ldc);
        for (int64_t j = 0; j < n; ++j) {
          for (int64_t i = 0; i < ldc; ++i) {
            const auto at = static_cast<size_t>(i + j * ldc);
            if (i >= m) {
              ASSERT_EQ(c[at], before[at]) << "wrote between the columns";
              continue;
            }
            Wide sum = 0;
            double size = 2 * std::abs(Traits<T>::Widen(before[at]));
            for (int64_t l = 0; l < k; ++l) {
              const Wide x = this->At(a, ta, i, l, lda, 0), y = this->At(b, tb, l, j, ldb, 0);
              sum += 0.5 * x * y;
              size += std::abs(x) * std::abs(y);
            }
            sum -= 2.0 * Traits<T>::Widen(before[at]);
            ASSERT_LE(std::abs(Traits<T>::Widen(c[at]) - sum),
                      static_cast<double>(k + 8) * this->kUnit * size)
                << m << " " << n << " " << k;
          }
        }
      }
    }
  }
}

TYPED_TEST(GemmTest, BetaZeroForgetsNan) {
  using T = TypeParam;
  for (int64_t size : {3, 40}) {
    const auto a = this->Random(size * size);
    std::vector<T> c(a.size(), Traits<T>::Make(std::nan(""), 0));
    Gemm(DataTypeOf<T>(), Transpose::kNo, Transpose::kNo, size, size, size, 1.0, a.data(), size,
         a.data(), size, 0.0, c.data(), size);
    for (const T& v : c) EXPECT_FALSE(std::isnan(Traits<T>::Widen(v).real()));
    // k == 0: C = beta C.
    std::vector<T> d(a.size(), Traits<T>::Make(std::nan(""), 0));
    Gemm(DataTypeOf<T>(), Transpose::kNo, Transpose::kNo, size, size, 0, 1.0, nullptr, size,
         nullptr, 1, 0.0, d.data(), size);
    for (const T& v : d) EXPECT_EQ(v, T(0));
  }
}

TYPED_TEST(GemmTest, SpreadsNan) {
  using T = TypeParam;
  for (int64_t size : {3, 40}) {
    auto a = this->Random(size * size);
    const std::vector<T> zero(a.size(), T(0));
    a[1] = Traits<T>::Make(std::nan(""), 0);
    std::vector<T> c(a.size());
    Gemm(DataTypeOf<T>(), Transpose::kNo, Transpose::kNo, size, size, size, 1.0, a.data(), size,
         zero.data(), size, 0.0, c.data(), size);
    EXPECT_TRUE(std::isnan(Traits<T>::Widen(c[1]).real()));
    EXPECT_FALSE(std::isnan(Traits<T>::Widen(c[0]).real()));
  }
}

TYPED_TEST(GemmTest, BatchesAreSingleProducts) {
  using T = TypeParam;
  const int before = NumThreads();
  for (int threads : {1, 4}) {
    SetNumThreads(threads);
    for (int64_t m : {3, 20, 150}) {
      const int64_t n = m + 1, k = m + 2, batch = 7;
      for (bool share_a : {false, true}) {
        for (Transpose tb : {Transpose::kNo, Transpose::kYes}) {
          const int64_t ldb = tb == Transpose::kNo ? k : n;
          const auto a = this->Random(m * k * batch), b = this->Random(k * n * batch);
          std::vector<T> together(static_cast<size_t>(m * n * batch)), alone(together.size());
          const int64_t stride_a = share_a ? 0 : m * k;
          GemmBatched(DataTypeOf<T>(), Transpose::kNo, tb, m, n, k, 1.0, a.data(), m, stride_a,
                      b.data(), ldb, k * n, 0.0, together.data(), m, m * n, batch);
          for (int64_t i = 0; i < batch; ++i) {
            Gemm(DataTypeOf<T>(), Transpose::kNo, tb, m, n, k, 1.0, a.data() + i * stride_a, m,
                 b.data() + i * k * n, ldb, 0.0, alone.data() + i * m * n, m);
          }
          for (size_t i = 0; i < alone.size(); ++i) {
            ASSERT_NEAR(std::abs(together[i] - alone[i]), 0,
                        4 * static_cast<double>(k) * this->kUnit);
          }
        }
      }
    }
  }
  SetNumThreads(before);
}

TYPED_TEST(GemmTest, EmptySizesDoNothing) {
  using T = TypeParam;
  T c = T(7);
  Gemm(DataTypeOf<T>(), Transpose::kNo, Transpose::kNo, 0, 5, 5, 1.0, nullptr, 1, nullptr, 5, 0.0,
       &c, 1);
  GemmBatched(DataTypeOf<T>(), Transpose::kNo, Transpose::kNo, 1, 1, 1, 1.0, nullptr, 1, 1, nullptr,
              1, 1, 0.0, &c, 1, 1, 0);
  EXPECT_EQ(c, T(7));
}

}  // namespace
}  // namespace lamina::cpu
