// A derivative that is being added up: each use of an array gives a term.
//
// The derivative of a slice is zero but for the slice, so it is kept as the slice's elements until
// the sum is asked for, and all slices are put side by side then. Where a loop takes an array apart
// slice by slice, as one over time steps does, the sum so reads and writes the array once, not once
// for each slice.
//
// Threads: an object belongs to one.
#ifndef FRAMEWORK_AUTODIFF_GRADIENT_SUM_H_
#define FRAMEWORK_AUTODIFF_GRADIENT_SUM_H_

#include <cstdint>
#include <map>
#include <memory>

#include "framework/dlarray/dlarray.h"
#include "framework/ops/parts_op.h"

namespace lamina {

class GradientSum {
 public:
  /// Is there no term?
  bool empty() const { return sum_.empty() && slices_ == nullptr; }
  void Add(const DlArray& term);
  /// Adds zeros of this spec with `part` at the range.
  void AddSlice(const ArraySpec& whole, const SliceRange& range, const DlArray& part);
  /// All terms together; an unset array when there is none. Terms may be added afterwards.
  const DlArray& Total();

 private:
  struct Slices {
    ArraySpec whole;
    std::map<SliceRange, DlArray> parts;
    int64_t numel = 0;  // Of all parts.
  };

  DlArray sum_;                     // Of whole terms.
  std::unique_ptr<Slices> slices_;  // Null: none.
};

}  // namespace lamina

#endif  // FRAMEWORK_AUTODIFF_GRADIENT_SUM_H_
