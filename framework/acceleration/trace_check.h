// Compares what a trace gave with what its function gives. Used by trace.cc.
//
// Threads: a pure function.
#ifndef FRAMEWORK_ACCELERATION_TRACE_CHECK_H_
#define FRAMEWORK_ACCELERATION_TRACE_CHECK_H_

#include <string_view>

#include "framework/dlarray/dlarray.h"

namespace lamina::internal {

/// `came` and `expected` hold as many arrays, of the same specs; an unset one stands for zeros. No
/// element may differ by more than `tolerance` times the largest magnitude of its array; NaN agrees
/// with NaN, infinity with the same infinity. `what` is "Output" or "Derivative".
/// Errors: "accelerate:CheckFailed", which names the array and its worst element.
void CheckAgreement(std::string_view what, const DlArrays& came, const DlArrays& expected,
                    double tolerance);

}  // namespace lamina::internal

#endif  // FRAMEWORK_ACCELERATION_TRACE_CHECK_H_
