// The elementwise kernels of complex, integer and logical types, and Complex, which makes
// complex numbers of real ones. Compiled once, with -fwrapv:
// integers wrap around.

#include "framework/cpu/elementwise_rows.h"
#include "framework/cpu/elementwise_tables.h"

namespace lamina::cpu {
namespace {

using namespace functors;  // NOLINT: the lists would be unreadable

using OfComplex =
    List<Negate, Abs, Sign, Exp, Expm1, Log, Log1p, Log2, Log10, Sqrt, Rsqrt, Square, Reciprocal,
         Sin, Cos, Tan, Asin, Acos, Atan, Sinh, Cosh, Tanh, Asinh, Acosh, Atanh, Sigmoid, Conj,
         Real, Imag, IsNan, Plus, Minus, Times, Divide, Power, Eq, Ne, Where>;
using OfIntegers = List<Negate, Abs, Sign, Square, Not, Plus, Minus, Times, Max, Min, Mod, Eq, Ne,
                        Lt, Le, Gt, Ge, And, Or, Xor, Where>;
using OfLogical = List<Not, Max, Min, Eq, Ne, Lt, Le, Gt, Ge, And, Or, Xor, Where>;

constexpr KernelTable kComplexSingle = MakeTable<std::complex<float>>(OfComplex());
constexpr KernelTable kComplexDouble = MakeTable<std::complex<double>>(OfComplex());
constexpr KernelTable kInt32 = MakeTable<int32_t>(OfIntegers());
constexpr KernelTable kInt64 = MakeTable<int64_t>(OfIntegers());
constexpr KernelTable kUint8 = MakeTable<uint8_t>(OfIntegers());
constexpr KernelTable kLogical = MakeTable<uint8_t>(OfLogical());

}  // namespace

ElementwiseFn FindOther(ScalarFunction function, DataType type) {
  const int f = static_cast<int>(function);
  switch (type) {
    case DataType::kSingle:
      return function == ScalarFunction::kComplex ? &Kernel<Complex, float> : nullptr;
    case DataType::kDouble:
      return function == ScalarFunction::kComplex ? &Kernel<Complex, double> : nullptr;
    case DataType::kComplexSingle:
      return kComplexSingle.fn[f];
    case DataType::kComplexDouble:
      return kComplexDouble.fn[f];
    case DataType::kInt32:
      return kInt32.fn[f];
    case DataType::kInt64:
      return kInt64.fn[f];
    case DataType::kUint8:
      return kUint8.fn[f];
    case DataType::kLogical:
      return kLogical.fn[f];
  }
  __builtin_unreachable();
}

}  // namespace lamina::cpu
