#include "framework/io/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <new>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"

namespace lamina {
namespace {

constexpr int64_t kChunkBytes = int64_t{1} << 20;

// Closes a file descriptor when it leaves its scope.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  int get() const { return fd_; }
  // Closes now. Some file systems tell of a failed write only here.
  bool Close() { return close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

absl::Status SystemError(int error_number, const char* what, const std::string& path) {
  return absl::ErrnoToStatus(error_number, absl::StrCat(what, " '", path, "'"));
}

// The paths of C end at a NUL, so a longer std::string would name another file than its caller
// meant.
absl::Status CheckPath(const std::string& path) {
  if (path.empty()) return absl::InvalidArgumentError("the path of a file is empty");
  if (path.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("the path '", path.c_str(), "' has a NUL character inside"));
  }
  return absl::OkStatus();
}

absl::Status WriteAll(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      return SystemError(errno, "cannot write", path);
    }
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return absl::OkStatus();
}

// Opens a new file beside `path` whose name nobody else has, with the permissions that the umask
// leaves of 0666.
int OpenTemporary(const std::string& path, std::string* temporary) {
  static std::atomic<uint64_t> counter{0};
  for (int tries = 0; tries < 1000; ++tries) {
    *temporary = absl::StrCat(path, ".tmp.", getpid(), ".", counter.fetch_add(1));
    const int fd = open(temporary->c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0 || errno != EEXIST) return fd;
  }
  return -1;
}

absl::Status WriteTemporary(const std::string& path, std::string_view bytes, Descriptor& file) {
  struct stat old;
  if (stat(path.c_str(), &old) == 0 && fchmod(file.get(), old.st_mode & 07777) != 0) {
    return SystemError(errno, "cannot keep the permissions of", path);
  }
  if (absl::Status s = WriteAll(file.get(), bytes, path); !s.ok()) return s;
  if (fsync(file.get()) != 0) return SystemError(errno, "cannot flush", path);
  if (!file.Close()) return SystemError(errno, "cannot close", path);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path, int64_t max_bytes) {
  if (absl::Status s = CheckPath(path); !s.ok()) return s;
  Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return SystemError(errno, "cannot read", path);
  struct stat info;
  if (fstat(file.get(), &info) != 0) return SystemError(errno, "cannot read", path);
  if (S_ISDIR(info.st_mode)) {
    return absl::InvalidArgumentError(absl::StrCat("cannot read '", path, "': it is a folder"));
  }
  // A regular file's size is known; a pipe or a device says 0 and is read chunk by chunk. The size
  // is only a first guess in any case, as the file may change while it is read.
  const auto too_large = [&] {
    return absl::ResourceExhaustedError(absl::StrCat(
        "cannot read '", path, "': it is larger than the limit of ", max_bytes, " bytes"));
  };
  if (S_ISREG(info.st_mode) && info.st_size > max_bytes) return too_large();
  std::string bytes;
  size_t used = 0;
  try {
    bytes.resize(S_ISREG(info.st_mode) ? static_cast<size_t>(info.st_size) + 1 : kChunkBytes);
    while (true) {
      if (used == bytes.size()) bytes.resize(bytes.size() + std::max<size_t>(bytes.size() / 2, 1));
      const ssize_t n = read(file.get(), bytes.data() + used, bytes.size() - used);
      if (n < 0) {
        if (errno == EINTR) continue;
        return SystemError(errno, "cannot read", path);
      }
      if (n == 0) break;
      used += static_cast<size_t>(n);
      if (static_cast<int64_t>(used) > max_bytes) return too_large();
    }
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(
        absl::StrCat("cannot read '", path, "': not enough memory for it"));
  }
  bytes.resize(used);
  return bytes;
}

absl::Status WriteFileAtomically(const std::string& path, std::string_view bytes) {
  if (absl::Status s = CheckPath(path); !s.ok()) return s;
  // A link is followed by hand, since rename would replace the link itself.
  std::error_code ignored;
  std::string target = path;
  if (std::filesystem::is_symlink(path, ignored)) {
    const std::filesystem::path end = std::filesystem::weakly_canonical(path, ignored);
    if (!ignored) target = end.string();
  }
  // A rename would put a file in the place of a device or a pipe, for all who use it. A folder it
  // refuses by itself.
  struct stat old;
  if (stat(target.c_str(), &old) == 0 && !S_ISREG(old.st_mode) && !S_ISDIR(old.st_mode)) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot replace '", path, "': it is a device or a pipe, no file"));
  }
  std::string temporary;
  Descriptor file(OpenTemporary(target, &temporary));
  if (file.get() < 0) return SystemError(errno, "cannot make a temporary file beside", path);
  absl::Status status = WriteTemporary(target, bytes, file);
  if (status.ok() && rename(temporary.c_str(), target.c_str()) != 0) {
    status = SystemError(errno, "cannot replace", path);
  }
  if (!status.ok()) {
    unlink(temporary.c_str());
    return status;
  }
  // The rename is on the disk when the folder is. Some file systems cannot flush a folder; the file
  // is whole anyway.
  const std::filesystem::path folder = std::filesystem::path(target).parent_path();
  Descriptor directory(
      open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() >= 0) fsync(directory.get());
  return absl::OkStatus();
}

absl::Status InFile(const std::string& path, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(), absl::StrCat("'", path, "': ", status.message()));
}

}  // namespace lamina
