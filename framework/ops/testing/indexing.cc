#include "framework/ops/testing/indexing.h"

#include <cstring>
#include <vector>

namespace lamina {
namespace {

template <class T>
void Put(T value, std::vector<char>* bytes) {
  const char* p = reinterpret_cast<const char*>(&value);
  bytes->insert(bytes->end(), p, p + sizeof(T));
}

void Put(DataType type, std::complex<double> v, std::vector<char>* bytes) {
  switch (type) {
    case DataType::kSingle:
      return Put(static_cast<float>(v.real()), bytes);
    case DataType::kDouble:
      return Put(v.real(), bytes);
    case DataType::kLogical:
      return Put(static_cast<uint8_t>(v != 0.0), bytes);
    case DataType::kComplexSingle:
      return Put(std::complex<float>(v), bytes);
    case DataType::kComplexDouble:
      return Put(v, bytes);
    case DataType::kInt32:
      return Put(static_cast<int32_t>(v.real()), bytes);
    case DataType::kInt64:
      return Put(static_cast<int64_t>(v.real()), bytes);
    case DataType::kUint8:
      return Put(static_cast<uint8_t>(v.real()), bytes);
  }
}

}  // namespace

std::complex<double> ElementAt(const DlArray& x, const Sizes& index) {
  int64_t at = 0, stride = 1;
  for (int d = 0; d < x.rank(); ++d) {
    LAMINA_CHECK(d >= static_cast<int>(index.size()) || index[d] < x.size(d));
    if (d < static_cast<int>(index.size())) at += index[d] * stride;
    stride *= x.size(d);
  }
  for (size_t d = x.rank(); d < index.size(); ++d) LAMINA_CHECK(index[d] == 0);
  return x.ComplexAt(at);
}

void ForEachIndex(const Sizes& sizes, const std::function<void(const Sizes&)>& f) {
  Sizes index(sizes.size(), 0);
  const int64_t n = NumElements(sizes);
  for (int64_t i = 0; i < n; ++i) {
    f(index);
    for (size_t d = 0; d < sizes.size() && ++index[d] == sizes[d]; ++d) index[d] = 0;
  }
}

DlArray ArrayOf(DataType type, const Sizes& sizes, std::string_view format,
                const std::function<std::complex<double>(const Sizes&)>& f) {
  LAMINA_CHECK(Format::Sorted(format) == format);
  std::vector<char> bytes;
  ForEachIndex(sizes, [&](const Sizes& index) { Put(type, f(index), &bytes); });
  return DlArray::FromBytes(type, bytes.data(), bytes.size() / SizeOf(type), sizes, format);
}

DlArray Numbered(const Sizes& sizes, std::string_view format, DataType type) {
  int64_t i = -1;
  return ArrayOf(type, sizes, format, [&](const Sizes&) -> std::complex<double> {
    ++i;
    if (type == DataType::kLogical) return static_cast<double>(i % 2);
    if (IsComplex(type)) return {static_cast<double>(i), static_cast<double>(i) + 0.5};
    return static_cast<double>(i);
  });
}

}  // namespace lamina
