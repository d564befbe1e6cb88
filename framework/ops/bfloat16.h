// The numbers of bfloat16: the upper half of single, with all of its exponents and 8 bits of
// precision instead of 24. There is no array of them: what is rounded to them stays single.
//
//   DlArray y = RoundToBfloat16(x);      // 1.00390625 -> 1, 1.01171875 -> 1.015625: ties to even
//
// Products of matrices and convolutions of such numbers are what product_precision.h is for.
// Threads: pure functions, callable from any thread.
#ifndef FRAMEWORK_OPS_BFLOAT16_H_
#define FRAMEWORK_OPS_BFLOAT16_H_

#include "framework/ops/op.h"

namespace lamina {

/// The nearest number of bfloat16 to each element of a single x, of two that are as near the one
/// whose last bit is 0. Exact in every form (op by op, printed, on a device): subnormal numbers and
/// the sign of zero stay, what lies beyond the largest number by half of a last digit becomes
/// infinite, infinity stays, NaN stays as it is. Once rounded, a number stays as it is.
/// The derivative is straight through: that of x is that of the result, as if nothing were rounded.
/// Errors: "ops:UnsupportedType" for any other type.
DlArray RoundToBfloat16(const DlArray& x);

/// Is it the op of RoundToBfloat16? A product whose factors such ops gave may be computed by a unit
/// of bfloat16 that adds in single.
bool IsRoundToBfloat16(const Op& op);

}  // namespace lamina

#endif  // FRAMEWORK_OPS_BFLOAT16_H_
