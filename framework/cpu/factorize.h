#ifndef FRAMEWORK_CPU_FACTORIZE_H_
#define FRAMEWORK_CPU_FACTORIZE_H_

// Matrices as products of triangular ones, and equations with these. Of one column-major matrix
// without gaps between its columns; who has many calls these for each, from several threads.
//
// Types: single, double, complex single, complex double. Threads: may be called from any thread.
// No input is refused: what cannot be computed becomes infinity or NaN.
//
//   cpu::LuFactor(DataType::kDouble, n, a, pivots);        // a becomes L and U
//   cpu::LuSolve(DataType::kDouble, false, n, 1, a, pivots, b);   // b becomes x of A x = b

#include <cstdint>

#include "framework/dlarray/data_type.h"

namespace lamina::cpu {

// Partial pivoting: rows exchanged so that P A = L U. `a` becomes L below its diagonal, where L has
// ones, and U from it on. Row k was exchanged with row pivots[k] >= k, for k from 0 on. A column
// without a pivot (a singular A) leaves a 0 on U's diagonal.
void LuFactor(DataType type, int64_t n, void* a, int32_t* pivots);

// b, n x m, becomes x of A x = b, or of A^H x = b, by what LuFactor made of A.
void LuSolve(DataType type, bool transposed, int64_t n, int64_t m, const void* lu,
             const int32_t* pivots, void* b);

// The determinant of A by what LuFactor made of it, in two forms: the product of U's diagonal with
// the sign of the exchanges, of A's type; and the product's sign z / |z| (0 for 0), of A's type,
// with the natural logarithm of its magnitude, real, which was added in double.
void LuDeterminant(DataType type, int64_t n, const void* lu, const int32_t* pivots,
                   void* determinant, void* sign, void* log_magnitude);

// The lower triangle of `a` becomes L of A = L L^H, the part above zero. A is Hermitian; what
// stands above its diagonal is not read. If A is not positive definite, or has a NaN, all of the
// lower triangle is NaN.
void Cholesky(DataType type, int64_t n, void* a);

// b, n x m, becomes x of T x = b, or of T^H x = b, for the lower or upper triangle T of t; the rest
// of t is not read.
void TriangularSolve(DataType type, bool lower, bool transposed, int64_t n, int64_t m,
                     const void* t, void* b);

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_FACTORIZE_H_
