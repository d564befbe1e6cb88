#ifndef FRAMEWORK_CPU_FACTORIZE_EIGEN_H_
#define FRAMEWORK_CPU_FACTORIZE_EIGEN_H_

// Inside of factorize.h: factorizations and triangular equations by Eigen, compiled for each
// instruction set.

#include <cstdint>

#include "framework/cpu/isa_namespace.h"
#include "framework/dlarray/data_type.h"

namespace lamina::cpu {

// What stands on the diagonal of a triangular matrix.
enum class TriangleKind : uint8_t { kLower, kUnitLower, kUpper };

struct FactorizeLoops {
  // `a` becomes L and U; row i of A is row places[i] of P A.
  void (*lu)(DataType type, int64_t n, void* a, int32_t* places);
  // The lower triangle of `a` becomes the factor. False when it found that A is not positive
  // definite; then `a` has any contents.
  bool (*cholesky)(DataType type, int64_t n, void* a);
  void (*triangular_solve)(DataType type, TriangleKind kind, bool transposed, int64_t n, int64_t m,
                           const void* t, void* b);
};

namespace v2 {
FactorizeLoops FindFactorizeLoops();
}
namespace v3 {
FactorizeLoops FindFactorizeLoops();
}
namespace v4 {
FactorizeLoops FindFactorizeLoops();
}

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_FACTORIZE_EIGEN_H_
