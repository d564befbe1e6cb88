// Sums in kernels: of which numbers, in which order, and by whom.
//
// Arrays of single are summed in double (program_loops.cc). A kernel adds up to some hundred terms
// in single first, then what comes of them in double: loops stay loops over vectors of single. The
// error stays within the bound of framework/cpu/reduce.h.
//
// Used by kernels.cc. Threads: pure functions but for their arguments.
#ifndef FRAMEWORK_EMIT_KERNEL_SUMS_H_
#define FRAMEWORK_EMIT_KERNEL_SUMS_H_

#include <functional>
#include <optional>
#include <string>

#include "framework/dlarray/format.h"
#include "framework/loops/statement.h"

namespace lamina::internal {

/// Sums of terms in single that an innermost loop adds up: each row of at most 1024 terms is added
/// in single, the rows in double. After MarkIndependent: compilers keep eight and more sums of a
/// row.
void AddRowsInSingle(loops::Block& block);

/// Sums whose terms threads share: `parts`, one loop, adds some of the terms each, and `totals` what
/// comes of them.
struct SumsInParts {
  loops::Block parts, totals;
};

/// That form of the code of one group of loops (program_loops.cc) whose sums are those of all of
/// the code: a number for each sum,
///   total = 0;  for j < m: total += x[j];  y[0] = total;
/// or a row of numbers,
///   for i < n: total[i] = 0;  for j < m: for i < n: total[i] += x[i + j n];  for i < n: y[i] = ..
/// Nothing for other code, and where there are few terms. How many parts there are depends on the
/// sizes alone. `new_array` makes an array for the parts' sums and gives its name.
std::optional<SumsInParts> ShareTerms(
    const loops::Block& code, const std::function<std::string(const ArraySpec&)>& new_array);

}  // namespace lamina::internal

#endif  // FRAMEWORK_EMIT_KERNEL_SUMS_H_
