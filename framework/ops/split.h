// An array cut into parts along one dim.
//
//   const DlArrays gates = Split(z, 0, {h, h, h, h});
//
// Taking many slices of one array costs as many zero-filled arrays in the gradient; the gradient of
// a split is one concatenation. So loops over time split first.
//
// Threads: pure functions, callable from any thread.
#ifndef FRAMEWORK_OPS_SPLIT_H_
#define FRAMEWORK_OPS_SPLIT_H_

#include "framework/dlarray/dlarray.h"
#include "framework/ops/dims.h"

namespace lamina {

/// The parts of x along `dim`, one after another, of these sizes; labels and other sizes stay.
/// Their concatenation (Cat) is x. Errors: those of DimSet; "dlarray:SizeMismatch" when the parts
/// do not add up to the size of x there or one is negative; "dlarray:EmptyList" without parts.
DlArrays Split(const DlArray& x, const DimSet& dim, const Sizes& parts);

}  // namespace lamina

#endif  // FRAMEWORK_OPS_SPLIT_H_
