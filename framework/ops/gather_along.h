// Elements along one dim by positions, which each line has its own of, and the way back.
//
// Gather (shape.h) takes the same positions from all lines.
//
//   // scores: 10(C) x 128(B), targets: 1(C) x 128(B) of int64
//   DlArray of_target = GatherAlong(scores, 'C', targets);       // 1(C) x 128(B)
//   DlArray back = ScatterAddAlong(of_target, 'C', targets, 10);  // 10(C) x 128(B)
//
// Errors of both: those of DimSet; "ops:UnsupportedType" for positions that are not int32 or int64;
// "dlarray:FormatMismatch" for positions with other labels than x (they may have none);
// "dlarray:SizeMismatch" for other sizes; "dlarray:IndexOutOfRange" for a position that is not
// there, when run, as in Gather: on a device later (docs/gpu.md), and in generated code such a
// position gives 0 or adds nothing. Threads: pure functions, callable from any thread.
#ifndef FRAMEWORK_OPS_GATHER_ALONG_H_
#define FRAMEWORK_OPS_GATHER_ALONG_H_

#include <cstdint>

#include "framework/dlarray/dlarray.h"
#include "framework/ops/dims.h"

namespace lamina {

/// Element k of a line along `dim` is that of x at `positions` (from 0), which have the sizes of x
/// but for any number along `dim`, and so has the result. The derivative of a position that is
/// taken twice is the sum.
DlArray GatherAlong(const DlArray& x, const DimSet& dim, const DlArray& positions);

/// The transpose: zeros of `size` along `dim`, each element of x added at its position, in their
/// order. Positions have the sizes of x. Errors also: "ops:UnsupportedType" for logical and integer
/// x; "dlarray:InvalidSize" for a negative size.
DlArray ScatterAddAlong(const DlArray& x, const DimSet& dim, const DlArray& positions,
                        int64_t size);

}  // namespace lamina

#endif  // FRAMEWORK_OPS_GATHER_ALONG_H_
