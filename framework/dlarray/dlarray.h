// DlArray: an n-dimensional array whose dims may carry labels.
//
// A DlArray is a value: copying it is cheap (the elements are shared) and nothing that is done to
// one copy is seen by another, since elements never change once an array is made. Elements stand in
// column-major order, first dim fastest: "CBT" has the channels of one observation side by side.
// A labelled array always presents its dims in the order S C B T U; data given in another order is
// permuted. Arrays may be read and copied from any thread.
//
//   DlArray x = DlArray::FromVector<float>({1, 2, 3, 4, 5, 6}, {3, 2}, "CB");
//   x.sizes();                      // 3x2
//   x.Data<float>()[0];             // 1
//   Dims(x);                        // "CB"
//   DlArray::FromVector<float>({1, 2, 3, 4, 5, 6}, {3, 2}, "TC").format();   // "CT", 2(C) x 3(T)
//
// An array may have no values at all: inside a trace, where only sizes, labels and types are known.
// Reading it is then an Error ("dlarray:NoValues"), which tells the line that read. Or its elements
// lie on a device (framework/gpu): reading them is an Error ("dlarray:OnDevice"), Gather brings
// them back.
#ifndef FRAMEWORK_DLARRAY_DLARRAY_H_
#define FRAMEWORK_DLARRAY_DLARRAY_H_

#include <complex>
#include <cstring>
#include <iosfwd>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/dlarray/array_data.h"
#include "framework/dlarray/data_type.h"
#include "framework/dlarray/error.h"
#include "framework/dlarray/format.h"

namespace lamina {

/// The line of a caller, which an Error tells. Never given: the compiler fills it in.
using CallerPlace = std::source_location;

class DlArray {
 public:
  /// An unset array: 0x0 single, `empty()`.
  DlArray() : data_(internal::ArrayData::Unset()) {}
  /// A scalar without dims. Double meets single as single, so `0.5 * x` keeps the type of x.
  DlArray(double value);  // NOLINT(runtime/explicit): numbers and arrays mix in formulas.
  DlArray(float value);   // NOLINT(runtime/explicit)
  DlArray(int value) : DlArray(static_cast<double>(value)) {}      // NOLINT(runtime/explicit)
  DlArray(int64_t value) : DlArray(static_cast<double>(value)) {}  // NOLINT(runtime/explicit)
  DlArray(std::complex<double> value);                             // NOLINT(runtime/explicit)

  /// The same elements with labels: `format` has one label for each dim of `data` (trailing dims of
  /// size 1 may be added by labels), in any order; the dims are put in the order S C B T U. Labels
  /// of a labelled array are replaced. A vector with a single label keeps one dim.
  /// Errors: "dlarray:FormatRank" when the number of labels differs from the number of dims,
  /// "dlarray:InvalidLabel", "dlarray:DuplicateLabel". Gradients pass: labelling is an op like any
  /// other, so this constructor is defined above, in framework/ops/relabel.cc.
  DlArray(const DlArray& data, std::string_view format);

  /// An array of `sizes`, values in column-major order, labelled by `format` (in any order) or not
  /// at all. T is float, double, std::complex of these, int32_t, int64_t or uint8_t.
  /// Errors: "dlarray:ElementCount" when the number of values differs from the sizes' product,
  /// "dlarray:InvalidSize" for a negative size, those of formats.
  template <class T>
  static DlArray FromVector(const std::vector<T>& values, const Sizes& sizes,
                            std::string_view format = "") {
    return FromBytes(DataTypeOf<T>(), values.data(), values.size(), sizes, format);
  }
  template <class T>
  static DlArray FromSpan(std::span<const T> values, const Sizes& sizes,
                          std::string_view format = "") {
    return FromBytes(DataTypeOf<T>(), values.data(), values.size(), sizes, format);
  }
  static DlArray FromBytes(DataType type, const void* values, size_t count, const Sizes& sizes,
                           std::string_view format = "");

  /// True for an unset array and for one with a dim of size 0.
  bool empty() const { return numel() == 0; }
  const ArraySpec& spec() const { return data_->spec; }
  DataType type() const { return spec().type; }
  const Sizes& sizes() const { return spec().sizes; }
  const Format& format() const { return spec().format; }
  int rank() const { return spec().rank(); }
  /// The size of dim `dim` counted from 0; 1 beyond the last.
  int64_t size(int dim) const { return spec().size(dim); }
  int64_t numel() const { return data_->numel; }

  /// False inside a trace, where only the spec is known, and on a device.
  bool has_values() const { return data_->has_values(); }
  /// True when the elements lie on a device.
  bool on_device() const { return data_->remote != nullptr; }
  /// The elements, column-major. Errors: "dlarray:TypeMismatch" when T is not the element type
  /// (logical is read as uint8_t), "dlarray:NoValues", "dlarray:OnDevice".
  template <class T>
  const T* Data(CallerPlace place = CallerPlace::current()) const {
    RequireReadable(DataTypeOf<T>(), place);
    return static_cast<const T*>(data_->bytes());
  }
  /// All elements, column-major. Errors as Data.
  template <class T>
  std::vector<T> ToVector(CallerPlace place = CallerPlace::current()) const {
    const T* p = Data<T>(place);
    return std::vector<T>(p, p + numel());
  }
  /// The value of an array of one element, of any real type. Errors: "dlarray:NotScalar",
  /// "dlarray:TypeMismatch" for a complex one, "dlarray:NoValues", "dlarray:OnDevice".
  double Scalar(CallerPlace place = CallerPlace::current()) const;
  /// One element of a real array as a double; `index` counts column-major from 0. Errors:
  /// "dlarray:IndexOutOfRange", "dlarray:TypeMismatch" for a complex one, "dlarray:NoValues",
  /// "dlarray:OnDevice".
  double At(int64_t index, CallerPlace place = CallerPlace::current()) const;
  /// One element of any array; the imaginary part of a real one is 0. Errors as At.
  std::complex<double> ComplexAt(int64_t index, CallerPlace place = CallerPlace::current()) const;

  /// True when both share the same elements in memory: then they are equal for sure.
  bool SharesDataWith(const DlArray& other) const {
    return data_.get() == other.data_.get() ||
           (has_values() && data_->bytes() == other.data_->bytes());
  }

  /// For ops and those who record them: what stands behind the handle.
  explicit DlArray(internal::ArrayDataPtr data) : data_(std::move(data)) {}
  const internal::ArrayDataPtr& data() const { return data_; }

 private:
  void RequireReadable(DataType type, CallerPlace place) const;

  internal::ArrayDataPtr data_;
};

/// The format as a word; "" without labels.
inline const std::string& Dims(const DlArray& x) { return x.format().str(); }
/// The first dim with this label counted from 0, or -1.
inline int FindDim(const DlArray& x, char label) { return x.format().Find(label); }
/// The sizes of all dims.
inline const Sizes& Size(const DlArray& x) { return x.sizes(); }
/// The size of the dim with this label; of several, their product; 1 when there is none.
int64_t Size(const DlArray& x, char label);
/// The same elements without labels and without what a tape or trace knows of them: gradients do
/// not pass. StripDims (ops) drops labels only. Errors: "dlarray:NoValues".
DlArray ExtractData(const DlArray& x, CallerPlace place = CallerPlace::current());
/// The array with its elements in the memory of this machine; itself when they are there already.
/// Without what a tape or trace knows of it. Errors: "dlarray:NoValues", those of the device.
DlArray Gather(const DlArray& x, CallerPlace place = CallerPlace::current());

/// True when types, sizes, labels and all elements are equal bit for bit but for the sign of zero
/// and the payload of NaN (NaN equals NaN). For tests and bookkeeping.
bool IsEqual(const DlArray& a, const DlArray& b, CallerPlace place = CallerPlace::current());

/// "3(S) x 2(S) single DlArray" and the values, page by page; at most `max_values` of them.
std::string ToString(const DlArray& x, int max_values = 200);
std::ostream& operator<<(std::ostream& out, const DlArray& x);

namespace internal {
/// `sizes` with as many dims as there are labels. Errors: "dlarray:FormatRank".
Sizes SizesForLabels(const Sizes& sizes, std::string_view labels);
/// The spec of an array whose dims, in sizes and labels, are given in any order; `labels` may be
/// empty. Errors: those of formats.
ArraySpec SpecInOrder(DataType type, const Sizes& sizes, std::string_view labels);
}  // namespace internal

/// Several arrays in a row: inputs, outputs, gradients.
using DlArrays = std::vector<DlArray>;

}  // namespace lamina

#endif  // FRAMEWORK_DLARRAY_DLARRAY_H_
