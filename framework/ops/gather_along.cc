#include "framework/ops/gather_along.h"

#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "framework/cpu/gather_along.h"
#include "framework/ops/along_dim.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/op.h"
#include "framework/ops/positions.h"
#include "framework/ops/written_op.h"

namespace lamina {
namespace {

using internal::AlongDim;
using internal::CheckPositions;
using internal::Positions;
using internal::PositionsOf;
using loops::Expression;

// As int64, with the labels of x. They have the sizes of x, but along `dim` where `any_count`.
DlArray PositionsFor(std::string_view name, const DlArray& x, int dim, const DlArray& positions,
                     bool any_count) {
  if (positions.type() != DataType::kInt32 && positions.type() != DataType::kInt64) {
    throw Error("ops:UnsupportedType",
                absl::StrCat(std::string(name), " takes positions as int32 or int64, from 0."),
                absl::StrCat("Positions in a ", ToString(positions.spec()), " came."),
                "Cast them to int64.");
  }
  if (!positions.format().empty() && !(positions.format() == x.format())) {
    throw Error("dlarray:FormatMismatch",
                absl::StrCat(std::string(name), " expects positions with the labels of x, a ",
                             ToString(x.spec()), ", or without labels."),
                absl::StrCat("Positions in a ", ToString(positions.spec()), " came."),
                "Relabel one of them.");
  }
  Sizes expected = x.sizes();
  if (any_count && positions.rank() == x.rank()) expected[dim] = positions.size(dim);
  if (positions.sizes() != expected) {
    throw Error(
        "dlarray:SizeMismatch",
        absl::StrCat(std::string(name), " expects a position for each element",
                     any_count ? " of the result, with the sizes of x but along dim " : "",
                     any_count ? absl::StrCat(dim) : " of x", "."),
        absl::StrCat("A ", ToString(x.spec()), " and positions in a ", ToString(positions.spec()),
                     " came."),
        "Give each line positions of its own; Gather and ScatterAdd take the same for all lines.");
  }
  const DlArray whole = Cast(positions, DataType::kInt64);
  return x.format() == positions.format() ? whole : DlArray(whole, x.format().str());
}

// One that does not fit the type of indices is kept within that type, and so stays out of range.
Expression WrittenPosition(OpWriter& w, const Indices& at) {
  return w.code().Let("position", Convert(w.Load(1, at), DataType::kInt32));
}

class GatherAlongOp : public Op, public WrittenOp, public internal::TakesPositions {
 public:
  explicit GatherAlongOp(int dim) : dim_(dim) {}
  std::string_view Name() const override { return "gather_along"; }
  std::string Attributes() const override { return absl::StrCat("dim=", dim_); }
  SaveMask SavedInputs() const override { return 0b10; }
  SaveMask SavedOutputs() const override { return kSaveNone; }
  void Infer(const Specs& in, SpecList* out) const override {
    out->push_back(in[0]);
    out->back().sizes[dim_] = in[1].size(dim_);
  }
  Positions PositionsIn(const Specs& in) const override {
    return {.of = PositionsOf::kGatherAlong, .input = 1, .size = in[0].size(dim_)};
  }
  void Run(Arrays in, Results out) const override {
    CheckPositions(PositionsIn(Specs(in)), in[1]);
    void* const to = out.bytes(0);
    const AlongDim along(in[0].sizes(), dim_);
    cpu::GatherAlong(SizeOf(in[0].type()), along.inner, along.n, along.outer, in[0].data()->bytes(),
                     in[1].size(dim_), in[1].Data<int64_t>(), to);
  }
  // Which checks the positions.
  bool HasFastKernel() const override { return true; }
  void Write(OpWriter& w) const override {
    const ArraySpec& y = w.output(0);
    w.ForEach(y.sizes, y.format, [&](const Indices& o) {
      const Expression position = WrittenPosition(w, o);
      const Expression value = w.code().Var("value", Expression::Number(0, y.type));
      const Expression n(w.input(0).size(dim_));
      w.code().If((position >= Expression(0)) & (position < n), [&] {
        Indices at = o;
        at[static_cast<size_t>(dim_)] = position;
        w.code().Assign(value, w.Load(0, at));
      });
      w.Store(0, o, value);
    });
  }
  DlArrays Gradient(const GradientCall& call) const override {
    return {
        ScatterAddAlong(call.output_gradients[0], dim_, call.inputs[1], call.inputs[0].size(dim_)),
        DlArray()};
  }

 private:
  int dim_;
};

class ScatterAddAlongOp : public Op, public WrittenOp, public internal::TakesPositions {
 public:
  ScatterAddAlongOp(int dim, int64_t size) : dim_(dim), size_(size) {}
  std::string_view Name() const override { return "scatter_add_along"; }
  std::string Attributes() const override { return absl::StrCat("dim=", dim_, " size=", size_); }
  SaveMask SavedInputs() const override { return 0b10; }
  SaveMask SavedOutputs() const override { return kSaveNone; }
  void Infer(const Specs& in, SpecList* out) const override {
    out->push_back(in[0]);
    out->back().sizes[dim_] = size_;
  }
  Positions PositionsIn(const Specs&) const override {
    return {.of = PositionsOf::kScatterAddAlong, .input = 1, .size = size_};
  }
  void Run(Arrays in, Results out) const override {
    CheckPositions(PositionsIn(Specs(in)), in[1]);
    void* const to = out.bytes(0);
    const int64_t numel = out.spec(0).numel();
    if (numel == 0) return;
    std::memset(to, 0, static_cast<size_t>(numel) * SizeOf(in[0].type()));
    const AlongDim along(in[0].sizes(), dim_);
    cpu::ScatterAddAlong(in[0].type(), along.inner, size_, along.outer, in[0].data()->bytes(),
                         along.n, in[1].Data<int64_t>(), to);
  }
  bool HasFastKernel() const override { return true; }
  // Each element looks for those that are added to it, in their order: the sum is that of Run.
  void Write(OpWriter& w) const override {
    const ArraySpec& y = w.output(0);
    w.ForEach(y.sizes, y.format, [&](const Indices& o) {
      const Expression sum = w.code().Var("sum", Expression::Number(0, y.type));
      w.code().For("k", w.input(0).size(dim_), [&](const Expression& k) {
        Indices at = o;
        at[static_cast<size_t>(dim_)] = k;
        const Expression position = WrittenPosition(w, at);
        w.code().If(position == o[static_cast<size_t>(dim_)],
                    [&] { w.code().Assign(sum, sum + w.Load(0, at)); });
      });
      w.Store(0, o, sum);
    });
  }
  DlArrays Gradient(const GradientCall& call) const override {
    return {GatherAlong(call.output_gradients[0], dim_, call.inputs[1]), DlArray()};
  }

 private:
  int dim_;
  int64_t size_;
};

}  // namespace

DlArray GatherAlong(const DlArray& x, const DimSet& dim, const DlArray& positions) {
  const int d = dim.Only("GatherAlong", x.spec());
  return Apply(std::make_shared<GatherAlongOp>(d),
               {x, PositionsFor("GatherAlong", x, d, positions, /*any_count=*/true)});
}

DlArray ScatterAddAlong(const DlArray& x, const DimSet& dim, const DlArray& positions,
                        int64_t size) {
  const int d = dim.Only("ScatterAddAlong", x.spec());
  if (!IsFloating(x.type())) {
    throw Error("ops:UnsupportedType", "ScatterAddAlong adds floating values.",
                absl::StrCat("A ", ToString(x.spec()), " came."), "Cast the array first.");
  }
  if (size < 0) {
    throw Error("dlarray:InvalidSize", "ScatterAddAlong gives an array of 0 or more along the dim.",
                absl::StrCat("A size of ", size, " came."), "Give the size of the whole dim.");
  }
  return Apply(std::make_shared<ScatterAddAlongOp>(d, size),
               {x, PositionsFor("ScatterAddAlong", x, d, positions, /*any_count=*/false)});
}

}  // namespace lamina
