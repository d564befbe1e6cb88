#include "framework/io/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>
#include <new>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace lamina {
namespace {

constexpr size_t kChunkBytes = size_t{1} << 18;
constexpr int kGzipOnly = 16;  // Added to the window's size: no other format is accepted.

// Frees what zlib holds when it leaves its scope.
struct Inflater {
  z_stream stream{};
  bool ready = inflateInit2(&stream, kGzipOnly + MAX_WBITS) == Z_OK;

  Inflater() = default;
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() {
    if (ready) inflateEnd(&stream);
  }
};

absl::Status OutOfMemory() {
  return absl::ResourceExhaustedError("memory ran out while unpacking gzip");
}

absl::StatusOr<std::string> Unpack(std::string_view packed, size_t max_bytes) {
  Inflater inflater;
  if (!inflater.ready) return OutOfMemory();
  z_stream& z = inflater.stream;
  std::string contents, chunk(kChunkBytes, '\0');
  bool ended = false;
  while (!ended || z.avail_in > 0 || !packed.empty()) {
    if (z.avail_in == 0) {
      // zlib counts in 32 bits.
      const size_t part =
          std::min<size_t>(packed.size(), std::numeric_limits<decltype(z.avail_in)>::max());
      // zlib reads from here and never writes.
      z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
      z.avail_in = static_cast<uInt>(part);
      packed.remove_prefix(part);
    }
    if (ended) {  // The next of several in a row.
      if (inflateReset(&z) != Z_OK) return OutOfMemory();
      ended = false;
    }
    z.next_out = reinterpret_cast<Bytef*>(chunk.data());
    z.avail_out = kChunkBytes;
    const int result = inflate(&z, Z_NO_FLUSH);
    const size_t came = kChunkBytes - z.avail_out;
    if (came > max_bytes - contents.size()) {
      return absl::ResourceExhaustedError(
          absl::StrCat("its gzip contents have more than ", max_bytes, " bytes"));
    }
    contents.append(chunk, 0, came);
    if (result == Z_STREAM_END) {
      ended = true;
    } else if (result == Z_MEM_ERROR) {
      return OutOfMemory();
    } else if (result == Z_BUF_ERROR) {  // No input, and nothing left to write.
      return absl::InvalidArgumentError("it is cut off: its gzip contents do not end");
    } else if (result != Z_OK) {
      return absl::InvalidArgumentError(
          absl::StrCat("it is no gzip file or corrupt: ", z.msg == nullptr ? "no reason" : z.msg));
    }
  }
  return contents;
}

}  // namespace

absl::StatusOr<std::string> Gunzip(std::string_view packed, int64_t max_bytes) {
  try {
    return Unpack(packed, static_cast<size_t>(std::max<int64_t>(max_bytes, 0)));
  } catch (const std::bad_alloc&) {
    return OutOfMemory();
  }
}

}  // namespace lamina
