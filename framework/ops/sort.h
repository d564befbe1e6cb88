// The elements along one dim in their order, the largest of them, the middle one.
//
//   DlArray sorted = Sort(x, 'T', {.descending = true});
//   DlArray order = ArgSort(x, 'T');                       // GatherAlong(x, 'T', order) is Sort
//   const TopKResult best = TopK(scores, 'C', 5);          // best.values, best.positions
//
// Equal elements keep their order, 0 equals -0, and NaN is last, in descending order too. Of all
// real types; derivatives go to where the values come from.
// On a device and in generated code each line of n elements takes n^2 comparisons: that is for some
// thousand elements, not for a million. The processor takes time O(n).
//
// Errors of all: those of DimSet, for other than one dim too; "ops:UnsupportedType" for complex
// arrays; "ops:SortLength" for 2^31 elements or more along the dim. Threads: pure functions,
// callable from any thread.
#ifndef FRAMEWORK_OPS_SORT_H_
#define FRAMEWORK_OPS_SORT_H_

#include <cstdint>

#include "framework/dlarray/dlarray.h"
#include "framework/ops/dims.h"

namespace lamina {

struct SortOptions {
  bool descending = false;
};

/// The elements in order.
DlArray Sort(const DlArray& x, const DimSet& dim, const SortOptions& options = {});
/// Where the elements of Sort stand in x: positions from 0, as int64.
DlArray ArgSort(const DlArray& x, const DimSet& dim, const SortOptions& options = {});

struct TopKResult {
  DlArray values;     ///< The k largest, the largest first.
  DlArray positions;  ///< Where they stand in x, from 0, as int64.
};
/// The first k of the descending order. Errors also: "ops:InvalidCount" for a k below 0, or above
/// the size of the dim.
TopKResult TopK(const DlArray& x, const DimSet& dim, int64_t k);

/// The middle element of the order, the mean of the middle two of an even number; NaN where there
/// is a NaN, and of no elements. Of logical and integer arrays in single. The dim stays, with size
/// 1.
DlArray Median(const DlArray& x, const DimSet& dim);

}  // namespace lamina

#endif  // FRAMEWORK_OPS_SORT_H_
