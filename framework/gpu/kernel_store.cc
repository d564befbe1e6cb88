#include "framework/gpu/kernel_store.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "framework/dlarray/error.h"
#include "framework/gpu/disk_store.h"

namespace lamina::gpu {
namespace {

// A file: the symbols with spaces between in its first line, then the code.
std::string ToBytes(const KernelImage& image) {
  return absl::StrCat(absl::StrJoin(image.symbols, " "), "\n", image.code);
}

std::optional<KernelImage> FromBytes(const std::string& bytes, size_t num_kernels) {
  const size_t end = bytes.find('\n');
  if (end == std::string::npos) return std::nullopt;
  KernelImage image{.code = bytes.substr(end + 1),
                    .symbols = absl::StrSplit(bytes.substr(0, end), ' ')};
  if (image.symbols.size() != num_kernels) return std::nullopt;
  return image;
}

std::string MadeFrom(const Device& device, const KernelSource& source) {
  return absl::StrCat("kernels\n", device.CompilerKey(),
                      source.may_fuse ? "" : " without fused operations", "\n",
                      absl::StrJoin(source.kernels, " "), "\n", source.text);
}

}  // namespace

absl::StatusOr<KernelImage> FindOrCompile(Device& device, const KernelSource& source,
                                          bool* was_there) {
  const DiskStore store;
  const std::string made_from = MadeFrom(device, source);
  std::optional<KernelImage> kept;
  if (const auto bytes = store.Find(made_from)) kept = FromBytes(*bytes, source.kernels.size());
  if (was_there != nullptr) *was_there = kept.has_value();
  if (kept) return *std::move(kept);
  absl::StatusOr<KernelImage> image = device.Compile(source);
  if (image.ok()) store.Insert(made_from, ToBytes(*image));
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
