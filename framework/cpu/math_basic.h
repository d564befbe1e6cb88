#ifndef FRAMEWORK_CPU_MATH_BASIC_H_
#define FRAMEWORK_CPU_MATH_BASIC_H_

// The pieces that the scalar functions are made of: choosing without a branch, bits of floating
// numbers, polynomials, rounding. See math.h.

#include <complex>
#include <cstdint>
#include <type_traits>

#include "framework/cpu/isa_namespace.h"

namespace lamina::cpu {
inline namespace LAMINA_ISA {
namespace math {

// c ? a : b, as a function so that a symbolic type can define its own.
template <class S>
inline S Select(bool c, S a, S b) {
  return c ? a : b;
}

template <class T>
struct Bits;
template <>
struct Bits<float> {
  using Int = int32_t;
  // Adding and subtracting it rounds to an integer, halves to even, below 2^22.
  static constexpr float kRounder = 12582912.0f;  // 1.5 * 2^23
};
template <>
struct Bits<double> {
  using Int = int64_t;
  static constexpr double kRounder = 6755399441055744.0;  // 1.5 * 2^52
};

template <class T>
using IntOf = typename Bits<T>::Int;

template <class T>
inline IntOf<T> ToBits(T x) {
  return __builtin_bit_cast(IntOf<T>, x);
}
inline float FromBits(int32_t i) { return __builtin_bit_cast(float, i); }
inline double FromBits(int64_t i) { return __builtin_bit_cast(double, i); }

// The integer nearest to x as a number and as an integer, |x| < 2^22 (2^51).
template <class T>
struct Rounded {
  T value;
  IntOf<T> integer;
};
template <class T>
inline Rounded<T> RoundToInteger(T x) {
  const T shifted = x + Bits<T>::kRounder;
  return {shifted - Bits<T>::kRounder, ToBits(shifted) - ToBits(Bits<T>::kRounder)};
}

// c[0] + c[1] x + ... by Horner's rule, unrolled at compile time.
template <class T>
inline T Polynomial(T, T c) {
  return c;
}
template <class T, class... Rest>
inline T Polynomial(T x, T c, Rest... rest) {
  return c + x * Polynomial(x, static_cast<T>(rest)...);
}

inline float Abs(float x) { return __builtin_fabsf(x); }
inline double Abs(double x) { return __builtin_fabs(x); }
inline float CopySign(float x, float s) { return __builtin_copysignf(x, s); }
inline double CopySign(double x, double s) { return __builtin_copysign(x, s); }
inline float Sqrt(float x) { return __builtin_sqrtf(x); }
inline double Sqrt(double x) { return __builtin_sqrt(x); }
inline float Floor(float x) { return __builtin_floorf(x); }
inline double Floor(double x) { return __builtin_floor(x); }
inline float Ceil(float x) { return __builtin_ceilf(x); }
inline double Ceil(double x) { return __builtin_ceil(x); }
inline float Trunc(float x) { return __builtin_truncf(x); }
inline double Trunc(double x) { return __builtin_trunc(x); }

// Nearest integer, halves away from zero. Adding the number just below 1/2 instead of 1/2 keeps
// 0.49999997 from becoming 1.
inline float Round(float x) { return Trunc(x + CopySign(0x1.fffffep-2f, x)); }
inline double Round(double x) { return Trunc(x + CopySign(0x1.fffffffffffffp-2, x)); }

// Integers and logicals.
template <class T>
requires std::is_integral_v<T>
inline T Abs(T x) { return x < 0 ? static_cast<T>(-x) : x; }

// x - floor(x / y) y: the sign of y, or 0; x for y == 0. Exact before the addition of y.
inline float Mod(float x, float y) {
  const float r = __builtin_fmodf(x, y);
  const float moved = r + y;
  return y == 0 ? x : (r != 0 && (r < 0) != (y < 0)) ? moved : r == 0 ? CopySign(0.0f, y) : r;
}
inline double Mod(double x, double y) {
  const double r = __builtin_fmod(x, y);
  const double moved = r + y;
  return y == 0 ? x : (r != 0 && (r < 0) != (y < 0)) ? moved : r == 0 ? CopySign(0.0, y) : r;
}
template <class T>
requires std::is_integral_v<T>
inline T Mod(T x, T y) {
  if (y == 0) return x;
  if constexpr (std::is_signed_v<T>) {
    if (y == -1) return 0;  // the least integer has no quotient by -1
  }
  const T r = static_cast<T>(x % y);
  return r != 0 && (r < 0) != (y < 0) ? static_cast<T>(r + y) : r;
}

}  // namespace math
}  // namespace LAMINA_ISA
}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_MATH_BASIC_H_
