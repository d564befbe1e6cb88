#ifndef FRAMEWORK_CPU_GEMM_AMX_H_
#define FRAMEWORK_CPU_GEMM_AMX_H_

// Products of single precision on the matrix unit of x86 processors with AMX, which multiplies
// bfloat16 and adds in single.
//
// Each number is split without an error into three bfloat16, x = high + middle + low, each at most
// 2^-8 of the one before it, and six of the nine products are added:
//
//   high high' + high middle' + middle high' + high low' + low high' + middle middle'
//
// What is left out (middle low', low middle', low low') is at most 2.1 u |x||x'| for u = 2^-24. An
// instruction of the unit adds 16 products one after another, two such sums, and the result to the
// sum so far; there are six for 32 numbers of k. So there are 17 + 6 ceil(k / 32) roundings in a
// block of at most 256, then one for the scale and one for each block. All magnitudes are at most
// 1.01 times those of |A||B|. So
//
//   |error| <= (22 + 6 ceil(min(k, 256) / 32) + k / 256) u |A||B|   (+ 2 u |beta C|),
//
// below the k u |A||B| of gemm.h for the products that are sent here (k >= 64). Measured, the error
// is a third to a half of that of the plain single product.
//
// The unit takes subnormal numbers for 0. Numbers are multiplied by 2^24 before they are split, so
// that all parts of all numbers are normal, and sums by 2^-48. Where sums are not finite, because A
// or B are not or because 2^48 times a sum overflows, that block of 32 x 32 is computed by the
// plain product: NaN and inf come out as there.
//
// Source of the method: Henry, Tang, Heinecke, Leveraging the bfloat16 Artificial Intelligence
// Datatype For Higher-Precision Computations, arXiv:1904.06376.
//
// Threads: may be called from any thread; large products are split with ParallelFor, and the result
// does not depend on the number of threads.

#include <cstdint>

namespace lamina::cpu {

/// C = alpha op(A) op(B) + beta C, as in gemm.h.
struct SingleProduct {
  bool transpose_a = false, transpose_b = false;
  int64_t m = 0, n = 0, k = 0;
  float alpha = 1;
  const float* a = nullptr;
  int64_t lda = 1;
  const float* b = nullptr;
  int64_t ldb = 1;
  float beta = 0;
  float* c = nullptr;
  int64_t ldc = 1;
};

/// Whether AmxGemm may be called for this product and is faster than AVX-512 (measured).
bool AmxPays(const SingleProduct& product);

/// `plain` computes the blocks that are not finite.
void AmxGemm(const SingleProduct& product, void (*plain)(const SingleProduct&));

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_GEMM_AMX_H_
