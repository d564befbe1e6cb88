// Steps of a program for a device that compute results side by side, as one kernel.
//
// A training step ends with an update for each learnable, of other sizes and of other arrays. On a
// device each is a launch, which costs some microseconds, whatever it computes. Here they are one
// nest, whose first items are those of the first, and so on:
//
//   for i < 32 + 512:  if (i < 32) { bias[i] = ... }  if (i >= 32) { weights[i - 32] = ... }
//
// Used by program.cc. Threads: a pure function but for its argument.
#ifndef FRAMEWORK_EMIT_JOINED_STEPS_H_
#define FRAMEWORK_EMIT_JOINED_STEPS_H_

#include "framework/emit/parallel_loops.h"
#include "framework/emit/program.h"
#include "framework/graph/graph.h"

namespace lamina::internal {

/// The items of both nests as those of one. Both are single loops of known sizes, and neither
/// touches what the other one stores. Of a nest that was joined before `first` is the result.
ParallelNest Joined(const ParallelNest& first, const ParallelNest& second);

/// Joins straight steps of one loop that store results of the program alone, where a launch weighs
/// more than what it computes, and nothing between them needs or stores what the later one does.
/// What stands in time steps stores elsewhere or into one array, and stays as it is: such kernels
/// are compiled once for all of them. Finds anew from which step to which arrays are needed.
void JoinSteps(const Graph& graph, Program* program);

}  // namespace lamina::internal

#endif  // FRAMEWORK_EMIT_JOINED_STEPS_H_
