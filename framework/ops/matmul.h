// Matrix products.
//
// Threads: pure functions, callable from any thread.
#ifndef FRAMEWORK_OPS_MATMUL_H_
#define FRAMEWORK_OPS_MATMUL_H_

#include <string_view>

#include "framework/dlarray/dlarray.h"

namespace lamina {

/// The product of two unlabelled matrices, m x k and k x n; with `transpose_x` x is k x m and its
/// transpose (of complex arrays the conjugate transpose) is taken, likewise y. Arrays of more dims
/// are pages of matrices: the further dims are equal or 1 (then the page is repeated). Vectors are
/// columns, and the product always has its rows and columns. A scalar without dims multiplies, and
/// leaves the labels of the other array.
/// Types promote. Numeric contract: k products summed in any order, |error| <= k u sum |x| |y|.
/// Errors: "dlarray:SizeMismatch" when the inner sizes differ; "dlarray:FormatMismatch" for
/// labelled arrays, whose meaning would be a guess: strip them or use Contract.
///
///   MatMul(w, x)              // 10x3 with 3x128 gives 10x128
DlArray MatMul(const DlArray& x, const DlArray& y, bool transpose_x = false,
               bool transpose_y = false);

/// The labelled product: sums over the one dim labelled `label`, which both have, in equal sizes.
/// The other dims of both stay, a label that both have other than `label` must have equal sizes and
/// is matched page by page (it is a batch dim); the result stands in the order S C B T U.
/// Errors: "dlarray:LabelNotFound", "dlarray:SizeMismatch", "dlarray:FormatMismatch".
///
///   Contract(w, x, 'C')       // 10(U) x 3(C) with 3(C) x 128(B) gives 128(B) x 10(U)
DlArray Contract(const DlArray& x, const DlArray& y, char label);

/// A fully connected product: x is labelled; its dims S and C (or, without S and C, U) are taken
/// together as k features, each B and T stays. w is out x k, b is out x 1 or unset. The result is
/// labelled "C" and x's "B" and "T". For unlabelled x give `format`, the labels of its dims; the
/// result is then unlabelled, dims in the order C B T. Source: y = w x + b.
/// Errors: "dlarray:SizeMismatch"; "ops:FormatNeeded" without labels; "dlarray:FormatMismatch" when
/// x has features labelled U beside S or C, or none at all, or a format that contradicts its
/// labels.
DlArray FullyConnect(const DlArray& x, const DlArray& w, const DlArray& b,
                     std::string_view format = "");

}  // namespace lamina

#endif  // FRAMEWORK_OPS_MATMUL_H_
