// Labels of dims, and the rules by which labelled arrays meet.
//
// S is a spatial dim, C the channels, B the observations (batch), T time, U anything else. A format
// is a word of labels in the order S C B T U: "SSCB" is an image batch. Any number of S and U may
// stand in it; C, B and T at most once. An array without labels has the empty format; its dims are
// then meant by position. All functions here may be called from any thread.
//
//   Format("SSCB").Find('C')                    // 2
//   Combine(Format("SCB"), Format("SSC"))       // "SSCB"
#ifndef FRAMEWORK_DLARRAY_FORMAT_H_
#define FRAMEWORK_DLARRAY_FORMAT_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "framework/dlarray/data_type.h"

namespace lamina {

/// Sizes of dims, first dim fastest in memory.
using Sizes = absl::InlinedVector<int64_t, 6>;

/// Product of the sizes; 1 for a scalar without dims.
inline int64_t NumElements(const Sizes& sizes) {
  int64_t n = 1;
  for (int64_t s : sizes) n *= s;
  return n;
}
/// "3x4x5"; "scalar" for no dims. Unknown (negative) sizes are written NaN.
std::string ToString(const Sizes& sizes);

class Format {
 public:
  Format() = default;
  /// `labels` in the order S C B T U. Errors: "dlarray:InvalidLabel" for a letter that is no label,
  /// "dlarray:DuplicateLabel" for a second C, B or T, "dlarray:LabelOrder" when out of order.
  Format(std::string_view labels);  // NOLINT(runtime/explicit): a format is written as its word.
  Format(const char* labels) : Format(std::string_view(labels)) {}  // NOLINT(runtime/explicit)

  /// Checks `labels` in any order and returns, for each dim of the sorted format, which of the
  /// given dims stands there: "TS" gives {1, 0}. The order is stable among equal labels. Errors as
  /// above, but for the order.
  static std::vector<int> SortingPermutation(std::string_view labels);
  /// The labels in the order S C B T U.
  static Format Sorted(std::string_view labels);

  bool empty() const { return labels_.empty(); }
  int rank() const { return static_cast<int>(labels_.size()); }
  char operator[](int dim) const { return labels_[dim]; }
  const std::string& str() const { return labels_; }
  /// The first dim with this label, or -1.
  int Find(char label) const {
    const size_t at = labels_.find(label);
    return at == std::string::npos ? -1 : static_cast<int>(at);
  }
  int Count(char label) const;

  bool operator==(const Format& other) const { return labels_ == other.labels_; }
  bool operator==(std::string_view other) const { return labels_ == other; }
  bool operator==(const char* other) const { return labels_ == other; }

 private:
  std::string labels_;
};

/// The format of a result of two labelled arrays: of each label as many as the one that has more.
Format Combine(const Format& a, const Format& b);

/// For each dim of `from`, the dim of `to` where it stands when labels are matched from the first
/// of each label on; `to` holds all labels of `from`.
std::vector<int> AlignLabels(const Format& from, const Format& to);

/// What an array is without its values: this is all that shape rules may look at.
struct ArraySpec {
  DataType type = DataType::kSingle;
  Sizes sizes;
  Format format;

  int rank() const { return static_cast<int>(sizes.size()); }
  int64_t numel() const { return NumElements(sizes); }
  /// The size of dim `i`; 1 beyond the last.
  int64_t size(int i) const { return i < rank() ? sizes[i] : 1; }
  bool operator==(const ArraySpec& o) const {
    return type == o.type && sizes == o.sizes && format == o.format;
  }
};

/// "3(S) x 2(S) x 20(C) x 128(B) single DlArray"; without labels "3 x 2 single DlArray".
std::string ToString(const ArraySpec& spec);

/// Sizes equal but for trailing dims of size 1.
bool SameSizes(const Sizes& a, const Sizes& b);

/// The spec of a result of an elementwise function `name` of these arrays, by implicit expansion.
///
/// Two labelled arrays: dims are matched by label, a missing label becomes a dim of size 1 at the
/// end of its label's block, and the result has the labels of both. A labelled and an unlabelled
/// one: dims are matched by position; the unlabelled one may not have more dims (but for trailing
/// ones of size 1). Dims of size 1 are repeated. The type is left kSingle: the caller sets it.
/// Errors: "dlarray:SizeMismatch", "dlarray:FormatMismatch".
ArraySpec Broadcast(std::string_view name, std::initializer_list<const ArraySpec*> specs);

/// The sizes of `spec` as seen from a result of format and rank `out`: one entry for each dim of
/// `out`, 1 where `spec` has none.
Sizes AlignSizes(const ArraySpec& spec, const ArraySpec& out);

}  // namespace lamina

#endif  // FRAMEWORK_DLARRAY_FORMAT_H_
