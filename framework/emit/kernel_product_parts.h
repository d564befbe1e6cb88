// Products of many columns, computed in the parts in which they are read or given.
//
// A recurrent layer multiplies all time steps' inputs by its weights at once, W [x1 x2 ...], and
// each time step adds its columns, the bias and a product of its own:
//   z = (W x_t + b) + R h.
// Here a time step computes W x_t itself, in sums that begin with b, and adds R h to that. Nothing
// is stored that is only added, and threads that walk through the time steps do all of it.
//
// Likewise on the way back: each time step has R' dz_t, and all together W' [dz_1 dz_2 ...]. Here a
// time step computes the rows of both, [R W]' dz_t, so that no vector stays half empty between
// them.
//
// Used by kernels.cc. Threads: a pure function but for its arguments.
#ifndef FRAMEWORK_EMIT_KERNEL_PRODUCT_PARTS_H_
#define FRAMEWORK_EMIT_KERNEL_PRODUCT_PARTS_H_

#include <vector>

#include "framework/emit/kernel_draft.h"
#include "framework/emit/kernels.h"

namespace lamina::internal {

/// Replaces calls of `program`, whose kernels are `drafts`; new ones come to the end of these. The
/// order of additions changes: an element of z above is one sum, ((b + w_1 x_1) + ...) + r h, whose
/// error is at most that of a product of all its terms. Ranges and memory must not be planned yet.
void ComputeProductsInParts(const Graph& graph, std::vector<KernelDraft>* drafts,
                            KernelProgram* program);

}  // namespace lamina::internal

#endif  // FRAMEWORK_EMIT_KERNEL_PRODUCT_PARTS_H_
