#include "framework/ops/sort.h"

#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "framework/cpu/gather_along.h"
#include "framework/cpu/sort.h"
#include "framework/ops/along_dim.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/op.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/written_op.h"

namespace lamina {
namespace {

using internal::AlongDim;
using loops::Expression;

// Calls body(k, at) in a loop over the elements of the line through `from`.
void WriteAlong(OpWriter& w, int dim, const Indices& from,
                const std::function<void(const Expression&, const Indices&)>& body) {
  w.code().For("k", w.input(0).size(dim), [&](const Expression& k) {
    Indices at = from;
    at[static_cast<size_t>(dim)] = k;
    body(k, at);
  });
}

// Where each element would stand if its line were in order. An op of its own beside the positions,
// which are the inverse: printed code finds both without storing anywhere but in its own place.
class RankOp : public Op, public WrittenOp {
 public:
  RankOp(int dim, bool descending) : dim_(dim), descending_(descending) {}
  std::string_view Name() const override { return "rank_along"; }
  std::string Attributes() const override {
    return absl::StrCat("dim=", dim_, " descending=", descending_);
  }
  bool IsDifferentiable() const override { return false; }
  void Infer(const Specs& in, SpecList* out) const override {
    if (IsComplex(in[0].type)) {
      throw Error("ops:UnsupportedType", "Real numbers have an order, complex ones have none.",
                  absl::StrCat("A ", ToString(in[0]), " came."), "Use Abs, Real or Imag first.");
    }
    if (in[0].size(dim_) > std::numeric_limits<int32_t>::max()) {
      throw Error("ops:SortLength", "Up to 2^31 - 1 elements are put in order.",
                  absl::StrCat("Dim ", dim_, " of a ", ToString(in[0]), " came."),
                  "Sort shorter pieces.");
    }
    out->push_back(in[0]);
    out->back().type = DataType::kInt64;
  }
  void Run(Arrays in, Results out) const override {
    const AlongDim along(in[0].sizes(), dim_);
    cpu::RankAlong(in[0].type(), descending_, along.inner, along.n, along.outer,
                   in[0].data()->bytes(), out.Data<int64_t>(0));
  }
  bool HasFastKernel() const override { return true; }
  // Counts the elements that stand before.
  void Write(OpWriter& w) const override {
    const ArraySpec& x = w.input(0);
    w.ForEach(x.sizes, x.format, [&](const Indices& o) {
      const Expression value = w.code().Let("value", w.Load(0, o));
      const Expression rank = w.code().Var("rank", Expression(0).Typed(DataType::kInt32));
      WriteAlong(w, dim_, o, [&](const Expression& k, const Indices& at) {
        const Expression other = w.code().Let("other", w.Load(0, at));
        const Expression is_earlier = k < o[static_cast<size_t>(dim_)];
        Expression is_better = descending_ ? other > value : other < value;
        Expression is_equal = other == value;
        if (IsRealFloating(x.type)) {
          const Expression is_nan = value != value;
          is_better = is_better | (is_nan & (other == other));
          is_equal = is_equal | (is_nan & (other != other));
        }
        w.code().If(is_better | (is_equal & is_earlier),
                    [&] { w.code().Assign(rank, rank + Expression(1)); });
      });
      w.Store(0, o, Convert(rank, DataType::kInt64));
    });
  }

 private:
  int dim_;
  bool descending_;
};

// The inverse of a permutation of each line.
class InvertOp : public Op, public WrittenOp {
 public:
  explicit InvertOp(int dim) : dim_(dim) {}
  std::string_view Name() const override { return "invert_along"; }
  std::string Attributes() const override { return absl::StrCat("dim=", dim_); }
  bool IsDifferentiable() const override { return false; }
  void Infer(const Specs& in, SpecList* out) const override { out->push_back(in[0]); }
  void Run(Arrays in, Results out) const override {
    const AlongDim along(in[0].sizes(), dim_);
    cpu::InvertAlong(along.inner, along.n, along.outer, in[0].Data<int64_t>(),
                     out.Data<int64_t>(0));
  }
  bool HasFastKernel() const override { return true; }
  // Each place looks for the one that is there.
  void Write(OpWriter& w) const override {
    const ArraySpec& x = w.input(0);
    w.ForEach(x.sizes, x.format, [&](const Indices& o) {
      const Expression position = w.code().Var("position", Expression(0).Typed(DataType::kInt32));
      WriteAlong(w, dim_, o, [&](const Expression& k, const Indices& at) {
        const Expression rank = w.code().Let("rank", Convert(w.Load(0, at), DataType::kInt32));
        w.code().If(rank == o[static_cast<size_t>(dim_)], [&] { w.code().Assign(position, k); });
      });
      w.Store(0, o, Convert(position, DataType::kInt64));
    });
  }

 private:
  int dim_;
};

// Element k of a line is that of x at position k; the positions are a permutation whose inverse is
// the third input, which the way back takes.
class PermuteAlongOp : public Op, public WrittenOp {
 public:
  explicit PermuteAlongOp(int dim) : dim_(dim) {}
  std::string_view Name() const override { return "permute_along"; }
  std::string Attributes() const override { return absl::StrCat("dim=", dim_); }
  SaveMask SavedInputs() const override { return 0b110; }
  SaveMask SavedOutputs() const override { return kSaveNone; }
  void Infer(const Specs& in, SpecList* out) const override { out->push_back(in[0]); }
  void Run(Arrays in, Results out) const override {
    const AlongDim along(in[0].sizes(), dim_);
    cpu::GatherAlong(SizeOf(in[0].type()), along.inner, along.n, along.outer, in[0].data()->bytes(),
                     along.n, in[1].Data<int64_t>(), out.bytes(0));
  }
  bool HasFastKernel() const override { return true; }
  void Write(OpWriter& w) const override {
    w.Define(0, [this, &w](const Indices& o) {
      Indices at = o;
      at[static_cast<size_t>(dim_)] = Convert(w.Load(1, o), DataType::kInt32);
      return w.Load(0, at);
    });
  }
  DlArrays Gradient(const GradientCall& call) const override {
    return {Apply(std::make_shared<PermuteAlongOp>(dim_),
                  {call.output_gradients[0], call.inputs[2], call.inputs[1]}),
            DlArray(), DlArray()};
  }

 private:
  int dim_;
};

// The elements of x in order, and where they stand in it.
struct Sorted {
  DlArray values, positions;
};

Sorted SortedAlong(const DlArray& x, int dim, bool descending) {
  const DlArray ranks = Apply(std::make_shared<RankOp>(dim, descending), {x});
  const DlArray positions = Apply(std::make_shared<InvertOp>(dim), {ranks});
  return {Apply(std::make_shared<PermuteAlongOp>(dim), {x, positions, ranks}), positions};
}

}  // namespace

DlArray Sort(const DlArray& x, const DimSet& dim, const SortOptions& options) {
  return SortedAlong(x, dim.Only("Sort", x.spec()), options.descending).values;
}

DlArray ArgSort(const DlArray& x, const DimSet& dim, const SortOptions& options) {
  const int d = dim.Only("ArgSort", x.spec());
  return Apply(std::make_shared<InvertOp>(d),
               {Apply(std::make_shared<RankOp>(d, options.descending), {x})});
}

TopKResult TopK(const DlArray& x, const DimSet& dim, int64_t k) {
  const int d = dim.Only("TopK", x.spec());
  if (k < 0 || k > x.size(d)) {
    throw Error("ops:InvalidCount",
                absl::StrCat("TopK takes 0 to ", x.size(d), " elements along dim ", d, " of a ",
                             ToString(x.spec()), "."),
                absl::StrCat("k = ", k, " came."), "Give a k up to the size of the dim.");
  }
  const Sorted sorted = SortedAlong(x, d, /*descending=*/true);
  return {Slice(sorted.values, d, 0, k), Slice(sorted.positions, d, 0, k)};
}

DlArray Median(const DlArray& x, const DimSet& dim) {
  const int d = dim.Only("Median", x.spec());
  const DlArray numbers = IsFloating(x.type()) ? x : Cast(x, DataType::kSingle);
  const DlArray sorted = SortedAlong(numbers, d, /*descending=*/false).values;
  const int64_t n = x.size(d);
  const DlArray nan = Cast(std::numeric_limits<double>::quiet_NaN(), numbers.type());
  if (n == 0) {
    ArraySpec spec = numbers.spec();
    spec.sizes[d] = 1;
    return BroadcastTo(nan, spec);
  }
  const DlArray upper = Slice(sorted, d, n / 2, 1);
  // Half of each, since the sum may overflow.
  const DlArray middle = n % 2 == 1 ? upper : 0.5 * Slice(sorted, d, n / 2 - 1, 1) + 0.5 * upper;
  return Where(IsNan(Slice(sorted, d, n - 1, 1)), nan, middle);
}

}  // namespace lamina
