// Compiled kernels of a device on the disk, found again by what they were made from.
//
//   const KernelStore store(device.CompilerKey());
//   if (auto image = store.Find(source)) ...
//   store.Insert(source, image);
//
// The files lie in the cache of framework/acceleration (kernel_cache.h), which bounds them and
// notices files that were changed. What cannot be written is not kept.
//
// Threads: may be used from any thread.
#ifndef FRAMEWORK_GPU_KERNEL_STORE_H_
#define FRAMEWORK_GPU_KERNEL_STORE_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "framework/acceleration/kernel_cache.h"
#include "framework/gpu/device.h"

namespace lamina::gpu {

class KernelStore {
 public:
  /// `compiler`: all that the result depends on besides the source.
  explicit KernelStore(std::string compiler);

  std::optional<KernelImage> Find(const KernelSource& source) const;
  void Insert(const KernelSource& source, const KernelImage& image) const;

 private:
  std::string KeyOf(const KernelSource& source) const;

  std::string compiler_;
  lamina::internal::KernelCache cache_;
};

/// The kernels from the store, or compiled and kept there; `was_there` is told which. Errors: those
/// of Device::Compile.
absl::StatusOr<KernelImage> FindOrCompile(Device& device, const KernelSource& source,
                                          bool* was_there = nullptr);

/// The same for what Lamina prints. Errors: "gpu:CannotCompile" with the compiler's messages.
KernelImage CompiledKernels(Device& device, const KernelSource& source, bool* was_there = nullptr);

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_KERNEL_STORE_H_
