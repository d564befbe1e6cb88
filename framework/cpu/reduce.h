#ifndef FRAMEWORK_CPU_REDUCE_H_
#define FRAMEWORK_CPU_REDUCE_H_

// Sums, products, extremes and the like over any set of dims of a dense column-major array.
//
// Threads: may be called from any thread; large work is split with ParallelFor. The order of the
// operations is fixed by the sizes alone: the result is the same, bit for bit, for every number of
// threads. (It may differ in the last bits between instruction sets.)
//
//   // y[1x1x20] = sum of x[24x24x20x128] over dims 0, 1 and 3
//   cpu::Reduce(Reduction::kSum, DataType::kSingle, x, {{24, 24, 20, 128}}, 0b1011, y);

#include <cstdint>
#include <span>

#include "framework/dlarray/data_type.h"

namespace lamina::cpu {

enum class Reduction : uint8_t {
  kSum,
  kProd,
  kSumSquares,  ///< sum of x * x (of |x|^2 for complex, with imaginary part 0)
  kMax,         ///< NaN elements are skipped; NaN if all are NaN
  kMin,         ///< likewise
  kAny,         ///< 1 if an element is not zero (NaN is not zero)
  kAll,         ///< 1 if no element is zero
  kArgMax,      ///< 0-based position of kMax, column-major over the reduced dims; first on ties
  kArgMin,      ///< likewise of kMin
};

/// Bit d of `dims` set: dim d is reduced. Dims beyond the rank are ignored. At most 32 dims.
using DimMask = uint32_t;

/// Whether Reduce supports the pair.
/// - kSum, kProd, kSumSquares: single, double, complex, int32, int64 (integers wrap around)
/// - kMax, kMin, kArgMax, kArgMin: all but complex
/// - kAny, kAll: all
bool IsReductionSupported(Reduction reduction, DataType type);

/// Type of the result: logical for kAny and kAll, int64 for kArgMax and kArgMin, else `type`.
DataType ReductionResultType(Reduction reduction, DataType type);

/// Reduces `in` of sizes `sizes` into the dense array `out`, in which the reduced dims have size 1.
/// The pair must be supported; `out` must not overlap `in`.
///
/// Floating-point sums add blocks of at most 2048 terms in 16 or more lanes (at most 128 terms
/// each) and then the blocks in pairs: |error| <= (130 + log2(n)) u sum|x|, u = 2^-24 (2^-53).
///
/// Over no elements: kSum and kSumSquares give 0, kProd 1, kAny 0, kAll 1, kMax and kMin NaN (for
/// integers and logical the least, the greatest value), kArgMax and kArgMin 0; if all elements are
/// NaN, kArgMax and kArgMin give 0.
void Reduce(Reduction reduction, DataType type, const void* in, std::span<const int64_t> sizes,
            DimMask dims, void* out);

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_REDUCE_H_
