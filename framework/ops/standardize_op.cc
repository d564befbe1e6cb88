// The op behind all normalizations, and its gradient. Both are fused on purpose: a normalization
// takes one pass over the data for each of its few numbers, not one for each arithmetic sign.
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/cpu/normalize.h"
#include "framework/ops/dims_op.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/normalization.h"
#include "framework/ops/op.h"
#include "framework/ops/reduction.h"
#include "framework/ops/written_op.h"

namespace lamina::internal {
namespace {

// Number of elements of a group.
int64_t GroupSize(const ArraySpec& x, uint32_t dims) {
  int64_t n = 1;
  for (int d = 0; d < x.rank(); ++d) {
    if (dims >> d & 1) n *= x.size(d);
  }
  return n;
}

ArraySpec GroupSpec(ArraySpec x, uint32_t dims) {
  for (int d = 0; d < x.rank(); ++d) {
    if (dims >> d & 1) x.sizes[d] = 1;
  }
  return x;
}

std::string DimsText(uint32_t dims) {
  std::string text = "dims=";
  for (int d = 0; dims >> d != 0; ++d) {
    if (dims >> d & 1) absl::StrAppend(&text, text.back() == '=' ? "" : ",", d);
  }
  return text;
}

// Loops over the elements of a group.
using ForEachOf = std::function<void(const std::function<void(const Indices& at)>&)>;

// Calls `body` in loops over all groups of input 0.
void ForEachGroup(OpWriter& w, uint32_t dims,
                  const std::function<void(const Indices& group, const ForEachOf& each)>& body) {
  const ArraySpec& x = w.input(0);
  Sizes along = x.sizes;
  for (int d = 0; d < x.rank(); ++d) {
    if (!(dims >> d & 1)) along[d] = 1;
  }
  w.ForEach(GroupSpec(x, dims).sizes, x.format, [&](const Indices& group) {
    body(group, [&](const std::function<void(const Indices&)>& element) {
      w.ForEach(along, x.format, [&](Indices at) {
        for (int d = 0; d < x.rank(); ++d) {
          if (!(dims >> d & 1)) at[d] = group[d];
        }
        element(at);
      });
    });
  });
}

// With m the mean over the group and s = inverse_deviation:
//   dx = s (dy - m(dy) - y m(dy y)).
class StandardizeGradientOp : public Op, public WrittenOp, public DimsOp {
 public:
  explicit StandardizeGradientOp(uint32_t dims) : dims_(dims) {}
  std::string_view Name() const override { return "standardize_gradient"; }
  uint32_t dims() const override { return dims_; }
  OpPtr Along(uint32_t dims) const override {
    return std::make_shared<StandardizeGradientOp>(dims);
  }
  std::string Attributes() const override { return DimsText(dims_); }
  // Inputs: y, dy, s.
  void Infer(const Specs& inputs, SpecList* outputs) const override {
    LAMINA_CHECK(inputs[0].sizes == inputs[1].sizes);
    outputs->push_back(inputs[0]);
  }
  void Run(Arrays inputs, Results outputs) const override {
    cpu::StandardizeBackward(inputs[0].type(), inputs[0].data()->bytes(), inputs[1].data()->bytes(),
                             inputs[2].data()->bytes(), inputs[0].sizes(), dims_, outputs.bytes(0));
  }
  bool HasFastKernel() const override { return true; }
  void Write(OpWriter& w) const override {
    using loops::Expression;
    const ArraySpec& x = w.input(0);
    const DataType type = DataType::kDouble;
    const Expression n = Expression::Number(static_cast<double>(GroupSize(x, dims_)), type);
    loops::LoopBuilder& code = w.code();
    ForEachGroup(w, dims_, [&](const Indices& group, const ForEachOf& each) {
      const Expression sum = code.Var("sum", Expression::Number(0, type)),
                       products = code.Var("products", Expression::Number(0, type));
      each([&](const Indices& at) {
        const Expression dy = code.Let("dy", Convert(w.Load(1, at), type));
        code.Assign(sum, sum + dy);
        code.Assign(products, products + dy * Convert(w.Load(0, at), type));
      });
      const Expression mean = code.Let("mean", sum / n), slope = code.Let("slope", products / n),
                       scale = code.Let("scale", Convert(w.Load(2, group), type));
      each([&](const Indices& at) {
        w.Store(0, at,
                Convert(scale * (Convert(w.Load(1, at), type) - mean -
                                 Convert(w.Load(0, at), type) * slope),
                        x.type));
      });
    });
  }
  // L = sum of g dx. The op is linear and symmetric in dy; with u = g s,
  //   dL/dy  = -u m(dy y) - dy m(u y),
  //   dL/ds  = sum over the group of g dx / s.
  DlArrays Gradient(const GradientCall& call) const override {
    const DlArray &y = call.inputs[0], &dy = call.inputs[1], &s = call.inputs[2];
    const DlArray& dx = call.outputs[0];
    const DlArray& g = call.output_gradients[0];
    DlArrays result(3);
    if (call.needed[0]) {
      const DlArray u = g * s;
      result[0] = -(u * GroupMean(dy * y) + dy * GroupMean(u * y));
    }
    if (call.needed[1]) {
      result[1] = Apply(std::make_shared<StandardizeGradientOp>(dims_), {y, g, s});
    }
    if (call.needed[2]) result[2] = SumTo(g * dx, s.spec()) / s;
    return result;
  }

 private:
  DlArray GroupMean(const DlArray& x) const {
    return SumTo(x, GroupSpec(x.spec(), dims_)) *
           (1.0 / static_cast<double>(GroupSize(x.spec(), dims_)));
  }

  uint32_t dims_;
};

class StandardizeOp : public Op, public WrittenOp, public DimsOp {
 public:
  StandardizeOp(uint32_t dims, double epsilon) : dims_(dims), epsilon_(epsilon) {}
  std::string_view Name() const override { return "standardize"; }
  uint32_t dims() const override { return dims_; }
  OpPtr Along(uint32_t dims) const override {
    return std::make_shared<StandardizeOp>(dims, epsilon_);
  }
  std::string Attributes() const override {
    return absl::StrCat(DimsText(dims_), " epsilon=", epsilon_);
  }
  // Outputs: y, mean, variance, inverse_deviation.
  void Infer(const Specs& inputs, SpecList* outputs) const override {
    if (GroupSize(inputs[0], dims_) == 0) {
      throw Error("ops:EmptyGroup", "A normalization needs at least one element in each group.",
                  absl::StrCat("A ", lamina::ToString(inputs[0]), " came."),
                  "Leave out empty batches and sequences.");
    }
    outputs->assign(4, GroupSpec(inputs[0], dims_));
    (*outputs)[0] = inputs[0];
  }
  void Run(Arrays inputs, Results outputs) const override {
    cpu::Standardize(inputs[0].type(), inputs[0].data()->bytes(), inputs[0].sizes(), dims_,
                     epsilon_, outputs.bytes(0), outputs.bytes(1), outputs.bytes(2),
                     outputs.bytes(3));
  }
  bool HasFastKernel() const override { return true; }
  // In double, in two passes, so that a large mean costs no digits.
  void Write(OpWriter& w) const override {
    using loops::Expression;
    const ArraySpec& x = w.input(0);
    const DataType type = DataType::kDouble;
    const Expression n = Expression::Number(static_cast<double>(GroupSize(x, dims_)), type);
    loops::LoopBuilder& code = w.code();
    ForEachGroup(w, dims_, [&](const Indices& group, const ForEachOf& each) {
      const Expression sum = code.Var("sum", Expression::Number(0, type));
      each([&](const Indices& at) { code.Assign(sum, sum + Convert(w.Load(0, at), type)); });
      const Expression mean = code.Let("mean", sum / n);
      const Expression squares = code.Var("squares", Expression::Number(0, type));
      each([&](const Indices& at) {
        const Expression difference = code.Let("difference", Convert(w.Load(0, at), type) - mean);
        code.Assign(squares, squares + difference * difference);
      });
      const Expression variance = code.Let("variance", squares / n);
      const Expression scale =
          code.Let("scale", Expression::Number(1, type) / Sqrt(variance + Expression(epsilon_)));
      each([&](const Indices& at) {
        w.Store(0, at, Convert((Convert(w.Load(0, at), type) - mean) * scale, x.type));
      });
      w.Store(1, group, Convert(mean, x.type));
      w.Store(2, group, Convert(variance, x.type));
      w.Store(3, group, Convert(scale, x.type));
    });
  }
  // Besides the path through y, the statistics are outputs of their own: with n elements in a
  // group,
  //   d mean / dx = 1 / n,  d variance / dx = 2 (x - mean) / n = 2 y / (n s),  ds / dx = -s^2 y /
  //   n.
  DlArrays Gradient(const GradientCall& call) const override {
    const ArraySpec& x = call.inputs[0].spec();
    const DlArray &y = call.outputs[0], &s = call.outputs[3];
    const DlArray &dy = call.output_gradients[0], &dmean = call.output_gradients[1],
                  &dvariance = call.output_gradients[2], &ds = call.output_gradients[3];
    const double n = static_cast<double>(GroupSize(x, dims_));
    DlArray dx;
    const auto add = [&dx](const DlArray& term) { dx = dx.empty() ? term : dx + term; };
    if (!dy.empty()) add(Apply(std::make_shared<StandardizeGradientOp>(dims_), {y, dy, s}));
    if (!dvariance.empty()) add(y * (dvariance / s * (2 / n)));
    if (!ds.empty()) add(y * (ds * Square(s) * (-1 / n)));
    if (!dmean.empty()) add(BroadcastTo(dmean * (1 / n), x));
    return {dx};
  }
  SaveMask SavedInputs() const override { return kSaveNone; }
  SaveMask SavedOutputs() const override { return 0b1001; }

 private:
  uint32_t dims_;
  double epsilon_;
};

}  // namespace

Standardized Standardize(const DlArray& x, uint32_t dims, double epsilon) {
  DlArrays out = ApplyAll(std::make_shared<StandardizeOp>(dims, epsilon), Arrays(&x, 1));
  return {out[0], out[1], out[2], out[3]};
}

}  // namespace lamina::internal
