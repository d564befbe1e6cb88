// Softmax and its logarithm: scores to probabilities.
//
//   y_i = exp(x_i) / sum over j of exp(x_j)
//
// computed from differences to the largest element, so that nothing overflows.
//
//   DlArray y = Softmax(x);               // over C: each column of a "CB" array sums to 1
//   DlArray map = SoftmaxOver(x, "S");    // over all places of each channel
//
// Numeric contract: framework/cpu/softmax.h. NaN or +infinity makes its whole line NaN; -infinity
// gives 0 (LogSoftmax: -infinity) unless the whole line is. Logical and integers are taken as
// single. Gradients of any order.
// Errors of all: "ops:UnsupportedType" for complex arrays.
// Threads: pure functions, callable from any thread.
#ifndef FRAMEWORK_OPS_SOFTMAX_H_
#define FRAMEWORK_OPS_SOFTMAX_H_

#include <string_view>

#include "framework/dlarray/dlarray.h"
#include "framework/ops/dims.h"

namespace lamina {

/// Over the C dim; the result has the sizes and labels of x. Give `format`, the labels of its dims,
/// for unlabelled x. Errors: "ops:FormatNeeded"; "dlarray:FormatMismatch" without a C dim.
DlArray Softmax(const DlArray& x, std::string_view format = "");
/// The logarithm, exact also where Softmax would round to 0.
DlArray LogSoftmax(const DlArray& x, std::string_view format = "");

/// Over any dims together, by label or position. Errors: those of DimSet.
DlArray SoftmaxOver(const DlArray& x, const DimSet& dims);
DlArray LogSoftmaxOver(const DlArray& x, const DimSet& dims);

}  // namespace lamina

#endif  // FRAMEWORK_OPS_SOFTMAX_H_
