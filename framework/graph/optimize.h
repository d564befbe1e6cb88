// Passes: a graph as another one that computes the same with less work.
//
//   Graph graph = Optimize(RecordGraph(f, specs));
//
// Each pass keeps inputs, outputs and their specs, and gives a graph that CheckGraph accepts. What
// draws random numbers is neither folded, shared nor left out, and keeps its order: each run draws
// the numbers that the recorded function would draw. All but JoinProducts and those for the
// processor (batch_norm_gradients.h, channel_blocks.h) keep every bit of the results.
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
/// A sum of products of matrices as one product of longer matrices:
///   A1 B1 + A2 B2 + ... = [A1 A2 ...] [B1; B2; ...].
/// So the gradient of a recurrent layer's weights is one large product, not one for each time step.
/// The order of the additions changes, and with it the last bits.
Graph JoinProducts(const Graph& graph);
/// Leaves out what no output needs, and values that nothing names.
Graph RemoveDeadSteps(const Graph& graph);

/// In which layouts images stand between convolutions: those with which the processor convolves
/// (channel_blocks.h), or as they are.
enum class ImageLayouts : uint8_t { kOfProcessor, kPlain };

/// All of them. A device wants plain layouts.
Graph Optimize(const Graph& graph, ImageLayouts layouts = ImageLayouts::kOfProcessor);

}  // namespace lamina

#endif  // FRAMEWORK_GRAPH_OPTIMIZE_H_
