// Kernels that were written by hand (ops/device_kernel.h), ready to be launched on a device.
//
//   OwnKernels own(device);
//   if (auto launch = own.For(graph, step)) ...
//
// Threads: one at a time; what it gave may be launched from any thread.
#ifndef FRAMEWORK_GPU_OWN_KERNELS_H_
#define FRAMEWORK_GPU_OWN_KERNELS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "framework/gpu/device.h"
#include "framework/graph/graph.h"

namespace lamina::gpu {

struct OwnLaunch {
  std::shared_ptr<const LoadedKernels> kernels;  ///< One kernel.
  LaunchSize size;                               ///< Of no blocks: there is nothing to compute.
  std::vector<int64_t> numbers;                  ///< Follow the arrays.
};

/// Whether the step is computed by a kernel of its own on this device. Errors: "kernel:Launch".
bool HasOwnKernel(const Device& device, const Graph& graph, const GraphStep& step);

class OwnKernels {
 public:
  explicit OwnKernels(std::shared_ptr<Device> device) : device_(std::move(device)) {}

  /// For a step that has one. Compiles it, or takes it from the disk. Errors: "gpu:CannotCompile"
  /// with the compiler's messages; "kernel:Launch".
  OwnLaunch For(const Graph& graph, const GraphStep& step);
  /// How many differ.
  size_t size() const { return loaded_.size(); }

 private:
  const std::shared_ptr<Device> device_;
  std::map<std::string, std::shared_ptr<const LoadedKernels>> loaded_;  // By their text.
};

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_OWN_KERNELS_H_
