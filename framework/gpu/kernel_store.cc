#include "framework/gpu/kernel_store.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "framework/dlarray/error.h"
#include "framework/io/file.h"
#include "framework/io/sha256.h"
#include "framework/io/temporary_folder.h"

namespace lamina::gpu {
namespace {

using lamina::internal::KernelCache;

// A file: the symbols with spaces between in its first line, then the code.
std::string ToBytes(const KernelImage& image) {
  return absl::StrCat(absl::StrJoin(image.symbols, " "), "\n", image.code);
}

// The cache's hash follows the code, which no loader of code minds.
std::optional<KernelImage> FromBytes(const std::string& bytes, size_t num_kernels) {
  const size_t end = bytes.find('\n');
  if (end == std::string::npos) return std::nullopt;
  KernelImage image{.code = bytes.substr(end + 1),
                    .symbols = absl::StrSplit(bytes.substr(0, end), ' ')};
  if (image.symbols.size() != num_kernels) return std::nullopt;
  return image;
}

}  // namespace

KernelStore::KernelStore(std::string compiler)
    : compiler_(std::move(compiler)),
      cache_(KernelCache::DefaultFolder(), KernelCache::kDefaultMaxBytes) {}

std::string KernelStore::KeyOf(const KernelSource& source) const {
  return Sha256Hex(absl::StrCat(compiler_, source.may_fuse ? "" : " without fused operations", "\n",
                                absl::StrJoin(source.kernels, " "), "\n", source.text));
}

std::optional<KernelImage> KernelStore::Find(const KernelSource& source) const {
  const std::optional<std::string> path = cache_.Find(KeyOf(source));
  if (!path.has_value()) return std::nullopt;
  const absl::StatusOr<std::string> bytes = ReadFile(*path);
  if (!bytes.ok()) return std::nullopt;
  return FromBytes(*bytes, source.kernels.size());
}

void KernelStore::Insert(const KernelSource& source, const KernelImage& image) const {
  const TemporaryFolder folder(KernelCache::kWorkFolder, cache_.folder());
  if (folder.path().empty()) return;
  const std::string path = folder.path() + "/image";
  if (!WriteFileAtomically(path, ToBytes(image)).ok()) return;
  cache_.Insert(KeyOf(source), path).IgnoreError();
}

absl::StatusOr<KernelImage> FindOrCompile(Device& device, const KernelSource& source,
                                          bool* was_there) {
  const KernelStore store(device.CompilerKey());
  std::optional<KernelImage> kept = store.Find(source);
  if (was_there != nullptr) *was_there = kept.has_value();
  if (kept) return *std::move(kept);
  absl::StatusOr<KernelImage> image = device.Compile(source);
  if (image.ok()) store.Insert(source, *image);
  return image;
}

KernelImage CompiledKernels(Device& device, const KernelSource& source, bool* was_there) {
  absl::StatusOr<KernelImage> image = FindOrCompile(device, source, was_there);
  if (!image.ok()) {
    throw Error("gpu:CannotCompile", "The compiler of kernels takes what Lamina prints.",
                std::string(image.status().message()), "Please report it, with the function.");
  }
  return *std::move(image);
}

}  // namespace lamina::gpu
