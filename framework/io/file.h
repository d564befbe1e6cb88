// file.h: whole files in and out of memory.
//
// A reader is bounded, so that a wrong path (a device, a disk image) ends in an error and not in a
// full memory. A writer is atomic: whoever reads the path sees the old bytes or the new ones, never
// a part of them, also when the program dies or the disk is full in the middle.
//
// Threads: the functions share no state and may be called from any thread at any time. Two writers
// of one path at once leave the bytes of one of them.
//
//   absl::Status status = WriteFileAtomically("weights.bin", bytes);
//   absl::StatusOr<std::string> again = ReadFile("weights.bin");
//
// Errors: every status names the path and the reason, "cannot read 'a/b': No such file or
// directory".
#ifndef FRAMEWORK_IO_FILE_H_
#define FRAMEWORK_IO_FILE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace lamina {

/// Reads up to this many bytes unless told otherwise: 4 GiB.
inline constexpr int64_t kDefaultMaxFileBytes = int64_t{4} << 30;

/// Returns all bytes of the file at `path`.
///
/// Errors: kNotFound when there is no such file; kInvalidArgument when it is a folder;
/// kResourceExhausted when it holds more than `max_bytes` bytes or memory runs out; otherwise the
/// code of the system's errno.
absl::StatusOr<std::string> ReadFile(const std::string& path,
                                     int64_t max_bytes = kDefaultMaxFileBytes);

/// Makes `bytes` the content of the file at `path`: writes a temporary file in the same folder,
/// flushes it to the disk, and renames it over `path`. An existing file keeps its permissions, and
/// a symbolic link keeps pointing where it points. On an error the old file stays as it was and the
/// temporary file is removed.
///
/// Errors: kNotFound when the folder does not exist; kFailedPrecondition for a device or a pipe,
/// which stays what it is; otherwise the code of the system's errno.
absl::Status WriteFileAtomically(const std::string& path, std::string_view bytes);

/// Puts the path before the message of a parser's error: "'a/b': not a .npy file". OK stays OK.
absl::Status InFile(const std::string& path, const absl::Status& status);

}  // namespace lamina

#endif  // FRAMEWORK_IO_FILE_H_
