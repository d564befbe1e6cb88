// Positions along one dim by number, and the way back.
#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/cpu/strided_copy.h"
#include "framework/ops/along_dim.h"
#include "framework/ops/op.h"
#include "framework/ops/positions.h"
#include "framework/ops/shape.h"
#include "framework/ops/written_op.h"

namespace lamina {
namespace {

using internal::AlongDim;
using internal::CheckPositions;
using internal::Positions;
using internal::PositionsOf;

void CheckIndices(std::string_view name, const ArraySpec& indices) {
  if (indices.type != DataType::kInt32 && indices.type != DataType::kInt64) {
    throw Error("ops:UnsupportedType",
                absl::StrCat(std::string(name), " takes positions as int32 or int64, from 0."),
                absl::StrCat("Indices in a ", ToString(indices), " came."), "Cast them to int64.");
  }
  int long_dims = 0;
  for (int64_t s : indices.sizes) long_dims += s != 1;
  if (long_dims > 1) {
    throw Error("dlarray:SizeMismatch",
                absl::StrCat(std::string(name), " takes its positions as a vector."),
                absl::StrCat("Indices in a ", ToString(indices), " came."),
                "Reshape them to one dim.");
  }
}

// The indices as int64, each in its range.
std::vector<int64_t> CheckedIndices(const Positions& positions, const DlArray& indices) {
  CheckPositions(positions, indices);
  if (indices.type() == DataType::kInt64) return indices.ToVector<int64_t>();
  const int32_t* const narrow = indices.Data<int32_t>();
  return std::vector<int64_t>(narrow, narrow + indices.numel());
}

// Printed code cannot refuse a position that is out of range: Gather gives 0 there, ScatterAdd adds
// it nowhere. (A device checks them beside it.) One that does not fit the type of indices is kept
// within that type, and so stays out of range.
loops::Expression WrittenPosition(OpWriter& w, const loops::Expression& k) {
  const Indices all(static_cast<size_t>(w.input(1).rank()), k);
  return w.code().Let("position", Convert(w.Load(1, all), DataType::kInt32));
}

class GatherOp : public Op, public WrittenOp, public internal::TakesPositions {
 public:
  explicit GatherOp(int dim) : dim_(dim) {}
  std::string_view Name() const override { return "gather"; }
  std::string Attributes() const override { return absl::StrCat("dim=", dim_); }
  SaveMask SavedInputs() const override { return 0b10; }
  SaveMask SavedOutputs() const override { return kSaveNone; }
  void Infer(const Specs& in, SpecList* out) const override {
    CheckIndices("Gather", in[1]);
    out->push_back(in[0]);
    out->back().sizes[dim_] = in[1].numel();
  }
  Positions PositionsIn(const Specs& in) const override {
    return {.of = PositionsOf::kGather, .input = 1, .size = in[0].size(dim_)};
  }
  void Run(Arrays in, Results out) const override {
    const Positions positions = PositionsIn(Specs(in));
    const std::vector<int64_t> indices = CheckedIndices(positions, in[1]);
    void* to = out.bytes(0);
    if (out.spec(0).numel() == 0) return;
    const AlongDim along(in[0].sizes(), dim_);
    cpu::Gather(SizeOf(in[0].type()), along.inner, positions.size, along.outer,
                in[0].data()->bytes(), in[1].numel(), indices.data(), to);
  }
  // Which checks the positions.
  bool HasFastKernel() const override { return true; }
  void Write(OpWriter& w) const override {
    using loops::Expression;
    const ArraySpec& y = w.output(0);
    w.ForEach(y.sizes, y.format, [&](const Indices& o) {
      const Expression position = WrittenPosition(w, o[static_cast<size_t>(dim_)]);
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
    if (!call.needed[0]) return {DlArray(), DlArray()};
    return {ScatterAdd(call.output_gradients[0], dim_, call.inputs[1], call.inputs[0].size(dim_)),
            DlArray()};
  }

 private:
  int dim_;
};

class ScatterAddOp : public Op, public WrittenOp, public internal::TakesPositions {
 public:
  ScatterAddOp(int dim, int64_t size) : dim_(dim), size_(size) {}
  std::string_view Name() const override { return "scatter_add"; }
  std::string Attributes() const override { return absl::StrCat("dim=", dim_, " size=", size_); }
  SaveMask SavedInputs() const override { return 0b10; }
  SaveMask SavedOutputs() const override { return kSaveNone; }
  void Infer(const Specs& in, SpecList* out) const override {
    CheckIndices("ScatterAdd", in[1]);
    if (!IsFloating(in[0].type)) {
      throw Error("ops:UnsupportedType", "ScatterAdd adds floating values.",
                  absl::StrCat("A ", ToString(in[0]), " came."), "Cast the array first.");
    }
    if (in[0].size(dim_) != in[1].numel()) {
      throw Error(
          "dlarray:SizeMismatch",
          absl::StrCat("ScatterAdd expects an index for each position along dim ", dim_, "."),
          absl::StrCat(in[1].numel(), " indices for a ", ToString(in[0]), " came."),
          "Give as many indices as the dim is long.");
    }
    out->push_back(in[0]);
    out->back().sizes[dim_] = size_;
  }
  Positions PositionsIn(const Specs&) const override {
    return {.of = PositionsOf::kScatterAdd, .input = 1, .size = size_};
  }
  void Run(Arrays in, Results out) const override {
    const std::vector<int64_t> indices = CheckedIndices(PositionsIn(Specs(in)), in[1]);
    void* to = out.bytes(0);
    const int64_t numel = out.spec(0).numel();
    if (numel == 0) return;
    std::memset(to, 0, numel * SizeOf(in[0].type()));
    const AlongDim along(in[0].sizes(), dim_);
    cpu::ScatterAdd(in[0].type(), along.inner, size_, along.outer, in[0].data()->bytes(),
                    in[1].numel(), indices.data(), to);
  }
  bool HasFastKernel() const override { return true; }
  // Each element looks for those that are added to it, in their order: the sum is that of Run.
  void Write(OpWriter& w) const override {
    using loops::Expression;
    const ArraySpec& y = w.output(0);
    w.ForEach(y.sizes, y.format, [&](const Indices& o) {
      const Expression sum = w.code().Var("sum", Expression::Number(0, y.type));
      w.code().For("k", w.input(0).size(dim_), [&](const Expression& k) {
        const Expression position = WrittenPosition(w, k);
        w.code().If(position == o[static_cast<size_t>(dim_)], [&] {
          Indices at = o;
          at[static_cast<size_t>(dim_)] = k;
          w.code().Assign(sum, sum + w.Load(0, at));
        });
      });
      w.Store(0, o, sum);
    });
  }
  DlArrays Gradient(const GradientCall& call) const override {
    if (!call.needed[0]) return {DlArray(), DlArray()};
    return {Gather(call.output_gradients[0], dim_, call.inputs[1]), DlArray()};
  }

 private:
  int dim_;
  int64_t size_;
};

}  // namespace

DlArray Gather(const DlArray& x, const DimSet& dim, const DlArray& indices) {
  return Apply(std::make_shared<GatherOp>(dim.Only("Gather", x.spec())), {x, indices});
}

DlArray ScatterAdd(const DlArray& x, const DimSet& dim, const DlArray& indices, int64_t size) {
  return Apply(std::make_shared<ScatterAddOp>(dim.Only("ScatterAdd", x.spec()), size),
               {x, indices});
}

}  // namespace lamina
