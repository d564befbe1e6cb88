// What is computed only to be copied into a larger array is computed in its place there.
//
// The outputs of the time steps of a recurrent layer are put together to one array, and so are
// their derivatives for the products that give the gradients of the weights: each would be stored,
// loaded and stored again.
//
// Used by kernels.cc. Threads: a pure function but for its argument.
#ifndef FRAMEWORK_EMIT_KERNEL_COPIES_H_
#define FRAMEWORK_EMIT_KERNEL_COPIES_H_

#include <cstdint>
#include <vector>

#include "framework/emit/kernels.h"

namespace lamina::internal {

/// A call that copies all elements of array `from` to array `to`, from byte `offset` on.
struct CopyCall {
  int call = 0;
  int from = 0, to = 0;
  int64_t offset = 0;
};

/// Takes out the copies, given in the order of the calls, whose source can lie in their target: it
/// is scratch memory that no op is called with and that is not stored to afterwards, and nothing
/// else touches its place in the target before the copy or stores there. Calls, accesses and
/// arguments of kernels are read and changed; memory must not have been planned yet.
void RemoveCopies(const Graph& graph, const std::vector<CopyCall>& copies, KernelProgram* program);

}  // namespace lamina::internal

#endif  // FRAMEWORK_EMIT_KERNEL_COPIES_H_
