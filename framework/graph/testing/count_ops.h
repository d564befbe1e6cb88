// How many steps of a graph are of an op: what a pass left, in its tests.
//
// Threads: a pure function.
#ifndef FRAMEWORK_GRAPH_TESTING_COUNT_OPS_H_
#define FRAMEWORK_GRAPH_TESTING_COUNT_OPS_H_

#include <algorithm>
#include <string_view>

#include "framework/graph/graph.h"

namespace lamina::testing {

inline int Count(const Graph& graph, std::string_view op) {
  return static_cast<int>(
      std::count_if(graph.steps().begin(), graph.steps().end(),
                    [op](const GraphStep& step) { return step.op->Name() == op; }));
}

}  // namespace lamina::testing

#endif  // FRAMEWORK_GRAPH_TESTING_COUNT_OPS_H_
