// Products of matrices among the steps of a graph, as a device's library is told of them, and what
// it can do besides: add a bias, take a ReLU, sum a factor up.
//
// Used by library_steps.h. Threads: pure functions.
#ifndef FRAMEWORK_GPU_PRODUCT_STEPS_H_
#define FRAMEWORK_GPU_PRODUCT_STEPS_H_

#include <functional>
#include <optional>
#include <vector>

#include "framework/gpu/library_call.h"
#include "framework/graph/graph.h"

namespace lamina::gpu {

/// What is known of each value of a graph.
struct KnownValues {
  explicit KnownValues(const Graph& graph);
  /// It follows from constants alone, so that it may stand in the source of kernels, not in memory.
  std::vector<bool> is_constant;
  std::vector<bool> is_rounded;  ///< To numbers of bfloat16.

  bool AnyConstant(const std::vector<int>& values) const;
  bool AllRounded(const std::vector<int>& values) const;
};

/// The product that a step computes; nothing for other steps, and where no stride fits the pages or
/// a factor has no memory.
std::optional<ProductCall> ProductOf(const Graph& graph, const GraphStep& step,
                                     const KnownValues& known);

/// The graph with one step for each product and what follows it, where the device takes that:
/// - a bias for each row and a ReLU, or one of the two, when nobody else reads what comes before;
/// - the sums over a factor's terms, a gradient of a bias, when the terms are so few that sums in
///   any order keep the bounds of Sum.
Graph WithEpilogues(const Graph& graph, const std::function<bool(const ProductCall&)>& is_taken);

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_PRODUCT_STEPS_H_
