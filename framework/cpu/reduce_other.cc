// Reductions of complex, integer and logical types, and kAny and kAll of all types. Compiled with
// -fwrapv: sums and products of integers wrap around.

#include <complex>
#include <limits>

#include "framework/cpu/reduce_loops.h"

namespace lamina::cpu {
namespace {

struct ComplexSumSquaresOp : SumOp {
  template <class V>
  static V Step(V a, V x) {
    return V(a.real() + (x.real() * x.real() + x.imag() * x.imag()), 0);
  }
};
struct IntegerMaxOp : MaxOp {
  template <class A>
  static A Identity() {
    return std::numeric_limits<A>::lowest();
  }
};
struct IntegerMinOp : MinOp {
  template <class A>
  static A Identity() {
    return std::numeric_limits<A>::max();
  }
};
struct LogicalMinOp : MinOp {
  template <class A>
  static A Identity() {
    return 1;
  }
};
struct AnyOp {
  template <class A>
  static A Identity() {
    return 0;
  }
  template <class T>
  static uint8_t Step(uint8_t a, T x) {
    return a | static_cast<uint8_t>(x != T(0));
  }
  static uint8_t Combine(uint8_t a, uint8_t b) { return a | b; }
};
struct AllOp {
  template <class A>
  static A Identity() {
    return 1;
  }
  template <class T>
  static uint8_t Step(uint8_t a, T x) {
    return a & static_cast<uint8_t>(x != T(0));
  }
  static uint8_t Combine(uint8_t a, uint8_t b) { return a & b; }
};

template <class T>
const ReduceLoops* FindLogic(Reduction reduction) {
  if (reduction == Reduction::kAny) return &kPlainLoops<AnyOp, T, uint8_t>;
  if (reduction == Reduction::kAll) return &kPlainLoops<AllOp, T, uint8_t>;
  return nullptr;
}

template <class T>
const ReduceLoops* FindComplex(Reduction reduction) {
  switch (reduction) {
    case Reduction::kSum:
      return &kPlainLoops<SumOp, T, T>;
    case Reduction::kProd:
      return &kPlainLoops<ProdOp, T, T>;
    case Reduction::kSumSquares:
      return &kPlainLoops<ComplexSumSquaresOp, T, T>;
    default:
      return FindLogic<T>(reduction);
  }
}

template <class T>
const ReduceLoops* FindInteger(Reduction reduction) {
  switch (reduction) {
    case Reduction::kSum:
      return &kPlainLoops<SumOp, T, T>;
    case Reduction::kProd:
      return &kPlainLoops<ProdOp, T, T>;
    case Reduction::kSumSquares:
      return &kPlainLoops<SumSquaresOp, T, T>;
    case Reduction::kMax:
      return &kPlainLoops<IntegerMaxOp, T, T>;
    case Reduction::kMin:
      return &kPlainLoops<IntegerMinOp, T, T>;
    default:
      return FindLogic<T>(reduction);
  }
}

const ReduceLoops* FindBytes(Reduction reduction, bool logical) {
  if (reduction == Reduction::kMax) return &kPlainLoops<IntegerMaxOp, uint8_t, uint8_t>;
  if (reduction == Reduction::kMin) {
    return logical ? &kPlainLoops<LogicalMinOp, uint8_t, uint8_t>
                   : &kPlainLoops<IntegerMinOp, uint8_t, uint8_t>;
  }
  return FindLogic<uint8_t>(reduction);
}

}  // namespace

const ReduceLoops* FindOtherReduce(Reduction reduction, DataType type) {
  switch (type) {
    case DataType::kSingle:
      return FindLogic<float>(reduction);
    case DataType::kDouble:
      return FindLogic<double>(reduction);
    case DataType::kLogical:
      return FindBytes(reduction, true);
    case DataType::kComplexSingle:
      return FindComplex<std::complex<float>>(reduction);
    case DataType::kComplexDouble:
      return FindComplex<std::complex<double>>(reduction);
    case DataType::kInt32:
      return FindInteger<int32_t>(reduction);
    case DataType::kInt64:
      return FindInteger<int64_t>(reduction);
    case DataType::kUint8:
      return FindBytes(reduction, false);
  }
  __builtin_unreachable();
}

}  // namespace lamina::cpu
