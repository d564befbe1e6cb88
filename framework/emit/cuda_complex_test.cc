// The functions of complex numbers that CUDA is given, as C++: the text of the kernels is included
// here. Against long double, and what is not finite against the standard library.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

// The type comes first.
// clang-format off
#define __device__
#include <math.h>
#include "framework/emit/cuda_complex_type.inc"
#include "framework/emit/cuda_complex_functions.inc"
#include "framework/emit/cuda_complex_elementary.inc"
// clang-format on

namespace lamina {
namespace {

using lamina_cuda::Complex;
using Exact = std::complex<long double>;

template <class T>
Exact Of(Complex<T> z) {
  return {z.re, z.im};
}

template <class T>
class CudaComplexTest : public ::testing::Test {
 protected:
  static constexpr double kRounding = std::is_same_v<T, double> ? 0x1p-53 : 0x1p-24;

  // Numbers of size 1, of sizes from 2^-10 to 2^10, and of all sizes of the type.
  Complex<T> Draw(int kind) {
    const int most = kind == 0 ? 0 : kind == 1 ? 10 : std::numeric_limits<T>::max_exponent - 8;
    const auto part = [&] {
      return static_cast<T>(std::ldexp(std::uniform_real_distribution<double>(-1, 1)(random_),
                                       std::uniform_int_distribution<int>(-most, most)(random_)));
    };
    return {part(), part()};
  }
  // Beside 1, where logarithms cancel: as close as `size`, or anywhere on the circle.
  Complex<T> DrawNearOne(double size) {
    std::uniform_real_distribution<double> part(-1, 1);
    if (size == 0) {
      const double angle = 3 * part(random_);
      return {static_cast<T>(std::cos(angle)), static_cast<T>(std::sin(angle))};
    }
    return {static_cast<T>(1 + size * part(random_)), static_cast<T>(size * part(random_))};
  }

  // |came - exact| in units of u |exact|; 0 where a part is too small or too large for the claim.
  static double Error(Complex<T> came, Exact exact) {
    const long double size = std::abs(exact);
    if (!(size < std::numeric_limits<T>::max() / 2)) return 0;
    if (size < std::numeric_limits<T>::min() * 1e4L) return 0;
    return static_cast<double>(std::abs(Of(came) - exact) / size / kRounding);
  }

  std::mt19937 random_{5};
};
using Precisions = ::testing::Types<float, double>;
TYPED_TEST_SUITE(CudaComplexTest, Precisions);

TYPED_TEST(CudaComplexTest, ResultsAreWithinTheBounds) {
  using T = TypeParam;
  double sum = 0, product = 0, quotient = 0, part = 0, size = 0, exp = 0, log = 0, sqrt = 0;
  const auto note = [](double* worst, double error) {
    if (!(error <= *worst)) *worst = error;
  };
  for (int i = 0; i < 300000; ++i) {
    const Complex<T> z = i % 5 == 4 ? this->DrawNearOne(i % 4 == 0 ? 0 : std::pow(10, -(i % 4)))
                                    : this->Draw(i % 3),
                     w = this->Draw(i % 3);
    const Exact a = Of(z), b = Of(w);
    note(&sum, this->Error(z + w, a + b));
    note(&sum, this->Error(z - w, a - b));
    note(&quotient, this->Error(z / w, a / b));
    note(&part, this->Error(z / w.re, a / static_cast<long double>(w.re)));
    note(&size, this->Error({Abs(z), 0}, std::abs(a)));
    note(&log, this->Error(Log(z), std::log(a)));
    note(&sqrt, this->Error(Sqrt(z), std::sqrt(a)));
    // What is too large on the way of a product is too large.
    if (i % 3 != 2) note(&product, this->Error(z * w, a * b));
    if (std::abs(z.re) < 1000 && std::abs(z.im) < 1000)
      note(&exp, this->Error(Exp(z), std::exp(a)));
  }
  EXPECT_LE(sum, 1);
  EXPECT_LE(product, std::sqrt(5.0));
  EXPECT_LE(quotient, 6);
  EXPECT_LE(part, 1);
  EXPECT_LE(size, 2);
  EXPECT_LE(exp, 8);
  EXPECT_LE(log, 8);
  EXPECT_LE(sqrt, 8);
}

// The functions of trigonometry, each of numbers for which it is neither too large nor lost.
TYPED_TEST(CudaComplexTest, ElementaryFunctionsAreWithinTheBounds) {
  using T = TypeParam;
  struct Function {
    const char* name;
    Complex<T> (*came)(Complex<T>);
    Exact (*exact)(const Exact&);
    double bound;
    double worst = 0;
    Complex<T> at = {};
  };
  std::vector<Function> functions = {
      {"sin", lamina_cuda::Sin, std::sin, 8},        {"cos", lamina_cuda::Cos, std::cos, 8},
      {"tan", lamina_cuda::Tan, std::tan, 16},       {"sinh", lamina_cuda::Sinh, std::sinh, 8},
      {"cosh", lamina_cuda::Cosh, std::cosh, 8},     {"tanh", lamina_cuda::Tanh, std::tanh, 16},
      {"asin", lamina_cuda::Asin, std::asin, 16},    {"acos", lamina_cuda::Acos, std::acos, 16},
      {"atan", lamina_cuda::Atan, std::atan, 16},    {"asinh", lamina_cuda::Asinh, std::asinh, 16},
      {"acosh", lamina_cuda::Acosh, std::acosh, 16}, {"atanh", lamina_cuda::Atanh, std::atanh, 16},
  };
  for (int i = 0; i < 200000; ++i) {
    const Complex<T> z =
        i % 5 == 4 ? this->DrawNearOne(i % 4 == 0 ? 0 : std::pow(10, -(i % 4))) : this->Draw(i % 3);
    for (Function& f : functions) {
      const bool is_inverse = f.name[0] == 'a';
      if (!is_inverse && (std::abs(z.re) > 1000 || std::abs(z.im) > 1000)) continue;
      const double error = this->Error(f.came(z), f.exact(Of(z)));
      if (!(error <= f.worst)) f.worst = error, f.at = z;
    }
  }
  for (const Function& f : functions) {
    EXPECT_LE(f.worst, f.bound) << f.name << " of " << f.at.re << " " << f.at.im;
  }
}

// Where the exponential alone would be too large, but its product with a cosine is not.
TYPED_TEST(CudaComplexTest, AnExponentialIsNotTooLargeOnTheWay) {
  using T = TypeParam;
  const T beyond = std::log(std::numeric_limits<T>::max()) + T(0.5), angle = T(1.56);
  const Complex<T> w = Exp(Complex<T>{beyond, angle});
  const long double expected =
      std::exp(static_cast<long double>(beyond)) * std::cos(static_cast<long double>(angle));
  EXPECT_NEAR(static_cast<double>(w.re / expected), 1, 8 * this->kRounding);
  EXPECT_EQ(w.im, std::numeric_limits<T>::infinity());
}

// "-inf", "+0", "nan", "+" for any other positive number.
template <class T>
std::string Kind(T x) {
  if (std::isnan(x)) return "nan";
  return std::string(std::signbit(x) ? "-" : "+") + (std::isinf(x) ? "inf" : x == 0 ? "0" : "");
}

TYPED_TEST(CudaComplexTest, WhatIsNotFiniteIsAsInTheStandardLibrary) {
  using T = TypeParam;
  const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  const std::vector<T> parts = {0, -T(0), 1, -2, inf, -inf, nan};
  std::vector<std::complex<T>> numbers;
  for (T re : parts) {
    for (T im : parts) numbers.emplace_back(re, im);
  }
  const auto expect = [](const char* function, std::complex<T> x, std::complex<T> y,
                         Complex<T> came, std::complex<T> expected) {
    EXPECT_EQ(Kind(came.re) + " " + Kind(came.im),
              Kind(expected.real()) + " " + Kind(expected.imag()))
        << function << " of " << x << " and " << y;
  };
  // Beside NaN the standard leaves a sign open.
  const auto expect_kind = [&](const char* function, std::complex<T> x, Complex<T> came,
                               std::complex<T> expected) {
    if (std::isnan(expected.real()) || std::isnan(expected.imag())) {
      came = {std::abs(came.re), std::abs(came.im)};
      expected = {std::abs(expected.real()), std::abs(expected.imag())};
    }
    expect(function, x, 0, came, expected);
  };
  for (const std::complex<T> x : numbers) {
    const Complex<T> z{x.real(), x.imag()};
    expect("exp", x, 0, Exp(z), std::exp(x));
    expect("log", x, 0, Log(z), std::log(x));
    expect("sqrt", x, 0, Sqrt(z), std::sqrt(x));
    expect("abs", x, 0, {Abs(z), 0}, std::abs(x));
    expect("conj", x, 0, Conj(z), std::conj(x));
    expect("negate", x, 0, -z, -x);
    expect_kind("sin", x, Sin(z), std::sin(x));
    expect_kind("cos", x, Cos(z), std::cos(x));
    expect_kind("tan", x, Tan(z), std::tan(x));
    expect_kind("sinh", x, Sinh(z), std::sinh(x));
    expect_kind("cosh", x, Cosh(z), std::cosh(x));
    expect_kind("tanh", x, Tanh(z), std::tanh(x));
    expect_kind("asin", x, Asin(z), std::asin(x));
    expect_kind("acos", x, Acos(z), std::acos(x));
    expect_kind("atan", x, Atan(z), std::atan(x));
    expect_kind("asinh", x, Asinh(z), std::asinh(x));
    expect_kind("acosh", x, Acosh(z), std::acosh(x));
    expect_kind("atanh", x, Atanh(z), std::atanh(x));
    for (const std::complex<T> y : numbers) {
      const Complex<T> w{y.real(), y.imag()};
      // A quotient that is 0 may be so from either side.
      const Complex<T> quotient = z / w;
      expect("quotient", x, y, {quotient.re + T(0), quotient.im + T(0)},
             x / y + std::complex<T>(0, 0));
      EXPECT_EQ(z == w, x == y) << x << y;
      EXPECT_EQ(z != w, x != y) << x << y;
    }
  }
}

TEST(CudaComplexTypeTest, BytesAreThoseOfTheStandardLibrary) {
  const std::complex<float> x(1.5F, -2);
  Complex<float> z{};
  static_assert(sizeof z == sizeof x && alignof(Complex<double>) == 16);
  std::memcpy(&z, &x, sizeof x);
  EXPECT_EQ(Real(z), 1.5F);
  EXPECT_EQ(Imag(z), -2);
  const Complex<double> wide = lamina_cuda::Converted<double>(z);
  EXPECT_EQ(wide.re, 1.5);
  EXPECT_EQ(wide.im, -2);
  Complex<double> total = wide;
  total += wide;
  total *= Complex<double>{0, 1};
  EXPECT_EQ(total.re, 4);
  EXPECT_EQ(total.im, 3);
}

}  // namespace
}  // namespace lamina
