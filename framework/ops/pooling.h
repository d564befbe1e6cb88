// Largest and mean elements of windows that move over one to three dims.
//
//   DlArray y = MaxPool(x, {.window = {2, 2}, .stride = {2, 2}});
//   // 28(S) x 28(S) x 8(C) x 128(B) gives 14(S) x 14(S) x 8(C) x 128(B)
//   DlArray means = AvgPool(x, {.global = true});              // 1(S) x 1(S) x 8(C) x 128(B)
//
// The window moves along the S dims of x; without S dims along T; with `over_time` along both.
// Every other dim (C, B, and T when it is not moved along) stays. The result has the labels of x
// and along each moved dim floor((n + padding - window) / stride) + 1 elements. Single and double
// are computed, logical and integers as single. Gradients of any order.
//
// Errors of all: "ops:FormatNeeded" without labels and format; "dlarray:FormatMismatch" without S
// and T, with U, or with more than three dims to move along; "ops:UnsupportedType" for complex
// data; "ops:InvalidWindow", "ops:InvalidStride", "ops:InvalidPadding" (also when the padding is
// not smaller than the window, which then could hold nothing else); "ops:WindowTooLarge".
// Threads: pure functions, callable from any thread.
#ifndef FRAMEWORK_OPS_POOLING_H_
#define FRAMEWORK_OPS_POOLING_H_

#include <string_view>

#include "framework/dlarray/dlarray.h"
#include "framework/ops/window.h"

namespace lamina {

struct PoolOptions {
  Sizes window = {};       ///< Needed unless `global`; one number for all dims or one for each.
  Sizes stride = {1};      ///< Steps of the window, likewise.
  Padding padding = 0;     ///< Numbers, or "same".
  bool global = false;     ///< One window over all; window, stride and padding are then not read.
  bool over_time = false;  ///< Move along T too, besides the S dims.
  std::string_view format = "";  ///< The labels of x, when x has none.
};

struct MaxPoolResult {
  DlArray y;
  /// int64, as y: where each element of y was found, counted from 0 in column-major order over the
  /// moved dims of x (one channel of one observation), the first of equal ones.
  DlArray indices;
};

/// The largest element of each window. Padding never wins; a NaN does, so that it is not hidden.
/// The derivative goes to the first of equal elements.
DlArray MaxPool(const DlArray& x, const PoolOptions& options);
/// The same with the places.
MaxPoolResult MaxPoolWithIndices(const DlArray& x, const PoolOptions& options);

/// The mean of each window. With `count_padding` padding counts as elements that are zero; without,
/// the sum is divided by the number of elements of x in the window.
/// Numeric contract: |error| <= n u sum |x| / n for windows of n elements.
DlArray AvgPool(const DlArray& x, const PoolOptions& options, bool count_padding = true);

}  // namespace lamina

#endif  // FRAMEWORK_OPS_POOLING_H_
