#include "framework/io/tensor_view.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace lamina {

absl::StatusOr<int64_t> ByteCount(DataType type, const std::vector<int64_t>& size) {
  int64_t bytes = static_cast<int64_t>(SizeOf(type));
  bool empty = false;
  for (const int64_t n : size) {
    if (n == 0) empty = true;
    if (n < 0 || (n > 0 && __builtin_mul_overflow(bytes, n, &bytes))) {
      return absl::InvalidArgumentError(absl::StrCat("the size [", absl::StrJoin(size, " "),
                                                     "] is ", n < 0 ? "negative" : "too large"));
    }
  }
  return empty ? 0 : bytes;
}

absl::Status CheckTensor(const TensorView& tensor) {
  const auto expected = ByteCount(tensor.type, tensor.size);
  if (!expected.ok()) return expected.status();
  if (static_cast<uint64_t>(*expected) != tensor.bytes.size()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the size [", absl::StrJoin(tensor.size, " "), "] ", std::string(Name(tensor.type)),
        " asks for ", *expected, " bytes, but there are ", tensor.bytes.size()));
  }
  if (tensor.type == DataType::kLogical) {
    for (const char c : tensor.bytes) {
      if (c != 0 && c != 1) {
        return absl::InvalidArgumentError(
            absl::StrCat("a logical value is ", static_cast<uint8_t>(c), ", not 0 or 1"));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace lamina
