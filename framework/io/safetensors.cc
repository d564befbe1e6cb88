#include "framework/io/safetensors.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/io/json.h"
#include "framework/io/utf8.h"

namespace lamina {
namespace {

constexpr char kMetadata[] = "__metadata__";
constexpr std::string_view kComplexDoublePrefix = "complex_double/";
constexpr char kComplexDoubleValue[] = "F64 pairs";
constexpr size_t kLengthBytes = 8;

struct TypeName {
  DataType type;
  const char* name;
};
constexpr TypeName kTypeNames[] = {
    {DataType::kSingle, "F32"},        {DataType::kDouble, "F64"},
    {DataType::kLogical, "BOOL"},      {DataType::kInt32, "I32"},
    {DataType::kInt64, "I64"},         {DataType::kUint8, "U8"},
    {DataType::kComplexSingle, "C64"}, {DataType::kComplexDouble, "F64"},
};

const char* FormatName(DataType type) {
  for (const TypeName& t : kTypeNames) {
    if (t.type == type) return t.name;
  }
  return "";
}

// The first entry wins: "F64" is double until the metadata say otherwise.
std::optional<DataType> TypeOf(const std::string& name) {
  for (const TypeName& t : kTypeNames) {
    if (name == t.name) return t.type;
  }
  return std::nullopt;
}

template <class... Parts>
absl::Status Corrupt(const Parts&... parts) {
  return absl::InvalidArgumentError(absl::StrCat("not a valid safetensors file: ", parts...));
}

template <class... Parts>
absl::Status BadTensor(const std::string& name, const Parts&... parts) {
  return Corrupt("array \"", name, "\": ", parts...);
}

// Reads whole numbers, none of them negative, that fit int64_t.
absl::Status ReadNumbers(const Json& list, const std::string& name, const char* field,
                         std::vector<int64_t>* numbers) {
  if (!list.is_array()) return BadTensor(name, field, " is not a list");
  for (const Json& n : list) {
    if (!n.is_number_unsigned() || n.get<uint64_t>() > INT64_MAX) {
      return BadTensor(name, field, " holds ", WriteJson(n), ", which is not a whole number");
    }
    numbers->push_back(n.get<int64_t>());
  }
  return absl::OkStatus();
}

// Reads the entry of one array; its bytes are taken from `data`, which is all that follows the
// header.
absl::Status ReadEntry(const std::string& name, const Json& entry, std::string_view data,
                       TensorView* tensor) {
  if (!entry.is_object() || entry.size() != 3 || !entry.contains("dtype") ||
      !entry.contains("shape") || !entry.contains("data_offsets")) {
    return BadTensor(name, "its entry must have dtype, shape, data_offsets and nothing else");
  }
  const Json& dtype = entry["dtype"];
  if (!dtype.is_string()) return BadTensor(name, "dtype is not a text");
  const std::optional<DataType> type = TypeOf(dtype.get<std::string>());
  if (!type.has_value()) {
    return absl::UnimplementedError(
        absl::StrCat("array \"", name, "\" has the type ", dtype.get<std::string>(),
                     "; Lamina has F32, F64, BOOL, I32, I64, U8 and C64: convert it first"));
  }
  tensor->name = name;
  tensor->type = *type;
  std::vector<int64_t> offsets;
  if (absl::Status s = ReadNumbers(entry["shape"], name, "shape", &tensor->size); !s.ok()) return s;
  if (absl::Status s = ReadNumbers(entry["data_offsets"], name, "data_offsets", &offsets); !s.ok())
    return s;
  std::reverse(tensor->size.begin(), tensor->size.end());
  const int64_t available = static_cast<int64_t>(data.size());
  if (offsets.size() != 2 || offsets[0] > offsets[1]) {
    return BadTensor(name, "data_offsets must be a begin and an end that is not before it");
  }
  if (offsets[1] > available) {
    return BadTensor(name, "it ends at byte ", offsets[1], " of the data, but there are only ",
                     available, ": the file is cut off or its header is wrong");
  }
  tensor->bytes = data.substr(offsets[0], offsets[1] - offsets[0]);
  if (absl::Status s = CheckTensor(*tensor); !s.ok()) return BadTensor(name, s.message());
  return absl::OkStatus();
}

absl::Status ReadMetadata(const Json& entry, std::map<std::string, std::string>* metadata) {
  if (!entry.is_object()) return Corrupt(kMetadata, " is not an object");
  for (const auto& [key, value] : entry.items()) {
    if (!value.is_string()) return Corrupt(kMetadata, ": the value of \"", key, "\" is not a text");
    metadata->emplace(key, value.get<std::string>());
  }
  return absl::OkStatus();
}

// Every byte of the data belongs to one array: so nothing can hide in the file and no two arrays
// share memory.
absl::Status CheckCover(const std::vector<TensorView>& tensors, std::string_view data) {
  std::vector<size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto range = [&](size_t i) {
    const size_t begin = tensors[i].bytes.data() - data.data();
    return std::pair(begin, begin + tensors[i].bytes.size());
  };
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return range(a) < range(b); });
  size_t end = 0;
  for (const size_t i : order) {
    const auto [begin, next] = range(i);
    if (begin != end) {
      return BadTensor(tensors[i].name, "it begins at byte ", begin, " of the data and not at ",
                       end, ": arrays must neither overlap nor leave a hole");
    }
    end = next;
  }
  if (end != data.size()) {
    return Corrupt("its arrays end at byte ", end, " of the data, but there are ", data.size());
  }
  return absl::OkStatus();
}

// Turns the pairs of F64 that the metadata name into complex doubles, and takes the notes out.
absl::Status JoinComplexDoubles(std::vector<TensorView>& tensors,
                                std::map<std::string, std::string>& metadata) {
  const auto is_note = [](const std::string& key) { return key.starts_with(kComplexDoublePrefix); };
  std::set<std::string> names;
  for (const auto& [key, value] : metadata) {
    if (is_note(key)) names.insert(key.substr(kComplexDoublePrefix.size()));
  }
  for (TensorView& t : tensors) {
    if (names.erase(t.name) == 0) continue;
    if (t.type != DataType::kDouble || t.size.empty() || t.size.front() != 2) {
      return BadTensor(t.name,
                       "it is noted as complex double, but is not F64 with a last dimension of 2");
    }
    t.type = DataType::kComplexDouble;
    t.size.erase(t.size.begin());
  }
  if (!names.empty()) {
    return Corrupt("the metadata note the array \"", *names.begin(),
                   "\" as complex double, but there is none");
  }
  std::erase_if(metadata, [&](const auto& item) { return is_note(item.first); });
  return absl::OkStatus();
}

absl::Status CheckForWriting(const std::vector<TensorView>& tensors,
                             const std::map<std::string, std::string>& metadata) {
  std::set<std::string> names;
  for (const TensorView& t : tensors) {
    const auto bad = [&](absl::string_view why) {
      return absl::InvalidArgumentError(
          absl::StrCat("cannot write the array \"", t.name, "\": ", why));
    };
    if (!IsUtf8(t.name)) return bad("its name is not UTF-8");
    if (t.name == kMetadata) return bad("the name is reserved by the format");
    if (!names.insert(t.name).second) return bad("its name stands twice");
    if (absl::Status s = CheckTensor(t); !s.ok()) return bad(s.message());
  }
  for (const auto& [key, value] : metadata) {
    if (!IsUtf8(key) || !IsUtf8(value)) {
      return absl::InvalidArgumentError(absl::StrCat("the metadata \"", key, "\" are not UTF-8"));
    }
    if (key.starts_with(kComplexDoublePrefix)) {
      return absl::InvalidArgumentError(
          absl::StrCat("the metadata key \"", key, "\" is reserved for complex doubles"));
    }
  }
  return absl::OkStatus();
}

std::string WriteHeader(const std::vector<TensorView>& tensors, const std::vector<size_t>& begins,
                        const std::map<std::string, std::string>& metadata) {
  Json header = Json::object();
  Json texts = Json::object();
  for (const auto& [key, value] : metadata) texts[key] = value;
  for (const TensorView& t : tensors) {
    if (t.type == DataType::kComplexDouble) {
      texts[std::string(kComplexDoublePrefix) + t.name] = kComplexDoubleValue;
    }
  }
  if (!texts.empty()) header[kMetadata] = std::move(texts);
  for (size_t i = 0; i < tensors.size(); ++i) {
    const TensorView& t = tensors[i];
    Json shape = Json::array();
    for (auto n = t.size.rbegin(); n != t.size.rend(); ++n) shape.push_back(*n);
    if (t.type == DataType::kComplexDouble) shape.push_back(2);
    header[t.name] = {{"dtype", FormatName(t.type)},
                      {"shape", std::move(shape)},
                      {"data_offsets", {begins[i], begins[i] + t.bytes.size()}}};
  }
  std::string text = WriteJson(header);
  // Spaces make the data begin at a multiple of 8 bytes, the largest element of the format.
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace

absl::StatusOr<SafetensorsFile> SafetensorsFile::Parse(std::string contents) {
  SafetensorsFile file;
  file.contents_ = std::make_unique<const std::string>(std::move(contents));
  const std::string_view all = *file.contents_;
  if (all.size() < kLengthBytes) return Corrupt("it has ", all.size(), " bytes, fewer than 8");
  uint64_t header_bytes;
  std::memcpy(&header_bytes, all.data(), kLengthBytes);
  if (header_bytes > static_cast<uint64_t>(kMaxSafetensorsHeaderBytes)) {
    return Corrupt("its header has ", header_bytes, " bytes, more than the format's ",
                   kMaxSafetensorsHeaderBytes);
  }
  if (header_bytes > all.size() - kLengthBytes) {
    return Corrupt("its header has ", header_bytes, " bytes, but only ", all.size() - kLengthBytes,
                   " are left: the file is cut off");
  }
  const std::string_view text = all.substr(kLengthBytes, header_bytes);
  const std::string_view data = all.substr(kLengthBytes + header_bytes);
  if (!text.starts_with('{')) return Corrupt("its header does not begin with '{'");
  const absl::StatusOr<Json> header = ParseJson(text);
  if (!header.ok()) return Corrupt("its header: ", header.status().message());
  // The keys of a Json object are sorted, so the arrays are, which Find makes use of.
  for (const auto& [name, entry] : header->items()) {
    if (name == kMetadata) {
      if (absl::Status s = ReadMetadata(entry, &file.metadata_); !s.ok()) return s;
      continue;
    }
    TensorView& tensor = file.tensors_.emplace_back();
    if (absl::Status s = ReadEntry(name, entry, data, &tensor); !s.ok()) return s;
  }
  if (absl::Status s = CheckCover(file.tensors_, data); !s.ok()) return s;
  if (absl::Status s = JoinComplexDoubles(file.tensors_, file.metadata_); !s.ok()) return s;
  return file;
}

const TensorView* SafetensorsFile::Find(std::string_view name) const {
  const auto found = std::lower_bound(
      tensors_.begin(), tensors_.end(), name,
      [](const TensorView& t, std::string_view wanted) { return t.name < wanted; });
  if (found != tensors_.end() && found->name == name) return &*found;
  return nullptr;
}

absl::StatusOr<std::string> SerializeSafetensors(
    const std::vector<TensorView>& tensors, const std::map<std::string, std::string>& metadata) {
  if (absl::Status s = CheckForWriting(tensors, metadata); !s.ok()) return s;
  // Large elements first: then each array begins at a multiple of its element's size without holes.
  // A complex double counts as the two F64 that it is stored as.
  std::vector<size_t> order(tensors.size());
  std::iota(order.begin(), order.end(), size_t{0});
  const auto element = [&](size_t i) { return std::min<size_t>(SizeOf(tensors[i].type), 8); };
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return element(a) > element(b); });
  std::vector<size_t> begins(tensors.size());
  size_t end = 0;
  for (const size_t i : order) {
    begins[i] = end;
    end += tensors[i].bytes.size();
  }
  const std::string header = WriteHeader(tensors, begins, metadata);
  if (header.size() > static_cast<size_t>(kMaxSafetensorsHeaderBytes)) {
    return absl::InvalidArgumentError(absl::StrCat("the header would have ", header.size(),
                                                   " bytes, more than the format's ",
                                                   kMaxSafetensorsHeaderBytes));
  }
  const uint64_t header_bytes = header.size();
  std::string file;
  file.reserve(kLengthBytes + header.size() + end);
  file.append(reinterpret_cast<const char*>(&header_bytes), kLengthBytes);
  file += header;
  for (const size_t i : order) file += tensors[i].bytes;
  return file;
}

absl::StatusOr<SafetensorsFile> ReadSafetensors(const std::string& path, int64_t max_bytes) {
  absl::StatusOr<std::string> contents = ReadFile(path, max_bytes);
  if (!contents.ok()) return contents.status();
  absl::StatusOr<SafetensorsFile> file = SafetensorsFile::Parse(*std::move(contents));
  if (!file.ok()) return InFile(path, file.status());
  return file;
}

absl::Status WriteSafetensors(const std::string& path, const std::vector<TensorView>& tensors,
                              const std::map<std::string, std::string>& metadata) {
  const absl::StatusOr<std::string> contents = SerializeSafetensors(tensors, metadata);
  if (!contents.ok()) return InFile(path, contents.status());
  return WriteFileAtomically(path, *contents);
}

}  // namespace lamina
