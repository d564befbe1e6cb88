// Code for one size and the same code for another, as code for any.
//
//   // x[i + 60], i < 20 for a size of 2; x[i + 90], i < 30 for a size of 3
//   WithVariableSize(two, three, 2, 3, Expression::Variable("n"));   // x[i + 30 * n], i < 10 * n
//
// Nothing that wrote the code needs to know of sizes that vary: it is written twice, and where an
// integer differs it is taken to grow linearly.
//
// Threads: pure functions.
#ifndef FRAMEWORK_LOOPS_VARIABLE_SIZE_H_
#define FRAMEWORK_LOOPS_VARIABLE_SIZE_H_

#include <optional>

#include "framework/loops/statement.h"

namespace lamina::loops {

/// `a` is for `size_a`, `b` for `size_b`. Nothing where they differ in more than integers, or in an
/// integer that is not linear in the size with whole coefficients. Whether all sizes behave so is
/// for the caller to try: a third size must give the same code.
std::optional<Block> WithVariableSize(const Block& a, const Block& b, int64_t size_a,
                                      int64_t size_b, const Expression& size);

}  // namespace lamina::loops

#endif  // FRAMEWORK_LOOPS_VARIABLE_SIZE_H_
