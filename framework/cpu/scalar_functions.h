#ifndef FRAMEWORK_CPU_SCALAR_FUNCTIONS_H_
#define FRAMEWORK_CPU_SCALAR_FUNCTIONS_H_

// The scalar functions, each written once.
//
// `Value` is a generic expression. On float, double, complex and integers it computes; on a
// symbolic type it records, so that what prints C prints the same function. A symbolic type S
// brings: a constructor from int and double, the operators + - * / and unary -, the comparisons
// with the operators & | ^ ! on their results, and the functions that are called here (Exp, Select,
// ...) in its own namespace, where argument-dependent lookup finds them.
//
// Logical values are 0 or 1 in a uint8_t; every other type counts as true where it is not 0.
//
//   functors::Tanh::Value(0.5f);      // 0.46211717f
//   functors::Tanh::kId               // ScalarFunction::kTanh
//
// Threads: pure functions. Namespaces: see isa_namespace.h. Errors and ranges: see math.h.

#include <type_traits>

#include "framework/cpu/math.h"
#include "framework/cpu/scalar_function.h"

namespace lamina::cpu {
inline namespace LAMINA_ISA {
namespace functors {

template <class S>
inline constexpr bool kIsComplex = false;
template <class R>
inline constexpr bool kIsComplex<std::complex<R>> = true;

template <ScalarFunction id>
struct Functor {
  static constexpr ScalarFunction kId = id;
  static constexpr int kArity = Describe(id).arity;
  static constexpr ResultRule kResult = Describe(id).result;
};

struct Negate : Functor<ScalarFunction::kNegate> {
  template <class S>
  static auto Value(S x) {
    return -x;
  }
};
struct Abs : Functor<ScalarFunction::kAbs> {
  template <class S>
  static auto Value(S x) {
    using math::Abs;
    return Abs(x);
  }
};
// -1, 0 or 1; +-0 and NaN stay as they are. Complex: x / |x|.
struct Sign : Functor<ScalarFunction::kSign> {
  template <class S>
  static auto Value(S x) {
    if constexpr (kIsComplex<S>) {
      using math::Abs;
      return x == S(0) ? x : x / Abs(x);
    } else if constexpr (std::is_unsigned_v<S>) {
      return S(x != 0);
    } else {
      using math::Select;
      return Select(x > S(0), S(1), Select(x < S(0), S(-1), x));
    }
  }
};
struct Exp : Functor<ScalarFunction::kExp> {
  template <class S>
  static auto Value(S x) {
    using math::Exp;
    return Exp(x);
  }
};
struct Expm1 : Functor<ScalarFunction::kExpm1> {
  template <class S>
  static auto Value(S x) {
    using math::Expm1;
    return Expm1(x);
  }
};
struct Log : Functor<ScalarFunction::kLog> {
  template <class S>
  static auto Value(S x) {
    using math::Log;
    return Log(x);
  }
};
struct Log1p : Functor<ScalarFunction::kLog1p> {
  template <class S>
  static auto Value(S x) {
    using math::Log1p;
    return Log1p(x);
  }
};
struct Log2 : Functor<ScalarFunction::kLog2> {
  template <class S>
  static auto Value(S x) {
    using math::Log2;
    return Log2(x);
  }
};
struct Log10 : Functor<ScalarFunction::kLog10> {
  template <class S>
  static auto Value(S x) {
    using math::Log10;
    return Log10(x);
  }
};
struct Sqrt : Functor<ScalarFunction::kSqrt> {
  template <class S>
  static auto Value(S x) {
    using math::Sqrt;
    return Sqrt(x);
  }
};
struct Rsqrt : Functor<ScalarFunction::kRsqrt> {
  template <class S>
  static auto Value(S x) {
    using math::Sqrt;
    return S(1) / Sqrt(x);
  }
};
struct Square : Functor<ScalarFunction::kSquare> {
  template <class S>
  static auto Value(S x) {
    return x * x;
  }
};
struct Reciprocal : Functor<ScalarFunction::kReciprocal> {
  template <class S>
  static auto Value(S x) {
    return S(1) / x;
  }
};
struct Sin : Functor<ScalarFunction::kSin> {
  template <class S>
  static auto Value(S x) {
    using math::Sin;
    return Sin(x);
  }
};
struct Cos : Functor<ScalarFunction::kCos> {
  template <class S>
  static auto Value(S x) {
    using math::Cos;
    return Cos(x);
  }
};
struct Tan : Functor<ScalarFunction::kTan> {
  template <class S>
  static auto Value(S x) {
    using math::Tan;
    return Tan(x);
  }
};
struct Asin : Functor<ScalarFunction::kAsin> {
  template <class S>
  static auto Value(S x) {
    using math::Asin;
    return Asin(x);
  }
};
struct Acos : Functor<ScalarFunction::kAcos> {
  template <class S>
  static auto Value(S x) {
    using math::Acos;
    return Acos(x);
  }
};
struct Atan : Functor<ScalarFunction::kAtan> {
  template <class S>
  static auto Value(S x) {
    using math::Atan;
    return Atan(x);
  }
};
struct Sinh : Functor<ScalarFunction::kSinh> {
  template <class S>
  static auto Value(S x) {
    using math::Sinh;
    return Sinh(x);
  }
};
struct Cosh : Functor<ScalarFunction::kCosh> {
  template <class S>
  static auto Value(S x) {
    using math::Cosh;
    return Cosh(x);
  }
};
struct Tanh : Functor<ScalarFunction::kTanh> {
  template <class S>
  static auto Value(S x) {
    using math::Tanh;
    return Tanh(x);
  }
};
struct Asinh : Functor<ScalarFunction::kAsinh> {
  template <class S>
  static auto Value(S x) {
    using math::Asinh;
    return Asinh(x);
  }
};
struct Acosh : Functor<ScalarFunction::kAcosh> {
  template <class S>
  static auto Value(S x) {
    using math::Acosh;
    return Acosh(x);
  }
};
struct Atanh : Functor<ScalarFunction::kAtanh> {
  template <class S>
  static auto Value(S x) {
    using math::Atanh;
    return Atanh(x);
  }
};
struct Sigmoid : Functor<ScalarFunction::kSigmoid> {
  template <class S>
  static auto Value(S x) {
    using math::Sigmoid;
    return Sigmoid(x);
  }
};
struct Erf : Functor<ScalarFunction::kErf> {
  template <class S>
  static auto Value(S x) {
    using math::Erf;
    return Erf(x);
  }
};
struct Floor : Functor<ScalarFunction::kFloor> {
  template <class S>
  static auto Value(S x) {
    using math::Floor;
    return Floor(x);
  }
};
struct Ceil : Functor<ScalarFunction::kCeil> {
  template <class S>
  static auto Value(S x) {
    using math::Ceil;
    return Ceil(x);
  }
};
struct Round : Functor<ScalarFunction::kRound> {
  template <class S>
  static auto Value(S x) {
    using math::Round;
    return Round(x);
  }
};
// Towards zero.
struct Fix : Functor<ScalarFunction::kFix> {
  template <class S>
  static auto Value(S x) {
    using math::Trunc;
    return Trunc(x);
  }
};
// max(x, 0), but NaN stays NaN.
struct Relu : Functor<ScalarFunction::kRelu> {
  template <class S>
  static auto Value(S x) {
    using math::Select;
    return Select(x < S(0), S(0), x);
  }
};
struct Not : Functor<ScalarFunction::kNot> {
  template <class S>
  static auto Value(S x) {
    return x == S(0);
  }
};
struct Conj : Functor<ScalarFunction::kConj> {
  template <class S>
  static auto Value(S x) {
    if constexpr (kIsComplex<S>) {
      return S(x.real(), -x.imag());
    } else {
      return x;
    }
  }
};
struct Real : Functor<ScalarFunction::kReal> {
  template <class S>
  static auto Value(S x) {
    if constexpr (kIsComplex<S>) {
      return x.real();
    } else {
      return x;
    }
  }
};
struct Imag : Functor<ScalarFunction::kImag> {
  template <class S>
  static auto Value(S x) {
    if constexpr (kIsComplex<S>) {
      return x.imag();
    } else {
      return S(0);
    }
  }
};
struct IsNan : Functor<ScalarFunction::kIsNan> {
  template <class S>
  static auto Value(S x) {
    return x != x;
  }
};

struct Plus : Functor<ScalarFunction::kPlus> {
  template <class S>
  static auto Value(S x, S y) {
    return x + y;
  }
};
struct Minus : Functor<ScalarFunction::kMinus> {
  template <class S>
  static auto Value(S x, S y) {
    return x - y;
  }
};
struct Times : Functor<ScalarFunction::kTimes> {
  template <class S>
  static auto Value(S x, S y) {
    return x * y;
  }
};
struct Divide : Functor<ScalarFunction::kDivide> {
  template <class S>
  static auto Value(S x, S y) {
    return x / y;
  }
};
struct Power : Functor<ScalarFunction::kPower> {
  template <class S>
  static auto Value(S x, S y) {
    using math::Pow;
    return Pow(x, y);
  }
};
// A NaN gives way to the other value; of two NaN one stays.
struct Max : Functor<ScalarFunction::kMax> {
  template <class S>
  static auto Value(S x, S y) {
    using math::Select;
    return Select((x > y) | (y != y), x, y);
  }
};
struct Min : Functor<ScalarFunction::kMin> {
  template <class S>
  static auto Value(S x, S y) {
    using math::Select;
    return Select((x < y) | (y != y), x, y);
  }
};
// The angle of the point with the ordinate x and the abscissa y, as in C.
struct Atan2 : Functor<ScalarFunction::kAtan2> {
  template <class S>
  static auto Value(S x, S y) {
    using math::Atan2;
    return Atan2(x, y);
  }
};
struct Mod : Functor<ScalarFunction::kMod> {
  template <class S>
  static auto Value(S x, S y) {
    using math::Mod;
    return Mod(x, y);
  }
};
struct Eq : Functor<ScalarFunction::kEq> {
  template <class S>
  static auto Value(S x, S y) {
    return x == y;
  }
};
struct Ne : Functor<ScalarFunction::kNe> {
  template <class S>
  static auto Value(S x, S y) {
    return x != y;
  }
};
struct Lt : Functor<ScalarFunction::kLt> {
  template <class S>
  static auto Value(S x, S y) {
    return x < y;
  }
};
struct Le : Functor<ScalarFunction::kLe> {
  template <class S>
  static auto Value(S x, S y) {
    return x <= y;
  }
};
struct Gt : Functor<ScalarFunction::kGt> {
  template <class S>
  static auto Value(S x, S y) {
    return x > y;
  }
};
struct Ge : Functor<ScalarFunction::kGe> {
  template <class S>
  static auto Value(S x, S y) {
    return x >= y;
  }
};
struct And : Functor<ScalarFunction::kAnd> {
  template <class S>
  static auto Value(S x, S y) {
    return (x != S(0)) & (y != S(0));
  }
};
struct Or : Functor<ScalarFunction::kOr> {
  template <class S>
  static auto Value(S x, S y) {
    return (x != S(0)) | (y != S(0));
  }
};
struct Xor : Functor<ScalarFunction::kXor> {
  template <class S>
  static auto Value(S x, S y) {
    return (x != S(0)) ^ (y != S(0));
  }
};
struct Complex : Functor<ScalarFunction::kComplex> {
  template <class S>
  static auto Value(S x, S y) {
    if constexpr (std::is_floating_point_v<S>) {
      return std::complex<S>(x, y);
    } else {
      return MakeComplex(x, y);  // of a symbolic type
    }
  }
};

struct Where : Functor<ScalarFunction::kWhere> {
  // M is uint8_t, or the symbolic type.
  template <class M, class S>
  static auto Value(M mask, S x, S y) {
    using math::Select;
    return Select(mask != M(0), x, y);
  }
};

template <class... F>
struct List {};

using All =
    List<Negate, Abs, Sign, Exp, Expm1, Log, Log1p, Log2, Log10, Sqrt, Rsqrt, Square, Reciprocal,
         Sin, Cos, Tan, Asin, Acos, Atan, Sinh, Cosh, Tanh, Asinh, Acosh, Atanh, Sigmoid, Erf,
         Floor, Ceil, Round, Fix, Relu, Not, Conj, Real, Imag, IsNan, Plus, Minus, Times, Divide,
         Power, Max, Min, Atan2, Mod, Eq, Ne, Lt, Le, Gt, Ge, And, Or, Xor, Complex, Where>;

}  // namespace functors
}  // namespace LAMINA_ISA
}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_SCALAR_FUNCTIONS_H_
