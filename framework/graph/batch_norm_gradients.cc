#include "framework/graph/batch_norm_gradients.h"

#include <optional>
#include <utility>
#include <vector>

#include "framework/graph/rewriter.h"
#include "framework/ops/abstract_run.h"
#include "framework/ops/dims_op.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/elementwise_op.h"
#include "framework/ops/reduction.h"

namespace lamina {
namespace {

// The product g * scale that a value is, where the scale is one number in each group.
struct Scaled {
  int g, scale;
};

// Whether the scale times one number for each group is that: it is the same all over a group.
bool IsOfGroup(const ElementwiseOp& times, const ArraySpec& scale, const ArraySpec& group) {
  const DlArrays factors{AbstractArray(scale), AbstractArray(group)};
  SpecList product;
  times.Infer(Specs(factors), &product);
  return product[0] == group;
}

class BatchNormGradients {
 public:
  explicit BatchNormGradients(const Graph& graph)
      : graph_(graph), out_(graph), maker_(graph.values().size(), nullptr) {
    for (const GraphStep& step : graph.steps()) {
      for (const int v : step.outputs) maker_[v] = &step;
    }
  }

  Graph Run() {
    for (const GraphStep& step : graph_.steps()) {
      const bool is_gradient = step.op->Name() == "standardize_gradient";
      const std::optional<Scaled> dy = is_gradient ? ScaledBy(step) : std::nullopt;
      if (!dy) {
        out_.Copy(step);
        continue;
      }
      const ArraySpec group = GroupOf(step);
      out_.Set(
          step.outputs[0],
          out_.Splice(
              [&group](Arrays x) {
                const DlArray &y = x[0], &g = x[1], &scale = x[2], &s = x[3];
                const double n = static_cast<double>(y.numel() / group.numel());
                const DlArray mean = SumTo(g, group) * (1 / n);
                const DlArray slope = SumTo(g * y, group) * (1 / n);
                return DlArrays{s * scale * (g - mean - y * slope)};
              },
              out_.Map(std::vector<int>{step.inputs[0], dy->g, dy->scale, step.inputs[2]}))[0]);
    }
    return out_.Finish();
  }

 private:
  const ArraySpec& SpecOf(int v) const { return graph_.values()[v].spec; }

  // That of what is one number in each group.
  ArraySpec GroupOf(const GraphStep& step) const {
    ArraySpec group = SpecOf(step.inputs[0]);
    const uint32_t dims = dynamic_cast<const DimsOp&>(*step.op).dims();
    for (int d = 0; d < group.rank(); ++d) {
      if (dims >> d & 1) group.sizes[d] = 1;
    }
    return group;
  }

  // Inputs of the step: y, dy, s.
  std::optional<Scaled> ScaledBy(const GraphStep& step) const {
    const GraphStep* const maker = maker_[step.inputs[1]];
    if (maker == nullptr) return std::nullopt;
    const auto* op = dynamic_cast<const ElementwiseOp*>(maker->op.get());
    if (op == nullptr || op->function() != cpu::ScalarFunction::kTimes) return std::nullopt;
    const ArraySpec &data = SpecOf(step.inputs[0]), group = GroupOf(step);
    for (const auto& [g, scale] : {std::pair(0, 1), std::pair(1, 0)}) {
      const Scaled scaled{maker->inputs[g], maker->inputs[scale]};
      if (SpecOf(scaled.g) == data && IsOfGroup(*op, SpecOf(scaled.scale), group)) return scaled;
    }
    return std::nullopt;
  }

  const Graph& graph_;
  internal::Rewriter out_;
  std::vector<const GraphStep*> maker_;  // Of each value.
};

}  // namespace

Graph TakeApartBatchNormGradients(const Graph& graph) { return BatchNormGradients(graph).Run(); }

}  // namespace lamina
