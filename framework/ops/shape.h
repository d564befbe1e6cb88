// Moving elements: labels, sizes, order, parts.
//
// None of these changes a value; derivatives are moved back. Reshape and labels share the elements
// in memory, the others copy.
//
//   DlArray columns = Reshape(StripDims(x), {3, 4});
//   DlArray first = Slice(x, 'T', 0, 1);
//
// Threads: pure functions, callable from any thread.
#ifndef FRAMEWORK_OPS_SHAPE_H_
#define FRAMEWORK_OPS_SHAPE_H_

#include <span>
#include <string_view>
#include <vector>

#include "framework/dlarray/dlarray.h"
#include "framework/ops/dims.h"

namespace lamina {

/// The array without labels, dims as they stand. With `format`, the dims of x ordered as its labels
/// stand in `format` ("BC" of a "CB" array transposes it); labels that x lacks give dims of size 1.
/// An array without labels comes back as it is.
/// Errors: "dlarray:FormatMismatch" when x has a label that `format` lacks.
DlArray StripDims(const DlArray& x);
DlArray StripDims(const DlArray& x, std::string_view format);

/// The same elements in other sizes, without labels, or with those of `format`. One size may be -1:
/// it is computed. Errors: "dlarray:ElementCount", those of formats.
DlArray Reshape(const DlArray& x, const Sizes& sizes, std::string_view format = "");
/// Dim d of the result is dim order[d] of x. Of a labelled array the labels move along and the
/// result stands again in the order S C B T U, so only the order among equal labels can change. For
/// an array without labels the order may name further dims, of size 1.
/// Errors: "dlarray:DimOutOfRange" when `order` is no permutation.
DlArray Permute(const DlArray& x, std::span<const int> order);
inline DlArray Permute(const DlArray& x, std::initializer_list<int> order) {
  return Permute(x, std::span<const int>(order.begin(), order.size()));
}
/// The first two dims swapped, of an unlabelled matrix (or pages of matrices). Errors:
/// "dlarray:FormatMismatch" for a labelled array: strip or contract by label instead.
DlArray Transpose(const DlArray& x);

/// Arrays side by side along one dim; all other sizes are equal, labels too; arrays without labels
/// among labelled ones take theirs. The types promote. `dim` may be one beyond the last of
/// unlabelled arrays. Errors: "dlarray:SizeMismatch", "dlarray:FormatMismatch",
/// "dlarray:EmptyList", those of DimSet.
DlArray Cat(const DimSet& dim, std::span<const DlArray> arrays);
inline DlArray Cat(const DimSet& dim, std::initializer_list<DlArray> arrays) {
  return Cat(dim, std::span<const DlArray>(arrays.begin(), arrays.size()));
}

/// `count` positions along `dim`, from `start` on, every `step`-th; other dims stay whole. A
/// negative step goes backwards. Labels stay. Errors: "dlarray:IndexOutOfRange", those of DimSet.
DlArray Slice(const DlArray& x, const DimSet& dim, int64_t start, int64_t count, int64_t step = 1);
/// The elements moved by `shift` positions along `dim`, to higher ones where it is above 0; those
/// that leave at one end come in at the other. Errors: those of DimSet.
DlArray CircShift(const DlArray& x, const DimSet& dim, int64_t shift);
/// The order along each of these dims reversed.
DlArray Flip(const DlArray& x, const DimSet& dims);
/// The positions `indices` (int32, int64; a vector, from 0) along `dim`, which then has as many.
/// The derivative of a position taken twice is the sum. Errors: "dlarray:IndexOutOfRange" when run,
/// on a device from what next waits for it (docs/gpu.md); there and in generated code, which has no
/// errors, such a position gives 0. "ops:UnsupportedType" for other index types.
DlArray Gather(const DlArray& x, const DimSet& dim, const DlArray& indices);
/// The transpose of Gather: zeros of `size` along `dim`, x added at `indices`, in their order.
/// Errors: as Gather, but that nothing is added where it gives 0; "dlarray:SizeMismatch" unless
/// there is an index for each position of x; "ops:UnsupportedType" for logical and integer x.
DlArray ScatterAdd(const DlArray& x, const DimSet& dim, const DlArray& indices, int64_t size);
/// x repeated counts[d] times along dim d; labels stay. Without labels there may be more counts
/// than dims. Errors: "dlarray:InvalidSize" for a negative count, "dlarray:DimOutOfRange".
DlArray Repmat(const DlArray& x, std::span<const int64_t> counts);
/// Dims of size 1 dropped, with their labels.
DlArray Squeeze(const DlArray& x);

}  // namespace lamina

#endif  // FRAMEWORK_OPS_SHAPE_H_
