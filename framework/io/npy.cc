#include "framework/io/npy.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <set>

#include "absl/strings/str_cat.h"

namespace lamina {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr size_t kMaxDimensions = 64;  // NumPy's own limit

struct TypeName {
  DataType type;
  std::string_view name;
};
constexpr TypeName kTypeNames[] = {
    {DataType::kSingle, "<f4"},        {DataType::kDouble, "<f8"},
    {DataType::kLogical, "|b1"},       {DataType::kInt32, "<i4"},
    {DataType::kInt64, "<i8"},         {DataType::kUint8, "|u1"},
    {DataType::kComplexSingle, "<c8"}, {DataType::kComplexDouble, "<c16"},
};

template <class... Parts>
absl::Status Corrupt(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat("not a valid .npy file: ", parts...));
}

// Reads the header, a dictionary as Python writes it: {'descr': '<f4', 'fortran_order': False,
// 'shape': (3, 5), }
class HeaderReader {
 public:
  explicit HeaderReader(std::string_view text) : rest_(text) {}

  absl::Status Read() {
    std::set<std::string> keys;
    if (!Take('{')) return Unexpected("'{'");
    while (!Take('}')) {
      const std::optional<std::string> key = Text();
      if (!key.has_value() || !Take(':')) return Unexpected("a key and ':'");
      if (!keys.insert(*key).second) return Corrupt("its header has '", *key, "' twice");
      if (absl::Status s = ReadValue(*key); !s.ok()) return s;
      if (!Take(',') && !Peek('}')) return Unexpected("',' or '}'");
    }
    SkipSpace();
    if (!rest_.empty()) return Unexpected("nothing more");
    if (keys.size() != 3) return Corrupt("its header must have descr, fortran_order and shape");
    return absl::OkStatus();
  }

  const std::string& descr() const { return descr_; }
  bool fortran_order() const { return fortran_order_; }
  const std::vector<int64_t>& shape() const { return shape_; }

 private:
  absl::Status ReadValue(const std::string& key) {
    if (key == "descr") {
      // A list describes records with fields of several types.
      if (Peek('['))
        return absl::UnimplementedError("a .npy file of records: store its fields one by one");
      const std::optional<std::string> text = Text();
      if (!text.has_value()) return Unexpected("a text for descr");
      descr_ = *text;
      return absl::OkStatus();
    }
    if (key == "fortran_order") {
      fortran_order_ = TakeWord("True");
      return fortran_order_ || TakeWord("False") ? absl::OkStatus() : Unexpected("True or False");
    }
    if (key == "shape") return ReadShape();
    return Corrupt("its header has the unknown key '", key, "'");
  }

  absl::Status ReadShape() {
    if (!Take('(')) return Unexpected("'('");
    while (!Take(')')) {
      SkipSpace();
      int64_t n = 0;
      const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), n);
      if (error != std::errc() || n < 0) return Unexpected("a size");
      rest_.remove_prefix(end - rest_.data());
      shape_.push_back(n);
      if (shape_.size() > kMaxDimensions)
        return Corrupt("more than ", kMaxDimensions, " dimensions");
      if (!Take(',') && !Peek(')')) return Unexpected("',' or ')'");
    }
    return absl::OkStatus();
  }

  void SkipSpace() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n')) rest_.remove_prefix(1);
  }
  bool Peek(char c) {
    SkipSpace();
    return rest_.starts_with(c);
  }
  bool Take(char c) {
    if (!Peek(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool TakeWord(std::string_view word) {
    SkipSpace();
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }
  std::optional<std::string> Text() {
    if (!Peek('\'') && !Peek('"')) return std::nullopt;
    const size_t end = rest_.find(rest_[0], 1);
    if (end == std::string_view::npos) return std::nullopt;
    std::string text(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return text;
  }
  absl::Status Unexpected(const char* expected) const {
    return Corrupt("its header should have ", expected, " before \"",
                   std::string(rest_.substr(0, 20)), "\"");
  }

  std::string_view rest_;
  std::string descr_;
  bool fortran_order_ = false;
  std::vector<int64_t> shape_;
};

// Moves elements from C order, where the last dimension is the fastest, to column-major order.
std::string ToColumnMajor(std::string_view bytes, const std::vector<int64_t>& size,
                          size_t element) {
  std::vector<int64_t> stride(size.size());
  int64_t count = 1;
  for (size_t d = 0; d < size.size(); ++d) {
    stride[d] = count;
    count *= size[d];
  }
  std::string moved(bytes.size(), '\0');
  std::vector<int64_t> index(size.size(), 0);
  int64_t to = 0;
  for (size_t from = 0; from < bytes.size(); from += element) {
    std::memcpy(&moved[to * element], &bytes[from], element);
    for (size_t d = size.size(); d-- > 0;) {
      to += stride[d];
      if (++index[d] < size[d]) break;
      to -= stride[d] * size[d];
      index[d] = 0;
    }
  }
  return moved;
}

uint32_t LittleEndian(std::string_view bytes) {
  uint32_t n = 0;
  for (size_t i = bytes.size(); i-- > 0;) n = n << 8 | static_cast<uint8_t>(bytes[i]);
  return n;
}

}  // namespace

absl::StatusOr<NpyArray> ParseNpy(std::string_view contents) {
  if (!contents.starts_with(kMagic)) return Corrupt("it does not begin with \\x93NUMPY");
  contents.remove_prefix(kMagic.size());
  if (contents.size() < 2) return Corrupt("it is cut off before its version");
  const int version = static_cast<uint8_t>(contents[0]);
  if (version < 1 || version > 3 || contents[1] != 0)
    return Corrupt("its version is not 1, 2 or 3");
  contents.remove_prefix(2);
  const size_t length_bytes = version == 1 ? 2 : 4;
  if (contents.size() < length_bytes) return Corrupt("it is cut off before its header");
  const uint32_t header_bytes = LittleEndian(contents.substr(0, length_bytes));
  contents.remove_prefix(length_bytes);
  if (header_bytes > contents.size()) return Corrupt("it is cut off in its header");
  HeaderReader header(contents.substr(0, header_bytes));
  contents.remove_prefix(header_bytes);
  if (absl::Status s = header.Read(); !s.ok()) return s;

  for (const auto& [type, name] : kTypeNames) {
    if (name != header.descr()) continue;
    if (absl::Status s = CheckTensor({"", type, header.shape(), contents}); !s.ok()) {
      return Corrupt(s.message());
    }
    return NpyArray{type, header.shape(),
                    header.fortran_order() ? std::string(contents)
                                           : ToColumnMajor(contents, header.shape(), SizeOf(type))};
  }
  return absl::UnimplementedError(
      absl::StrCat("a .npy file of the type '", header.descr(),
                   "'; Lamina has <f4, <f8, |b1, <i4, <i8, |u1, <c8 and <c16: convert it first"));
}

absl::StatusOr<std::string> SerializeNpy(const TensorView& array) {
  if (absl::Status s = CheckTensor(array); !s.ok()) return s;
  if (array.size.size() > kMaxDimensions) {
    return absl::InvalidArgumentError(
        absl::StrCat("a .npy file has at most ", kMaxDimensions, " dimensions"));
  }
  std::string header = "{'descr': '";
  for (const auto& [type, name] : kTypeNames) {
    if (type == array.type) header += name;
  }
  // Elements that lie in a line are in both orders, and NumPy then says False.
  const int64_t longer =
      std::count_if(array.size.begin(), array.size.end(), [](int64_t n) { return n != 1; });
  const bool in_line = longer < 2 || array.bytes.empty();
  absl::StrAppend(&header, "', 'fortran_order': ", in_line ? "False" : "True", ", 'shape': (");
  for (size_t d = 0; d < array.size.size(); ++d)
    absl::StrAppend(&header, d == 0 ? "" : ", ", array.size[d]);
  header += array.size.size() == 1 ? ",), }" : "), }";
  // Spaces and a new line make the elements begin at a multiple of 64 bytes.
  constexpr size_t kBeforeHeader = 10;
  header.append(63 - (kBeforeHeader + header.size()) % 64, ' ');
  header += '\n';
  std::string file(kMagic);
  file += '\1';
  file += '\0';
  file += static_cast<char>(header.size() & 0xFF);
  file += static_cast<char>(header.size() >> 8);
  file += header;
  file += array.bytes;
  return file;
}

absl::StatusOr<NpyArray> ReadNpy(const std::string& path, int64_t max_bytes) {
  const absl::StatusOr<std::string> contents = ReadFile(path, max_bytes);
  if (!contents.ok()) return contents.status();
  absl::StatusOr<NpyArray> array = ParseNpy(*contents);
  if (!array.ok()) return InFile(path, array.status());
  return array;
}

absl::Status WriteNpy(const std::string& path, const TensorView& array) {
  const absl::StatusOr<std::string> contents = SerializeNpy(array);
  if (!contents.ok()) return InFile(path, contents.status());
  return WriteFileAtomically(path, *contents);
}

}  // namespace lamina
