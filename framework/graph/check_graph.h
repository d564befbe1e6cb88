// Whether a graph fits together: what passes promise to keep.
//
//   CheckGraph(graph);   // throws when it does not
//
// Threads: a pure function.
#ifndef FRAMEWORK_GRAPH_CHECK_GRAPH_H_
#define FRAMEWORK_GRAPH_CHECK_GRAPH_H_

#include "framework/graph/graph.h"

namespace lamina {

/// Errors: "graph:Malformed", naming the step, unless every number of a value exists; each value is
/// made once, as an input, a constant or by one step; no step reads what is made after it; each
/// output of a step has the spec that the op's shape rule gives; constants have values of their
/// spec.
void CheckGraph(const Graph& graph);

}  // namespace lamina

#endif  // FRAMEWORK_GRAPH_CHECK_GRAPH_H_
