#include "framework/ops/elementwise.h"

#include <array>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "framework/cpu/cast.h"
#include "framework/cpu/elementwise.h"
#include "framework/ops/elementwise_op.h"
#include "framework/ops/reduction.h"

namespace lamina {
namespace {

using cpu::ScalarFunction;
using F = cpu::ScalarFunction;

// The type in which a function works on these arguments.
DataType ComputeType(F function, Arrays x) {
  const size_t first = function == F::kWhere ? 1 : 0;
  DataType type = x[first].type();
  for (size_t i = first + 1; i < x.size(); ++i) type = Promote(type, x[i].type());
  return type;
}

DataType SupportedType(F function, const Specs& x) {
  const size_t first = function == F::kWhere ? 1 : 0;
  DataType type = x[first].type;
  for (size_t i = first + 1; i < x.size(); ++i) type = Promote(type, x[i].type);
  if (cpu::FindElementwise(function, type) != nullptr) return type;
  if (!IsFloating(type) && cpu::FindElementwise(function, DataType::kSingle) != nullptr) {
    return DataType::kSingle;
  }
  throw Error("ops:UnsupportedType",
              absl::StrCat(std::string(cpu::Describe(function).name), " is not defined for ",
                           std::string(Name(type)), " arrays."),
              absl::StrCat("A ", ToString(x[first]), " came."),
              IsComplex(type) ? "Use Real, Imag or Abs first." : "Cast the array first.");
}

// An input in the type of the computation; single elements are converted without a Storage.
class Operand {
 public:
  Operand(const DlArray& x, DataType type) : pointer_(x.data()->bytes()) {
    if (x.type() == type) return;
    if (x.numel() == 1) {
      cpu::Cast(x.type(), type, 1, pointer_, one_);
      pointer_ = one_;
      return;
    }
    storage_ = internal::Storage::Allocate(x.numel() * SizeOf(type));
    cpu::Cast(x.type(), type, x.numel(), pointer_, storage_->memory);
    pointer_ = storage_->memory;
  }
  Operand(const Operand&) = delete;
  Operand& operator=(const Operand&) = delete;
  const void* get() const { return pointer_; }

 private:
  const void* pointer_;
  alignas(16) std::byte one_[16];
  internal::RefPtr<internal::Storage> storage_;
};

std::span<const int64_t> AsSpan(const Sizes& sizes) { return {sizes.data(), sizes.size()}; }

bool AllFlat(Arrays x, const ArraySpec& out) {
  for (const DlArray& a : x) {
    if (a.sizes() != out.sizes) return false;
  }
  return true;
}

DlArray Unary(F function, const DlArray& x) {
  return Apply(ElementwiseOpOf(function), Arrays(&x, 1));
}
DlArray Binary(F function, const DlArray& x, const DlArray& y) {
  return Apply(ElementwiseOpOf(function), {x, y});
}

}  // namespace

void ElementwiseOp::Infer(const Specs& x, SpecList* outputs) const {
  ArraySpec out;
  if (x.size() == 1) {
    out.sizes = x[0].sizes;
    out.format = x[0].format;
  } else if (x.size() == 2) {
    out = Broadcast(Name(), {&x[0], &x[1]});
  } else {
    out = Broadcast(Name(), {&x[0], &x[1], &x[2]});
  }
  out.type = cpu::ResultType(function_, SupportedType(function_, x));
  outputs->push_back(std::move(out));
}

void ElementwiseOp::Run(Arrays x, Results outputs) const {
  const ArraySpec& out = outputs.spec(0);
  DataType type = ComputeType(function_, x);
  cpu::ElementwiseFn kernel = cpu::FindElementwise(function_, type);
  if (kernel == nullptr) {
    type = DataType::kSingle;
    kernel = cpu::FindElementwise(function_, type);
  }
  cpu::ElementwiseArgs args;
  args.output = outputs.bytes(0);
  if (AllFlat(x, out)) {
    cpu::SetFlat(NumElements(out.sizes), &args);
  } else if (x.size() == 2) {
    const Sizes a = AlignSizes(x[0].spec(), out), b = AlignSizes(x[1].spec(), out);
    LAMINA_CHECK(cpu::CollapseBroadcast(AsSpan(out.sizes), {AsSpan(a), AsSpan(b)}, &args));
  } else {
    const Sizes a = AlignSizes(x[0].spec(), out), b = AlignSizes(x[1].spec(), out),
                c = AlignSizes(x[2].spec(), out);
    LAMINA_CHECK(
        cpu::CollapseBroadcast(AsSpan(out.sizes), {AsSpan(a), AsSpan(b), AsSpan(c)}, &args));
  }
  const DataType first = function_ == F::kWhere ? DataType::kLogical : type;
  const Operand a(x[0], first);
  args.inputs[0] = a.get();
  if (x.size() == 1) return kernel(args);
  const Operand b(x[1], type);
  args.inputs[1] = b.get();
  if (x.size() == 2) return kernel(args);
  const Operand c(x[2], type);
  args.inputs[2] = c.get();
  kernel(args);
}

void ElementwiseOp::Write(OpWriter& w) const {
  w.Define(0, [this, &w](const Indices& i) {
    const size_t first = function_ == F::kWhere ? 1 : 0;
    DataType type = w.input(static_cast<int>(first)).type;
    for (int k = 0; k < w.num_inputs(); ++k) {
      if (k >= static_cast<int>(first)) type = Promote(type, w.input(k).type);
    }
    if (cpu::FindElementwise(function_, type) == nullptr) type = DataType::kSingle;
    std::vector<loops::Expression> x;
    for (int k = 0; k < w.num_inputs(); ++k) {
      const loops::Expression element = w.Load(k, internal::IndicesOf(w.input(k), w.output(0), i));
      x.push_back(Convert(element, k < static_cast<int>(first) ? DataType::kLogical : type));
    }
    return internal::EvaluateOnExpressions(function_, std::move(x), w.code());
  });
}

DlArrays ElementwiseOp::Gradient(const GradientCall& call) const {
  const ElementwiseDerivative& derivative = DerivativeOf(function_);
  DlArrays gradients(call.inputs.size());
  for (size_t i = 0; i < gradients.size(); ++i) {
    if (!call.needed[i]) continue;
    const DlArray g = derivative.of_input(static_cast<int>(i), call.inputs, call.outputs[0],
                                          call.output_gradients[0]);
    if (!g.empty()) gradients[i] = SumTo(g, call.inputs[i].spec());
  }
  return gradients;
}

SaveMask ElementwiseOp::SavedInputs() const { return DerivativeOf(function_).saved_inputs; }
SaveMask ElementwiseOp::SavedOutputs() const {
  return DerivativeOf(function_).saves_output ? kSaveAll : kSaveNone;
}
bool ElementwiseOp::IsDifferentiable() const { return DerivativeOf(function_).of_input != nullptr; }

const OpPtr& ElementwiseOpOf(F function) {
  struct Ops {
    std::array<OpPtr, cpu::kNumScalarFunctions> of;
    Ops() {
      for (int i = 0; i < cpu::kNumScalarFunctions; ++i) {
        of[i] = StaticOp(*new ElementwiseOp(static_cast<F>(i)));
      }
    }
  };
  static const Ops* const kOps = new Ops;
  return kOps->of[static_cast<int>(function)];
}

DlArray operator+(const DlArray& x, const DlArray& y) { return Binary(F::kPlus, x, y); }
DlArray operator-(const DlArray& x, const DlArray& y) { return Binary(F::kMinus, x, y); }
DlArray operator*(const DlArray& x, const DlArray& y) { return Binary(F::kTimes, x, y); }
DlArray operator/(const DlArray& x, const DlArray& y) { return Binary(F::kDivide, x, y); }
DlArray operator-(const DlArray& x) { return Unary(F::kNegate, x); }
DlArray operator<(const DlArray& x, const DlArray& y) { return Binary(F::kLt, x, y); }
DlArray operator<=(const DlArray& x, const DlArray& y) { return Binary(F::kLe, x, y); }
DlArray operator>(const DlArray& x, const DlArray& y) { return Binary(F::kGt, x, y); }
DlArray operator>=(const DlArray& x, const DlArray& y) { return Binary(F::kGe, x, y); }
DlArray Equal(const DlArray& x, const DlArray& y) { return Binary(F::kEq, x, y); }
DlArray NotEqual(const DlArray& x, const DlArray& y) { return Binary(F::kNe, x, y); }
DlArray operator&(const DlArray& x, const DlArray& y) { return Binary(F::kAnd, x, y); }
DlArray operator|(const DlArray& x, const DlArray& y) { return Binary(F::kOr, x, y); }
DlArray operator!(const DlArray& x) { return Unary(F::kNot, x); }
DlArray Xor(const DlArray& x, const DlArray& y) { return Binary(F::kXor, x, y); }
DlArray IsNan(const DlArray& x) { return Unary(F::kIsNan, x); }
DlArray Where(const DlArray& mask, const DlArray& x, const DlArray& y) {
  return Apply(ElementwiseOpOf(F::kWhere), {mask, x, y});
}
DlArray Max(const DlArray& x, const DlArray& y) { return Binary(F::kMax, x, y); }
DlArray Min(const DlArray& x, const DlArray& y) { return Binary(F::kMin, x, y); }
DlArray Power(const DlArray& x, const DlArray& y) { return Binary(F::kPower, x, y); }
DlArray Atan2(const DlArray& y, const DlArray& x) { return Binary(F::kAtan2, y, x); }
DlArray Mod(const DlArray& x, const DlArray& y) { return Binary(F::kMod, x, y); }
DlArray Abs(const DlArray& x) { return Unary(F::kAbs, x); }
DlArray Sign(const DlArray& x) { return Unary(F::kSign, x); }
DlArray Exp(const DlArray& x) { return Unary(F::kExp, x); }
DlArray Expm1(const DlArray& x) { return Unary(F::kExpm1, x); }
DlArray Log(const DlArray& x) { return Unary(F::kLog, x); }
DlArray Log1p(const DlArray& x) { return Unary(F::kLog1p, x); }
DlArray Log2(const DlArray& x) { return Unary(F::kLog2, x); }
DlArray Log10(const DlArray& x) { return Unary(F::kLog10, x); }
DlArray Sqrt(const DlArray& x) { return Unary(F::kSqrt, x); }
DlArray Rsqrt(const DlArray& x) { return Unary(F::kRsqrt, x); }
DlArray Square(const DlArray& x) { return Unary(F::kSquare, x); }
DlArray Reciprocal(const DlArray& x) { return Unary(F::kReciprocal, x); }
DlArray Sin(const DlArray& x) { return Unary(F::kSin, x); }
DlArray Cos(const DlArray& x) { return Unary(F::kCos, x); }
DlArray Tan(const DlArray& x) { return Unary(F::kTan, x); }
DlArray Asin(const DlArray& x) { return Unary(F::kAsin, x); }
DlArray Acos(const DlArray& x) { return Unary(F::kAcos, x); }
DlArray Atan(const DlArray& x) { return Unary(F::kAtan, x); }
DlArray Sinh(const DlArray& x) { return Unary(F::kSinh, x); }
DlArray Cosh(const DlArray& x) { return Unary(F::kCosh, x); }
DlArray Tanh(const DlArray& x) { return Unary(F::kTanh, x); }
DlArray Asinh(const DlArray& x) { return Unary(F::kAsinh, x); }
DlArray Acosh(const DlArray& x) { return Unary(F::kAcosh, x); }
DlArray Atanh(const DlArray& x) { return Unary(F::kAtanh, x); }
DlArray Sigmoid(const DlArray& x) { return Unary(F::kSigmoid, x); }
DlArray Erf(const DlArray& x) { return Unary(F::kErf, x); }
DlArray Floor(const DlArray& x) { return Unary(F::kFloor, x); }
DlArray Ceil(const DlArray& x) { return Unary(F::kCeil, x); }
DlArray Round(const DlArray& x) { return Unary(F::kRound, x); }
DlArray Fix(const DlArray& x) { return Unary(F::kFix, x); }
DlArray Relu(const DlArray& x) { return Unary(F::kRelu, x); }
DlArray Conj(const DlArray& x) { return IsComplex(x.type()) ? Unary(F::kConj, x) : x; }
DlArray Real(const DlArray& x) { return IsComplex(x.type()) ? Unary(F::kReal, x) : x; }
DlArray Imag(const DlArray& x) { return Unary(F::kImag, x); }
DlArray Complex(const DlArray& re, const DlArray& im) { return Binary(F::kComplex, re, im); }

namespace {

class CastOp : public Op, public WrittenOp {
 public:
  explicit CastOp(DataType type) : type_(type) {}
  std::string_view Name() const override { return "cast"; }
  std::string Attributes() const override {
    return absl::StrCat("type=", std::string(lamina::Name(type_)));
  }
  void Infer(const Specs& x, SpecList* outputs) const override {
    outputs->push_back(x[0]);
    outputs->back().type = type_;
  }
  void Run(Arrays x, Results outputs) const override {
    cpu::Cast(x[0].type(), type_, x[0].numel(), x[0].data()->bytes(), outputs.bytes(0));
  }
  void Write(OpWriter& w) const override {
    w.Define(0, [this, &w](const Indices& i) { return Convert(w.Load(0, i), type_); });
  }
  DlArrays Gradient(const GradientCall& call) const override {
    return {Cast(call.output_gradients[0], call.inputs[0].type())};
  }
  SaveMask SavedInputs() const override { return kSaveNone; }
  SaveMask SavedOutputs() const override { return kSaveNone; }
  bool IsDifferentiable() const override { return IsFloating(type_); }

 private:
  DataType type_;
};

}  // namespace

DlArray Cast(const DlArray& x, DataType type) {
  static const std::array<CastOp, kNumDataTypes>* const kOps =
      new std::array<CastOp, kNumDataTypes>{
          CastOp(DataType::kSingle),        CastOp(DataType::kDouble),
          CastOp(DataType::kLogical),       CastOp(DataType::kComplexSingle),
          CastOp(DataType::kComplexDouble), CastOp(DataType::kInt32),
          CastOp(DataType::kInt64),         CastOp(DataType::kUint8)};
  if (x.type() == type) return x;
  return Apply(StaticOp((*kOps)[static_cast<int>(type)]), Arrays(&x, 1));
}

}  // namespace lamina
