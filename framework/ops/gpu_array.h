// Arrays on a GPU: there by GpuArray, back by Gather (dlarray.h).
//
//   DlArray y = Gather(Relu(GpuArray(x)) + 1);      // computed there
//
// What is done to an array on a device is done there, and stays there: ops, layers, gradients,
// accelerated functions. Arrays of the processor that it meets are brought over. docs/gpu.md tells
// what has kernels.
//
// The device belongs to the room framework/gpu, which a program has when its target depends on
// "//framework/gpu". Without it, and without a device, CanUseGpu says why not.
//
// Threads: any.
#ifndef FRAMEWORK_OPS_GPU_ARRAY_H_
#define FRAMEWORK_OPS_GPU_ARRAY_H_

#include "absl/status/status.h"
#include "framework/dlarray/dlarray.h"

namespace lamina {

/// The array on the current device: the first one, or that of a gpu::ScopedGpu. Without what a tape
/// or trace knows of it. Errors: "gpu:NoDevice", "gpu:OutOfMemory", "dlarray:NoValues".
DlArray GpuArray(const DlArray& x);
/// OK when GpuArray has a device; otherwise why there is none.
absl::Status CanUseGpu();

namespace internal {

/// What framework/gpu offers to the floors below.
struct GpuRoom {
  absl::Status (*can_use)();
  DlArray (*bring_over)(const DlArray&);
};
/// Called once, before main.
bool OpenGpuRoom(const GpuRoom& room);

}  // namespace internal
}  // namespace lamina

#endif  // FRAMEWORK_OPS_GPU_ARRAY_H_
