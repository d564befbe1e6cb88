// Passes: a graph as another one that computes the same with less work.
//
//   Graph graph = Optimize(RecordGraph(f, specs));
//
// Each pass keeps inputs, outputs and their specs, and gives a graph that CheckGraph accepts. What
// draws random numbers is neither folded, shared nor left out, and keeps its order: each run draws
// the numbers that the recorded function would draw. Those of this file and direct_parts.h keep
// every bit of the results; those that compute several terms at once (join_terms.h) and those for the processor
// (batch_norm_gradients.h, channel_blocks.h) change the last ones.
//
// Fusion, memory and the choice between loops and calls come later, in framework/emit.
//
// Threads: pure functions.
#ifndef FRAMEWORK_GRAPH_OPTIMIZE_H_
#define FRAMEWORK_GRAPH_OPTIMIZE_H_

#include <cstdint>

#include "framework/graph/graph.h"

namespace lamina {

/// Computes now what depends on constants alone, unless that makes a large constant of small ones.
Graph FoldConstants(const Graph& graph);
/// One step for all that do the same to the same values; one value for equal constants.
Graph ShareEqualSteps(const Graph& graph);
/// Leaves out steps that give what they get, and goes past a reshape to what it reshapes.
Graph SkipIdentities(const Graph& graph);
/// Leaves out what no output needs, and values that nothing names.
Graph RemoveDeadSteps(const Graph& graph);

/// In which layouts images stand between convolutions: those with which the processor convolves
/// (channel_blocks.h), or as they are.
enum class ImageLayouts : uint8_t { kOfProcessor, kPlain };

/// All passes. Plain layouts are for a device, and with them sums of sums are joined, too: its
/// kernels should have many elements to compute at a time. A processor adds up what it computes
/// while that is in its cache; there it pays for the smallest arrays alone.
Graph Optimize(const Graph& graph, ImageLayouts layouts = ImageLayouts::kOfProcessor);

}  // namespace lamina

#endif  // FRAMEWORK_GRAPH_OPTIMIZE_H_
