#ifndef FRAMEWORK_CPU_SCAN_H_
#define FRAMEWORK_CPU_SCAN_H_

// Sums, products and extremes of all that came so far along one dim, and linear recurrences.
//
// Arrays are [inner x n x outer], first dim fastest; y must not overlap the inputs. `reverse` goes
// from the last element to the first.
//
// Threads: may be called from any thread; large work is split with ParallelFor, over lines. The
// result does not depend on the number of threads.
//
//   // y[3 x 100]: in each row the sums of its first 1, 2, ..., 100 elements
//   cpu::Scan(ScanKind::kSum, DataType::kSingle, false, /*inner=*/3, /*n=*/100, /*outer=*/1, x, y);

#include <cstdint>

#include "framework/dlarray/data_type.h"

namespace lamina::cpu {

enum class ScanKind : uint8_t {
  kSum,
  kProd,
  kMax,  ///< NaN is passed over; NaN until there is another element
  kMin,  ///< likewise
};

/// Whether Scan supports the pair.
/// - kSum, kProd: single, double, complex, int64 (which wraps around)
/// - kMax, kMin: all but complex
bool IsScanSupported(ScanKind kind, DataType type);

/// y_k is that of x_0, ..., x_k along the middle dim. The pair must be supported.
///
/// Double is combined one after another, single (and complex single) in double and rounded once:
/// |error| of a sum <= k u sum|x| with u = 2^-53, and u |y| more with u = 2^-24 for single; that of
/// a product is k u |y| likewise.
void Scan(ScanKind kind, DataType type, bool reverse, int64_t inner, int64_t n, int64_t outer,
          const void* x, void* y);

/// y_k = a_k y_(k - 1) + b_k along the middle dim, y_0 = b_0; a_0 is not read. For single, double
/// and complex types, in double as above.
void LinearRecurrence(DataType type, bool reverse, int64_t inner, int64_t n, int64_t outer,
                      const void* a, const void* b, void* y);

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_SCAN_H_
