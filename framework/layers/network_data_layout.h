// The size and labels of data that a layer will get, without the data.
//
//   NetworkDataLayout layout({24, 24, 20, 128}, "SSCB");
//   layout.Only('C');                                   // 1x1x20
//   NetworkDataLayout images({28, 28, 1, kUnknown}, "SSCB");   // any number of images
#ifndef FRAMEWORK_LAYERS_NETWORK_DATA_LAYOUT_H_
#define FRAMEWORK_LAYERS_NETWORK_DATA_LAYOUT_H_

#include <iosfwd>
#include <string>
#include <string_view>

#include "framework/dlarray/dlarray.h"

namespace lamina {

/// A size that is not known yet, or may be any. Written NaN in messages.
inline constexpr int64_t kUnknown = -1;

class NetworkDataLayout {
 public:
  /// `sizes` has a size of 1 or more, or kUnknown, for each dim; `format` a label for each dim in
  /// any order (dims are put in the order S C B T U), or is empty for unlabelled data. Errors:
  /// "layout:InvalidSize" for zero or another negative size, "layout:FormatRank" when the number of
  /// labels differs from the number of sizes, those of Format.
  explicit NetworkDataLayout(const Sizes& sizes, std::string_view format = "");
  /// The layout of an array.
  static NetworkDataLayout Of(const DlArray& x);

  const Sizes& sizes() const { return spec_.sizes; }
  const Format& format() const { return spec_.format; }
  int rank() const { return spec_.rank(); }
  int FindDim(char label) const { return spec_.format.Find(label); }
  /// The size of the dim with this label. Errors: "layout:LabelNotFound", "layout:UnknownSize".
  int64_t Size(char label) const;
  /// 1 in each dim but those with this label: the sizes of a parameter that has one value for each
  /// channel. Errors: as Size.
  Sizes Only(char label) const;
  /// The product of the sizes of these labels (those that are there). Errors: "layout:UnknownSize".
  int64_t Count(std::string_view labels) const;

  bool has_unknown() const;
  /// The same layout with `size` in place of each kUnknown.
  NetworkDataLayout WithUnknown(int64_t size) const;

  bool operator==(const NetworkDataLayout& other) const { return spec_ == other.spec_; }

 private:
  ArraySpec spec_;
};

/// "24(S) x 24(S) x 20(C) x NaN(B)".
std::string ToString(const NetworkDataLayout& layout);
std::ostream& operator<<(std::ostream& out, const NetworkDataLayout& layout);

}  // namespace lamina

#endif  // FRAMEWORK_LAYERS_NETWORK_DATA_LAYOUT_H_
