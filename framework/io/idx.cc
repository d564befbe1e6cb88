#include "framework/io/idx.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "framework/io/gzip.h"
#include "framework/io/tensor_view.h"

namespace lamina {
namespace {

constexpr size_t kMagicBytes = 4, kSizeBytes = 4;

absl::Status NotIdx(const std::string& why) {
  return absl::InvalidArgumentError(absl::StrCat("not an IDX file: ", why));
}

uint32_t BigEndian(std::string_view bytes) {
  uint32_t n = 0;
  for (const char c : bytes) n = n << 8 | static_cast<uint8_t>(c);
  return n;
}

std::optional<DataType> TypeOf(uint8_t code) {
  switch (code) {
    case 0x08:
      return DataType::kUint8;
    case 0x0C:
      return DataType::kInt32;
    case 0x0D:
      return DataType::kSingle;
    case 0x0E:
      return DataType::kDouble;
    default:
      return std::nullopt;
  }
}

}  // namespace

absl::StatusOr<IdxArray> ParseIdx(std::string_view contents) {
  if (contents.size() < kMagicBytes) return NotIdx("it has less than 4 bytes");
  if (contents[0] != 0 || contents[1] != 0) return NotIdx("it does not begin with two zeros");
  const uint8_t code = static_cast<uint8_t>(contents[2]);
  if (code == 0x09 || code == 0x0B) {
    return absl::UnimplementedError(absl::StrCat("an IDX file with elements of ",
                                                 code == 0x09 ? "1 signed byte" : "2 bytes",
                                                 "; Lamina has none: convert it first"));
  }
  const std::optional<DataType> type = TypeOf(code);
  if (!type.has_value()) return NotIdx(absl::StrCat("its type is ", code));
  IdxArray array;
  array.type = *type;
  const size_t num_dims = static_cast<uint8_t>(contents[3]);
  contents.remove_prefix(kMagicBytes);
  if (contents.size() < num_dims * kSizeBytes) return NotIdx("it is cut off in its sizes");
  for (size_t d = 0; d < num_dims; ++d) {
    array.size.push_back(BigEndian(contents.substr(0, kSizeBytes)));
    contents.remove_prefix(kSizeBytes);
  }
  std::reverse(array.size.begin(), array.size.end());
  if (absl::Status s = CheckTensor({"", *type, array.size, contents}); !s.ok()) {
    return NotIdx(std::string(s.message()));
  }
  array.bytes = contents;
  // The bytes of each element the other way round.
  const size_t element = SizeOf(*type);
  for (auto at = array.bytes.begin(); element > 1 && at != array.bytes.end();
       at += static_cast<std::ptrdiff_t>(element)) {
    std::reverse(at, at + static_cast<std::ptrdiff_t>(element));
  }
  return array;
}

absl::StatusOr<IdxArray> ReadIdx(const std::string& path, int64_t max_bytes) {
  absl::StatusOr<std::string> contents = ReadFile(path, max_bytes);
  if (!contents.ok()) return contents.status();
  if (IsGzip(*contents)) {
    contents = Gunzip(*contents, max_bytes);
    if (!contents.ok()) return InFile(path, contents.status());
  }
  absl::StatusOr<IdxArray> array = ParseIdx(*contents);
  if (!array.ok()) return InFile(path, array.status());
  return array;
}

}  // namespace lamina
