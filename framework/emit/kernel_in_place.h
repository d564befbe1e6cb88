// What is computed from an array that is not read afterwards is stored in its place.
//
// Where a loop reads an element of one array and stores the same element of another one, and
// neither is touched there in any other way, the two can be one array: memory that is in the cache
// is stored to, and less of it is needed.
//
// Used by kernels.cc. Threads: pure functions but for their arguments.
#ifndef FRAMEWORK_EMIT_KERNEL_IN_PLACE_H_
#define FRAMEWORK_EMIT_KERNEL_IN_PLACE_H_

#include <string>
#include <utility>
#include <vector>

#include "framework/emit/kernels.h"
#include "framework/loops/statement.h"

namespace lamina::internal {

/// Pairs of arrays {read, stored}: each element of the first is read in one iteration alone, before
/// that one stores the same element of the second. Both remain what they are for the rest of the
/// code: nothing stores the first, nothing reads the second.
std::vector<std::pair<std::string, std::string>> InPlacePairs(const loops::Block& code);

/// Arguments of a call: one that is read, and one that may be stored in its place.
struct InPlaceArguments {
  int read = 0, stored = 0;
};

/// Makes one array of two that a call names so, where the first is scratch memory that is not
/// touched after the call, and the second is scratch memory or an output of the same size that is
/// not touched before. Then both arguments of the call are one and the same. Ranges stay what they
/// are, and so do calls but for the arrays that they name. `pairs` has an entry for each kernel.
/// Memory must not have been planned yet.
void ComputeInPlace(const Graph& graph, const std::vector<std::vector<InPlaceArguments>>& pairs,
                    KernelProgram* program);

}  // namespace lamina::internal

#endif  // FRAMEWORK_EMIT_KERNEL_IN_PLACE_H_
