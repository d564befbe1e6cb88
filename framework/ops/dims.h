// Dims named by label, by position, or all at once: the argument of everything that works along
// dims.
//
//   Sum(x, "SB")      // every dim labelled S or B
//   Sum(x, {0, 1})    // the first two
//   Sum(x)            // all
#ifndef FRAMEWORK_OPS_DIMS_H_
#define FRAMEWORK_OPS_DIMS_H_

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "framework/dlarray/format.h"

namespace lamina {

class DimSet {
 public:
  /// Every dim with one of these labels.
  DimSet(std::string_view labels) : labels_(labels), kind_(kLabels) {}  // NOLINT
  DimSet(const char* labels) : DimSet(std::string_view(labels)) {}      // NOLINT
  DimSet(char label) : DimSet(std::string_view(&label, 1)) {}           // NOLINT
  /// Dims counted from 0.
  DimSet(int dim) : positions_{dim}, kind_(kPositions) {}  // NOLINT
  DimSet(std::initializer_list<int> dims) : positions_(dims), kind_(kPositions) {}
  DimSet(std::vector<int> dims) : positions_(std::move(dims)), kind_(kPositions) {}  // NOLINT
  static DimSet All() { return DimSet(); }
  bool is_all() const { return kind_ == kAll; }

  /// Bit d set for each dim d of `spec` that is meant; `function` names the caller in errors.
  /// Errors: "dlarray:LabelNotFound" when no dim has one of the labels (or the array has none),
  /// "dlarray:DimOutOfRange" for a position that is negative or beyond the last dim.
  uint32_t Mask(std::string_view function, const ArraySpec& spec) const;
  /// The one dim meant. Errors as Mask; "dlarray:SeveralDims" when it is not exactly one.
  int Only(std::string_view function, const ArraySpec& spec) const;

 private:
  enum Kind { kAll, kLabels, kPositions };
  DimSet() : kind_(kAll) {}

  std::string labels_;
  std::vector<int> positions_;
  Kind kind_;
};

}  // namespace lamina

#endif  // FRAMEWORK_OPS_DIMS_H_
