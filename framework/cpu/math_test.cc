// Asserts the errors that math.h states. Each run samples the arguments; with LAMINA_EXHAUSTIVE=1
// in the environment the functions of one float are measured over all 2^32 of them (minutes).

#include "framework/cpu/math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>

namespace lamina::cpu {
namespace {

constexpr float kInfF = std::numeric_limits<float>::infinity();
constexpr float kNanF = std::numeric_limits<float>::quiet_NaN();

// Distance of `y` to `exact` in units of the last place of T at `exact`.
template <class T, class Wide>
double Ulp(T y, Wide exact) {
  const T rounded = static_cast<T>(exact);
  if (std::isnan(y) || std::isnan(exact)) return std::isnan(y) == std::isnan(exact) ? 0 : 1e30;
  if (y == rounded) {
    if (std::isinf(y)) return 0;
    if (y == 0 && exact == 0) return std::signbit(y) == std::signbit(exact) ? 0 : 1e30;
  } else if (std::isinf(y) || std::isinf(rounded)) {
    // Overflow on one side only is an error of one unit at the largest number.
    const Wide largest = std::numeric_limits<T>::max();
    return std::abs(std::isinf(y) ? exact : static_cast<Wide>(y)) >= largest * (1 - 1e-6) ? 1
                                                                                          : 1e30;
  }
  Wide unit;
  if constexpr (std::is_same_v<T, float>) {
    // frexp and ldexp by hand: the exhaustive run is made of this.
    const int64_t exponent = (__builtin_bit_cast(int64_t, static_cast<double>(exact)) >> 52) & 2047;
    unit = __builtin_bit_cast(double, (std::max<int64_t>(exponent, 1023 - 126) - 23) << 52);
  } else {
    int exponent;
    std::frexp(exact, &exponent);
    exponent = std::max(exponent, std::numeric_limits<T>::min_exponent);
    unit = std::ldexp(Wide(1), exponent - std::numeric_limits<T>::digits);
  }
  return static_cast<double>(std::abs(static_cast<Wide>(y) - exact) / unit);
}

struct FloatFunction {
  const char* name;
  float (*ours)(float);
  double (*exact)(double);
  double ulp;
};

const FloatFunction kFloatFunctions[] = {
    {"Exp", math::Exp, std::exp, 1.1},
    {"Expm1", math::Expm1, std::expm1, 1.9},
    {"Log", math::Log, std::log, 0.9},
    {"Log1p", math::Log1p, std::log1p, 1.6},
    {"Log2", math::Log2, std::log2, 0.501},
    {"Log10", math::Log10, std::log10, 0.501},
    {"Sin", math::Sin, std::sin, 0.501},
    {"Cos", math::Cos, std::cos, 0.501},
    {"Tan", math::Tan, std::tan, 0.501},
    {"Asin", math::Asin, std::asin, 0.501},
    {"Acos", math::Acos, std::acos, 0.501},
    {"Atan", math::Atan, std::atan, 0.501},
    {"Sinh", math::Sinh, std::sinh, 0.501},
    {"Cosh", math::Cosh, std::cosh, 0.501},
    {"Tanh", math::Tanh, std::tanh, 2.5},
    {"Asinh", math::Asinh, std::asinh, 0.501},
    {"Acosh", math::Acosh, std::acosh, 0.501},
    {"Atanh", math::Atanh, std::atanh, 0.501},
    {"Sigmoid", math::Sigmoid,
     [](double x) { return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x)); },
     2.5},
    {"Erf", math::Erf, std::erf, 1.6},
    {"Round", math::Round, std::round, 0},
    {"Floor", math::Floor, std::floor, 0},
    {"Ceil", math::Ceil, std::ceil, 0},
    {"Trunc", math::Trunc, std::trunc, 0},
    {"Sqrt", math::Sqrt, std::sqrt, 0.5},
};

TEST(MathTest, FunctionsOfOneFloatKeepTheirErrors) {
  const bool exhaustive = std::getenv("LAMINA_EXHAUSTIVE") != nullptr;
  for (const FloatFunction& f : kFloatFunctions) {
    double worst = 0;
    float where = 0;
    const uint64_t step = exhaustive ? 1 : 9973;
    for (uint64_t bits = 0; bits <= 0xffffffffu; bits += step) {
      const float x = __builtin_bit_cast(float, static_cast<uint32_t>(bits));
      const double error = Ulp(f.ours(x), f.exact(static_cast<double>(x)));
      if (error > worst) {
        worst = error;
        where = x;
      }
    }
    if (exhaustive) std::printf("%-8s %.4f ulp at %a\n", f.name, worst, static_cast<double>(where));
    EXPECT_LE(worst, f.ulp) << f.name << " at " << where << " gives " << f.ours(where);
  }
}

TEST(MathTest, ExpOfNegativeHasTheBitsOfExp) {
  const float low = -150, high = 40;
  const uint32_t step = std::getenv("LAMINA_EXHAUSTIVE") != nullptr ? 1 : 997;
  for (const float end : {low, high}) {
    for (uint32_t bits = 0; bits <= __builtin_bit_cast(uint32_t, std::abs(end)); bits += step) {
      const float x = std::copysign(__builtin_bit_cast(float, bits), end);
      ASSERT_EQ(math::ExpOfNegative(x), math::Exp(x)) << x;
    }
  }
  std::mt19937_64 random(5);
  std::uniform_real_distribution<double> near_zero(-1, 1), all(-750, 40);
  for (int64_t i = 0; i < 1'000'000; ++i) {
    const double x = i % 2 == 0 ? near_zero(random) : all(random);
    ASSERT_EQ(math::ExpOfNegative(x), math::Exp(x)) << x;
  }
  EXPECT_EQ(math::ExpOfNegative(-kInfF), 0);
  EXPECT_EQ(math::ExpOfNegative(-std::numeric_limits<double>::max()), 0);
  EXPECT_TRUE(std::isnan(math::ExpOfNegative(kNanF)));
  EXPECT_TRUE(std::isnan(math::ExpOfNegative(-std::numeric_limits<double>::quiet_NaN())));
}

struct DoubleFunction {
  const char* name;
  double (*ours)(double);
  long double (*exact)(long double);
  double ulp;
};

const DoubleFunction kDoubleFunctions[] = {
    {"Exp", math::Exp, std::exp, 1.1},
    {"Expm1", math::Expm1, std::expm1, 2.5},
    {"Log", math::Log, std::log, 1.0},
    {"Log1p", math::Log1p, std::log1p, 1.7},
    {"Tanh", math::Tanh, std::tanh, 2.8},
    {"Sigmoid", math::Sigmoid,
     [](long double x) {
       return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
     },
     2.6},
    {"Round", math::Round, std::round, 0},
};

TEST(MathTest, FunctionsOfOneDoubleKeepTheirErrors) {
  const bool exhaustive = std::getenv("LAMINA_EXHAUSTIVE") != nullptr;
  const int64_t samples = exhaustive ? 10'000'000 : 300'000;
  for (const DoubleFunction& f : kDoubleFunctions) {
    std::mt19937_64 random(7);
    std::uniform_real_distribution<double> near_zero(-2, 2), middle(-750, 750);
    double worst = 0, where = 0;
    for (int64_t i = 0; i < samples; ++i) {
      const uint64_t bits = random();
      const double x = i % 3 == 0   ? near_zero(random)
                       : i % 3 == 1 ? middle(random)
                                    : __builtin_bit_cast(double, bits);
      const double error = Ulp(f.ours(x), f.exact(static_cast<long double>(x)));
      if (error > worst) {
        worst = error;
        where = x;
      }
    }
    if (exhaustive) std::printf("%-8s %.4f ulp at %a (double)\n", f.name, worst, where);
    EXPECT_LE(worst, f.ulp) << f.name << " at " << where << " gives " << f.ours(where);
  }
}

TEST(MathTest, FunctionsOfTwoFloatsKeepTheirErrors) {
  const int64_t samples = std::getenv("LAMINA_EXHAUSTIVE") != nullptr ? 100'000'000 : 1'000'000;
  std::mt19937_64 random(11);
  std::uniform_real_distribution<float> base(0, 10), exponent(-30, 30);
  double worst_power = 0, worst_angle = 0;
  for (int64_t i = 0; i < samples; ++i) {
    const uint64_t bits = random();
    float x = __builtin_bit_cast(float, static_cast<uint32_t>(bits));
    float y = __builtin_bit_cast(float, static_cast<uint32_t>(bits >> 32));
    const double angle =
        Ulp(math::Atan2(y, x), std::atan2(static_cast<double>(y), static_cast<double>(x)));
    worst_angle = std::max(worst_angle, angle);
    if (i % 2 == 0) {
      x = base(random) * (i % 8 == 0 ? -1.0f : 1.0f);
      y = i % 8 < 4 ? std::round(exponent(random)) : exponent(random);
    }
    const double power =
        Ulp(math::Pow(x, y), std::pow(static_cast<double>(x), static_cast<double>(y)));
    EXPECT_LE(power, 0.501) << x << " ^ " << y << " gives " << math::Pow(x, y);
    worst_power = std::max(worst_power, power);
  }
  EXPECT_LE(worst_angle, 0.501);
  EXPECT_LE(worst_power, 0.501);
}

// The special values of C's functions; C's own results for float are the oracle.
TEST(MathTest, SpecialValuesAreThoseOfC) {
  const float values[] = {0.0f,        -0.0f,       1.0f,       -1.0f,     2.0f,  -2.0f,
                          3.0f,        -3.0f,       0.5f,       -0.5f,     kInfF, -kInfF,
                          kNanF,       0x1p-149f,   -0x1p-149f, 0x1p127f,  -2.5f, 1e10f,
                          16777217.0f, 0.49999997f, -0x1p127f,  4194303.5f};
  const auto same = [](float a, double b) {
    const float c = static_cast<float>(b);
    if (std::isnan(a) || std::isnan(c)) return std::isnan(a) && std::isnan(c);
    return std::signbit(a) == std::signbit(c) && Ulp(a, b) <= 2.5;
  };
  for (float x : values) {
    const double xd = static_cast<double>(x);
    for (const FloatFunction& f : kFloatFunctions) {
      EXPECT_TRUE(same(f.ours(x), f.exact(xd))) << f.name << "(" << x << ") = " << f.ours(x);
    }
    for (float y : values) {
      const double yd = static_cast<double>(y);
      EXPECT_TRUE(same(math::Pow(x, y), std::pow(xd, yd)))
          << x << "^" << y << " = " << math::Pow(x, y);
      EXPECT_TRUE(same(math::Atan2(x, y), std::atan2(xd, yd)))
          << "atan2(" << x << ", " << y << ") = " << math::Atan2(x, y);
    }
  }
}

TEST(MathTest, ModHasTheSignOfTheDivisor) {
  EXPECT_EQ(math::Mod(5.5f, 2.0f), 1.5f);
  EXPECT_EQ(math::Mod(-5.5f, 2.0f), 0.5f);
  EXPECT_EQ(math::Mod(5.5f, -2.0f), -0.5f);
  EXPECT_EQ(math::Mod(-4.0, 2.0), 0.0);
  EXPECT_FALSE(std::signbit(math::Mod(-4.0, 2.0)));
  EXPECT_EQ(math::Mod(3.25f, 0.0f), 3.25f);
  EXPECT_TRUE(std::isnan(math::Mod(kInfF, 2.0f)));
  EXPECT_TRUE(std::isnan(math::Mod(kNanF, 2.0f)));
  for (int x = -9; x <= 9; ++x) {
    for (int y = -4; y <= 4; ++y) {
      const int expected = y == 0 ? x : x - y * static_cast<int>(std::floor(double(x) / y));
      EXPECT_EQ(math::Mod(x, y), expected) << x << " mod " << y;
    }
  }
  EXPECT_EQ(math::Mod(std::numeric_limits<int>::min(), -1), 0);
}

TEST(MathTest, ComplexFunctionsThatTheStandardLacks) {
  using Z = std::complex<double>;
  using W = std::complex<long double>;
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> uniform(-1, 1);
  for (int i = 0; i < 2000; ++i) {
    const double scale = std::pow(10.0, -8.0 * (i % 5) / 4);
    const Z z(uniform(random) * scale, uniform(random) * scale);
    const W w(z.real(), z.imag());
    const W one(1);
    const auto near = [&](Z a, W b, double tolerance) {
      return std::abs(W(a.real(), a.imag()) - b) <= tolerance * std::abs(b);
    };
    // Where the plain forms cancel, six terms of the series are exact enough.
    const bool tiny = std::abs(w) < 1e-3L;
    W exp_series = 0, log_series = 0;
    for (int k = 6; k >= 1; --k) {
      exp_series = (exp_series + one) * w / static_cast<long double>(k);
      log_series = w * (one / static_cast<long double>(k) - log_series);
    }
    EXPECT_TRUE(near(math::Expm1(z), tiny ? exp_series : std::exp(w) - one, 1e-15)) << z;
    EXPECT_TRUE(near(math::Log1p(z), tiny ? log_series : std::log(one + w), 1e-15)) << z;
    const W s = one / (one + std::exp(-w * 20.0L));
    EXPECT_TRUE(near(math::Sigmoid(20.0 * z), s, 1e-13)) << z;
  }
}

}  // namespace
}  // namespace lamina::cpu
