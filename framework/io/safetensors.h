// safetensors.h: named arrays in one file, in the safetensors format, which PyTorch, JAX and others
// read and write.
//
// A file is 8 bytes that hold the length N of the header (little-endian), N bytes of header in
// JSON, and the elements of all arrays, one array after the other without holes. The header tells
// of each array its type, shape and place:
//
//   {"__metadata__": {"text": "text"}, "conv/Weights": {"dtype": "F32", "shape": [20, 1, 3, 3],
//   "data_offsets": [0, 720]}}
//
// Order of dimensions. The format is row-major: the last dimension of a shape is the fastest. Ours
// are column-major: the first is the fastest. The elements are the same bytes in both, the sizes
// are reversed: our array [h w c n] is stored with the shape [n, c, w, h], which is how PyTorch
// shows it. This header speaks of sizes in our order alone.
//
// Types: single F32, double F64, logical BOOL, int32 I32, int64 I64, uint8 U8, complex single C64.
// The format has no complex double: it is stored as F64 with one more dimension of 2 at the end of
// the shape (real, imaginary), and the metadata key "complex_double/NAME" with the value "F64
// pairs" says so. Such keys never show in metadata().
//
// Threads: a file that was read does not change and may be used from many threads.
//
//   absl::Status written =
//       WriteSafetensors("net.safetensors", {{"w", DataType::kSingle, {3, 2}, bytes}});
//   absl::StatusOr<SafetensorsFile> file = ReadSafetensors("net.safetensors");
//   if (const TensorView* w = file->Find("w")) memcpy(to, w->bytes.data(), w->bytes.size());
//
// The format: https://github.com/huggingface/safetensors, section "Format".
#ifndef FRAMEWORK_IO_SAFETENSORS_H_
#define FRAMEWORK_IO_SAFETENSORS_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "framework/io/file.h"
#include "framework/io/tensor_view.h"

namespace lamina {

/// No header is longer than this, as in the format's own library.
inline constexpr int64_t kMaxSafetensorsHeaderBytes = 100'000'000;

/// The arrays of one file, in the order of their names. Can be moved, not copied.
class SafetensorsFile {
 public:
  /// Takes the bytes of a file apart. Nothing is copied but names and sizes, so what it needs of
  /// memory is bounded by the length of `contents`.
  ///
  /// Errors: kInvalidArgument for a file that is cut off or corrupt: a header that is not JSON or
  /// has more or fewer parts than the format, a name twice, an array whose bytes do not fit its
  /// sizes, arrays that overlap, leave a hole or end beyond the file, bytes after the last array, a
  /// logical value other than 0 and 1. kUnimplemented for a type that Lamina does not have (F16,
  /// BF16, I8, ...). Arrays need not begin at a multiple of their element's size.
  static absl::StatusOr<SafetensorsFile> Parse(std::string contents);

  /// The views are valid as long as this object, also after it was moved.
  const std::vector<TensorView>& tensors() const { return tensors_; }

  /// The array of that name, or nullptr.
  const TensorView* Find(std::string_view name) const;

  const std::map<std::string, std::string>& metadata() const { return metadata_; }

 private:
  SafetensorsFile() = default;

  std::unique_ptr<const std::string>
      contents_;  // on the heap: the views stay valid when this is moved
  std::vector<TensorView> tensors_;
  std::map<std::string, std::string> metadata_;
};

/// The bytes of a file with these arrays, in any order, and these texts. The same input gives the
/// same bytes. Each array begins at a multiple of its element's size.
///
/// Errors: kInvalidArgument for a name that stands twice, is "__metadata__" or not UTF-8, bytes
/// that do not fit the sizes, a metadata key that begins with "complex_double/", a header longer
/// than kMaxSafetensorsHeaderBytes.
absl::StatusOr<std::string> SerializeSafetensors(
    const std::vector<TensorView>& tensors,
    const std::map<std::string, std::string>& metadata = {});

/// Reads a file. Errors: those of ReadFile and of SafetensorsFile::Parse, with the path.
absl::StatusOr<SafetensorsFile> ReadSafetensors(const std::string& path,
                                                int64_t max_bytes = kDefaultMaxFileBytes);

/// Writes a file, atomically. Errors: those of SerializeSafetensors and WriteFileAtomically, with
/// the path.
absl::Status WriteSafetensors(const std::string& path, const std::vector<TensorView>& tensors,
                              const std::map<std::string, std::string>& metadata = {});

}  // namespace lamina

#endif  // FRAMEWORK_IO_SAFETENSORS_H_
