#include "framework/acceleration/kernel_cache.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/io/file.h"
#include "framework/io/sha256.h"
#include "framework/io/temporary_folder.h"

namespace lamina::internal {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

std::string Environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// The folder of a process that can have no other. It goes with the process.
std::string FolderOfThisProcess() {
  static const TemporaryFolder folder("lamina_");
  return folder.path();
}

// Whether files can be made in the folder, which is made if it is not there.
bool IsUsable(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return false;
  return !TemporaryFolder(KernelCache::kWorkFolder, folder).path().empty();
}

}  // namespace

std::string KernelCache::DefaultFolder() {
  if (const std::string f = Environment("LAMINA_CACHE"); !f.empty()) return f;
  if (const std::string f = Environment("XDG_CACHE_HOME"); !f.empty()) return f + "/lamina";
  if (const std::string f = Environment("HOME"); !f.empty()) return f + "/.cache/lamina";
  return "";
}

KernelCache::KernelCache(const std::string& folder, int64_t max_bytes)
    : folder_(!folder.empty() && IsUsable(folder) ? folder : FolderOfThisProcess()),
      max_bytes_(max_bytes) {}

std::string KernelCache::PathOf(const std::string& key) const {
  return absl::StrCat(folder_, "/", key, ".so");
}

std::optional<std::string> KernelCache::Find(const std::string& key) const {
  const std::string path = PathOf(key);
  const absl::StatusOr<std::string> bytes = ReadFile(path);
  if (!bytes.ok()) return std::nullopt;
  const std::string_view all = *bytes;
  if (all.size() < kHashBytes ||
      Sha256Hex(all.substr(0, all.size() - kHashBytes)) != all.substr(all.size() - kHashBytes)) {
    Remove(key);
    return std::nullopt;
  }
  std::error_code ignored;
  fs::last_write_time(path, fs::file_time_type::clock::now(), ignored);
  return path;
}

absl::StatusOr<std::string> KernelCache::Insert(const std::string& key,
                                                const std::string& shared_object) const {
  const absl::StatusOr<std::string> bytes = ReadFile(shared_object);
  if (!bytes.ok()) return bytes.status();
  {
    // The loader does not mind what follows the parts that it knows.
    std::ofstream file(shared_object, std::ios::app | std::ios::binary);
    file << Sha256Hex(*bytes);
    if (!file.flush()) return absl::UnavailableError(absl::StrCat("cannot write ", shared_object));
  }
  const std::string path = PathOf(key);
  std::error_code error;
  fs::rename(shared_object, path, error);
  if (error) {
    return absl::UnavailableError(absl::StrCat("cannot write ", path, ": ", error.message()));
  }
  Shrink();
  return path;
}

void KernelCache::Remove(const std::string& key) const {
  std::error_code ignored;
  fs::remove(PathOf(key), ignored);
}

void KernelCache::Shrink() const {
  struct File {
    fs::file_time_type used;
    int64_t bytes;
    fs::path path;
  };
  std::vector<File> files;
  int64_t total = 0;
  const auto now = fs::file_time_type::clock::now();
  std::error_code error;
  for (fs::directory_iterator i(folder_, error), end; !error && i != end; i.increment(error)) {
    std::error_code gone;  // Another process may take a file away at any time.
    const auto used = i->last_write_time(gone);
    if (gone) continue;
    const std::string name = i->path().filename().string();
    if (name.rfind(kWorkFolder, 0) == 0) {
      // Left by a process that was ended in the middle.
      if (now - used > 24h) fs::remove_all(i->path(), gone);
      continue;
    }
    if (i->path().extension() != ".so") continue;
    const auto bytes = static_cast<int64_t>(i->file_size(gone));
    if (gone) continue;
    total += bytes;
    files.push_back({used, bytes, i->path()});
  }
  std::sort(files.begin(), files.end(),
            [](const File& a, const File& b) { return a.used < b.used; });
  // The newest stays, whatever its size: it is about to be loaded.
  for (size_t i = 0; i + 1 < files.size() && total > max_bytes_; ++i) {
    std::error_code ignored;
    if (fs::remove(files[i].path, ignored)) total -= files[i].bytes;
  }
}

}  // namespace lamina::internal
