#include "framework/cpu/gemm_amx.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <utility>
#include <vector>

#include "framework/cpu/amx.h"
#include "framework/cpu/gemm.h"
#include "framework/cpu/threads.h"

namespace lamina::cpu {
namespace {

// Products of the sizes that AmxPays accepts: on processors with AMX they run on its matrix unit
// (gemm_amx.h), elsewhere and with LAMINA_CPU=v4 on oneDNN. The oracle is the product of the same
// numbers in double, which Eigen computes.
class GemmAmxTest : public testing::Test {
 protected:
  struct Case {
    Transpose ta = Transpose::kNo, tb = Transpose::kNo;
    int64_t m = 192, n = 192, k = 128;
    float alpha = 1, beta = 0;
    int64_t lda() const { return (ta == Transpose::kNo ? m : k) + 3; }
    int64_t ldb() const { return (tb == Transpose::kNo ? k : n) + 1; }
    int64_t ldc() const { return m + 2; }
    size_t a_size() const { return static_cast<size_t>(lda() * (ta == Transpose::kNo ? k : m)); }
    size_t b_size() const { return static_cast<size_t>(ldb() * (tb == Transpose::kNo ? n : k)); }
    size_t c_size() const { return static_cast<size_t>(ldc() * n); }
  };

  static bool OnAmx(const Case& p) {
    return AmxPays({.m = p.m, .n = p.n, .k = p.k, .alpha = p.alpha});
  }
  // Uniform in [-1, 1], times 2^e with e uniform in [least, most].
  std::vector<float> Random(size_t n, int least = 0, int most = 0) {
    std::uniform_real_distribution<double> uniform(-1, 1);
    std::uniform_int_distribution<int> exponent(least, most);
    std::vector<float> x(n);
    for (float& v : x) v = static_cast<float>(std::ldexp(uniform(random_), exponent(random_)));
    return x;
  }
  static std::vector<float> Product(const Case& p, const std::vector<float>& a,
                                    const std::vector<float>& b, std::vector<float> c) {
    EXPECT_EQ(OnAmx(p), HasAmx());
    Gemm(DataType::kSingle, p.ta, p.tb, p.m, p.n, p.k, p.alpha, a.data(), p.lda(), b.data(),
         p.ldb(), p.beta, c.data(), p.ldc());
    return c;
  }
  // In double; of the magnitudes if `size`.
  static std::vector<double> Oracle(const Case& p, const std::vector<float>& a,
                                    const std::vector<float>& b, const std::vector<float>& c,
                                    bool size) {
    const auto widen = [size](const std::vector<float>& x) {
      std::vector<double> wide(x.begin(), x.end());
      for (double& v : wide) v = size ? std::abs(v) : v;
      return wide;
    };
    const auto x = widen(a), y = widen(b);
    auto z = widen(c);
    const double alpha = p.alpha, beta = p.beta;
    Gemm(DataType::kDouble, p.ta, p.tb, p.m, p.n, p.k, size ? std::abs(alpha) : alpha, x.data(),
         p.lda(), y.data(), p.ldb(), size ? std::abs(beta) : beta, z.data(), p.ldc());
    return z;
  }
  // `smallest`: what may be lost where the result is subnormal.
  static void ExpectClose(const Case& p, const std::vector<float>& a, const std::vector<float>& b,
                          const std::vector<float>& before, double smallest = 0) {
    const auto c = Product(p, a, b, before);
    const auto sum = Oracle(p, a, b, before, false), size = Oracle(p, a, b, before, true);
    const auto k = static_cast<double>(p.k);
    const double on_amx = 22 + 6 * std::ceil(std::min(k, 256.0) / 32) + k / 256;
    const double bound = ((OnAmx(p) ? on_amx : k) + 2) * 0x1p-24;
    for (size_t i = 0; i < c.size(); ++i) {
      if (static_cast<int64_t>(i) % p.ldc() >= p.m) {
        ASSERT_EQ(c[i], before[i]) << "wrote between the columns";
      } else {
        ASSERT_LE(std::abs(c[i] - sum[i]), bound * size[i] + smallest)
            << "at " << i << " of " << p.m << " " << p.n << " " << p.k;
      }
    }
  }
  std::mt19937 random_{6};
};

TEST_F(GemmAmxTest, IsTheProductInDouble) {
  const int64_t sizes[][3] = {{128, 128, 64},  {192, 192, 128}, {193, 130, 125}, {225, 200, 289},
                              {200, 391, 600}, {700, 193, 530}, {209, 900, 1100}};
  for (const auto& [m, n, k] : sizes) {
    for (Transpose ta : {Transpose::kNo, Transpose::kYes}) {
      for (Transpose tb : {Transpose::kNo, Transpose::kYes}) {
        for (const auto& [alpha, beta] : {std::pair(1.0f, 0.0f), std::pair(-0.7f, 1.3f)}) {
          const Case p = {ta, tb, m, n, k, alpha, beta};
          ExpectClose(p, Random(p.a_size()), Random(p.b_size()), Random(p.c_size()));
        }
      }
    }
  }
}

// One factor has one number in each column or row, so that each result is one product of two
// numbers, of which the error is what gemm_amx.h leaves out, at most 2.1 u of it, and little more
// than one rounding, of the sum with high high', which comes last. A missing product of parts is an
// error of some 2^-17 where it is least. The shapes have either factor as the one that is kept.
TEST_F(GemmAmxTest, IsCloseForEachProductOfTwoNumbers) {
  for (const auto& [size, other] : {std::pair(200, 300), std::pair(400, 200)}) {
    for (bool diagonal_a : {true, false}) {
      for (Transpose ta : {Transpose::kNo, Transpose::kYes}) {
        for (Transpose tb : {Transpose::kNo, Transpose::kYes}) {
          const Case p = {ta, tb, diagonal_a ? size : other, diagonal_a ? other : size, size};
          auto a = Random(p.a_size()), b = Random(p.b_size());
          auto& sparse = diagonal_a ? a : b;
          const auto ld = diagonal_a ? p.lda() : p.ldb();
          for (size_t i = 0; i < sparse.size(); ++i) {
            const auto row = static_cast<int64_t>(i) % ld, column = static_cast<int64_t>(i) / ld;
            if (row != (7 * column + 3) % size) sparse[i] = 0;
          }
          const std::vector<float> zero(p.c_size());
          const auto c = Product(p, a, b, zero);
          const auto product = Oracle(p, a, b, zero, false);
          for (size_t i = 0; i < c.size(); ++i) {
            ASSERT_LE(std::abs(c[i] - product[i]), 3.2 * 0x1p-24 * std::abs(product[i]))
                << "at " << i << " of " << p.m << " " << p.n << " " << p.k;
          }
        }
      }
    }
  }
}

// All exponents that a sum allows, beside each other; the smallest numbers; and sums of which 2^48
// times is too large for a single.
TEST_F(GemmAmxTest, KeepsExtremeExponents) {
  const Case p = {.n = 200, .k = 300};
  const std::vector<float> zero(p.c_size());
  struct {
    int a_least, a_most, b_least, b_most;
  } const exponents[] = {{-60, 60, -60, 60},  {-149, -120, 80, 120}, {90, 120, -140, -100},
                         {-149, 120, -20, 0}, {40, 50, 40, 50},      {-70, -60, -60, -50},
                         {100, 126, -10, -5}};
  for (const auto& e : exponents) {
    // A result below 2^-126 is rounded to a multiple of 2^-149, in each block of k.
    ExpectClose(p, Random(p.a_size(), e.a_least, e.a_most), Random(p.b_size(), e.b_least, e.b_most),
                zero, 0x1p-148);
  }
}

TEST_F(GemmAmxTest, NanAndInfAreThoseOfTheSum) {
  constexpr float kInf = std::numeric_limits<float>::infinity();
  Case p = {.n = 200, .k = 300};
  for (Transpose t : {Transpose::kNo, Transpose::kYes}) {
    p.ta = p.tb = t;
    auto a = Random(p.a_size()), b = Random(p.b_size());
    const auto in_a = [&](int64_t i, int64_t l) -> float& {
      return a[static_cast<size_t>(t == Transpose::kNo ? i + l * p.lda() : l + i * p.lda())];
    };
    const auto in_b = [&](int64_t l, int64_t j) -> float& {
      return b[static_cast<size_t>(t == Transpose::kNo ? l + j * p.ldb() : j + l * p.ldb())];
    };
    in_a(3, 5) = std::nanf("");
    in_a(70, 299) = kInf;
    in_a(71, 2) = kInf;
    in_a(71, 260) = -kInf;
    in_b(17, 199) = -kInf;
    in_b(299, 40) = 0;          // times inf
    in_a(100, 7) = 0x1.8p126f;  // overflows
    in_b(7, 101) = 0x1p30f;
    const std::vector<float> before(p.c_size(), std::nanf(""));
    const auto c = Product(p, a, b, before);
    const auto sum = Oracle(p, a, b, before, false);
    int special = 0;
    for (int64_t j = 0; j < p.n; ++j) {
      for (int64_t i = 0; i < p.m; ++i) {
        const auto at = static_cast<size_t>(i + j * p.ldc());
        const auto expected = static_cast<float>(sum[at]);
        ASSERT_EQ(std::isnan(c[at]), std::isnan(expected)) << i << " " << j;
        if (!std::isfinite(expected)) ++special;
        if (std::isinf(expected)) {
          ASSERT_EQ(c[at], expected) << i << " " << j;
        } else if (std::isfinite(expected)) {
          ASSERT_TRUE(std::isfinite(c[at])) << i << " " << j;
        }
      }
    }
    EXPECT_EQ(special, 3 * p.n + p.m - 3 + 1);  // three rows, a column, and one sum
  }
}

TEST_F(GemmAmxTest, ThreadsDoNotChangeTheBits) {
  if (!HasAmx()) GTEST_SKIP() << "no AMX: oneDNN does not promise it";
  const int before = NumThreads();
  for (const auto& [m, n] : {std::pair(300, 500), std::pair(500, 300)}) {
    const Case p = {.m = m, .n = n, .k = 700};
    const auto a = Random(p.a_size()), b = Random(p.b_size());
    const std::vector<float> zero(p.c_size());
    SetNumThreads(1);
    const auto one = Product(p, a, b, zero);
    for (int threads : {2, 3, 5}) {
      SetNumThreads(threads);
      EXPECT_EQ(Product(p, a, b, zero), one) << threads;
    }
    SetNumThreads(before);
  }
}

}  // namespace
}  // namespace lamina::cpu
