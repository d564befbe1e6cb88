// Functions of each element alone, and of elements that meet in two or three arrays.
//
// Arrays of different sizes meet by implicit expansion (Broadcast in format.h): dims of size 1 are
// repeated, labelled dims are matched by label. Types combine by Promote: single with double gives
// single. Logical and integer arrays are converted to single where a function needs a floating
// type. Gradients of all of them are written in these same functions, so they can be differentiated
// again.
//
//   DlArray y = Where(x > 0, x, 0.1 * x);
//
// Numeric contract: the largest errors are those of framework/cpu/math.h; NaN and infinity follow
// IEEE 754; Max and Min take the other value where one is NaN.
// Errors of all functions of several arrays: "dlarray:SizeMismatch", "dlarray:FormatMismatch". Of
// all: "ops:UnsupportedType" where a function has no meaning for the type (order of complex
// numbers). Threads: pure functions, callable from any thread.
#ifndef FRAMEWORK_OPS_ELEMENTWISE_H_
#define FRAMEWORK_OPS_ELEMENTWISE_H_

#include "framework/dlarray/dlarray.h"

namespace lamina {

/// x + y, x - y, x .* y and x ./ y, element by element.
DlArray operator+(const DlArray& x, const DlArray& y);
DlArray operator-(const DlArray& x, const DlArray& y);
DlArray operator*(const DlArray& x, const DlArray& y);
DlArray operator/(const DlArray& x, const DlArray& y);
/// The negative.
DlArray operator-(const DlArray& x);

/// Comparisons give logical arrays; their derivatives are zero. Complex arrays can be compared with
/// Equal and NotEqual only.
DlArray operator<(const DlArray& x, const DlArray& y);
DlArray operator<=(const DlArray& x, const DlArray& y);
DlArray operator>(const DlArray& x, const DlArray& y);
DlArray operator>=(const DlArray& x, const DlArray& y);
DlArray Equal(const DlArray& x, const DlArray& y);
DlArray NotEqual(const DlArray& x, const DlArray& y);
/// Element by element; zero is false, all else true.
DlArray operator&(const DlArray& x, const DlArray& y);
DlArray operator|(const DlArray& x, const DlArray& y);
DlArray operator!(const DlArray& x);
DlArray Xor(const DlArray& x, const DlArray& y);
/// Which elements are NaN, as a logical array.
DlArray IsNan(const DlArray& x);

/// `x` where `mask` is true, `y` elsewhere. Values that are not taken have derivative zero, also
/// where they are NaN or infinite.
DlArray Where(const DlArray& mask, const DlArray& x, const DlArray& y);

/// The larger, the smaller value; where both are equal, the derivative goes to `x`.
DlArray Max(const DlArray& x, const DlArray& y);
DlArray Min(const DlArray& x, const DlArray& y);
/// x to the power y. A negative real x with a y that is no whole number gives NaN. The derivative
/// with respect to y is taken as zero where x is zero.
DlArray Power(const DlArray& x, const DlArray& y);
/// The angle of the point (x, y) in (-pi, pi].
DlArray Atan2(const DlArray& y, const DlArray& x);
/// x - y floor(x / y): the remainder with the sign of y. Mod(x, 0) is x.
DlArray Mod(const DlArray& x, const DlArray& y);

/// |x|, real also for complex x. Sign: -1, 0, 1; x / |x| for complex x. Both have derivative zero
/// of their own at 0.
DlArray Abs(const DlArray& x);
DlArray Sign(const DlArray& x);
/// The exponential; Expm1 is exp(x) - 1 without loss of digits near 0.
DlArray Exp(const DlArray& x);
DlArray Expm1(const DlArray& x);
/// Logarithms, natural, of 1 + x, to the bases 2 and 10; of a negative real number NaN, of zero
/// -infinity.
DlArray Log(const DlArray& x);
DlArray Log1p(const DlArray& x);
DlArray Log2(const DlArray& x);
DlArray Log10(const DlArray& x);
/// The square root, NaN for negative real x; Rsqrt is 1 / Sqrt.
DlArray Sqrt(const DlArray& x);
DlArray Rsqrt(const DlArray& x);
/// x * x, and 1 / x.
DlArray Square(const DlArray& x);
DlArray Reciprocal(const DlArray& x);
/// Trigonometric (radians), hyperbolic, and their inverses.
DlArray Sin(const DlArray& x);
DlArray Cos(const DlArray& x);
DlArray Tan(const DlArray& x);
DlArray Asin(const DlArray& x);
DlArray Acos(const DlArray& x);
DlArray Atan(const DlArray& x);
DlArray Sinh(const DlArray& x);
DlArray Cosh(const DlArray& x);
DlArray Tanh(const DlArray& x);
DlArray Asinh(const DlArray& x);
DlArray Acosh(const DlArray& x);
DlArray Atanh(const DlArray& x);
/// 1 / (1 + exp(-x)).
DlArray Sigmoid(const DlArray& x);
/// The error function.
DlArray Erf(const DlArray& x);
/// Rounding down, up, to nearest (halves away from zero), toward zero. Derivatives are zero.
DlArray Floor(const DlArray& x);
DlArray Ceil(const DlArray& x);
DlArray Round(const DlArray& x);
DlArray Fix(const DlArray& x);
/// max(x, 0), NaN for NaN; derivative 0 at 0.
DlArray Relu(const DlArray& x);

/// Complex numbers. Of a real array Conj and Real are the array itself and Imag is zero.
DlArray Conj(const DlArray& x);
DlArray Real(const DlArray& x);
DlArray Imag(const DlArray& x);
/// re + i im, of two real arrays.
DlArray Complex(const DlArray& re, const DlArray& im);

/// The elements converted to `type`; x itself when it has that type. Complex to real takes the real
/// part; to integers rounds to nearest; to logical is "not zero". The derivative is converted back;
/// it is zero for integer and logical types.
DlArray Cast(const DlArray& x, DataType type);
inline DlArray Single(const DlArray& x) { return Cast(x, DataType::kSingle); }
inline DlArray Double(const DlArray& x) { return Cast(x, DataType::kDouble); }

}  // namespace lamina

#endif  // FRAMEWORK_OPS_ELEMENTWISE_H_
