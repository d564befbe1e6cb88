#ifndef FRAMEWORK_CPU_MATH_EXPONENTIAL_H_
#define FRAMEWORK_CPU_MATH_EXPONENTIAL_H_

// Exponentials, logarithms and what follows from them, for float and double. See math.h for the
// promises; testdata/math_coefficients.py for the coefficients.

#include "framework/cpu/math_basic.h"

namespace lamina::cpu {
inline namespace LAMINA_ISA {
namespace math {

// What exp needs to know of a type.
template <class T>
struct ExpConstants;
template <>
struct ExpConstants<float> {
  // ln 2 = head + tail; n * head is exact for the n that occur.
  static constexpr float kLn2Head = 0.693145751953125f, kLn2Tail = 1.428606820309417e-6f;
  static constexpr float kLow = -104.0f, kHigh = 89.0f;  // beyond: 0, inf
  // (expm1(r) - r) / r^2 for |r| <= ln(2) / 2.
  static float Rest(float r) {
    return Polynomial(r, 0.5f, 0.1666657338f, 0.04166655011f, 0.008363773874f, 0.001392692661f);
  }
};
template <>
struct ExpConstants<double> {
  static constexpr double kLn2Head = 0.693147180559890330187045, kLn2Tail = 5.497923018708371e-14;
  static constexpr double kLow = -746.0, kHigh = 710.0;
  static double Rest(double r) {
    return Polynomial(r, 0.5000000000000001128, 0.16666666666666667534, 0.041666666666620638584,
                      0.0083333333333297934996, 0.0013888888918939167785, 0.00019841269864380513295,
                      0.000024801518641395993583, 2.7557266418612303703e-6, 2.76213386691429238e-7,
                      2.5101346928350340198e-8);
  }
};

// x = n ln 2 + r with |r| <= ln(2) / 2, and expm1(r). x is clamped to where exp is neither 0 nor
// inf; a NaN stays in `m`.
template <class T>
struct ReducedExp {
  IntOf<T> n;
  T m;
};
template <class T>
inline ReducedExp<T> ReduceExp(T x) {
  using C = ExpConstants<T>;
  x = x < C::kLow ? C::kLow : x;
  x = x > C::kHigh ? C::kHigh : x;
  const Rounded<T> n = RoundToInteger(x * static_cast<T>(1.44269504088896340736));
  const T r = (x - n.value * C::kLn2Head) - n.value * C::kLn2Tail;
  return {n.integer, r + r * r * C::Rest(r)};
}

// m * 2^n where 2^n itself may be out of range.
template <class T>
inline T Scale(T m, IntOf<T> n) {
  const IntOf<T> half = n >> 1;
  return m * PowerOfTwo<T>(half) * PowerOfTwo<T>(n - half);
}

template <class T>
requires std::is_floating_point_v<T>
inline T Exp(T x) {
  const ReducedExp<T> e = ReduceExp(x);
  return Scale(1 + e.m, e.n);
}

template <class T>
requires std::is_floating_point_v<T>
inline T Expm1(T x) {
  const ReducedExp<T> e = ReduceExp(x);
  // 2^n m + (2^n - 1), both halved so that 2^n stays in range at the upper end.
  const T power = PowerOfTwo<T>((e.n < -70 ? -70 : e.n) - 1);
  const T y = 2 * (power * e.m + (power - T(0.5)));
  // expm1(x) rounds to x here; halving might lose a subnormal x, and the sum the sign of 0.
  return Abs(x) < T(0x1p-60) ? x : y;
}

// The parts of log: x = 2^e (1 + f), sqrt(1/2) <= 1 + f < sqrt(2), for 0 < x < inf.
template <class T>
inline T Log(T x) requires std::is_floating_point_v<T> {
  using I = IntOf<T>;
  constexpr int kM = Bits<T>::kMantissa;
  const bool tiny = x < Bits<T>::kSmallest;
  const T scaled = tiny ? x * static_cast<T>(I{1} << kM) : x;
  // Bits of sqrt(1/2): subtracting them makes the exponent that of the wanted interval.
  const I root = ToBits(static_cast<T>(0.70710678118654752440));
  // Unsigned, since for x <= 0 the difference overflows (and is not used).
  using U = std::make_unsigned_t<I>;
  const I shifted = static_cast<I>(static_cast<U>(ToBits(scaled)) - static_cast<U>(root));
  const I e = shifted >> kM;
  const T f = FromBits<T>((shifted & ((I{1} << kM) - 1)) + root) - 1;
  const T k = ToNumber(e) - (tiny ? static_cast<T>(kM) : T(0));
  // log(1 + f) = 2 atanh(s), s = f / (2 + f): s^2 < 0.0295. With 2 s = f - s f and
  // s f = f^2/2 - s f^2/2 the leading terms are exact: log(1 + f) = f - (h - s (h + R)).
  const T s = f / (2 + f);
  const T z = s * s;
  T rest;
  if constexpr (std::is_same_v<T, float>) {
    rest = z * Polynomial(z, 2.0f / 3, 2.0f / 5, 2.0f / 7, 2.0f / 9);
  } else {
    rest = z * Polynomial(z, 2.0 / 3, 2.0 / 5, 2.0 / 7, 2.0 / 9, 2.0 / 11, 2.0 / 13, 2.0 / 15,
                          2.0 / 17, 2.0 / 19, 2.0 / 21);
  }
  const T h = T(0.5) * f * f;
  using C = ExpConstants<T>;
  const T y = k * C::kLn2Head - ((h - (s * (h + rest) + k * C::kLn2Tail)) - f);
  constexpr T kInf = __builtin_inf();
  T result = x == kInf ? x : y;
  result = x == 0 ? -kInf : result;
  return x >= 0 ? result : static_cast<T>(__builtin_nan(""));
}

template <class T>
requires std::is_floating_point_v<T>
inline T Log1p(T x) {
  // log(u) for the rounded u = 1 + x, and to first order what the rounding lost.
  const T u = 1 + x;
  const T lost = x > 1 ? 1 - (u - x) : x - (u - 1);
  const T correction = lost / u;
  // Where u is 0 or inf, the correction would be NaN.
  const bool regular = (u > 0) & (u < static_cast<T>(__builtin_inf()));
  const T y = Log(u) + (regular ? correction : T(0));
  return x == 0 ? x : y;
}

// In double and rounded once: exact for powers of two and, in single, of ten.
inline float Log2(float x) {
  return static_cast<float>(Log(static_cast<double>(x)) * 1.44269504088896340736);
}
inline double Log2(double x) { return __builtin_log2(x); }
inline float Log10(float x) {
  return static_cast<float>(Log(static_cast<double>(x)) * 0.43429448190325182765);
}
inline double Log10(double x) { return __builtin_log10(x); }

template <class T>
requires std::is_floating_point_v<T>
inline T Tanh(T x) {
  const T t = Expm1(-2 * Abs(x));  // in (-1, 0]: no overflow
  return CopySign(-t / (2 + t), x);
}

template <class T>
requires std::is_floating_point_v<T>
inline T Sigmoid(T x) {
  const T e = Exp(-Abs(x));
  return (x >= 0 ? T(1) : e) / (1 + e);
}

inline float Sinh(float x) {
  const double t = Expm1(static_cast<double>(Abs(x)));
  const double big = 1e300;  // keeps inf / inf away
  const double u = t > big ? big : t;
  return CopySign(static_cast<float>(0.5 * (t + u / (u + 1))), x);
}
inline double Sinh(double x) { return __builtin_sinh(x); }
inline float Cosh(float x) {
  const double e = Exp(static_cast<double>(Abs(x)));
  return static_cast<float>(0.5 * (e + 1 / e));
}
inline double Cosh(double x) { return __builtin_cosh(x); }

inline float Asinh(float x) {
  const double a = static_cast<double>(Abs(x));  // a * a does not overflow
  const float y = static_cast<float>(Log1p(a + a * (a / (1 + Sqrt(1 + a * a)))));
  return CopySign(a == static_cast<double>(__builtin_inff()) ? __builtin_inff() : y,
                  x);  // inf / inf above is NaN
}
inline double Asinh(double x) { return __builtin_asinh(x); }
inline float Acosh(float x) {
  const double a = static_cast<double>(x) - 1;
  const double y = Log1p(a + Sqrt(a * (a + 2)));
  return x >= 1 ? static_cast<float>(y) : __builtin_nanf("");
}
inline double Acosh(double x) { return __builtin_acosh(x); }
inline float Atanh(float x) {
  const double a = static_cast<double>(Abs(x));
  return CopySign(static_cast<float>(0.5 * Log1p(2 * a / (1 - a))), x);
}
inline double Atanh(double x) { return __builtin_atanh(x); }

inline float Erf(float x) {
  const float a = Abs(x);
  // Below 1: x + x Q(x^2). Above: 1 - exp(log(erfc)); from 4 on it is 1.
  const float z = a < 1 ? a * a : 1.0f;
  const float inner =
      a + a * Polynomial(z, 0.1283791671f, -0.3761263847f, 0.112837825f, -0.02686543073f,
                         0.005221031808f, -0.0008484080406f, 0.0001126595903f, -9.667044571e-6f);
  const float b = a > 4 ? 4.0f : a;
  const float exponent = Polynomial(
      b, -0.0004163292177f, 1.130675144f, 0.6309530298f, 0.1110550174f, -0.02709952329f,
      0.00506494692f, -0.000685836683f, 6.229835325e-5f, -3.321684591e-6f, 7.58268197e-8f);
  const float outer = 1 - Exp(-exponent);
  return CopySign(a < 1 ? inner : outer, x);
}
inline double Erf(double x) { return __builtin_erf(x); }

// |x|^y = exp(y log |x|) in double, with the special cases of C's pow.
inline float Pow(float x, float y) {
  const double a = static_cast<double>(Abs(x));
  const double magnitude = Exp(static_cast<double>(y) * Log(a));
  const bool whole = Trunc(y) == y;
  const float half = 0.5f * y;
  const bool odd = whole & (Trunc(half) != half) & (Abs(y) < 0x1p25f);
  float r = static_cast<float>(magnitude);
  // A power of -1 to +-inf or of +-1: log is 0, and 0 * inf is not 1.
  r = Abs(x) == 1 ? 1.0f : r;
  r = (x < 0) & (x > -__builtin_inff()) & !whole ? __builtin_nanf("") : r;
  r = odd ? CopySign(r, x) : r;
  r = (x != x) | (y != y) ? x + y : r;
  return (y == 0) | (x == 1) ? 1.0f : r;
}
inline double Pow(double x, double y) { return __builtin_pow(x, y); }

}  // namespace math
}  // namespace LAMINA_ISA
}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_MATH_EXPONENTIAL_H_
