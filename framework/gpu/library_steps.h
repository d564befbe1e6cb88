// Which steps of a graph a device's libraries compute: products of matrices with what follows them,
// convolutions, Fourier transforms, and sums over ranks.
//
// Threads: pure functions; the device keeps calls that it prepared.
#ifndef FRAMEWORK_GPU_LIBRARY_STEPS_H_
#define FRAMEWORK_GPU_LIBRARY_STEPS_H_

#include <memory>
#include <vector>

#include "framework/gpu/device.h"
#include "framework/graph/graph.h"

namespace lamina::gpu {

struct LibrarySteps {
  /// Computes what the graph that was given does. Steps of it that are several of that are calls.
  Graph graph;
  /// For each step the call that computes it from its inputs, or null: it is to be written out as a
  /// kernel.
  std::vector<std::shared_ptr<const LibraryCall>> calls;
};

/// With LAMINA_GPU_LIBRARIES=0 in the environment all are null but sums over ranks, which no kernel
/// computes.
LibrarySteps LibraryStepsOf(Device& device, const Graph& graph);

/// Whether the step is a Fourier transform that is among these calls. Others are composed.
bool IsTransformByLibrary(Device& device, const Graph& graph, const GraphStep& step);

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_LIBRARY_STEPS_H_
