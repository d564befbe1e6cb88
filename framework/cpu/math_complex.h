#ifndef FRAMEWORK_CPU_MATH_COMPLEX_H_
#define FRAMEWORK_CPU_MATH_COMPLEX_H_

// The scalar functions of complex numbers: those of the standard library, and the few that it
// lacks. Branch cuts and special values are the standard's. Not for units with a wider instruction
// set.

#include <cmath>
#include <complex>

#include "framework/cpu/math_basic.h"

namespace lamina::cpu {
inline namespace LAMINA_ISA {
namespace math {

template <class R>
using C = std::complex<R>;

template <class R>
inline R Abs(C<R> z) {
  return std::abs(z);
}
template <class R>
inline C<R> Exp(C<R> z) {
  return std::exp(z);
}
template <class R>
inline C<R> Log(C<R> z) {
  return std::log(z);
}
template <class R>
inline C<R> Log10(C<R> z) {
  return std::log10(z);
}
template <class R>
inline C<R> Log2(C<R> z) {
  return std::log(z) * R(1.44269504088896340736);
}
template <class R>
inline C<R> Sqrt(C<R> z) {
  return std::sqrt(z);
}
template <class R>
inline C<R> Sin(C<R> z) {
  return std::sin(z);
}
template <class R>
inline C<R> Cos(C<R> z) {
  return std::cos(z);
}
template <class R>
inline C<R> Tan(C<R> z) {
  return std::tan(z);
}
template <class R>
inline C<R> Asin(C<R> z) {
  return std::asin(z);
}
template <class R>
inline C<R> Acos(C<R> z) {
  return std::acos(z);
}
template <class R>
inline C<R> Atan(C<R> z) {
  return std::atan(z);
}
template <class R>
inline C<R> Sinh(C<R> z) {
  return std::sinh(z);
}
template <class R>
inline C<R> Cosh(C<R> z) {
  return std::cosh(z);
}
template <class R>
inline C<R> Tanh(C<R> z) {
  return std::tanh(z);
}
template <class R>
inline C<R> Asinh(C<R> z) {
  return std::asinh(z);
}
template <class R>
inline C<R> Acosh(C<R> z) {
  return std::acosh(z);
}
template <class R>
inline C<R> Atanh(C<R> z) {
  return std::atanh(z);
}
template <class R>
inline C<R> Pow(C<R> x, C<R> y) {
  return std::pow(x, y);
}

// exp(a + i b) - 1 = (expm1(a) cos b - 2 sin^2(b / 2)) + i exp(a) sin b: nothing cancels near 0.
template <class R>
inline C<R> Expm1(C<R> z) {
  const R a = z.real(), b = z.imag(), s = std::sin(b / 2);
  return {std::expm1(a) * std::cos(b) - 2 * s * s, std::exp(a) * std::sin(b)};
}

// log |1 + z| = log1p(a (a + 2) + b^2) / 2 near 0, where the plain form cancels.
template <class R>
inline C<R> Log1p(C<R> z) {
  const R a = z.real(), b = z.imag();
  const bool near = std::abs(a) + std::abs(b) < R(0.5);
  const R modulus = near ? std::log1p(a * (a + 2) + b * b) / 2 : std::log(std::hypot(1 + a, b));
  return {modulus, std::atan2(b, 1 + a)};
}

// 1 / (1 + exp(-z)), with the exponential that does not overflow.
template <class R>
inline C<R> Sigmoid(C<R> z) {
  const bool right = z.real() >= 0;
  const C<R> e = std::exp(right ? -z : z);
  return (right ? C<R>(1) : e) / (R(1) + e);
}

}  // namespace math
}  // namespace LAMINA_ISA
}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_MATH_COMPLEX_H_
