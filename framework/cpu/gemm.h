#ifndef FRAMEWORK_CPU_GEMM_H_
#define FRAMEWORK_CPU_GEMM_H_

// Products of column-major matrices: C = alpha op(A) op(B) + beta C.
//
// Single runs on oneDNN, large products on processors with AMX on its matrix unit (gemm_amx.h),
// double and complex on Eigen, very small products in a plain loop.
//
// Threads: may be called from any thread; large products use the pool of threads.h.
//
//   // C[m x n] = A'[m x k] B[k x n], A stored as [k x m]
//   cpu::Gemm(DataType::kSingle, Transpose::kYes, Transpose::kNo, m, n, k, 1.0, a, k, b, k,
//             0.0, c, m);

#include <cstdint>

#include "framework/dlarray/data_type.h"

namespace lamina::cpu {

enum class Transpose : uint8_t {
  kNo,
  kYes,        ///< op(A) = A', no conjugation
  kConjugate,  ///< op(A) = conjugate of A'; the same as kYes for real types
};

/// op(A) is m x k, op(B) is k x n, C is m x n. lda, ldb, ldc are the distances of neighbouring
/// columns in elements: at least the number of rows as stored (and at least 1). Types: single,
/// double, complex single, complex double; alpha and beta are real. With beta == 0 the old contents
/// of C do not matter (a NaN there is not spread). Sizes of 0 are allowed: with k == 0 or
/// alpha == 0, C becomes beta C. C must not overlap A or B. NaN and inf of A and B spread as in the
/// sum of the products, in the order that the library likes: |error| <= k u |A||B| for
/// u = 2^-24 (2^-53).
void Gemm(DataType type, Transpose transpose_a, Transpose transpose_b, int64_t m, int64_t n,
          int64_t k, double alpha, const void* a, int64_t lda, const void* b, int64_t ldb,
          double beta, void* c, int64_t ldc);

/// `batch` products; the matrices of batch i start at a + i stride_a and so on (in elements).
/// stride_a or stride_b may be 0 to use one matrix for all; stride_c must keep the results apart.
void GemmBatched(DataType type, Transpose transpose_a, Transpose transpose_b, int64_t m, int64_t n,
                 int64_t k, double alpha, const void* a, int64_t lda, int64_t stride_a,
                 const void* b, int64_t ldb, int64_t stride_b, double beta, void* c, int64_t ldc,
                 int64_t stride_c, int64_t batch);

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_GEMM_H_
