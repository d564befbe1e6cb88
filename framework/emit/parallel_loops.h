// Which loops of a program may run at once: what a device needs to know.
//
// A step's code is taken apart into nests. A nest is some parallel loops and what is done for each
// of their items. Loops are parallel when each array that is stored to is touched by no two items
// in the same element, which is shown from the indices alone: linear in the loops' variables, and
// like digits of a number with a base of its own for each variable. What cannot be shown to be
// parallel is one item.
//
//   for (const ParallelNest& nest : ParallelNests(step.code)) ...
//
// Threads: pure functions.
#ifndef FRAMEWORK_EMIT_PARALLEL_LOOPS_H_
#define FRAMEWORK_EMIT_PARALLEL_LOOPS_H_

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "framework/emit/linear_form.h"
#include "framework/loops/statement.h"

namespace lamina {

struct ParallelNest {
  std::vector<loops::Statement> loops;  ///< Outermost first, without their bodies.
  loops::Block body;                    ///< What is done for each item.
  bool is_shown = true;  ///< False: one item, since its loops could not be shown to be parallel.
};

/// A loop inside of a nest's body that several threads share, and what they join after it.
struct SharedLoop {
  /// How the parts of one variable become one.
  struct Joined {
    std::string variable;
    DataType type;
    std::optional<double> identity;  ///< A part starts with it; none: with the variable's value.
    /// Of a sum, `variable = variable + x`: that statement, which may stand under a condition. Of
    /// an extreme, `if (better) variable = value`: that statement; `value` is a name for another
    /// part.
    loops::Statement statement;
    std::string value;  ///< Of an extreme.
  };
  std::vector<loops::Statement> loops;  ///< Outermost first, without their bodies.
  loops::Block body;
  std::vector<Joined> joined;
  bool stores = false;
};

/// The nests of a step, in their order: one must end before the next begins. `variable` has the
/// values 1 to `most` (a number of observations); loops must be parallel for each.
std::vector<ParallelNest> ParallelNests(const loops::Block& code, const std::string& variable = "",
                                        int64_t most = 1);

/// The nest as code again.
loops::Block CodeOf(const ParallelNest& nest);

/// How many items the loops have, with `variable` at `value`.
int64_t NumItems(const std::vector<loops::Statement>& loops, const std::string& variable = "",
                 int64_t value = 1);

/// Each loop of the nest's body as one that threads may share, in the order in which they stand
/// there; nothing when one of them cannot be.
std::optional<std::vector<SharedLoop>> SharedLoops(const ParallelNest& nest,
                                                   const std::string& variable = "",
                                                   int64_t most = 1);

/// Does the code load elements that stand side by side in memory for neighbouring values of this
/// loop variable? False where an index is not linear.
bool LoadsNeighbours(const loops::Block& code, const std::string& loop_variable);

}  // namespace lamina

#endif  // FRAMEWORK_EMIT_PARALLEL_LOOPS_H_
