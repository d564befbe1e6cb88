// Compiled once for each instruction set; see gemm_eigen.cc.

#include "framework/cpu/factorize_eigen.h"

#include <algorithm>
#include <complex>

// GCC's own AVX-512 intrinsics use values that are undefined on purpose.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <Eigen/LU>

namespace lamina::cpu {
inline namespace LAMINA_ISA {
namespace {

template <class T>
using Dense = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;
template <class T>
using View = Eigen::Map<Dense<T>>;
// What Eigen factorizes in its place.
template <class T>
using InPlace = Eigen::Ref<Dense<T>>;

template <class T>
void LuOf(int64_t n, void* a, int32_t* places) {
  View<T> view(static_cast<T*>(a), n, n);
  InPlace<T> matrix(view);
  const Eigen::PartialPivLU<InPlace<T>> lu(matrix);
  std::copy_n(lu.permutationP().indices().data(), n, places);
}

template <class T>
bool CholeskyOf(int64_t n, void* a) {
  View<T> view(static_cast<T*>(a), n, n);
  InPlace<T> matrix(view);
  const Eigen::LLT<InPlace<T>, Eigen::Lower> factor(matrix);
  return factor.info() == Eigen::Success;
}

template <class T>
void SolveOf(TriangleKind kind, bool transposed, int64_t n, int64_t m, const void* t, void* b) {
  const Eigen::Map<const Dense<T>> matrix(static_cast<const T*>(t), n, n);
  View<T> x(static_cast<T*>(b), n, m);
  switch (kind) {
    case TriangleKind::kLower:
      return transposed ? matrix.adjoint().template triangularView<Eigen::Upper>().solveInPlace(x)
                        : matrix.template triangularView<Eigen::Lower>().solveInPlace(x);
    case TriangleKind::kUnitLower:
      return transposed
                 ? matrix.adjoint().template triangularView<Eigen::UnitUpper>().solveInPlace(x)
                 : matrix.template triangularView<Eigen::UnitLower>().solveInPlace(x);
    case TriangleKind::kUpper:
      return transposed ? matrix.adjoint().template triangularView<Eigen::Lower>().solveInPlace(x)
                        : matrix.template triangularView<Eigen::Upper>().solveInPlace(x);
  }
}

// `f` of the C++ type that `type` stands for.
template <class F>
auto WithType(DataType type, F f) {
  switch (type) {
    case DataType::kSingle:
      return f(float());
    case DataType::kComplexSingle:
      return f(std::complex<float>());
    case DataType::kComplexDouble:
      return f(std::complex<double>());
    default:
      return f(double());
  }
}

void Lu(DataType type, int64_t n, void* a, int32_t* places) {
  WithType(type, [&](auto one) { LuOf<decltype(one)>(n, a, places); });
}
bool Factorize(DataType type, int64_t n, void* a) {
  return WithType(type, [&](auto one) { return CholeskyOf<decltype(one)>(n, a); });
}
void Solve(DataType type, TriangleKind kind, bool transposed, int64_t n, int64_t m, const void* t,
           void* b) {
  WithType(type, [&](auto one) { SolveOf<decltype(one)>(kind, transposed, n, m, t, b); });
}

}  // namespace

FactorizeLoops FindFactorizeLoops() { return {Lu, Factorize, Solve}; }

}  // namespace LAMINA_ISA
}  // namespace lamina::cpu
