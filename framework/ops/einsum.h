// Sums of products of arrays, by the letters of their dims.
//
//   Einsum("ij,jk->ik", {x, y})           // MatMul(x, y)
//   Einsum("bhqd,bhkd->bhqk", {q, k})     // scores of attention
//   Einsum("ii->", {x})                   // Trace(x)
//   Einsum("ni,ij,nj->n", {x, a, x})      // x' A x of each row
//
// Each array has a word with a letter (a to z, A to Z) for each of its dims; what has the same
// letter has the same index. The result has the letters behind "->", in their order, and what they
// lack is summed over. Without "->" these are the letters that stand there once, in alphabetical
// order. A letter that a word has twice takes the diagonal. Blanks are passed over. The notation is
// that of NumPy, without its "...": name these dims.
//
// It is composed of Permute, Reshape, MatMul and Sum, from the first array to the last: where one
// order costs less than another, write that. Nothing is conjugated.
// Threads: a pure function, callable from any thread.
#ifndef FRAMEWORK_OPS_EINSUM_H_
#define FRAMEWORK_OPS_EINSUM_H_

#include <initializer_list>
#include <span>
#include <string_view>

#include "framework/dlarray/dlarray.h"

namespace lamina {

/// Of unlabelled arrays. Types promote; logical and integer arrays are computed as single. Numeric
/// contract: that of MatMul for each product.
/// Errors, which quote the spec: "ops:InvalidEinsum" where it cannot be read (and at which
/// character), or does not have a word for each array and a letter for each dim;
/// "dlarray:SizeMismatch" for a letter of two sizes; "dlarray:FormatMismatch" for labelled arrays.
DlArray Einsum(std::string_view spec, std::span<const DlArray> arrays);
inline DlArray Einsum(std::string_view spec, std::initializer_list<DlArray> arrays) {
  return Einsum(spec, std::span<const DlArray>(arrays.begin(), arrays.size()));
}

}  // namespace lamina

#endif  // FRAMEWORK_OPS_EINSUM_H_
