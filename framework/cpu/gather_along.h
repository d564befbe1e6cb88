#ifndef FRAMEWORK_CPU_GATHER_ALONG_H_
#define FRAMEWORK_CPU_GATHER_ALONG_H_

// Elements along one dim by positions, which each line has its own of.
//
// Arrays are [inner x n x outer], first dim fastest. Positions are from 0 to n - 1: the caller
// checks them. Threads: may be called from any thread; large work is split with ParallelFor.
//
//   // x = {5, 6, 7}, positions = {2, 0} gives y = {7, 5}
//   cpu::GatherAlong(sizeof(float), 1, 3, 1, x, 2, positions, y);

#include <cstddef>
#include <cstdint>

#include "framework/dlarray/data_type.h"

namespace lamina::cpu {

/// y_k = x_(positions_k) in each line along the middle dim. Positions and y are
/// [inner x count x outer]; `element_size` is 1, 4, 8 or 16 bytes.
void GatherAlong(size_t element_size, int64_t inner, int64_t n, int64_t outer, const void* x,
                 int64_t count, const int64_t* positions, void* y);

/// The transpose: adds x, [inner x count x outer], to y, [inner x n x outer], at the positions in
/// each line, in their order. For single, double and complex types.
void ScatterAddAlong(DataType type, int64_t inner, int64_t n, int64_t outer, const void* x,
                     int64_t count, const int64_t* positions, void* y);

/// The inverse of a permutation in each line: y_(positions_k) = k.
void InvertAlong(int64_t inner, int64_t n, int64_t outer, const int64_t* positions, int64_t* y);

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_GATHER_ALONG_H_
