// The memory of a program's intermediate arrays, planned once: what does not live at the same time
// shares elements.
//
// Threads: a pure function.
#ifndef FRAMEWORK_EMIT_SCRATCH_PLAN_H_
#define FRAMEWORK_EMIT_SCRATCH_PLAN_H_

#include "framework/emit/program.h"

namespace lamina::internal {

/// Sets the offsets of all scratch arrays from their first and last steps, largest arrays first,
/// each at the lowest place that is free during its life; and the program's `scratch`.
void PlanScratch(Program* program);

}  // namespace lamina::internal

#endif  // FRAMEWORK_EMIT_SCRATCH_PLAN_H_
