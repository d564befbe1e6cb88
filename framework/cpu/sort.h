#ifndef FRAMEWORK_CPU_SORT_H_
#define FRAMEWORK_CPU_SORT_H_

// The order of the elements along one dim.
//
// Threads: may be called from any thread; large work is split with ParallelFor, over lines.
//
//   // x = {3, 1, NaN, 3} gives ranks = {1, 0, 3, 2}
//   cpu::RankAlong(DataType::kSingle, /*descending=*/false, 1, 4, 1, x, ranks);

#include <cstdint>

#include "framework/dlarray/data_type.h"

namespace lamina::cpu {

/// Where each element of [inner x n x outer], first dim fastest, would stand, from 0, if its line
/// along the middle dim were in order. Equal elements keep their order, 0 equals -0, and NaN is
/// last, in descending order too. For all types but complex. Takes time O(n log n) for a line, from
/// some hundred elements on O(n).
void RankAlong(DataType type, bool descending, int64_t inner, int64_t n, int64_t outer,
               const void* x, int64_t* ranks);

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_SORT_H_
