// Positions out of range (ops/positions.h) on a device: found there, and told by the host.
//
// A kernel cannot refuse a position; it gives 0 there, or adds it nowhere. So a kernel of its own
// looks at each array of positions, and at nothing else, and notes the first that it finds in
// memory of the host (Device::Notes). The host looks there whenever it has waited for the device,
// which costs it nothing.
//
//   const Graph checked = WithPositionChecks(graph);
//   PositionChecks checks(device);
//   const int check = checks.Add(checked, step);     // of a step for which IsPositionCheck
//   checks.Launch(check, positions, notes);
//   ...
//   ThrowIfOutOfRange(*device);                      // when the host has waited
//
// There is one note: of several threads that use a device, the one that waits first is told.
//
// Threads: PositionChecks: one at a time. Others: any.
#ifndef FRAMEWORK_GPU_POSITION_CHECKS_H_
#define FRAMEWORK_GPU_POSITION_CHECKS_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "framework/gpu/device.h"
#include "framework/graph/graph.h"
#include "framework/ops/op.h"

namespace lamina::gpu {

/// The graph, and for each array of positions and each range a step that checks them as soon as
/// they are there. Its output is one more of the graph's, after the others, and lies at
/// Device::Notes. Constant positions are checked here. Errors: "dlarray:IndexOutOfRange" for these.
Graph WithPositionChecks(const Graph& graph);
bool IsPositionCheck(const Op& op);

class PositionChecks {
 public:
  /// Compiles the kernels, or takes them from the disk. Errors: as DeviceKernels.
  explicit PositionChecks(std::shared_ptr<Device> device);

  /// The number of the check.
  int Add(const Graph& graph, const GraphStep& step);
  void Launch(int check, void* positions, void* notes) const;
  /// How many kernels they use.
  size_t num_kernels() const;

 private:
  struct Check {
    size_t kernel;
    int64_t count, size, of;
  };
  const std::shared_ptr<Device> device_;
  std::unique_ptr<LoadedKernels> kernels_;
  std::vector<Check> checks_;
};

/// Tells what checks found that are done, and forgets it: the device can be used as before. Errors:
/// "dlarray:IndexOutOfRange", with the op, its range, the position and its number; those of the
/// device.
void ThrowIfOutOfRange(Device& device);

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_POSITION_CHECKS_H_
