#include "framework/gpu/device_parts.h"

#include <utility>

#include "framework/gpu/device_draws.h"
#include "framework/gpu/library_steps.h"
#include "framework/gpu/own_kernels.h"
#include "framework/graph/expand_composed.h"
#include "framework/graph/optimize.h"
#include "framework/ops/all_reduce.h"
#include "framework/ops/cumulative_op.h"

namespace lamina::gpu {
namespace {

// Constants of so many elements stand in the source of the kernels, where no call reads them.
constexpr int64_t kInSource = 8;

bool IsDrawnHere(const GraphStep& step) {
  return step.op->IsRandom() && !DeviceDraws::Can(*step.op) && step.inputs.empty() &&
         step.outputs.size() == 1;
}

// For each value: is its address given to a call, which does not see what stands in the source?
// Products and the like with a constant are kernels of our own (library_steps.cc).
std::vector<bool> ReadByCalls(const Graph& graph, const Device& device) {
  std::vector<bool> read(graph.values().size(), false);
  for (const GraphStep& step : graph.steps()) {
    const bool is_sum = dynamic_cast<const internal::AllReduceOp*>(step.op.get()) != nullptr;
    if (!is_sum && !HasOwnKernel(device, graph, step)) continue;
    for (const int v : step.inputs) read[static_cast<size_t>(v)] = true;
  }
  return read;
}

Graph Expanded(const Graph& graph, Device& device) {
  const auto is_expanded = [&device](const Graph& g, const GraphStep& step) {
    // These two have a printed form too, but kernels and libraries compute their parts. One of the
    // parts of a convolution with a bias is a convolution without.
    if (step.op->Name() == "attention") return true;
    if (step.op->Name() == "conv") return step.inputs.size() > 2;
    // A thread computes a line, also of these.
    if (!step.inputs.empty() &&
        lamina::internal::IsScanInParts(*step.op,
                                        g.values()[static_cast<size_t>(step.inputs[0])].spec)) {
      return true;
    }
    return IsUnwritten(g, step) && !HasOwnKernel(device, g, step) &&
           !IsTransformByLibrary(device, g, step);
  };
  Graph expanded = ExpandComposed(graph, is_expanded);
  const auto ops_of = [](const Graph& g) {
    std::vector<const Op*> ops;
    for (const GraphStep& step : g.steps()) ops.push_back(step.op.get());
    return ops;
  };
  if (ops_of(expanded) == ops_of(graph)) return expanded;
  return Optimize(expanded, ImageLayouts::kPlain);
}

}  // namespace

DeviceParts PartsForDevice(const Graph& original, Device& device) {
  DeviceParts parts;
  const Graph graph = Expanded(original, device);
  std::vector<GraphValue> values = graph.values();
  std::vector<int> inputs = graph.inputs();
  std::vector<GraphStep> steps;
  for (const GraphStep& step : graph.steps()) {
    if (!IsDrawnHere(step)) {
      steps.push_back(step);
      continue;
    }
    parts.draws.push_back(step.op);
    inputs.push_back(step.outputs[0]);
  }
  const std::vector<bool> read_by_calls = ReadByCalls(graph, device);
  for (size_t v = 0; v < values.size(); ++v) {
    DlArray& constant = values[v].constant;
    if (constant.numel() <= kInSource && (constant.empty() || !read_by_calls[v])) continue;
    parts.constants.push_back(std::exchange(constant, DlArray()));
    inputs.push_back(static_cast<int>(v));
  }
  parts.graph = Graph(std::move(values), std::move(steps), std::move(inputs), graph.outputs());
  return parts;
}

}  // namespace lamina::gpu
