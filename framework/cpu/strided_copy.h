#ifndef FRAMEWORK_CPU_STRIDED_COPY_H_
#define FRAMEWORK_CPU_STRIDED_COPY_H_

// Moving elements between regions with strides (slices, padding, concatenation, flips, repetition),
// and along one dim by indices.
//
// Threads: may be called from any thread; large work is split with ParallelFor.
//
//   // y[2x5] = rows 1 and 3 of x[4x5]: start at element 1, every second row
//   const int64_t sizes[] = {2, 5}, from[] = {2, 4}, to[] = {1, 2};
//   cpu::StridedCopy(sizeof(float), sizes, x + 1, from, y, to);

#include <cstddef>
#include <cstdint>
#include <span>

#include "framework/dlarray/data_type.h"

namespace lamina::cpu {

/// For every index (i_0, i_1, ...) below `sizes`:
///   out[sum_d i_d out_strides[d]] = in[sum_d i_d in_strides[d]].
/// Strides are in elements, may be negative (flip) and, for the input, 0 (repeat). The pointers are
/// those of index (0, 0, ...). All spans have the same length, at most 32. `element_size` is 1, 4,
/// 8 or 16 bytes. No two indices may write the same element, and `in` and `out` must not overlap.
void StridedCopy(size_t element_size, std::span<const int64_t> sizes, const void* in,
                 std::span<const int64_t> in_strides, void* out,
                 std::span<const int64_t> out_strides);

/// out[inner x count x outer] = in[inner x n x outer] taken at `indices` along the middle dim.
/// Every index must lie in [0, n): the caller checks it.
void Gather(size_t element_size, int64_t inner, int64_t n, int64_t outer, const void* in,
            int64_t count, const int64_t* indices, void* out);

/// The transpose of Gather: adds in[inner x count x outer] to out[inner x n x outer] at `indices`
/// along the middle dim, in the order of the indices (deterministic). For single, double and
/// complex types. Every index must lie in [0, n): the caller checks it.
void ScatterAdd(DataType type, int64_t inner, int64_t n, int64_t outer, const void* in,
                int64_t count, const int64_t* indices, void* out);

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_STRIDED_COPY_H_
