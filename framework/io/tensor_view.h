// tensor_view.h: an array as files see it: a type, sizes, and bytes that belong to somebody else.
//
// Sizes are in Lamina's order, column-major: the first dimension is the one whose elements stand
// side by side. The bytes are little-endian, without gaps, and need not be aligned: copy them with
// memcpy.
//
// Threads: plain values and pure functions.
//
//   const float weights[6] = {1, 2, 3, 4, 5, 6};   // columns 1 2 3 and 4 5 6
//   TensorView view{"conv/Weights", DataType::kSingle, {3, 2}, BytesOf(weights)};
#ifndef FRAMEWORK_IO_TENSOR_VIEW_H_
#define FRAMEWORK_IO_TENSOR_VIEW_H_

#include <bit>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "framework/dlarray/data_type.h"

namespace lamina {

static_assert(std::endian::native == std::endian::little,
              "the bytes of files are those of memory only on a little-endian machine");

struct TensorView {
  std::string name;
  DataType type = DataType::kSingle;
  std::vector<int64_t> size;  // first dimension fastest; no dimensions: a single element
  std::string_view bytes;     // SizeOf(type) times the product of size
};

/// The bytes of numbers in memory.
template <class T>
std::string_view BytesOf(const T& numbers) {
  const auto bytes = std::as_bytes(std::span(numbers));
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// How many bytes an array has.
///
/// Errors: kInvalidArgument when a dimension is negative, or when the product of those that are not
/// zero is too large for the machine: an empty array of absurd sizes is refused too.
absl::StatusOr<int64_t> ByteCount(DataType type, const std::vector<int64_t>& size);

/// Checks that there are as many bytes as type and sizes ask for, and that logical values are 0
/// or 1.
///
/// Errors: kInvalidArgument.
absl::Status CheckTensor(const TensorView& tensor);

}  // namespace lamina

#endif  // FRAMEWORK_IO_TENSOR_VIEW_H_
