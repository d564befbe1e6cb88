// Compiled kernels on the disk: a folder of shared objects, named by what they were made from.
//
// Each file ends with the hash of the bytes before it, so a file that is cut off or changed is
// noticed before it is loaded. Files are written under another name and renamed; a folder is
// bounded in bytes, and what was not used for longest goes first. Several processes may use one
// folder at once.
//
//   KernelCache cache(KernelCache::DefaultFolder(), KernelCache::kDefaultMaxBytes);
//   if (!cache.Find(key)) cache.Insert(key, shared_object);
//
// Threads: an object may be used from any thread.
#ifndef FRAMEWORK_ACCELERATION_KERNEL_CACHE_H_
#define FRAMEWORK_ACCELERATION_KERNEL_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"

namespace lamina::internal {

class KernelCache {
 public:
  static constexpr int64_t kDefaultMaxBytes = int64_t{256} << 20;
  /// How the names of folders begin in which kernels are compiled, within the cache's folder.
  static constexpr char kWorkFolder[] = "work_";
  /// Of the hash that each file ends with.
  static constexpr size_t kHashBytes = 64;

  /// LAMINA_CACHE of the environment; else XDG_CACHE_HOME/lamina; else HOME/.cache/lamina; else "".
  static std::string DefaultFolder();

  /// A cache in `folder`, which is made if it is not there. Where that cannot be done, or for "", a
  /// temporary folder takes its place, which goes when the program ends.
  KernelCache(const std::string& folder, int64_t max_bytes);

  const std::string& folder() const { return folder_; }

  /// The path of the shared object of `key`, which counts as used now; nothing when there is none
  /// or it is not as it was written.
  std::optional<std::string> Find(const std::string& key) const;

  /// Makes the file at `shared_object`, which is changed and moved, the one of `key`. Returns its
  /// path. Errors: those of files.
  absl::StatusOr<std::string> Insert(const std::string& key,
                                     const std::string& shared_object) const;

  /// Takes a file out that turned out to be unusable.
  void Remove(const std::string& key) const;

 private:
  std::string PathOf(const std::string& key) const;
  void Shrink() const;

  std::string folder_;
  int64_t max_bytes_;
};

}  // namespace lamina::internal

#endif  // FRAMEWORK_ACCELERATION_KERNEL_CACHE_H_
