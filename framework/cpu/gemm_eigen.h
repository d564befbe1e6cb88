#ifndef FRAMEWORK_CPU_GEMM_EIGEN_H_
#define FRAMEWORK_CPU_GEMM_EIGEN_H_

// Inside of gemm.h: C += alpha op(A) op(B) of double, complex single and complex double by Eigen,
// compiled for each instruction set.

#include <cstdint>

#include "framework/cpu/gemm.h"
#include "framework/cpu/isa_namespace.h"

namespace lamina::cpu {

using EigenGemmFn = void (*)(DataType type, Transpose transpose_a, Transpose transpose_b, int64_t m,
                             int64_t n, int64_t k, double alpha, const void* a, int64_t lda,
                             const void* b, int64_t ldb, void* c, int64_t ldc);

namespace v2 {
EigenGemmFn FindEigenGemm();
}
namespace v3 {
EigenGemmFn FindEigenGemm();
}
namespace v4 {
EigenGemmFn FindEigenGemm();
}

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_GEMM_EIGEN_H_
