// idx.h: one array in one file, in the IDX format of the MNIST pictures of digits and the data sets
// that took its form.
//
// Order of dimensions. The file lists sizes from the slowest dimension to the fastest (pictures,
// rows, columns); here they stand in our column-major order, fastest first, and the elements stay
// where they are: {columns, rows, pictures}.
//
// Types: 08 uint8, 0C int32, 0D single, 0E double. Files packed with gzip are unpacked.
//
// Threads: pure functions and plain values.
//
//   absl::StatusOr<IdxArray> pictures = ReadIdx("t10k-images-idx3-ubyte.gz");
//   pictures->size;                                   // {28, 28, 10000}
//   pictures->bytes[col + 28 * (row + 28 * n)];       // picture n
//
// The format, as its author gives it: two zero bytes, the type, the number of dimensions, their
// sizes in 4 bytes each, most significant first, then the elements, likewise. Source:
// Y. LeCun, C. Cortes, C. Burges, The MNIST Database of handwritten digits.
#ifndef FRAMEWORK_IO_IDX_H_
#define FRAMEWORK_IO_IDX_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "framework/dlarray/data_type.h"
#include "framework/io/file.h"

namespace lamina {

struct IdxArray {
  DataType type = DataType::kUint8;
  std::vector<int64_t> size;  ///< First dimension fastest.
  std::string bytes;          ///< As memory has them: most significant byte last.
};

/// Takes the bytes of an IDX file apart. What it needs of memory is bounded by the length of
/// `contents`.
///
/// Errors: kInvalidArgument for what is not such a file, is cut off, has bytes after its end, or
/// sizes that do not fit its bytes; kUnimplemented for elements of 1 signed byte or of 2 bytes.
absl::StatusOr<IdxArray> ParseIdx(std::string_view contents);

/// Reads a file, packed with gzip or not; `max_bytes` bounds it before and after unpacking. Errors:
/// those of ReadFile, Gunzip and ParseIdx, with the path.
absl::StatusOr<IdxArray> ReadIdx(const std::string& path, int64_t max_bytes = kDefaultMaxFileBytes);

}  // namespace lamina

#endif  // FRAMEWORK_IO_IDX_H_
