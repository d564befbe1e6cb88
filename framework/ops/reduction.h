// Sums, products, means, extremes over dims; and back: repeating an array to larger sizes.
//
// Reduced dims stay, with size 1, and keep their labels. Over all dims the result is a scalar
// without dims. Sums are accumulated blockwise: the error bound is in framework/cpu/reduce.h.
//
//   Sum(x, "SB")          // 24(S) x 24(S) x 20(C) x 128(B) gives 1(S) x 1(S) x 20(C) x 1(B)
//
// Errors of all: those of DimSet; "ops:UnsupportedType".
// Threads: pure functions, callable from any thread.
#ifndef FRAMEWORK_OPS_REDUCTION_H_
#define FRAMEWORK_OPS_REDUCTION_H_

#include "framework/dlarray/dlarray.h"
#include "framework/ops/dims.h"

namespace lamina {

/// The sum; of logical and integer arrays in single and int64.
DlArray Sum(const DlArray& x, const DimSet& dims = DimSet::All());
/// The product, of logical and integer arrays in single and int64; 1 over no elements. The error is
/// at most n u |y|, where no product on the way leaves the range of the type. The gradient needs no
/// division: it is right where elements are zero.
DlArray Prod(const DlArray& x, const DimSet& dims = DimSet::All());
/// The mean; NaN over no elements.
DlArray Mean(const DlArray& x, const DimSet& dims = DimSet::All());
/// The variance about the mean, divided by the number n of elements (not n - 1).
DlArray Variance(const DlArray& x, const DimSet& dims = DimSet::All());
/// The largest, smallest element; NaN is passed over unless all are NaN. Equal extremes share the
/// derivative in equal parts.
DlArray MaxOver(const DlArray& x, const DimSet& dims = DimSet::All());
DlArray MinOver(const DlArray& x, const DimSet& dims = DimSet::All());
/// The position of the first largest, smallest element along one dim, from 0, as int64.
DlArray ArgMax(const DlArray& x, const DimSet& dim);
DlArray ArgMin(const DlArray& x, const DimSet& dim);
/// Logical: is any, are all elements not zero?
DlArray Any(const DlArray& x, const DimSet& dims = DimSet::All());
DlArray All(const DlArray& x, const DimSet& dims = DimSet::All());

/// x repeated along dims of size 1 until it has the sizes and labels of `spec` (its own type
/// stays). Errors: "dlarray:SizeMismatch", "dlarray:FormatMismatch" when x cannot meet `spec`.
DlArray BroadcastTo(const DlArray& x, const ArraySpec& spec);
/// The transpose of BroadcastTo: x summed over what an array of `spec` would be repeated along,
/// with the sizes, labels and type of `spec` (the real part, for a real type). Gradients of all
/// functions with implicit expansion end with it. Errors: "dlarray:SizeMismatch",
/// "dlarray:FormatMismatch" when an array of `spec` cannot be repeated to x.
DlArray SumTo(const DlArray& x, const ArraySpec& spec);

}  // namespace lamina

#endif  // FRAMEWORK_OPS_REDUCTION_H_
