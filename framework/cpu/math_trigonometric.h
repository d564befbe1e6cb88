#ifndef FRAMEWORK_CPU_MATH_TRIGONOMETRIC_H_
#define FRAMEWORK_CPU_MATH_TRIGONOMETRIC_H_

// Sine and its family: float from math_trigonometric.inc, double from the C library. See math.h for
// the promises.

#include "framework/cpu/math_basic.h"

namespace lamina::cpu {
inline namespace LAMINA_ISA {
namespace math {

// In this order.
// clang-format off
#include "framework/cpu/math_begin.inc"
#include "framework/cpu/math_trigonometric.inc"
#include "framework/cpu/math_end.inc"
// clang-format on

inline double Sin(double x) { return __builtin_sin(x); }
inline double Cos(double x) { return __builtin_cos(x); }
inline double Tan(double x) { return __builtin_tan(x); }
inline double Asin(double x) { return __builtin_asin(x); }
inline double Acos(double x) { return __builtin_acos(x); }
inline double Atan(double x) { return __builtin_atan(x); }
inline double Atan2(double y, double x) { return __builtin_atan2(y, x); }

}  // namespace math
}  // namespace LAMINA_ISA
}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_MATH_TRIGONOMETRIC_H_
