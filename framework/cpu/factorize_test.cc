// Factorizations against what they are factors of: products and residuals in long double.
#include "framework/cpu/factorize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <random>
#include <vector>

namespace lamina::cpu {
namespace {

using Wide = std::complex<long double>;

template <class T>
class FactorizeTest : public testing::Test {
 protected:
  using Real = decltype(std::abs(T()));
  static constexpr DataType kType = DataTypeOf<T>();
  static constexpr long double kUnit = std::numeric_limits<Real>::epsilon() / 2;

  std::vector<T> Random(int64_t count) {
    std::uniform_real_distribution<Real> uniform(-1, 1);
    std::vector<T> x(count);
    for (T& v : x) {
      v = uniform(random_);
      if constexpr (!std::is_same_v<T, Real>) v += T(0, uniform(random_));
    }
    return x;
  }
  std::mt19937 random_{5};
};

using Types = testing::Types<float, double, std::complex<float>, std::complex<double>>;
TYPED_TEST_SUITE(FactorizeTest, Types);

// An n x n matrix by its elements.
template <class F>
std::vector<Wide> Matrix(int64_t n, F element) {
  std::vector<Wide> a(n * n);
  for (int64_t j = 0; j < n; ++j) {
    for (int64_t i = 0; i < n; ++i) a[i + j * n] = element(i, j);
  }
  return a;
}
std::vector<Wide> Adjoint(int64_t n, const std::vector<Wide>& a) {
  return Matrix(n, [&](int64_t i, int64_t j) { return std::conj(a[j + i * n]); });
}
// a is n x n, b n x m.
std::vector<Wide> Product(int64_t n, int64_t m, const std::vector<Wide>& a,
                          const std::vector<Wide>& b) {
  std::vector<Wide> c(n * m);
  for (int64_t j = 0; j < m; ++j) {
    for (int64_t k = 0; k < n; ++k) {
      for (int64_t i = 0; i < n; ++i) c[i + j * n] += a[i + k * n] * b[k + j * n];
    }
  }
  return c;
}
template <class T>
std::vector<Wide> Widened(const std::vector<T>& x) {
  return {x.begin(), x.end()};
}
long double Largest(const std::vector<Wide>& x) {
  long double largest = 0;
  for (const Wide& v : x) {
    largest = std::isnan(std::abs(v)) ? INFINITY : std::max(largest, std::abs(v));
  }
  return largest;
}
long double Distance(const std::vector<Wide>& x, std::vector<Wide> y) {
  for (size_t i = 0; i < x.size(); ++i) y[i] -= x[i];
  return Largest(y);
}

// Few rows, and some on both sides of where others compute and blocks begin.
const int64_t kSizes[] = {1, 2, 3, 5, 8, 15, 16, 17, 31, 33, 64, 130};

// |P A - L U| <= n u |L| |U| (N. Higham, Accuracy and Stability of Numerical Algorithms, theorem
// 9.3), and each row of |L| |U| has at most n terms of |l| <= 1. Complex products are four.
TYPED_TEST(FactorizeTest, LuFactors) {
  using T = TypeParam;
  for (const int64_t n : kSizes) {
    const std::vector<T> a = this->Random(n * n);
    std::vector<T> lu = a;
    std::vector<int32_t> pivots(n);
    LuFactor(this->kType, n, lu.data(), pivots.data());
    const auto l = Matrix(n, [&](int64_t i, int64_t j) {
      return i == j ? Wide(1) : i > j ? Wide(lu[i + j * n]) : Wide(0);
    });
    const auto u =
        Matrix(n, [&](int64_t i, int64_t j) { return i <= j ? Wide(lu[i + j * n]) : Wide(0); });
    std::vector<Wide> exchanged = Widened(a);
    for (int64_t k = 0; k < n; ++k) {
      ASSERT_GE(pivots[k], k);
      ASSERT_LT(pivots[k], n);
      for (int64_t j = 0; j < n; ++j) std::swap(exchanged[k + j * n], exchanged[pivots[k] + j * n]);
    }
    EXPECT_LE(Largest(l), 1 + 4 * this->kUnit);
    EXPECT_LE(Distance(Product(n, n, l, u), exchanged), 4 * n * n * this->kUnit * Largest(u)) << n;
  }
}

// |A x - b| <= 3 n u |L| |U| |x| (Higham, theorem 9.4).
TYPED_TEST(FactorizeTest, LuSolves) {
  using T = TypeParam;
  for (const int64_t n : kSizes) {
    for (const int64_t m : {1, 3, 40}) {
      for (const bool transposed : {false, true}) {
        const std::vector<T> a = this->Random(n * n), b = this->Random(n * m);
        std::vector<T> lu = a, x = b;
        std::vector<int32_t> pivots(n);
        LuFactor(this->kType, n, lu.data(), pivots.data());
        LuSolve(this->kType, transposed, n, m, lu.data(), pivots.data(), x.data());
        const std::vector<Wide> matrix = transposed ? Adjoint(n, Widened(a)) : Widened(a);
        EXPECT_LE(Distance(Product(n, m, matrix, Widened(x)), Widened(b)),
                  4 * 3 * n * n * this->kUnit * Largest(Widened(lu)) * Largest(Widened(x)))
            << n << " " << m << " " << transposed;
      }
    }
  }
}

TYPED_TEST(FactorizeTest, DeterminantOfFactors) {
  using T = TypeParam;
  using Real = typename TestFixture::Real;
  // Rows 0 and 1 are exchanged.
  std::vector<T> lu = {0, 2, 0, 3, 0, 1, 1, 0, 4};
  std::vector<int32_t> pivots(3);
  LuFactor(this->kType, 3, lu.data(), pivots.data());
  T determinant, sign;
  Real log;
  LuDeterminant(this->kType, 3, lu.data(), pivots.data(), &determinant, &sign, &log);
  // By the first row: 0 (0 4 - 0 1) - 3 (2 4 - 0 0) + 1 (2 1 - 0 0).
  EXPECT_LE(std::abs(determinant - T(-22)), 22 * 8 * this->kUnit);
  EXPECT_LE(std::abs(sign - T(-1)), 8 * this->kUnit);
  EXPECT_LE(std::abs(log - std::log(22.0L)), 22 * this->kUnit);
  // Far beyond what the product can hold.
  const int64_t n = 200;
  std::vector<T> scaled(n * n);
  for (int64_t i = 0; i < n; ++i) scaled[i + i * n] = i % 2 ? T(-1000) : T(1000);
  pivots.resize(n);
  LuFactor(this->kType, n, scaled.data(), pivots.data());
  LuDeterminant(this->kType, n, scaled.data(), pivots.data(), &determinant, &sign, &log);
  EXPECT_EQ(std::real(determinant), INFINITY);
  // |error| <= n u sum |log|, in double; that of one rounding in single.
  EXPECT_LE(std::abs(log - 200 * std::log(1000.0L)), 1382 * (200 * 0x1p-53 + this->kUnit));
  EXPECT_EQ(sign, T(1));
  // Of no rows the empty product.
  LuDeterminant(this->kType, 0, nullptr, nullptr, &determinant, &sign, &log);
  EXPECT_EQ(determinant, T(1));
  EXPECT_EQ(sign, T(1));
  EXPECT_EQ(log, 0);
}

TYPED_TEST(FactorizeTest, ASingularMatrixHasAZeroPivotAndGivesInfinityOrNan) {
  using T = TypeParam;
  // Multipliers are exact, so the zero is too.
  std::vector<T> lu = {4, 2, 1, 8, 4, 2, 1, 1, 1};
  std::vector<int32_t> pivots(3);
  LuFactor(this->kType, 3, lu.data(), pivots.data());
  EXPECT_TRUE(lu[0] == T(0) || lu[4] == T(0) || lu[8] == T(0));
  T determinant, sign;
  typename TestFixture::Real log;
  LuDeterminant(this->kType, 3, lu.data(), pivots.data(), &determinant, &sign, &log);
  EXPECT_EQ(determinant, T(0));
  EXPECT_EQ(sign, T(0));
  EXPECT_EQ(log, -INFINITY);
  std::vector<T> x = {1, 2, 4};
  LuSolve(this->kType, false, 3, 1, lu.data(), pivots.data(), x.data());
  EXPECT_TRUE(std::any_of(x.begin(), x.end(), [](T v) { return !std::isfinite(std::abs(v)); }));
  // The identity without one of its ones.
  const int64_t n = 40;
  std::vector<T> large(n * n);
  for (int64_t i = 0; i < n; ++i) large[i + i * n] = i == 20 ? T(0) : T(1);
  pivots.resize(n);
  LuFactor(this->kType, n, large.data(), pivots.data());
  LuDeterminant(this->kType, n, large.data(), pivots.data(), &determinant, &sign, &log);
  EXPECT_EQ(determinant, T(0));
  EXPECT_EQ(log, -INFINITY);
  std::vector<T> y(n, T(1));
  LuSolve(this->kType, false, n, 1, large.data(), pivots.data(), y.data());
  EXPECT_FALSE(std::isfinite(std::abs(y[20])));
}

// |A - L L^H| <= (n + 1) u |L| |L^H| (Higham, theorem 10.3), whose elements are at most A's
// largest.
TYPED_TEST(FactorizeTest, Cholesky) {
  using T = TypeParam;
  for (const int64_t n : kSizes) {
    const std::vector<Wide> g = Widened(this->Random(n * n));
    std::vector<Wide> a = Product(n, n, g, Adjoint(n, g));
    for (int64_t i = 0; i < n; ++i) a[i + i * n] += 1;
    std::vector<T> factor(n * n);
    for (int64_t j = 0; j < n; ++j) {
      for (int64_t i = 0; i < n; ++i) {
        const Wide v = a[i + j * n];
        // Not read above the diagonal.
        if constexpr (std::is_same_v<T, typename TestFixture::Real>) {
          factor[i + j * n] = i < j ? std::nan("") : v.real();
        } else {
          factor[i + j * n] = i < j ? T(std::nan("")) : T(v);
        }
      }
    }
    Cholesky(this->kType, n, factor.data());
    const std::vector<Wide> l = Widened(factor);
    for (int64_t j = 0; j < n; ++j) {
      for (int64_t i = 0; i < j; ++i) ASSERT_EQ(factor[i + j * n], T(0));
      EXPECT_GT(l[j + j * n].real(), 0);
      EXPECT_EQ(l[j + j * n].imag(), 0);
    }
    EXPECT_LE(Distance(Product(n, n, l, Adjoint(n, l)), a), 4 * (n + 2) * this->kUnit * Largest(a))
        << n;
  }
}

TYPED_TEST(FactorizeTest, WithoutACholeskyFactorTheLowerTriangleIsNan) {
  using T = TypeParam;
  for (const int64_t n : {1, 2, 40}) {
    // The last number of the diagonal is negative, zero, NaN.
    for (const double last : {-1.0, 0.0, std::nan("")}) {
      std::vector<T> a(n * n);
      for (int64_t i = 0; i < n; ++i) a[i + i * n] = i + 1 == n ? T(last) : T(1);
      Cholesky(this->kType, n, a.data());
      for (int64_t j = 0; j < n; ++j) {
        for (int64_t i = 0; i < n; ++i) {
          EXPECT_EQ(std::isnan(std::real(a[i + j * n])), i >= j) << i << " " << j;
        }
      }
    }
    std::vector<T> a(n * n);
    for (int64_t i = 0; i < n; ++i) a[i + i * n] = 1;
    a[n - 1] = std::nan("");
    Cholesky(this->kType, n, a.data());
    EXPECT_TRUE(std::isnan(std::real(a[0])) && std::isnan(std::real(a[n * n - 1])));
  }
}

// |T x - b| <= n u |T| |x| (Higham, theorem 8.5).
TYPED_TEST(FactorizeTest, TriangularSolve) {
  using T = TypeParam;
  for (const int64_t n : kSizes) {
    for (const int64_t m : {1, 7}) {
      for (const bool lower : {false, true}) {
        for (const bool transposed : {false, true}) {
          std::vector<T> t = this->Random(n * n);
          const std::vector<T> b = this->Random(n * m);
          for (int64_t j = 0; j < n; ++j) {
            t[j + j * n] += T(static_cast<float>(n));
            for (int64_t i = 0; i < n; ++i) {
              if (i != j && (i > j) != lower) t[i + j * n] = std::nan("");  // Not read.
            }
          }
          std::vector<T> x = b;
          TriangularSolve(this->kType, lower, transposed, n, m, t.data(), x.data());
          const auto triangle = Matrix(n, [&](int64_t i, int64_t j) {
            return i == j || (i > j) == lower ? Wide(t[i + j * n]) : Wide(0);
          });
          const auto product =
              Product(n, m, transposed ? Adjoint(n, triangle) : triangle, Widened(x));
          EXPECT_LE(Distance(product, Widened(b)),
                    4 * (n + 1) * this->kUnit * Largest(triangle) * Largest(Widened(x)))
              << n << " " << m << " " << lower << " " << transposed;
        }
      }
    }
  }
}

TYPED_TEST(FactorizeTest, OfNaN) {
  using T = TypeParam;
  for (const int64_t n : {1, 4, 40}) {
    std::vector<T> lu(n * n, T(std::nan("")));
    std::vector<int32_t> pivots(n);
    LuFactor(this->kType, n, lu.data(), pivots.data());
    for (int64_t k = 0; k < n; ++k) EXPECT_TRUE(pivots[k] >= k && pivots[k] < n);
    std::vector<T> x(n, T(1));
    LuSolve(this->kType, false, n, 1, lu.data(), pivots.data(), x.data());
    for (const T& v : x) EXPECT_TRUE(std::isnan(std::real(v)));
  }
}

}  // namespace
}  // namespace lamina::cpu
