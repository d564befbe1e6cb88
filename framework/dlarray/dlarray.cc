#include "framework/dlarray/dlarray.h"

#include <algorithm>
#include <cmath>
#include <ostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "framework/dlarray/counted.h"
#include "framework/dlarray/refused_reads.h"

namespace lamina {
namespace {

using internal::ArrayData;
using internal::ArrayDataPtr;

template <class T>
ArrayDataPtr MakeScalar(T value) {
  ArrayDataPtr d = ArrayData::Make(ArraySpec{DataTypeOf<T>(), {}, {}});
  std::memcpy(d->mutable_bytes(), &value, sizeof(T));
  return d;
}

// Copies `values` of sizes `sizes` into the order of dims that `order` says. Only labelling of data
// in an unusual order comes here, so plain beats fast.
void CopyPermuted(const char* from, char* to, size_t element, const Sizes& sizes,
                  const std::vector<int>& order) {
  const int rank = static_cast<int>(order.size());
  std::vector<int64_t> stride(rank, 1), index(rank, 0);
  for (int i = 1; i < rank; ++i) stride[i] = stride[i - 1] * sizes[i - 1];
  const int64_t n = NumElements(sizes);
  for (int64_t i = 0; i < n; ++i) {
    int64_t offset = 0;
    for (int d = 0; d < rank; ++d) offset += index[d] * stride[order[d]];
    std::memcpy(to + i * element, from + offset * element, element);
    for (int d = 0; d < rank && ++index[d] == sizes[order[d]]; ++d) index[d] = 0;
  }
}

ArrayDataPtr Labelled(const ArrayDataPtr& data, std::string_view labels) {
  const std::vector<int> order = Format::SortingPermutation(labels);
  const Sizes sizes = internal::SizesForLabels(data->spec.sizes, labels);
  ArraySpec spec = internal::SpecInOrder(data->spec.type, sizes, labels);
  if (std::is_sorted(order.begin(), order.end())) return ArrayData::Alias(*data, std::move(spec));
  ArrayDataPtr out = ArrayData::Make(std::move(spec));
  CopyPermuted(static_cast<const char*>(data->bytes()), static_cast<char*>(out->mutable_bytes()),
               SizeOf(out->spec.type), sizes, order);
  return out;
}

[[noreturn]] void ThrowCannotRead(const ArrayData& d, const CallerPlace& place) {
  std::string_view file = place.file_name();
  if (file.substr(0, 2) == "./") file.remove_prefix(2);  // Of a header, from the root of a project.
  const std::string read = absl::StrCat("The values of an array were read in ", std::string(file),
                                        ":", place.line(), ".");
  if (d.remote != nullptr) {
    throw Error("dlarray:OnDevice", read,
                absl::StrCat("This ", ToString(d.spec), " lies on ", d.remote->DeviceName(), "."),
                "Gather it first.");
  }
  const Error error("dlarray:NoValues", read,
                    absl::StrCat("This ", ToString(d.spec),
                                 " has none: it stands for any values inside a trace."),
                    "Write the computation with array functions (Where instead of if), or leave it "
                    "untraced.");
  internal::RefusedReads::Note(d.trace_mark, error);
  throw error;
}

template <class T>
std::complex<double> ToComplexDouble(T v) {
  if constexpr (std::is_arithmetic_v<T>) {
    return {static_cast<double>(v), 0};
  } else {
    return std::complex<double>(v.real(), v.imag());
  }
}

std::complex<double> Element(const ArrayData& d, int64_t i) {
  const void* p = d.bytes();
  switch (d.spec.type) {
    case DataType::kSingle:
      return ToComplexDouble(static_cast<const float*>(p)[i]);
    case DataType::kDouble:
      return ToComplexDouble(static_cast<const double*>(p)[i]);
    case DataType::kLogical:
    case DataType::kUint8:
      return ToComplexDouble(static_cast<const uint8_t*>(p)[i]);
    case DataType::kComplexSingle:
      return ToComplexDouble(static_cast<const std::complex<float>*>(p)[i]);
    case DataType::kComplexDouble:
      return static_cast<const std::complex<double>*>(p)[i];
    case DataType::kInt32:
      return ToComplexDouble(static_cast<const int32_t*>(p)[i]);
    case DataType::kInt64:
      return ToComplexDouble(static_cast<const int64_t*>(p)[i]);
  }
  return 0;
}

}  // namespace

namespace internal {

Sizes SizesForLabels(const Sizes& sizes, std::string_view labels) {
  Sizes out = sizes;
  while (out.size() > labels.size() && out.back() == 1) out.pop_back();
  if (out.size() > labels.size()) {
    throw Error("dlarray:FormatRank", "A format has one label for each dim.",
                absl::StrCat("\"", std::string(labels), "\" has ", labels.size(), " for sizes ",
                             ToString(sizes), "."),
                "Label each dim; U marks dims without a meaning of their own.");
  }
  out.resize(labels.size(), 1);
  return out;
}

ArraySpec SpecInOrder(DataType type, const Sizes& sizes, std::string_view labels) {
  ArraySpec spec{type, sizes, {}};
  if (labels.empty()) return spec;
  const std::vector<int> order = Format::SortingPermutation(labels);
  const Sizes given = SizesForLabels(sizes, labels);
  spec.sizes = given;
  for (size_t d = 0; d < order.size(); ++d) spec.sizes[d] = given[order[d]];
  spec.format = Format::Sorted(labels);
  return spec;
}

}  // namespace internal

DlArray::DlArray(double value) : data_(MakeScalar(value)) {}
DlArray::DlArray(float value) : data_(MakeScalar(value)) {}
DlArray::DlArray(std::complex<double> value) : data_(MakeScalar(value)) {}

DlArray DlArray::FromBytes(DataType type, const void* values, size_t count, const Sizes& sizes,
                           std::string_view format) {
  ArrayDataPtr d = ArrayData::Make(ArraySpec{type, sizes, {}});
  if (static_cast<int64_t>(count) != d->numel) {
    throw Error("dlarray:ElementCount",
                absl::StrCat("Sizes ", ToString(sizes), " need ",
                             internal::Counted(d->numel, "value"), "."),
                absl::StrCat(count, " came."), "Give as many values as the sizes' product.");
  }
  if (count > 0) std::memcpy(d->mutable_bytes(), values, count * SizeOf(type));
  return DlArray(format.empty() ? d : Labelled(d, format));
}

void DlArray::RequireReadable(DataType type, CallerPlace place) const {
  const bool same =
      type == this->type() || (type == DataType::kUint8 && this->type() == DataType::kLogical);
  if (!same) {
    throw Error("dlarray:TypeMismatch",
                absl::StrCat("Elements were read as ", std::string(Name(type)), "."),
                absl::StrCat("The array is a ", ToString(spec()), "."),
                "Read them as the type they have, or Cast the array first.");
  }
  if (!has_values()) ThrowCannotRead(*data_, place);
}

double DlArray::Scalar(CallerPlace place) const {
  if (numel() != 1) {
    throw Error("dlarray:NotScalar", "One element was asked for.",
                absl::StrCat("A ", ToString(spec()), " came."), "Reduce it first, or index it.");
  }
  return At(0, place);
}

double DlArray::At(int64_t index, CallerPlace place) const {
  if (IsComplex(type())) {
    throw Error("dlarray:TypeMismatch", "A real element was asked for.",
                absl::StrCat("A ", ToString(spec()), " came."), "Use ComplexAt, Real or Imag.");
  }
  return ComplexAt(index, place).real();
}

std::complex<double> DlArray::ComplexAt(int64_t index, CallerPlace place) const {
  if (!has_values()) ThrowCannotRead(*data_, place);
  if (index < 0 || index >= numel()) {
    throw Error("dlarray:IndexOutOfRange",
                absl::StrCat("An element from 0 to ", numel() - 1, " may be asked for."),
                absl::StrCat(index, " came."), "");
  }
  return Element(*data_, index);
}

int64_t Size(const DlArray& x, char label) {
  int64_t n = 1;
  for (int i = 0; i < x.format().rank(); ++i) {
    if (x.format()[i] == label) n *= x.size(i);
  }
  return n;
}

DlArray ExtractData(const DlArray& x, CallerPlace place) {
  ArraySpec spec = x.spec();
  spec.format = Format();
  if (!x.has_values() && !x.on_device()) ThrowCannotRead(*x.data(), place);
  return DlArray(ArrayData::Alias(*x.data(), std::move(spec)));
}

DlArray Gather(const DlArray& x, CallerPlace place) {
  if (x.has_values()) return x;
  if (!x.on_device()) ThrowCannotRead(*x.data(), place);
  ArrayDataPtr d = ArrayData::Make(x.spec());
  x.data()->remote->CopyTo(d->mutable_bytes(),
                           static_cast<size_t>(d->numel) * SizeOf(d->spec.type));
  return DlArray(std::move(d));
}

bool IsEqual(const DlArray& a, const DlArray& b, CallerPlace place) {
  if (!(a.spec() == b.spec())) return false;
  // Doubles do not hold all of these.
  if (a.type() == DataType::kInt64) {
    return std::equal(a.Data<int64_t>(place), a.Data<int64_t>(place) + a.numel(),
                      b.Data<int64_t>(place));
  }
  const auto same = [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); };
  for (int64_t i = 0; i < a.numel(); ++i) {
    const std::complex<double> x = a.ComplexAt(i, place), y = b.ComplexAt(i, place);
    if (!same(x.real(), y.real()) || !same(x.imag(), y.imag())) return false;
  }
  return true;
}

namespace {

std::string ElementText(const DlArray& x, int64_t i) {
  // NaN has a sign, which says nothing.
  const auto shown = [](double v) { return std::isnan(v) ? std::abs(v) : v; };
  const std::complex<double> v = x.ComplexAt(i);
  if (IsComplex(x.type())) return absl::StrFormat("%.4g%+.4gi", shown(v.real()), shown(v.imag()));
  if (IsFloating(x.type())) return absl::StrFormat("%.5g", shown(v.real()));
  if (x.type() == DataType::kInt64) return absl::StrCat(x.Data<int64_t>()[i]);
  return absl::StrFormat("%.0f", v.real());
}

}  // namespace

std::string ToString(const DlArray& x, int max_values) {
  std::string text = ToString(x.spec());
  if (x.on_device()) {
    return absl::StrCat(ToString(Gather(x), max_values), "\non ", x.data()->remote->DeviceName());
  }
  if (!x.has_values()) return text + " (no values)";
  if (x.rank() == 0) return absl::StrCat(text, "\n  ", ElementText(x, 0));
  if (x.numel() == 0) return text;
  const int64_t rows = x.size(0), columns = x.rank() > 1 ? x.size(1) : 1;
  const int64_t pages = x.numel() / (rows * columns);
  int64_t left = max_values;
  for (int64_t page = 0; page < pages && left > 0; ++page) {
    if (x.rank() > 2) {
      text += "\n  (:, :";
      int64_t rest = page;
      for (int d = 2; d < x.rank(); ++d) {
        absl::StrAppend(&text, ", ", rest % x.size(d));
        rest /= x.size(d);
      }
      text += ")";
    }
    for (int64_t r = 0; r < rows && left > 0; ++r) {
      text += "\n ";
      for (int64_t c = 0; c < columns && left > 0; ++c, --left) {
        text += absl::StrFormat(" %9s", ElementText(x, (page * columns + c) * rows + r));
      }
    }
  }
  if (x.numel() > max_values) {
    absl::StrAppend(&text, "\n  ... ", x.numel() - max_values, " more");
  }
  return text;
}

std::ostream& operator<<(std::ostream& out, const DlArray& x) { return out << ToString(x); }

}  // namespace lamina
