// Convolution, and its transpose, over one to three dims.
//
// As deep learning means it: the filter is not flipped (a cross-correlation). For one group
//
//   y(o, k, b) = bias(k) + sum over s, c of w(s, c, k) x(o * stride - padding + s * dilation, c, b)
//
// where o and s run over the dims that the filter moves along and x is 0 outside. Source: Dumoulin,
// Visin, "A guide to convolution arithmetic for deep learning", arXiv:1603.07285.
//
//   DlArray y = DlConv(x, weights, bias, {.stride = {2, 2}, .padding = "same"});
//   // x 28(S) x 28(S) x 3(C) x 128(B), weights 5x5x3x16, bias 16 gives 14(S) x 14(S) x 16(C) x
//   128(B)
//
// Types promote; single, double and complex are computed, others as single. Numeric contract: n
// products summed in any order, |error| <= n u sum |w| |x|; larger 3 x 3 convolutions in single use
// Winograd's algorithm, whose error framework/cpu/convolution.h tells. Gradients of any order.
// Threads: pure functions, callable from any thread.
#ifndef FRAMEWORK_OPS_CONVOLUTION_H_
#define FRAMEWORK_OPS_CONVOLUTION_H_

#include <string_view>

#include "framework/dlarray/dlarray.h"
#include "framework/ops/window.h"

namespace lamina {

struct ConvOptions {
  Sizes stride = {1};            ///< Steps of the filter, one for all dims or one for each.
  Sizes dilation = {1};          ///< Distance of neighbouring filter elements in the data.
  Padding padding = 0;           ///< "causal" along one dim only.
  int64_t groups = 1;            ///< The channels in this many groups, each with its own filters.
  bool over_time = false;        ///< Move along T too, besides the S dims.
  std::string_view format = "";  ///< The labels of x, when x has none.
};

/// The convolution of x with `weights`, plus `bias`.
///
/// The filter moves along the S dims of x ("SCB", "SSCB", "SSSCB"); without S dims along T ("CBT");
/// with `over_time` along S and T ("SCBT" takes 2-d filters). Otherwise T counts as batch
/// ("SSCBT"). A missing B is one observation; a missing C is one channel, and the result has a C
/// dim.
///
/// `weights` has the sizes of the filter, then channels of x for each group, then filters: either
/// all filters K in one dim, group by group, with `groups` told in the options; or filters for each
/// group and groups in two dims (5x5x2x4x3: three groups of two channels, four filters each). They
/// are unlabelled, or labelled S.. C U or S.. C U U. `bias` has K elements or one, or is unset.
///
/// The result has the labels of x, C of size K and along each moved dim floor((n + padding -
/// ((filter - 1) * dilation + 1)) / stride) + 1 elements.
///
/// Errors: "ops:FormatNeeded" and "dlarray:FormatMismatch" as told in window.h, or when the labels
/// of the weights are others; "dlarray:SizeMismatch" when channels, groups, filters or bias do not
/// meet; "ops:InvalidStride", "ops:InvalidDilation", "ops:InvalidPadding", "ops:InvalidGroups";
/// "ops:WindowTooLarge" when the filter does not fit into the padded data.
DlArray DlConv(const DlArray& x, const DlArray& weights, const DlArray& bias,
               const ConvOptions& options = {});

struct TranspConvOptions {
  Sizes stride = {1};    ///< Steps of the filter in the result.
  Sizes dilation = {1};  ///< Distance of neighbouring filter elements in the result.
  Padding cropping = 0;  ///< Elements cut off the result; "same" gives stride * n elements.
  int64_t groups = 1;
  bool over_time = false;
  std::string_view format = "";
};

/// The transposed convolution: each element of x, times the filter, is added into the result, the
/// places `stride` apart. It is the gradient of DlConv with respect to its data.
///
/// `weights` has the sizes of the filter, then filters for each group (channels of the result),
/// then channels of x, all or for each group as in DlConv. `bias` has as many elements as the
/// result has channels, or one, or is unset. The result has along each moved dim stride * (n - 1) +
/// (filter - 1) * dilation + 1 - cropping elements. Errors: as DlConv; "ops:InvalidPadding" when
/// nothing is left, or for "causal".
DlArray DlTranspConv(const DlArray& x, const DlArray& weights, const DlArray& bias,
                     const TranspConvOptions& options = {});

}  // namespace lamina

#endif  // FRAMEWORK_OPS_CONVOLUTION_H_
