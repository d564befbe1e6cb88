#include "framework/ops/reduction.h"

#include <bit>
#include <limits>

#include "absl/strings/str_cat.h"
#include "framework/cpu/cast.h"
#include "framework/cpu/reduce.h"
#include "framework/cpu/strided_copy.h"
#include "framework/ops/cumulative.h"
#include "framework/ops/dims_op.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/op.h"
#include "framework/ops/shape.h"
#include "framework/ops/written_op.h"

namespace lamina {
namespace {

using cpu::Reduction;

std::string_view ReductionName(Reduction r) {
  switch (r) {
    case Reduction::kSum:
      return "sum";
    case Reduction::kProd:
      return "prod";
    case Reduction::kSumSquares:
      return "sum_squares";
    case Reduction::kMax:
      return "max_over";
    case Reduction::kMin:
      return "min_over";
    case Reduction::kAny:
      return "any";
    case Reduction::kAll:
      return "all";
    case Reduction::kArgMax:
      return "argmax";
    case Reduction::kArgMin:
      return "argmin";
  }
  return "";
}

class ReduceOp : public Op, public WrittenOp, public DimsOp {
 public:
  ReduceOp(Reduction reduction, uint32_t mask) : reduction_(reduction), mask_(mask) {}
  std::string_view Name() const override { return ReductionName(reduction_); }
  uint32_t dims() const override { return mask_; }
  OpPtr Along(uint32_t dims) const override {
    const bool is_position = reduction_ == Reduction::kArgMax || reduction_ == Reduction::kArgMin;
    return is_position ? nullptr : std::make_shared<ReduceOp>(reduction_, dims);
  }
  std::string Attributes() const override {
    std::string dims;
    for (int d = 0; d < 32; ++d) {
      if (mask_ >> d & 1) absl::StrAppend(&dims, dims.empty() ? "" : " ", d);
    }
    return absl::StrCat("dims=[", dims, "]");
  }
  void Infer(const Specs& x, SpecList* outputs) const override {
    if (!cpu::IsReductionSupported(reduction_, x[0].type)) {
      throw Error("ops:UnsupportedType",
                  absl::StrCat(std::string(Name()), " is not defined for ",
                               std::string(lamina::Name(x[0].type)), " arrays."),
                  absl::StrCat("A ", ToString(x[0]), " came."),
                  IsComplex(x[0].type) ? "Use Abs, Real or Imag first." : "Cast the array first.");
    }
    ArraySpec out = x[0];
    out.type = cpu::ReductionResultType(reduction_, x[0].type);
    for (int d = 0; d < out.rank(); ++d) {
      if (mask_ >> d & 1) out.sizes[d] = 1;
    }
    outputs->push_back(std::move(out));
  }
  void Run(Arrays x, Results outputs) const override {
    cpu::Reduce(reduction_, x[0].type(), x[0].data()->bytes(),
                {x[0].sizes().data(), x[0].sizes().size()}, mask_, outputs.bytes(0));
  }
  void Write(OpWriter& w) const override;
  bool ReadsElementsOnce() const override { return true; }
  DlArrays Gradient(const GradientCall& call) const override {
    const DlArray& x = call.inputs[0];
    const DlArray& dy = call.output_gradients[0];
    if (reduction_ == Reduction::kSum) return {BroadcastTo(dy, x.spec())};
    if (reduction_ == Reduction::kProd) return {dy * Conj(ProductOfOthers(x))};
    // Extremes: equal ones share.
    const DlArray is_extreme = Cast(Equal(x, call.outputs[0]), dy.type());
    return {dy / Apply(std::make_shared<ReduceOp>(Reduction::kSum, mask_), {is_extreme}) *
            is_extreme};
  }
  SaveMask SavedInputs() const override {
    return reduction_ == Reduction::kSum ? kSaveNone : kSaveAll;
  }
  SaveMask SavedOutputs() const override {
    return reduction_ == Reduction::kProd ? kSaveNone : SavedInputs();
  }
  bool IsDifferentiable() const override {
    return reduction_ == Reduction::kSum || reduction_ == Reduction::kProd ||
           reduction_ == Reduction::kMax || reduction_ == Reduction::kMin;
  }

 private:
  DlArray ProductOfOthers(const DlArray& x) const;

  Reduction reduction_;
  uint32_t mask_;
};

// For each element along the one dim the product of all before it, times that of all behind it.
DlArray ReduceOp::ProductOfOthers(const DlArray& x) const {
  LAMINA_CHECK(std::popcount(mask_) == 1);
  const int d = std::countr_zero(mask_);
  const int64_t n = x.size(d);
  if (n == 0) return x;
  ArraySpec spec = x.spec();
  spec.sizes[d] = 1;
  const DlArray one = BroadcastTo(Cast(1.0, x.type()), spec);
  return CumProd(Cat(d, {one, Slice(x, d, 0, n - 1)}), d) *
         CumProd(Cat(d, {Slice(x, d, 1, n - 1), one}), d, {.reverse = true});
}

void ReduceOp::Write(OpWriter& w) const {
  using loops::Expression;
  const ArraySpec& x = w.input(0);
  const DataType type = w.output(0).type;
  const bool is_position = reduction_ == Reduction::kArgMax || reduction_ == Reduction::kArgMin;
  const bool is_extreme =
      is_position || reduction_ == Reduction::kMax || reduction_ == Reduction::kMin;
  const bool greatest = reduction_ == Reduction::kMax || reduction_ == Reduction::kArgMax;
  const bool is_for_all = reduction_ == Reduction::kSum || reduction_ == Reduction::kAny ||
                          reduction_ == Reduction::kAll || reduction_ == Reduction::kProd;
  if ((IsComplex(x.type) && !is_for_all) || (is_extreme && !IsRealFloating(x.type))) {
    throw Error(
        "emit:CannotPrint",
        "A reduction that is printed works on single, double or, for sums and products, integers "
        "and complex numbers.",
        absl::StrCat("A ", ToString(x), " came."), "Cast the array first.");
  }
  if (reduction_ == Reduction::kSum || reduction_ == Reduction::kSumSquares) {
    const bool squares = reduction_ == Reduction::kSumSquares;
    // Squares are those of the type in which they are added.
    const DataType sum_type = type == DataType::kSingle ? DataType::kDouble : type;
    return w.Sum(0, mask_, [&w, squares, sum_type](const Indices& at) {
      const Expression element = w.Load(0, at);
      if (!squares) return element;
      const Expression value = w.code().Let("value", Convert(element, sum_type));
      return value * value;
    });
  }
  Sizes kept = x.sizes, reduced = x.sizes;
  for (int d = 0; d < x.rank(); ++d) (mask_ >> d & 1 ? kept : reduced)[d] = 1;
  const Expression nan = Expression::Number(std::numeric_limits<double>::quiet_NaN(), x.type);
  w.ForEach(kept, x.format, [&](const Indices& outer) {
    const bool any = reduction_ == Reduction::kAny, all = reduction_ == Reduction::kAll;
    const Expression start = is_extreme   ? nan
                             : any || all ? Expression::Number(all, DataType::kLogical)
                                          : Expression::Number(1, type);
    const Expression best = w.code().Var(is_extreme ? "best" : "total", start);
    const Expression position =
        is_position ? w.code().Var("position", Expression::Number(0, DataType::kInt64)) : best;
    w.ForEach(reduced, x.format, [&](const Indices& inner) {
      Indices at(inner);
      Expression place(0);
      int64_t step = 1;
      for (int d = 0; d < x.rank(); ++d) {
        if (!(mask_ >> d & 1)) at[d] = outer[d];
        place = place + inner[d] * Expression(step);
        step *= reduced[d];
      }
      const Expression element = w.Load(0, at);
      if (is_extreme) {
        const Expression value = w.code().Let("value", element);
        const Expression better = greatest ? value > best : value < best;
        w.code().If(better | ((best != best) & (value == value)), [&] {
          w.code().Assign(best, value);
          if (is_position)
            w.code().Assign(position, Convert(place.Typed(DataType::kInt32), DataType::kInt64));
        });
      } else if (any) {
        w.code().Assign(best, best | (element != Expression(0)));
      } else if (all) {
        w.code().Assign(best, best & (element != Expression(0)));
      } else {
        w.code().Assign(best, best * Convert(element, type));
      }
    });
    w.Store(0, outer, Convert(is_position ? position : best, type));
  });
}

class BroadcastOp : public Op, public WrittenOp {
 public:
  BroadcastOp(Sizes sizes, Format format) : sizes_(std::move(sizes)), format_(std::move(format)) {}
  std::string_view Name() const override { return "broadcast"; }
  std::string Attributes() const override {
    return absl::StrCat("sizes=", ToString(sizes_), " format=\"", format_.str(), "\"");
  }
  void Infer(const Specs& x, SpecList* outputs) const override {
    const ArraySpec target{x[0].type, sizes_, format_};
    ArraySpec out = Broadcast(Name(), {&x[0], &target});
    out.type = x[0].type;
    if (out.sizes != sizes_ || !(out.format == format_)) {
      throw Error("dlarray:SizeMismatch",
                  absl::StrCat("broadcast repeats dims of size 1 up to ", ToString(target), "."),
                  absl::StrCat("A ", ToString(x[0]), " came, which has more."),
                  "Reduce it first, or broadcast to larger sizes.");
    }
    outputs->push_back(std::move(out));
  }
  void Run(Arrays x, Results outputs) const override {
    const ArraySpec& out = outputs.spec(0);
    const Sizes from = AlignSizes(x[0].spec(), out);
    Sizes in_strides(from.size()), out_strides(from.size());
    int64_t in = 1, step = 1;
    for (size_t d = 0; d < from.size(); ++d) {
      in_strides[d] = from[d] == 1 ? 0 : in;
      out_strides[d] = step;
      in *= from[d];
      step *= out.sizes[d];
    }
    cpu::StridedCopy(SizeOf(out.type), {out.sizes.data(), out.sizes.size()}, x[0].data()->bytes(),
                     {in_strides.data(), in_strides.size()}, outputs.bytes(0),
                     {out_strides.data(), out_strides.size()});
  }
  void Write(OpWriter& w) const override {
    w.Define(0, [&w](const Indices& i) {
      return w.Load(0, internal::IndicesOf(w.input(0), w.output(0), i));
    });
  }
  DlArrays Gradient(const GradientCall& call) const override {
    return {SumTo(call.output_gradients[0], call.inputs[0].spec())};
  }
  SaveMask SavedInputs() const override { return kSaveNone; }
  SaveMask SavedOutputs() const override { return kSaveNone; }

 private:
  Sizes sizes_;
  Format format_;
};

DlArray ReduceMask(Reduction reduction, const DlArray& x, uint32_t mask) {
  return Apply(std::make_shared<ReduceOp>(reduction, mask), Arrays(&x, 1));
}

// Over all dims the result is a scalar without dims.
DlArray Reduce(Reduction reduction, const DlArray& x, const DimSet& dims) {
  const DlArray y = ReduceMask(reduction, x, dims.Mask(ReductionName(reduction), x.spec()));
  return dims.is_all() && y.rank() > 0 ? Reshape(y, {}) : y;
}

int64_t CountOver(const DlArray& x, const DimSet& dims) {
  const uint32_t mask = dims.Mask("mean", x.spec());
  int64_t n = 1;
  for (int d = 0; d < x.rank(); ++d) {
    if (mask >> d & 1) n *= x.size(d);
  }
  return n;
}

// Logical counts become numbers; sums of integers are whole.
DlArray Summable(const DlArray& x) {
  if (x.type() == DataType::kLogical) return Cast(x, DataType::kSingle);
  return IsInteger(x.type()) ? Cast(x, DataType::kInt64) : x;
}

}  // namespace

DlArray Sum(const DlArray& x, const DimSet& dims) {
  return Reduce(Reduction::kSum, Summable(x), dims);
}
// Along one dim after the other, so that each has a gradient along one.
DlArray Prod(const DlArray& x, const DimSet& dims) {
  const uint32_t mask = dims.Mask("prod", x.spec());
  DlArray y = Summable(x);
  for (int d = 0; d < x.rank(); ++d) {
    if (mask >> d & 1) y = ReduceMask(Reduction::kProd, y, uint32_t{1} << d);
  }
  return dims.is_all() && y.rank() > 0 ? Reshape(y, {}) : y;
}
DlArray Mean(const DlArray& x, const DimSet& dims) {
  const DlArray v = IsFloating(x.type()) ? x : Cast(x, DataType::kSingle);
  return Sum(v, dims) / static_cast<double>(CountOver(x, dims));
}
DlArray Variance(const DlArray& x, const DimSet& dims) {
  const DlArray v = IsFloating(x.type()) ? x : Cast(x, DataType::kSingle);
  const uint32_t mask = dims.Mask("variance", x.spec());
  const double n = static_cast<double>(CountOver(x, dims));
  const DlArray deviation = v - ReduceMask(Reduction::kSum, v, mask) / n;
  return Mean(Real(deviation * Conj(deviation)), dims);
}
DlArray MaxOver(const DlArray& x, const DimSet& dims) { return Reduce(Reduction::kMax, x, dims); }
DlArray MinOver(const DlArray& x, const DimSet& dims) { return Reduce(Reduction::kMin, x, dims); }
DlArray ArgMax(const DlArray& x, const DimSet& dim) {
  return ReduceMask(Reduction::kArgMax, x, uint32_t{1} << dim.Only("argmax", x.spec()));
}
DlArray ArgMin(const DlArray& x, const DimSet& dim) {
  return ReduceMask(Reduction::kArgMin, x, uint32_t{1} << dim.Only("argmin", x.spec()));
}
DlArray Any(const DlArray& x, const DimSet& dims) { return Reduce(Reduction::kAny, x, dims); }
DlArray All(const DlArray& x, const DimSet& dims) { return Reduce(Reduction::kAll, x, dims); }

DlArray BroadcastTo(const DlArray& x, const ArraySpec& spec) {
  if (x.sizes() == spec.sizes && x.format() == spec.format) return x;
  return Apply(std::make_shared<BroadcastOp>(spec.sizes, spec.format), Arrays(&x, 1));
}

namespace {

Error CannotSumTo(const DlArray& x, const ArraySpec& spec, std::string_view identifier) {
  return Error(identifier,
               absl::StrCat("SumTo expects an array that ", ToString(spec), " can be repeated to."),
               absl::StrCat("A ", ToString(x.spec()), " came."),
               "Give the spec of what was repeated: SumTo(dLdW, w.spec()).");
}

}  // namespace

DlArray SumTo(const DlArray& x, const ArraySpec& spec) {
  DlArray y = IsComplex(x.type()) && !IsComplex(spec.type) ? Real(x) : x;
  if (y.sizes() != spec.sizes || !(y.format() == spec.format)) {
    for (const char label : spec.format.str()) {
      if (y.format().Count(label) >= spec.format.Count(label)) continue;
      throw CannotSumTo(x, spec, "dlarray:FormatMismatch");
    }
    const Sizes target = AlignSizes(spec, y.spec());
    if (NumElements(target) != spec.numel()) throw CannotSumTo(x, spec, "dlarray:SizeMismatch");
    uint32_t mask = 0;
    for (int d = 0; d < y.rank(); ++d) {
      if (target[d] == y.size(d)) continue;
      if (target[d] != 1) throw CannotSumTo(x, spec, "dlarray:SizeMismatch");
      mask |= uint32_t{1} << d;
    }
    if (mask != 0) y = ReduceMask(Reduction::kSum, y, mask);
    if (y.sizes() != spec.sizes || !(y.format() == spec.format)) {
      y = Reshape(y, spec.sizes, spec.format.str());
    }
  }
  return Cast(y, spec.type);
}

}  // namespace lamina
