#include "framework/ops/cumulative.h"

#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "framework/cpu/scan.h"
#include "framework/ops/along_dim.h"
#include "framework/ops/composed_op.h"
#include "framework/ops/cumulative_op.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/op.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/written_op.h"

namespace lamina {
namespace {

using cpu::ScanKind;
using internal::AlongDim;
using loops::Expression;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Of those that a device computes in parts (cumulative_op.h).
constexpr int64_t kPart = 64, kFewLines = 1024, kLongLine = 512;

bool IsExtreme(ScanKind kind) { return kind == ScanKind::kMax || kind == ScanKind::kMin; }

// In what an element of `type` is accumulated.
DataType AccumulatorOf(DataType type) {
  if (type == DataType::kSingle) return DataType::kDouble;
  return type == DataType::kComplexSingle ? DataType::kComplexDouble : type;
}

// The dim that is walked along, and the way.
struct Walk {
  int dim;
  bool reverse;
  std::string ToString() const { return absl::StrCat("dim=", dim, " reverse=", reverse); }
  Walk Back() const { return {dim, !reverse}; }
};

// Element k is what came just before k on this walk; `first` where nothing did.
DlArray Before(const DlArray& x, const Walk& walk, double first) {
  const int64_t n = x.size(walk.dim);
  if (n == 0) return x;
  ArraySpec one = x.spec();
  one.sizes[walk.dim] = 1;
  const DlArray start = BroadcastTo(Cast(first, x.type()), one);
  const DlArray others = Slice(x, walk.dim, walk.reverse ? 1 : 0, n - 1);
  return walk.reverse ? Cat(walk.dim, {others, start}) : Cat(walk.dim, {start, others});
}

// Calls each(at, is_first) for the elements of each line, in the order of the walk, after
// start().
void WriteWalk(OpWriter& w, const Walk& walk, const std::function<void()>& start,
               const std::function<void(const Indices&)>& each) {
  const ArraySpec& x = w.output(0);
  Sizes lines = x.sizes;
  lines[walk.dim] = 1;
  w.ForEach(lines, x.format, [&](const Indices& line) {
    start();
    w.code().For(internal::IndexName(x.format, walk.dim), x.size(walk.dim),
                 [&](const Expression& k) {
                   Indices at = line;
                   at[walk.dim] = walk.reverse ? Expression(x.size(walk.dim) - 1) - k : k;
                   each(at);
                 });
  });
}

// y_k = a_k y_(k - 1) + b_k. Both inputs have the spec of the output.
class RecurrenceOp : public Op, public WrittenOp {
 public:
  explicit RecurrenceOp(const Walk& walk) : walk_(walk) {}
  std::string_view Name() const override { return "linear_recurrence"; }
  std::string Attributes() const override { return walk_.ToString(); }
  void Infer(const Specs& in, SpecList* out) const override {
    LAMINA_CHECK(IsFloating(in[0].type) && in[0] == in[1]);
    out->push_back(in[0]);
  }
  void Run(Arrays in, Results out) const override {
    const AlongDim along(in[0].sizes(), walk_.dim);
    cpu::LinearRecurrence(in[0].type(), walk_.reverse, along.inner, along.n, along.outer,
                          in[0].data()->bytes(), in[1].data()->bytes(), out.bytes(0));
  }
  bool HasFastKernel() const override { return true; }
  void Write(OpWriter& w) const override {
    const DataType type = w.output(0).type, sum_type = AccumulatorOf(type);
    Expression y(0), is_first(0);
    WriteWalk(
        w, walk_,
        [&] {
          y = w.code().Var("y", Expression::Number(0, sum_type));
          is_first = w.code().Var("is_first", Expression::Number(1, DataType::kLogical));
        },
        [&](const Indices& at) {
          // Also an infinite factor of the first does not count.
          const Expression factor = Select(is_first, Expression::Number(0, type), w.Load(0, at));
          w.code().Assign(y, Convert(factor, sum_type) * y + Convert(w.Load(1, at), sum_type));
          w.code().Assign(is_first, Expression::Number(0, DataType::kLogical));
          w.Store(0, at, Convert(y, type));
        });
  }
  DlArrays Gradient(const GradientCall& call) const override {
    const Walk back = walk_.Back();
    const DlArray factors = Before(Conj(call.inputs[0]), back, 0);
    const DlArray db =
        LinearRecurrence(factors, call.output_gradients[0], back.dim, {.reverse = back.reverse});
    if (!call.needed[0]) return {DlArray(), db};
    return {db * Before(Conj(call.outputs[0]), walk_, 0), db};
  }
  SaveMask SavedInputs() const override { return 0b01; }

 private:
  const Walk walk_;
};

DlArray Recurrence(const DlArray& a, const DlArray& b, const Walk& walk) {
  return Apply(std::make_shared<RecurrenceOp>(walk), {a, b});
}

class ScanOp : public Op, public WrittenOp, public ComposedOp {
 public:
  ScanOp(ScanKind kind, const Walk& walk) : kind_(kind), walk_(walk) {}
  std::string_view Name() const override {
    switch (kind_) {
      case ScanKind::kSum:
        return "cumsum";
      case ScanKind::kProd:
        return "cumprod";
      case ScanKind::kMax:
        return "cummax";
      case ScanKind::kMin:
        return "cummin";
    }
    return "";
  }
  std::string Attributes() const override { return walk_.ToString(); }
  void Infer(const Specs& in, SpecList* out) const override {
    if (!cpu::IsScanSupported(kind_, in[0].type)) {
      throw Error("ops:UnsupportedType",
                  absl::StrCat(std::string(Name()), " is not defined for ",
                               std::string(lamina::Name(in[0].type)), " arrays."),
                  absl::StrCat("A ", lamina::ToString(in[0]), " came."),
                  "Use Abs, Real or Imag first.");
    }
    out->push_back(in[0]);
  }
  void Run(Arrays in, Results out) const override {
    const AlongDim along(in[0].sizes(), walk_.dim);
    cpu::Scan(kind_, in[0].type(), walk_.reverse, along.inner, along.n, along.outer,
              in[0].data()->bytes(), out.bytes(0));
  }
  bool HasFastKernel() const override { return true; }
  bool ReadsElementsOnce() const override { return true; }
  void Write(OpWriter& w) const override;
  bool IsInParts(const ArraySpec& x) const;
  DlArrays Compose(Arrays in) const override;
  DlArrays Gradient(const GradientCall& call) const override;
  SaveMask SavedInputs() const override { return kind_ == ScanKind::kProd ? kSaveAll : kSaveNone; }
  SaveMask SavedOutputs() const override { return kind_ == ScanKind::kSum ? kSaveNone : kSaveAll; }

 private:
  const ScanKind kind_;
  const Walk walk_;
};

void ScanOp::Write(OpWriter& w) const {
  const DataType type = w.output(0).type;
  if (IsExtreme(kind_) && !IsRealFloating(type)) {
    throw Error("emit:CannotPrint", "Extremes that are printed are those of single or double.",
                absl::StrCat("A ", lamina::ToString(w.input(0)), " came."),
                "Cast the array first.");
  }
  const DataType sum_type = IsExtreme(kind_) ? type : AccumulatorOf(type);
  const double start = IsExtreme(kind_) ? kNan : kind_ == ScanKind::kProd ? 1 : 0;
  Expression y(0);
  WriteWalk(
      w, walk_, [&] { y = w.code().Var("so_far", Expression::Number(start, sum_type)); },
      [&](const Indices& at) {
        const Expression x = Convert(w.Load(0, at), sum_type);
        if (IsExtreme(kind_)) {
          const Expression value = w.code().Let("value", x);
          const Expression better = kind_ == ScanKind::kMax ? value > y : value < y;
          w.code().If(better | (y != y), [&] { w.code().Assign(y, value); });
        } else {
          w.code().Assign(y, kind_ == ScanKind::kSum ? y + x : y * x);
        }
        w.Store(0, at, Convert(y, type));
      });
}

bool ScanOp::IsInParts(const ArraySpec& x) const {
  const AlongDim along(x.sizes, walk_.dim);
  return kind_ != ScanKind::kProd && IsFloating(x.type) && along.n >= kLongLine &&
         along.inner * along.outer <= kFewLines;
}

// In parts.
DlArrays ScanOp::Compose(Arrays in) const {
  const DlArray& x = in[0];
  const AlongDim along(x.sizes(), walk_.dim);
  const int64_t parts = (along.n + kPart - 1) / kPart;
  const DataType sum_type = IsExtreme(kind_) ? x.type() : AccumulatorOf(x.type());
  const double nothing = IsExtreme(kind_) ? kNan : 0;
  DlArray lines = Reshape(x, {along.inner, along.n, along.outer});
  if (walk_.reverse) lines = Flip(lines, 1);
  lines = Cast(lines, sum_type);
  if (const int64_t rest = parts * kPart - along.n; rest > 0) {
    const ArraySpec spec{sum_type, {along.inner, rest, along.outer}, {}};
    lines = Cat(1, {lines, BroadcastTo(Cast(nothing, sum_type), spec)});
  }
  const DlArray of_parts = Apply(std::make_shared<ScanOp>(kind_, Walk{1, false}),
                                 {Reshape(lines, {along.inner, kPart, parts, along.outer})});
  const Walk over_parts{2, false};
  const DlArray before =
      Before(Apply(std::make_shared<ScanOp>(kind_, over_parts), {Slice(of_parts, 1, kPart - 1, 1)}),
             over_parts, nothing);
  DlArray y = kind_ == ScanKind::kSum   ? before + of_parts
              : kind_ == ScanKind::kMax ? Max(before, of_parts)
                                        : Min(before, of_parts);
  y = Slice(Reshape(y, {along.inner, parts * kPart, along.outer}), 1, 0, along.n);
  if (walk_.reverse) y = Flip(y, 1);
  return {Reshape(Cast(y, x.type()), x.sizes(), x.format().str())};
}

DlArrays ScanOp::Gradient(const GradientCall& call) const {
  const DlArray& dy = call.output_gradients[0];
  const Walk back = walk_.Back();
  if (kind_ == ScanKind::kSum) return {Apply(std::make_shared<ScanOp>(kind_, back), {dy})};
  const DlArray& y = call.outputs[0];
  if (kind_ == ScanKind::kProd) {
    // dL/dx_k is the product of all before it, times g_k = dy_k + x_(k+1) (dy_(k+1) + x_(k+2) ...).
    const DlArray g = Recurrence(Before(Conj(call.inputs[0]), back, 0), dy, back);
    return {Conj(Before(y, walk_, 1)) * g};
  }
  // An extreme has the derivatives of all elements until the next one comes.
  const DlArray is_new = NotEqual(y, Before(y, walk_, kNan));
  const DlArray goes_on = Cast(!is_new, dy.type());
  return {Where(is_new, Recurrence(Before(goes_on, back, 0), dy, back), Cast(0.0, dy.type()))};
}

DlArray Scan(ScanKind kind, std::string_view name, const DlArray& x, const DimSet& dim,
             const CumulativeOptions& options) {
  const Walk walk{dim.Only(name, x.spec()), options.reverse};
  return Apply(std::make_shared<ScanOp>(kind, walk), {x});
}

// Logical values become numbers; those of integers are whole.
DlArray Numbers(const DlArray& x) {
  if (x.type() == DataType::kLogical) return Cast(x, DataType::kSingle);
  return IsInteger(x.type()) ? Cast(x, DataType::kInt64) : x;
}

}  // namespace

bool internal::IsScanInParts(const Op& op, const ArraySpec& x) {
  const auto* const scan = dynamic_cast<const ScanOp*>(&op);
  return scan != nullptr && scan->IsInParts(x);
}

DlArray CumSum(const DlArray& x, const DimSet& dim, const CumulativeOptions& options) {
  return Scan(ScanKind::kSum, "CumSum", Numbers(x), dim, options);
}
DlArray CumProd(const DlArray& x, const DimSet& dim, const CumulativeOptions& options) {
  return Scan(ScanKind::kProd, "CumProd", Numbers(x), dim, options);
}
DlArray CumMax(const DlArray& x, const DimSet& dim, const CumulativeOptions& options) {
  return Scan(ScanKind::kMax, "CumMax", x, dim, options);
}
DlArray CumMin(const DlArray& x, const DimSet& dim, const CumulativeOptions& options) {
  return Scan(ScanKind::kMin, "CumMin", x, dim, options);
}

DlArray LinearRecurrence(const DlArray& a, const DlArray& b, const DimSet& dim,
                         const CumulativeOptions& options) {
  ArraySpec spec = Broadcast("LinearRecurrence", {&a.spec(), &b.spec()});
  spec.type = Promote(a.type(), b.type());
  if (!IsFloating(spec.type)) spec.type = DataType::kSingle;
  const Walk walk{dim.Only("LinearRecurrence", spec), options.reverse};
  return Recurrence(BroadcastTo(Cast(a, spec.type), spec), BroadcastTo(Cast(b, spec.type), spec),
                    walk);
}

DlArray Diff(const DlArray& x, const DimSet& dim, int64_t order) {
  const int d = dim.Only("Diff", x.spec());
  if (order < 0) {
    throw Error("ops:InvalidOrder", "Diff takes differences 0 or more times.",
                absl::StrCat("An order of ", order, " came."),
                "For sums, the other way, use CumSum.");
  }
  DlArray y = Numbers(x);
  for (; order > 0 && y.size(d) > 0; --order) {
    const int64_t n = y.size(d) - 1;
    y = Slice(y, d, 1, n) - Slice(y, d, 0, n);
  }
  return y;
}

}  // namespace lamina
