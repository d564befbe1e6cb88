// Compiled kernels of a device on the disk, found again by what they were made from.
//
//   const KernelStore store(device.CompilerKey());
//   if (auto image = store.Find(source, kernels)) ...
//   store.Insert(source, kernels, image);
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

#include "framework/acceleration/kernel_cache.h"
#include "framework/gpu/device.h"

namespace lamina::gpu {

class KernelStore {
 public:
  /// `compiler`: all that the result depends on besides source and names.
  explicit KernelStore(std::string compiler);

  std::optional<KernelImage> Find(const std::string& source,
                                  const std::vector<std::string>& kernels) const;
  void Insert(const std::string& source, const std::vector<std::string>& kernels,
              const KernelImage& image) const;

 private:
  std::string KeyOf(const std::string& source, const std::vector<std::string>& kernels) const;

  std::string compiler_;
  lamina::internal::KernelCache cache_;
};

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_KERNEL_STORE_H_
