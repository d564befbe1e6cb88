// Equations, factors and other things of matrices.
//
// Matrices are the first two dims of unlabelled arrays; further dims are pages, equal or 1 (then
// the page is repeated), as in MatMul (matmul.h). A vector is a column, a scalar a matrix of one
// element. Types promote; logical and integer arrays are computed as single. A^H is the conjugate
// transpose, for real types the transpose.
//
//   DlArray gain = Transpose(Solve(s, MatMul(h, p)));        // Kalman: P H' inv(S), P symmetric
//   DlArray l = Cholesky(k + 1e-6 * Eye(n));                 // a Gaussian process:
//   DlArray alpha = Solve(k, y);                             //   y' inv(K) y + log det K
//   DlArray loss = Dot(y, alpha) + LogDeterminant(k).log_magnitude;
//
// A function that has no result (a singular matrix, one that is not positive definite) gives
// infinity or NaN and never an error: whether there is one is seen from values only, and on a
// device nobody waits for them. Gradients of any order; those of what has no result are not finite
// either. The factorizations of Solve, Inverse and determinants are computed once and used by the
// gradients too. ScopedProductPrecision rounds none of this but the products in gradients.
//
// Errors of all: "dlarray:FormatMismatch" for labelled arrays, whose rows and columns would be a
// guess: strip them. "dlarray:SizeMismatch" for matrices that are not square where they must be,
// for rows that do not meet, for pages that are neither equal nor 1. Threads: pure functions,
// callable from any thread.
#ifndef FRAMEWORK_OPS_LINEAR_ALGEBRA_H_
#define FRAMEWORK_OPS_LINEAR_ALGEBRA_H_

#include "framework/dlarray/dlarray.h"
#include "framework/ops/dims.h"

namespace lamina {

/// x of a x = b, for a square a (n x n) and b of n rows: LU with partial pivoting.
/// Numeric contract: |a x - b| <= 3 n u |L| |U| |x| for each element (N. Higham, Accuracy and
/// Stability of Numerical Algorithms, theorem 9.4). A singular a gives infinity or NaN.
DlArray Solve(const DlArray& a, const DlArray& b);
/// Solve with the identity. To multiply by an inverse, Solve is faster and more exact.
DlArray Inverse(const DlArray& a);

/// One number for each square matrix: a scalar without dims for one matrix, else 1 x 1 x pages. It
/// is 0 if elimination meets a column without a pivot, 1 for a matrix without rows. The derivative
/// of a singular matrix is not finite. Source: d det = det tr(inv(a) da).
DlArray Determinant(const DlArray& a);
struct LogDeterminantResult {
  DlArray sign;           ///< det / |det|, of a's type; 0 for a singular matrix.
  DlArray log_magnitude;  ///< log |det|, real; -infinity for a singular matrix.
};
/// The determinant in two parts, neither of which overflows; sizes as those of Determinant.
LogDeterminantResult LogDeterminant(const DlArray& a);

/// The lower triangular L of a = L L^H with a positive diagonal, of a positive definite a. It is
/// that of (a + a^H) / 2, so an a that is not quite symmetric does no harm, and derivatives are
/// symmetric. If that is not positive definite, or has a NaN, L's lower triangle is NaN.
/// Numeric contract: |a - L L^H| <= (n + 1) u |L| |L^H|.
/// Source of the derivative: M. Giles, Collected matrix derivative results for forward and reverse
/// mode algorithmic differentiation, 2008; I. Murray, Differentiation of the Cholesky
/// decomposition, 2016.
DlArray Cholesky(const DlArray& a);

enum class Triangle : uint8_t { kLower, kUpper };
/// x of t x = b, or of t^H x = b with `transpose`, for the lower or upper triangle of a square t;
/// the other elements are not read. A zero on the diagonal gives infinity or NaN.
///
///   TriangularSolve(l, TriangularSolve(l, b), Triangle::kLower, true)   // of a x = b, a = l l^H
DlArray TriangularSolve(const DlArray& t, const DlArray& b, Triangle triangle = Triangle::kLower,
                        bool transpose = false);

/// Zeros but on and below (above) the diagonal number k: 0 is the main one, 1 that above it. Also
/// of matrices that are not square; types stay.
DlArray LowerTriangle(const DlArray& a, int64_t k = 0);
DlArray UpperTriangle(const DlArray& a, int64_t k = 0);
/// The elements on diagonal k as a column. Empty where there is no such diagonal.
DlArray Diagonal(const DlArray& a, int64_t k = 0);
/// The square matrix with v, a column, on its diagonal. Errors: "dlarray:SizeMismatch" for a v of
/// several columns.
DlArray DiagonalMatrix(const DlArray& v);
/// The sum of the diagonal: sizes as those of Determinant, but a need not be square.
DlArray Trace(const DlArray& a);
/// The n x n identity; EyeLike: of a's columns and type, without pages.
DlArray Eye(int64_t n, DataType type = DataType::kSingle);
DlArray EyeLike(const DlArray& a);

/// The Kronecker product: block (i, j) is a(i, j) b.
DlArray Kron(const DlArray& a, const DlArray& b);

/// The sum of conj(x) y over `dims`, of arrays of equal sizes, labelled or not. Errors: those of
/// DimSet; "dlarray:SizeMismatch" also where one would be repeated.
DlArray Dot(const DlArray& x, const DlArray& y, const DimSet& dims = DimSet::All());
/// The norm of the elements along `dims`, labelled or not: p = 1 the sum of magnitudes, 2 the root
/// of the sum of their squares (of a matrix over both dims the Frobenius norm), infinity the
/// largest magnitude. NaN where there is a NaN; 0 of no elements. Real, of all orders of
/// derivatives: at 0 they are zero, and of the largest magnitude equal ones share. Squares must be
/// in the type's range. Errors: those of DimSet; "ops:InvalidNorm" for another p.
DlArray Norm(const DlArray& x, double p = 2, const DimSet& dims = DimSet::All());

}  // namespace lamina

#endif  // FRAMEWORK_OPS_LINEAR_ALGEBRA_H_
