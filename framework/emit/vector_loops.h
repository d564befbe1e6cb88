// Loops in which a thread computes four neighbours, and reads and writes them at once.
//
//   if (const auto four = FourAtOnce(nest.loops, nest.body, program)) ...
//
// It is done where each array is touched either in neighbouring elements, whose first is a multiple
// of four, or in the same element by all four. What is read under a condition is read without it
// where the array has that element.
//
// Threads: pure functions.
#ifndef FRAMEWORK_EMIT_VECTOR_LOOPS_H_
#define FRAMEWORK_EMIT_VECTOR_LOOPS_H_

#include <optional>
#include <string>
#include <vector>

#include "framework/emit/program.h"
#include "framework/loops/statement.h"

namespace lamina {

/// How many elements a thread has at once.
inline constexpr int kAtOnce = 4;

struct VectorLoops {
  /// Four neighbours of an array that are kept in a variable.
  struct Access {
    std::string array, variable;
    DataType type;
    loops::Expression first;  ///< The index of the first of them.
    bool is_loaded = false, is_stored = false;
  };
  std::string innermost;  ///< A loop's variable: that of the first of four.
  std::vector<Access> accesses;
  loops::Block body;  ///< For one of the four: `variable.at[element]` is what is accessed.
};

/// `loops` are those around the body, all from 0; they are parallel but for what the body sums. The
/// innermost goes on by four. `variable` and `most` as in ParallelNests. Nothing where it cannot be
/// done.
std::optional<VectorLoops> FourAtOnce(const std::vector<loops::Statement>& loops,
                                      const loops::Block& body, const Program& program,
                                      const std::string& variable = "", int64_t most = 1);

}  // namespace lamina

#endif  // FRAMEWORK_EMIT_VECTOR_LOOPS_H_
