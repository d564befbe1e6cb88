// A recorded function on a device: what a graph has besides kernels is brought over to them.
//
// Its parts are those of device_parts.h. Constants of more than a few elements become arrays of the
// device. Random ops other than Rand and Randn, which a device draws itself (device_draws.h), are
// run by the processor, in the recorded order, before the kernels. All else is one program
// (device_program.h).
//
// Used by accelerated functions (framework/acceleration). Threads: any.
#ifndef FRAMEWORK_GPU_DEVICE_GRAPH_H_
#define FRAMEWORK_GPU_DEVICE_GRAPH_H_

#include <memory>
#include <string>
#include <vector>

#include "framework/gpu/device_program.h"
#include "framework/graph/graph_device.h"

namespace lamina::gpu {

class DeviceGraph : public GraphRunner {
 public:
  /// Errors: as DeviceKernels.
  DeviceGraph(const Graph& graph, const std::shared_ptr<Gpu>& gpu);

  DlArrays Run(Arrays inputs) const override;
  std::string Describe() const override;
  int64_t bytes() const override;

 private:
  std::vector<OpPtr> draws_;  // Each has one output.
  DlArrays constants_;        // On the device.
  double seconds_ = 0;        // That it took to make the program.
  // Takes the inputs, the draws, the constants.
  std::unique_ptr<const DeviceProgram> program_;
};

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_DEVICE_GRAPH_H_
