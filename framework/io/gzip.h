// gzip.h: bytes that were packed with gzip.
//
// Threads: pure functions.
//
//   absl::StatusOr<std::string> bytes = ReadFile("train-labels-idx1-ubyte.gz");
//   if (bytes.ok() && IsGzip(*bytes)) bytes = Gunzip(*bytes);
//
// The format: RFC 1952 (gzip) and RFC 1951 (deflate), unpacked by zlib.
#ifndef FRAMEWORK_IO_GZIP_H_
#define FRAMEWORK_IO_GZIP_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "framework/io/file.h"

namespace lamina {

/// Do the bytes begin as a gzip file does?
inline bool IsGzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b"); }

/// Unpacks a whole gzip file; of several packed files in a row the contents in a row. A few bytes
/// can stand for very many, so the result is bounded.
///
/// Errors: kInvalidArgument for what is not such a file, is cut off, is corrupt (its checksum and
/// length are compared), or has other bytes after its end; kResourceExhausted when the contents
/// have more than `max_bytes` bytes or memory runs out.
absl::StatusOr<std::string> Gunzip(std::string_view packed,
                                   int64_t max_bytes = kDefaultMaxFileBytes);

}  // namespace lamina

#endif  // FRAMEWORK_IO_GZIP_H_
