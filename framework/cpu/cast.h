#ifndef FRAMEWORK_CPU_CAST_H_
#define FRAMEWORK_CPU_CAST_H_

// Conversion between element types, and filling with one value.
//
// Threads: may be called from any thread; large work is split with ParallelFor.
//
//   cpu::Cast(DataType::kSingle, DataType::kDouble, n, x, y);

#include <cstdint>

#include "framework/dlarray/data_type.h"

namespace lamina::cpu {

/// Converts n elements; the memory of `in` and `out` must not overlap (it may be the same memory if
/// both types are the same). Every pair of types is supported:
/// - to single, double: nearest value, ties to even; complex gives its real part
/// - to complex: imaginary part +0
/// - to integers: rounded to nearest, halves away from zero, saturated; NaN gives 0; of complex the
///     real part
/// - to logical: 1 where the element is not zero (a NaN gives 1), else 0
void Cast(DataType from, DataType to, int64_t n, const void* in, void* out);

/// Rounds n elements to the nearest numbers of bfloat16 (the upper 16 bits of a float), ties to
/// even. Beyond the largest comes infinity; NaN stays as it is. `in` and `out` may be the same
/// memory.
void RoundToBfloat16(int64_t n, const float* in, float* out);

/// Sets n elements to the element at `value`.
void Fill(DataType type, int64_t n, const void* value, void* out);

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_CAST_H_
