// Random numbers drawn on a device, with the bits that the processor would draw.
//
// Draws take their numbers from the thread's source (ops/random.h) when Take is called, in their
// order; where each begins is brought to the device, so that recorded launches draw anew each time.
//
//   const DeviceDraws draws(ops, device);
//   draws.Take();                       // before the launches, with each run
//   draws.Launch(0, y);
//
// Threads: one at a time.
#ifndef FRAMEWORK_GPU_DEVICE_DRAWS_H_
#define FRAMEWORK_GPU_DEVICE_DRAWS_H_

#include <memory>
#include <vector>

#include "framework/gpu/device.h"
#include "framework/gpu/device_memory.h"
#include "framework/ops/op.h"

namespace lamina::gpu {

class DeviceDraws {
 public:
  static bool Can(const Op& op);

  /// Ops that it can draw. Errors: as DeviceKernels.
  DeviceDraws(std::vector<OpPtr> ops, std::shared_ptr<Device> device);

  size_t size() const { return ops_.size(); }
  void Take() const;
  /// Writes what op `i` draws. Nothing is launched for an array without elements.
  void Launch(size_t i, void* to) const;

 private:
  const std::vector<OpPtr> ops_;
  const std::shared_ptr<Device> device_;
  std::unique_ptr<LoadedKernels> kernels_;  // One for each op.
  std::unique_ptr<DeviceMemory> streams_;
};

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_DEVICE_DRAWS_H_
