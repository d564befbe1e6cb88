// Memory for arrays that are not all needed at the same time.
//
// Threads: pure functions but for their arguments.
#ifndef FRAMEWORK_EMIT_SCRATCH_PLAN_H_
#define FRAMEWORK_EMIT_SCRATCH_PLAN_H_

#include <cstdint>
#include <vector>

namespace lamina::internal {

/// An array: how large it is, and from which step to which its values are needed.
struct Life {
  int64_t size = 0;
  int first = 0, last = 0;
  int64_t offset = 0;  ///< Is found.
};

/// Gives arrays whose lives meet places that do not. Returns the size of all. Few arrays are placed
/// from the largest to the smallest, which wastes little; many in the order of time, which is fast.
int64_t PlanMemory(std::vector<Life>* lives);

}  // namespace lamina::internal

#endif  // FRAMEWORK_EMIT_SCRATCH_PLAN_H_
