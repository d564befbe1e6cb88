// Compiled once for each instruction set, with LAMINA_ISA set to its name; see multi_isa.bzl. There
// too, `Eigen` is defined as a name of its own for each level, so that the copies of Eigen's inline
// functions stay apart.

#include "framework/cpu/gemm_eigen.h"

// GCC's own AVX-512 intrinsics use values that are undefined on purpose.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <Eigen/Core>

namespace lamina::cpu {
inline namespace LAMINA_ISA {
namespace {

template <class T>
using Dense = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
template <class M>
using View = Eigen::Map<M, Eigen::Unaligned, Eigen::OuterStride<>>;

// Calls f with the expression op(A).
template <class T, class F>
void WithOp(Transpose transpose, const View<const Dense<T>>& a, F f) {
  switch (transpose) {
    case Transpose::kNo:
      return f(a);
    case Transpose::kYes:
      return f(a.transpose());
    case Transpose::kConjugate:
      return f(a.adjoint());
  }
}

template <class T>
void RunAs(Transpose transpose_a, Transpose transpose_b, int64_t m, int64_t n, int64_t k,
           double alpha, const void* a, int64_t lda, const void* b, int64_t ldb, void* c,
           int64_t ldc) {
  const bool flip_a = transpose_a != Transpose::kNo, flip_b = transpose_b != Transpose::kNo;
  const View<const Dense<T>> x(static_cast<const T*>(a), flip_a ? k : m, flip_a ? m : k,
                               Eigen::OuterStride<>(lda));
  const View<const Dense<T>> y(static_cast<const T*>(b), flip_b ? n : k, flip_b ? k : n,
                               Eigen::OuterStride<>(ldb));
  View<Dense<T>> z(static_cast<T*>(c), m, n, Eigen::OuterStride<>(ldc));
  WithOp<T>(transpose_a, x, [&](const auto& op_a) {
    WithOp<T>(transpose_b, y,
              [&](const auto& op_b) { z.noalias() += static_cast<T>(alpha) * op_a * op_b; });
  });
}

void Run(DataType type, Transpose transpose_a, Transpose transpose_b, int64_t m, int64_t n,
         int64_t k, double alpha, const void* a, int64_t lda, const void* b, int64_t ldb, void* c,
         int64_t ldc) {
  const auto run = type == DataType::kDouble          ? RunAs<double>
                   : type == DataType::kComplexSingle ? RunAs<std::complex<float>>
                                                      : RunAs<std::complex<double>>;
  run(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, c, ldc);
}

}  // namespace

EigenGemmFn FindEigenGemm() { return Run; }

}  // namespace LAMINA_ISA
}  // namespace lamina::cpu
