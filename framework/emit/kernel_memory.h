// The scratch memory of a program of kernels.
//
// An array is given memory from the first call that touches it to the last. Threads that walk
// through a range of calls (call_ranges.h) are not at the same call, so that memory serves two
// arrays within a range only where no thread notices: both belong to the range alone, and of both
// each item has the same bytes of that memory. All others that a range touches have memory for the
// whole range.
//
// Used by kernels.cc. Threads: a pure function but for its argument.
#ifndef FRAMEWORK_EMIT_KERNEL_MEMORY_H_
#define FRAMEWORK_EMIT_KERNEL_MEMORY_H_

#include "framework/emit/kernels.h"

namespace lamina::internal {

/// Finds offset, first_step and last_step of the scratch arrays, and scratch_bytes.
void PlanKernelMemory(const Graph& graph, KernelProgram* program);

}  // namespace lamina::internal

#endif  // FRAMEWORK_EMIT_KERNEL_MEMORY_H_
