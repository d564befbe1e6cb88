// A recorded function as a device computes it: what are no kernels stands beside them.
//
//   const Graph graph = RecordGraph(f, specs);
//   const DeviceParts parts = PartsForDevice(Optimize(graph, ImageLayouts::kPlain), *device);
//
// Threads: a pure function.
#ifndef FRAMEWORK_GPU_DEVICE_PARTS_H_
#define FRAMEWORK_GPU_DEVICE_PARTS_H_

#include <vector>

#include "framework/gpu/device.h"
#include "framework/graph/graph.h"

namespace lamina::gpu {

struct DeviceParts {
  Graph graph;  ///< Its inputs: those of the function, the draws, the constants.
  /// Random ops that the device cannot draw (device_draws.h), in their order: no inputs and one
  /// output each.
  std::vector<OpPtr> draws;
  /// Of more than a few elements, or read by a kernel of its own or a sum over ranks; here, not on
  /// the device.
  DlArrays constants;
};

/// Composed ops without a printed form are computed by what they are composed of (graph/
/// expand_composed.h), but for Fourier transforms that a library computes. So are a convolution
/// with a bias, whose parts a library computes, and attention, in the end by kernels of its own
/// where the device and they take its sizes; and running sums and extremes of few long lines, which
/// threads share then. A graph that this changes is optimised.
DeviceParts PartsForDevice(const Graph& graph, Device& device);

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_DEVICE_PARTS_H_
