#include "framework/gpu/disk_store.h"

#include "framework/io/file.h"
#include "framework/io/sha256.h"
#include "framework/io/temporary_folder.h"

namespace lamina::gpu {

using lamina::internal::KernelCache;

DiskStore::DiskStore() : cache_(KernelCache::DefaultFolder(), KernelCache::kDefaultMaxBytes) {}

std::optional<std::string> DiskStore::Find(const std::string& made_from) const {
  const std::optional<std::string> path = cache_.Find(Sha256Hex(made_from));
  if (!path.has_value()) return std::nullopt;
  absl::StatusOr<std::string> bytes = ReadFile(*path);
  if (!bytes.ok() || bytes->size() < KernelCache::kHashBytes) return std::nullopt;
  bytes->resize(bytes->size() - KernelCache::kHashBytes);
  return *std::move(bytes);
}

void DiskStore::Insert(const std::string& made_from, const std::string& bytes) const {
  const TemporaryFolder folder(KernelCache::kWorkFolder, cache_.folder());
  if (folder.path().empty()) return;
  const std::string path = folder.path() + "/bytes";
  if (!WriteFileAtomically(path, bytes).ok()) return;
  cache_.Insert(Sha256Hex(made_from), path).IgnoreError();
}

}  // namespace lamina::gpu
