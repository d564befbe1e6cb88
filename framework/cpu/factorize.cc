#include "framework/cpu/factorize.h"

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <numeric>
#include <type_traits>
#include <utility>
#include <vector>

#include "framework/cpu/factorize_eigen.h"
#include "framework/cpu/floating_type.h"
#include "framework/cpu/instruction_set.h"
#include "framework/cpu/one_thread.h"

namespace lamina::cpu {
namespace {

const FactorizeLoops& Loops() {
  static const FactorizeLoops loops = [] {
    switch (CurrentInstructionSet()) {
      case InstructionSet::kV4:
        return v4::FindFactorizeLoops();
      case InstructionSet::kV3:
        return v3::FindFactorizeLoops();
      default:
        return v2::FindFactorizeLoops();
    }
  }();
  return loops;
}

// Up to this many rows, and numbers on the right side, calling a library costs more than plain
// loops (measured).
constexpr int64_t kFewRows = 16, kFewNumbers = 32;

// Is n^2 m work for one thread?
bool IsSmall(int64_t n, int64_t m) {
  return static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(m) <
         kParallelOperations;
}

template <class T>
T Conjugate(T x) {
  if constexpr (std::is_floating_point_v<T>) {
    return x;
  } else {
    return std::conj(x);
  }
}

template <class T>
void LuOfFewRows(int64_t n, T* a, int32_t* pivots) {
  for (int64_t k = 0; k < n; ++k) {
    auto greatest = std::abs(T()) - 1;
    int64_t pivot = k;
    for (int64_t i = k; i < n; ++i) {
      const auto size = std::abs(a[i + k * n]);
      if (size > greatest) {
        greatest = size;
        pivot = i;
      }
    }
    pivots[k] = static_cast<int32_t>(pivot);
    if (pivot != k) {
      for (int64_t j = 0; j < n; ++j) std::swap(a[k + j * n], a[pivot + j * n]);
    }
    if (greatest == 0) continue;  // Zeros below the diagonal.
    for (int64_t i = k + 1; i < n; ++i) a[i + k * n] /= a[k + k * n];
    for (int64_t j = k + 1; j < n; ++j) {
      for (int64_t i = k + 1; i < n; ++i) a[i + j * n] -= a[i + k * n] * a[k + j * n];
    }
  }
}

template <class T>
void SolveFewRows(TriangleKind kind, bool transposed, int64_t n, int64_t m, const T* t, T* b) {
  const bool is_forward = (kind != TriangleKind::kUpper) != transposed;
  for (int64_t column = 0; column < m; ++column) {
    T* x = b + column * n;
    for (int64_t step = 0; step < n; ++step) {
      const int64_t row = is_forward ? step : n - 1 - step;
      const int64_t first = is_forward ? 0 : row + 1, last = is_forward ? row : n;
      T sum = x[row];
      for (int64_t k = first; k < last; ++k) {
        sum -= (transposed ? Conjugate(t[k + row * n]) : t[row + k * n]) * x[k];
      }
      const T diagonal = transposed ? Conjugate(t[row + row * n]) : t[row + row * n];
      x[row] = kind == TriangleKind::kUnitLower ? sum : sum / diagonal;
    }
  }
}

void SolveTriangle(DataType type, TriangleKind kind, bool transposed, int64_t n, int64_t m,
                   const void* t, void* b) {
  if (n > kFewRows || n * m > kFewNumbers) {
    return Loops().triangular_solve(type, kind, transposed, n, m, t, b);
  }
  WithFloatingType(type, [&](auto one) {
    using T = decltype(one);
    SolveFewRows(kind, transposed, n, m, static_cast<const T*>(t), static_cast<T*>(b));
  });
}

// The exchanges, in their order, that bring row i to places[i].
void ExchangesOf(int64_t n, int32_t* places) {
  std::vector<int32_t> row_at(n), place_of(n), wanted(n);
  std::iota(row_at.begin(), row_at.end(), 0);
  std::iota(place_of.begin(), place_of.end(), 0);
  for (int64_t i = 0; i < n; ++i) wanted[places[i]] = static_cast<int32_t>(i);
  for (int64_t k = 0; k < n; ++k) {
    const int32_t from = place_of[wanted[k]], moved = row_at[k];
    places[k] = from;
    std::swap(row_at[k], row_at[from]);
    place_of[moved] = from;
  }
}

// The rows of b exchanged as pivots say, or as their reverse does.
template <class T>
void Exchange(bool reverse, int64_t n, int64_t m, const int32_t* pivots, T* b) {
  for (int64_t column = 0; column < m; ++column) {
    T* x = b + column * n;
    for (int64_t step = 0; step < n; ++step) {
      const int64_t k = reverse ? n - 1 - step : step;
      std::swap(x[k], x[pivots[k]]);
    }
  }
}

template <class T>
void DeterminantOf(int64_t n, const T* lu, const int32_t* pivots, T* determinant, T* sign,
                   decltype(std::abs(T()))* log_magnitude) {
  T product = 1, direction = 1;
  double sum = 0;
  for (int64_t k = 0; k < n; ++k) {
    const T d = lu[k + k * n];
    const auto magnitude = std::abs(d);
    const T exchange = pivots[k] == k ? T(1) : T(-1);
    product *= exchange * d;
    direction *= magnitude == 0 ? T(0) : exchange * d / magnitude;
    sum += std::log(magnitude);
  }
  *determinant = product;
  *sign = direction;
  *log_magnitude = static_cast<decltype(std::abs(T()))>(sum);
}

template <class T>
void FinishCholesky(bool found, int64_t n, T* a) {
  // A NaN anywhere has reached the last element of the diagonal.
  const bool is_nan = !found || std::isnan(std::real(a[n * n - 1]));
  for (int64_t j = 0; j < n; ++j) {
    std::fill(a + j * n, a + j * n + j, T(0));
    if (is_nan) {
      const auto nan = std::numeric_limits<decltype(std::abs(T()))>::quiet_NaN();
      std::fill(a + j * n + j, a + (j + 1) * n, T(nan));
    }
  }
}

}  // namespace

void LuFactor(DataType type, int64_t n, void* a, int32_t* pivots) {
  if (n <= kFewRows) {
    return WithFloatingType(
        type, [&](auto one) { LuOfFewRows(n, static_cast<decltype(one)*>(a), pivots); });
  }
  const OneThread guard(IsSmall(n, n));
  Loops().lu(type, n, a, pivots);
  ExchangesOf(n, pivots);
}

void LuSolve(DataType type, bool transposed, int64_t n, int64_t m, const void* lu,
             const int32_t* pivots, void* b) {
  if (n == 0 || m == 0) return;
  const OneThread guard(IsSmall(n, m));
  const auto exchange = [&](bool reverse) {
    WithFloatingType(
        type, [&](auto one) { Exchange(reverse, n, m, pivots, static_cast<decltype(one)*>(b)); });
  };
  // P A = L U, so A^H = U^H L^H P.
  if (!transposed) exchange(false);
  const TriangleKind first = transposed ? TriangleKind::kUpper : TriangleKind::kUnitLower;
  const TriangleKind second = transposed ? TriangleKind::kUnitLower : TriangleKind::kUpper;
  SolveTriangle(type, first, transposed, n, m, lu, b);
  SolveTriangle(type, second, transposed, n, m, lu, b);
  if (transposed) exchange(true);
}

void LuDeterminant(DataType type, int64_t n, const void* lu, const int32_t* pivots,
                   void* determinant, void* sign, void* log_magnitude) {
  WithFloatingType(type, [&](auto one) {
    using T = decltype(one);
    DeterminantOf(n, static_cast<const T*>(lu), pivots, static_cast<T*>(determinant),
                  static_cast<T*>(sign), static_cast<decltype(std::abs(T()))*>(log_magnitude));
  });
}

void Cholesky(DataType type, int64_t n, void* a) {
  if (n == 0) return;
  const OneThread guard(IsSmall(n, n));
  const bool found = Loops().cholesky(type, n, a);
  WithFloatingType(type,
                   [&](auto one) { FinishCholesky(found, n, static_cast<decltype(one)*>(a)); });
}

void TriangularSolve(DataType type, bool lower, bool transposed, int64_t n, int64_t m,
                     const void* t, void* b) {
  if (n == 0 || m == 0) return;
  const OneThread guard(IsSmall(n, m));
  SolveTriangle(type, lower ? TriangleKind::kLower : TriangleKind::kUpper, transposed, n, m, t, b);
}

}  // namespace lamina::cpu
