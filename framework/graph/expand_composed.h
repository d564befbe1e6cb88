// A pass that computes composed ops (ops/composed_op.h) by the functions that they are composed of.
//
//   const Graph printed = ExpandComposed(RecordGraph(f, specs));
//
// So what has no printed form of its own can be printed. Results change within the error that the
// ops state. Equal steps share what they are composed of: constants stand in the graph once.
//
// Threads: a pure function.
#ifndef FRAMEWORK_GRAPH_EXPAND_COMPOSED_H_
#define FRAMEWORK_GRAPH_EXPAND_COMPOSED_H_

#include <functional>
#include <vector>

#include "framework/graph/graph.h"

namespace lamina {

/// Whether the composed op of this step is to be expanded. The graph is that given, or one that
/// such an op is composed of.
using IsExpanded = std::function<bool(const Graph& graph, const GraphStep& step)>;

/// True for ops without a printed form.
bool IsUnwritten(const Graph& graph, const GraphStep& step);

/// Expands composed ops for which `which` holds, in what they are composed of too. All other steps
/// stay, in their order. `origin`, unless it is null, gets for each step of the result the number
/// of the step of `graph` that it stands for.
Graph ExpandComposed(const Graph& graph, const IsExpanded& which = IsUnwritten,
                     std::vector<int>* origin = nullptr);

}  // namespace lamina

#endif  // FRAMEWORK_GRAPH_EXPAND_COMPOSED_H_
