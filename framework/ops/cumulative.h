// Running sums, products and extremes along one dim, recurrences, and differences.
//
// Each result has the sizes and labels of x; element k is that of elements 0 to k, or of the last
// down to k in reverse.
//
//   DlArray level = CumSum(x, 'T');                                // 5(C) x 8(B) x 100(T) likewise
//   DlArray to_come = CumSum(x, 'T', {.reverse = true});
//   DlArray smooth = LinearRecurrence(0.9, 0.1 * x, 'T');          // y_t = 0.9 y_(t-1) + 0.1 x_t
//
// Numeric contract: elements are combined one after another, so that an error grows with their
// number k. With u = 2^-53, sums are wrong by at most k u sum|x|, products by k u |y|; single is
// combined in double and each result rounded once, 2^-24 |y| more (kernels on a device, generated
// code: likewise). Gradients need no division, so zeros in x do no harm.
// A device computes each line along the dim by one thread, but long sums and extremes of few lines
// in parts. Products and recurrences there are for many lines, not for a long one.
//
// Errors of all: those of DimSet, for other than one dim too; "ops:UnsupportedType" where the type
// has no such function. Threads: pure functions, callable from any thread.
#ifndef FRAMEWORK_OPS_CUMULATIVE_H_
#define FRAMEWORK_OPS_CUMULATIVE_H_

#include <cstdint>

#include "framework/dlarray/dlarray.h"
#include "framework/ops/dims.h"

namespace lamina {

struct CumulativeOptions {
  bool reverse = false;  ///< From the last element to the first.
};

/// The sum, the product of all elements so far. Of logical arrays in single, of integer ones in
/// int64, which wraps around.
DlArray CumSum(const DlArray& x, const DimSet& dim, const CumulativeOptions& options = {});
DlArray CumProd(const DlArray& x, const DimSet& dim, const CumulativeOptions& options = {});

/// The largest, smallest element so far, of real arrays. NaN is passed over, and is the result
/// until another element has come. The derivative goes to the first of equal extremes.
DlArray CumMax(const DlArray& x, const DimSet& dim, const CumulativeOptions& options = {});
DlArray CumMin(const DlArray& x, const DimSet& dim, const CumulativeOptions& options = {});

/// y_k = a_k y_(k-1) + b_k, from y_0 = b_0 on; a_0 does not count. In reverse y_k = a_k y_(k+1) +
/// b_k, from the last b on. Arrays of different sizes meet by implicit expansion, and types
/// combine, as in elementwise.h; `dim` is one of the result. The error is at most 2 k u times the
/// result of |a| and |b|. Errors: "dlarray:SizeMismatch", "dlarray:FormatMismatch".
DlArray LinearRecurrence(const DlArray& a, const DlArray& b, const DimSet& dim,
                         const CumulativeOptions& options = {});

/// The differences x_(k+1) - x_k of neighbours, one less than elements (none of no element); taken
/// `order` times. Of logical arrays in single, of integer ones in int64. Errors:
/// "ops:InvalidOrder" for an order below 0.
DlArray Diff(const DlArray& x, const DimSet& dim, int64_t order = 1);

}  // namespace lamina

#endif  // FRAMEWORK_OPS_CUMULATIVE_H_
