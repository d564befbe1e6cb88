// Compares what a trace gave with what its function gives. Used by trace.cc.
//
// Rounding alone may change much: an Adam step takes a derivative that is zero but for its last
// digits for one of full size, and a value at a jump falls on either side. So a difference counts
// only
//   1. beyond what the function makes of a few last digits of its arguments, and
//   2. when it shows for arguments elsewhere too.
//
// Threads: everything may be called from any number of threads at once.
#ifndef FRAMEWORK_ACCELERATION_TRACE_CHECK_H_
#define FRAMEWORK_ACCELERATION_TRACE_CHECK_H_

#include <cstdint>

#include "absl/functional/function_ref.h"
#include "framework/dlarray/dlarray.h"
#include "framework/ops/op.h"

namespace lamina::internal {

/// One call that is to be compared.
struct CheckedCall {
  const char* what;  ///< "Output" or "Derivative".
  Arrays arguments;
  const DlArrays& came;  ///< What `accelerated` gave for `arguments`.
  absl::FunctionRef<DlArrays(Arrays)> accelerated, plain;
  bool by_kernels;  ///< For the count: compiled kernels gave it.
};

/// Both functions return as many arrays, of the same specs; an unset one stands for zeros. No
/// element may differ by more than `tolerance` times the largest magnitude of its array, and four
/// times the largest change that the last digits of the arguments make in it; NaN agrees with NaN,
/// infinity with the same infinity.
/// Errors: "accelerate:CheckFailed", which names the array and its worst element.
void CheckAgreement(const CheckedCall& call, double tolerance);

/// LAMINA_CHECK_ACCELERATION: how many runs of each trace are compared; 0 where it does not say.
/// Where it does, the end of the process tells what was compared.
int64_t ChecksByEnvironment();

}  // namespace lamina::internal

#endif  // FRAMEWORK_ACCELERATION_TRACE_CHECK_H_
