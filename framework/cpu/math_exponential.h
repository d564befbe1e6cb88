#ifndef FRAMEWORK_CPU_MATH_EXPONENTIAL_H_
#define FRAMEWORK_CPU_MATH_EXPONENTIAL_H_

// Exponentials, logarithms and what follows from them: from math_exponential.inc, and what double
// has from the C library. See math.h for the promises.

#include "framework/cpu/math_basic.h"

namespace lamina::cpu {
inline namespace LAMINA_ISA {
namespace math {

#include "framework/cpu/math_begin.inc"
#define REAL_IS_DOUBLE 1
#include "framework/cpu/math_exponential.inc"
#undef REAL_IS_DOUBLE
#define REAL_IS_DOUBLE 0
#include "framework/cpu/math_exponential.inc"
#undef REAL_IS_DOUBLE
#include "framework/cpu/math_end.inc"

inline double Log2(double x) { return __builtin_log2(x); }
inline double Log10(double x) { return __builtin_log10(x); }
inline double Sinh(double x) { return __builtin_sinh(x); }
inline double Cosh(double x) { return __builtin_cosh(x); }
inline double Asinh(double x) { return __builtin_asinh(x); }
inline double Acosh(double x) { return __builtin_acosh(x); }
inline double Atanh(double x) { return __builtin_atanh(x); }
inline double Erf(double x) { return __builtin_erf(x); }
inline double Pow(double x, double y) { return __builtin_pow(x, y); }

}  // namespace math
}  // namespace LAMINA_ISA
}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_MATH_EXPONENTIAL_H_
