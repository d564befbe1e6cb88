// Which calls of a program touch an array, and where.
//
// Used by passes over the calls of kernels.cc. Threads: a pure function.
#ifndef FRAMEWORK_EMIT_ARRAY_TOUCHES_H_
#define FRAMEWORK_EMIT_ARRAY_TOUCHES_H_

#include <cstdint>
#include <vector>

#include "framework/emit/kernels.h"

namespace lamina::internal {

/// A call touches bytes [first, end) of an array, or some of them.
struct ArrayTouch {
  int call = 0;
  int64_t first = 0, end = 0;
  bool is_stored = false;
  bool by_op = false;  ///< The call is that of an op, which touches all.
};

/// For each array its touches, in the order of the calls.
std::vector<std::vector<ArrayTouch>> FindTouches(const Graph& graph, const KernelProgram& program);

/// All of an array, by a call of one part or by each of them.
KernelAccess WholeOf(const KernelProgram& program, int array, bool is_stored);

/// The bytes of an array.
int64_t BytesOf(const ProgramArray& array);

}  // namespace lamina::internal

#endif  // FRAMEWORK_EMIT_ARRAY_TOUCHES_H_
