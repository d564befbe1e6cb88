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
// the true value in units in the last place of the result (ulp); float was measured over all 2^32
// arguments (functions of two arguments: over 10^8), double over 10^7 arguments of all magnitudes.
// "libm": the C library's function, one call for each element.
//
//   function          float ulp   double ulp
// TABLE
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
