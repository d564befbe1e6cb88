// A graph as a picture.
//
//   WriteFile("graph.dot", ToDot(graph));        // dot -Tsvg graph.dot > graph.svg
//
// Threads: a pure function.
#ifndef FRAMEWORK_GRAPH_DRAW_GRAPH_H_
#define FRAMEWORK_GRAPH_DRAW_GRAPH_H_

#include <string>

#include "framework/graph/graph.h"

namespace lamina {

/// The graph in Graphviz's language: a box for each step with its op and attributes, an arrow for
/// each array with its sizes and labels, round boxes for inputs, constants and outputs. Single
/// numbers stand inside the boxes of the steps that read them.
std::string ToDot(const Graph& graph);

}  // namespace lamina

#endif  // FRAMEWORK_GRAPH_DRAW_GRAPH_H_
