// What took long to make for a device, kept on the disk and found again by what it was made from:
// compiled kernels, plans and algorithms of libraries.
//
//   const DiskStore store;
//   if (auto bytes = store.Find(made_from)) ...
//   store.Insert(made_from, bytes);
//
// The files lie in the cache of framework/acceleration (kernel_cache.h), which bounds them and
// notices files that were changed: they are as if they were not there. What cannot be written is
// not kept.
//
// Threads: may be used from any thread.
#ifndef FRAMEWORK_GPU_DISK_STORE_H_
#define FRAMEWORK_GPU_DISK_STORE_H_

#include <optional>
#include <string>

#include "framework/acceleration/kernel_cache.h"

namespace lamina::gpu {

class DiskStore {
 public:
  DiskStore();

  /// `made_from`: all that the bytes depend on, beginning with a line that says what they are.
  std::optional<std::string> Find(const std::string& made_from) const;
  void Insert(const std::string& made_from, const std::string& bytes) const;

 private:
  lamina::internal::KernelCache cache_;
};

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_DISK_STORE_H_
