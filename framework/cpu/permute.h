#ifndef FRAMEWORK_CPU_PERMUTE_H_
#define FRAMEWORK_CPU_PERMUTE_H_

// Reordering the dims of a dense column-major array.
//
// Threads: may be called from any thread; large work is split with ParallelFor.
//
//   // y[5x4] = transpose of x[4x5]
//   cpu::Permute(sizeof(float), x, {{4, 5}}, {{1, 0}}, y);

#include <cstddef>
#include <cstdint>
#include <span>

namespace lamina::cpu {

/// y(i_order[0], i_order[1], ...) = x(i_0, i_1, ...): dim d of `out` is dim order[d] of `in`, as in
/// MATLAB's permute. `sizes` are those of `in`; `order` is a permutation of 0 .. rank - 1, rank at
/// most 32. `element_size` is 1, 4, 8 or 16 bytes. `out` must not overlap `in`.
void Permute(size_t element_size, const void* in, std::span<const int64_t> sizes,
             std::span<const int> order, void* out);

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_PERMUTE_H_
