#ifndef FRAMEWORK_CPU_MATH_H_
#define FRAMEWORK_CPU_MATH_H_

// Scalar functions that a compiler can turn into vector code: no branches, no calls, no tables but
// one, so that a plain loop over them runs eight or sixteen elements at once. They are written for
// GCC with -O3 -fno-math-errno -fno-trapping-math; never -ffast-math, which would take NaN away.
//
//   for (int64_t i = 0; i < n; ++i) y[i] = math::Tanh(x[i]);
//
// Threads: pure functions. Namespaces: see isa_namespace.h.
//
// Types: float and double here, std::complex in math_complex.h. Error is the greatest distance to
// the true value in units in the last place of the result (ulp), with and without fused operations.
// math_test asserts these numbers on samples; they were measured over all floats of magnitudes
// 2^-40 to 2^8 and every 61st of the others (Pow, Atan2: 2 * 10^7 pairs), double over 10^7
// arguments of all magnitudes. LAMINA_EXHAUSTIVE=1 lets the test take all 2^32 floats. "libm": the
// C library's function, one call for each element.
//
//   function                                   float     double
//   Exp, ExpOfNegative (of x <= 0)             1.1       1.1
//   Expm1                                      1.9       2.5
//   Log                                        0.9       1.0
//   Log1p                                      1.6       1.7
//   Log2, Log10                                0.501     libm
//   Tanh                                       2.5       2.8
//   Sigmoid                                    2.5       2.6
//   Erf                                        1.6       libm
//   Sin, Cos, Tan, Asin, Acos, Atan, Atan2     0.501     libm
//   Sinh, Cosh, Asinh, Acosh, Atanh, Pow       0.501     libm
//   Sqrt                                       0.5       0.5
//   Floor, Ceil, Trunc, Round, Abs             exact     exact
//   Mod                                        libm      libm
//
// Range: all arguments; results that are too small become subnormal and then 0, too large ones inf.
// NaN gives NaN (but Pow(x, 0) = Pow(1, y) = 1). Special values are those of C's functions: odd
// functions keep the sign of 0, Log(0) = -inf, Log of a negative number is NaN, Sin(inf) is NaN.
// Sigmoid(-inf) = 0, Sigmoid(inf) = 1. Round takes halves away from zero. Floor, Ceil, Trunc,
// Round, Abs, Sqrt are exact (correctly rounded). Mod(x, 0) = x, and Mod has the sign of y.

#include "framework/cpu/math_basic.h"
#include "framework/cpu/math_complex.h"
#include "framework/cpu/math_exponential.h"
#include "framework/cpu/math_trigonometric.h"

#endif  // FRAMEWORK_CPU_MATH_H_
