// Which running sums and extremes a device computes in parts, inside of cumulative.cc: for those
// who compute ops on a device.
//
// A thread there walks along a line. Of few lines that are long, parts of 64 elements are lines of
// their own; what comes before each part is a running sum of its own, of the parts' last elements.
//
// Threads: a pure function.
#ifndef FRAMEWORK_OPS_CUMULATIVE_OP_H_
#define FRAMEWORK_OPS_CUMULATIVE_OP_H_

#include "framework/ops/op.h"

namespace lamina::internal {

/// Is this op, which is then a ComposedOp, faster in parts for such an input? True of a running sum
/// or extreme along at most 1024 lines of 512 elements or more. Not of products and recurrences: a
/// part may leave the range of its type where a zero before it keeps the result small.
bool IsScanInParts(const Op& op, const ArraySpec& x);

}  // namespace lamina::internal

#endif  // FRAMEWORK_OPS_CUMULATIVE_OP_H_
