// Loops of kernels: what may be computed at once, and what each iteration touches.
//
// Used by kernels.cc and by what prints networks. Threads: pure functions but for their arguments.
#ifndef FRAMEWORK_EMIT_KERNEL_LOOPS_H_
#define FRAMEWORK_EMIT_KERNEL_LOOPS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "framework/emit/places.h"
#include "framework/loops/statement.h"

namespace lamina::internal {

/// for i < n, where n is known.
bool IsCountedLoop(const loops::Statement& s);

/// The innermost of loops of which each has nothing but the next one in it.
loops::Statement& Innermost(loops::Statement& loop);

/// Elements that the innermost loops compute in all.
int64_t Work(const loops::Block& block);

/// Marks the innermost loops whose iterations may be computed at once: what they store, no other
/// iteration reads or stores. The compiler would have to prove that no two arrays overlap, and
/// gives up when there are many.
void MarkIndependent(loops::Block& block);

/// Of loops inside of others that call elementary functions and whose length is no multiple of a
/// vector's: the last vector begins earlier, and computes some elements again. The rest would be
/// computed one by one, which takes as long as that many vectors. After MarkIndependent.
void MakeWholeVectors(loops::Block& block);

/// Sums over observations are computed for a row of neighbours at once:
///   for i < n: total[i] = 0;  for j < m: for i < n: total[i] += x[i + j n];  for i < n: ...
/// That code as one loop over i, which threads may share if its iterations are apart; nothing for
/// code of another form.
std::optional<loops::Statement> AsLoopOverRow(const loops::Block& code);
/// The same code for elements [begin, end) of the row.
void RestrictToPart(loops::Block& code);

/// Elements that iteration i of a loop touches: some or all of [first + i step, first + i step +
/// width), and of the same moved on by multiples of step times the loop's extent, up to `reach`.
struct Touch {
  static constexpr int64_t kAll = -1;  ///< As `width`: perhaps all elements, whatever i is.
  std::string array;
  bool is_stored = false;
  int64_t first = 0, step = 0, width = kAll, reach = 0;
  bool operator==(const Touch&) const = default;
};

/// What the iterations of a loop touch, each touch once.
std::vector<Touch> TouchesOf(const loops::Statement& loop);

/// Whether no iteration touches what another one stores.
bool IterationsAreApart(const std::vector<Touch>& touches);

}  // namespace lamina::internal

#endif  // FRAMEWORK_EMIT_KERNEL_LOOPS_H_
