// Compiled kernels of a device, from the disk where they are kept (disk_store.h).
//
//   const KernelImage image = CompiledKernels(device, source);
//
// Threads: a pure function.
#ifndef FRAMEWORK_GPU_KERNEL_STORE_H_
#define FRAMEWORK_GPU_KERNEL_STORE_H_

#include "absl/status/statusor.h"
#include "framework/gpu/device.h"

namespace lamina::gpu {

/// The kernels from the disk, or compiled and kept there; `was_there` is told which. Errors: those
/// of Device::Compile.
absl::StatusOr<KernelImage> FindOrCompile(Device& device, const KernelSource& source,
                                          bool* was_there = nullptr);

/// The same for what Lamina prints. Errors: "gpu:CannotCompile" with the compiler's messages.
KernelImage CompiledKernels(Device& device, const KernelSource& source, bool* was_there = nullptr);

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_KERNEL_STORE_H_
