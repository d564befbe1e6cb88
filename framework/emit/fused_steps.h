// Neighbouring steps of a program for a device that one kernel computes.
//
// Placement (placement.h) decides by values what one nest of loops computes. What is left apart and
// yet has as many items, each of which needs nothing of the steps before but what the same item has
// stored, is one nest here: the parts of a concatenation, and the value from which all of them
// follow. On a device each nest is a launch, which costs some microseconds, whatever it computes.
//
// Used by program.cc. Threads: a pure function but for its argument.
#ifndef FRAMEWORK_EMIT_FUSED_STEPS_H_
#define FRAMEWORK_EMIT_FUSED_STEPS_H_

#include "framework/emit/parallel_loops.h"
#include "framework/emit/program.h"
#include "framework/graph/graph.h"

namespace lamina::internal {

/// Both nests as one, the first before the second for each item; nothing when they do not have as
/// many items, when an item of the second needs what another one of the first stores, or stores
/// where another one loads, or where that could not be shown. What the second loads of what the
/// first stores is a variable. Loops whose sizes vary, and bodies with loops or conditions in them,
/// are left apart.
std::optional<ParallelNest> Fused(const ParallelNest& first, const ParallelNest& second);

/// Is what is done for each item variables and stores alone?
bool IsStraight(const ParallelNest& nest);

/// Fuses nests of a step, and steps with their neighbours, where a launch weighs more than what it
/// computes. Finds anew from which step to which arrays are needed.
void FuseSteps(const Graph& graph, Program* program);

/// Finds from which step to which each array is needed.
void FindLives(const Graph& graph, Program* program);

}  // namespace lamina::internal

#endif  // FRAMEWORK_EMIT_FUSED_STEPS_H_
