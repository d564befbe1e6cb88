// Compiled for all machines alike: a scan reads and writes more than it computes.
#include "framework/cpu/scan.h"

#include <algorithm>
#include <complex>
#include <type_traits>

#include "framework/cpu/threads.h"
#include "framework/dlarray/error.h"

namespace lamina::cpu {
namespace {

constexpr int64_t kNarrow = 8;    // columns that are walked one by one
constexpr int64_t kChunk = 4096;  // elements that stay in the cache while they are
constexpr int64_t kTile = 1024;   // columns that are walked together, at most
constexpr int64_t kLeastTile = 64;

template <class T>
struct AccumulatorOf {
  using Type = T;
};
template <>
struct AccumulatorOf<float> {
  using Type = double;
};
template <>
struct AccumulatorOf<std::complex<float>> {
  using Type = std::complex<double>;
};
template <class T>
using Accumulator = typename AccumulatorOf<T>::Type;

// What is accumulated: from the first element of a line, and with the next. Join of two parts of a
// line, where there is one, is more exact than T.
template <class T>
struct Sum {
  using Value = T;
  using A = Accumulator<T>;
  static constexpr bool kHasJoin = std::is_same_v<T, float>;
  const T* x;
  A First(int64_t i) const { return A(x[i]); }
  A Next(A a, int64_t i) const { return a + A(x[i]); }
  static A Join(A a, A b) { return a + b; }
};
template <class T>
struct Prod {
  using Value = T;
  using A = Accumulator<T>;
  static constexpr bool kHasJoin = std::is_same_v<T, float>;
  const T* x;
  A First(int64_t i) const { return A(x[i]); }
  A Next(A a, int64_t i) const { return a * A(x[i]); }
  static A Join(A a, A b) { return a * b; }
};
template <class T, bool kIsMax>
struct Extreme {
  using Value = T;
  using A = T;
  static constexpr bool kHasJoin = false;
  const T* x;
  A First(int64_t i) const { return x[i]; }
  A Next(A a, int64_t i) const {
    const bool is_better = kIsMax ? x[i] > a : x[i] < a;
    return is_better | (a != a) ? x[i] : a;
  }
};
template <class T>
using Max = Extreme<T, true>;
template <class T>
using Min = Extreme<T, false>;
template <class T>
struct Recurrence {
  using Value = T;
  using A = Accumulator<T>;
  static constexpr bool kHasJoin = false;
  const T *a, *b;
  A First(int64_t i) const { return A(b[i]); }
  A Next(A y, int64_t i) const { return A(a[i]) * y + A(b[i]); }
};

// From element `at` on, `step` apart, with what came before; returns what came then. An addition
// takes several cycles, which the next one waits for: so parts of four are added up first.
template <class F, class T = typename F::Value, class A = typename F::A>
A Line(const F& f, A before, int64_t at, int64_t step, int64_t n, T* y) {
  if constexpr (F::kHasJoin) {
    for (; n >= 4; n -= 4, at += 4 * step) {
      const A first = f.First(at), second = f.Next(first, at + step),
              third = f.Next(second, at + 2 * step), fourth = f.Next(third, at + 3 * step);
      y[at] = static_cast<T>(F::Join(before, first));
      y[at + step] = static_cast<T>(F::Join(before, second));
      y[at + 2 * step] = static_cast<T>(F::Join(before, third));
      before = F::Join(before, fourth);
      y[at + 3 * step] = static_cast<T>(before);
    }
  }
  for (; n > 0; --n, at += step) {
    before = f.Next(before, at);
    y[at] = static_cast<T>(before);
  }
  return before;
}

// `width` columns side by side, at most kTile, row by row.
template <class F, class T = typename F::Value, class A = typename F::A>
void Columns(const F f, int64_t at, int64_t step, int64_t n, int64_t width, T* y) {
  A before[kTile];
  for (int64_t j = 0; j < width; ++j) {
    before[j] = f.First(at + j);
    y[at + j] = static_cast<T>(before[j]);
  }
  for (int64_t k = 1; k < n; ++k) {
    at += step;
#pragma GCC ivdep
    for (int64_t j = 0; j < width; ++j) {
      const A now = f.Next(before[j], at + j);
      before[j] = now;
      y[at + j] = static_cast<T>(now);
    }
  }
}

// Few columns, one after another in pieces of rows that stay in the cache.
template <class F, class T = typename F::Value, class A = typename F::A>
void NarrowColumns(const F& f, int64_t at, int64_t step, int64_t n, int64_t width, T* y) {
  A before[kNarrow];
  for (int64_t j = 0; j < width; ++j) {
    before[j] = f.First(at + j);
    y[at + j] = static_cast<T>(before[j]);
  }
  const int64_t rows = kChunk / width;
  for (int64_t k = 1; k < n; k += rows) {
    for (int64_t j = 0; j < width; ++j) {
      before[j] = Line(f, before[j], at + k * step + j, step, std::min(rows, n - k), y);
    }
  }
}

template <class F, class T = typename F::Value>
void Run(const F& f, bool reverse, int64_t inner, int64_t n, int64_t outer, T* y) {
  const int64_t start = reverse ? (n - 1) * inner : 0, step = reverse ? -inner : inner;
  if (inner < kNarrow) {
    const int64_t grain = std::max<int64_t>(1, kElementwiseGrain / (inner * n));
    return ParallelFor(outer, grain, [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; ++o) {
        NarrowColumns(f, o * n * inner + start, step, n, inner, y);
      }
    });
  }
  // Long rows are read fastest; but each thread is to have some. Columns do not depend on it.
  const int64_t of_thread = inner * outer / NumThreads();
  const int64_t tile = std::min(inner, std::clamp(of_thread, kLeastTile, kTile));
  const int64_t tiles = (inner + tile - 1) / tile;
  const int64_t grain = std::max<int64_t>(1, kElementwiseGrain / (tile * n));
  ParallelFor(outer * tiles, grain, [&](int64_t begin, int64_t end) {
    for (int64_t item = begin; item < end; ++item) {
      const int64_t column = item % tiles * tile;
      Columns(f, item / tiles * n * inner + start + column, step, n, std::min(tile, inner - column),
              y);
    }
  });
}

}  // namespace

bool IsScanSupported(ScanKind kind, DataType type) {
  if (kind == ScanKind::kMax || kind == ScanKind::kMin) return !IsComplex(type);
  return IsFloating(type) || type == DataType::kInt64;
}

void Scan(ScanKind kind, DataType type, bool reverse, int64_t inner, int64_t n, int64_t outer,
          const void* x, void* y) {
  LAMINA_CHECK(IsScanSupported(kind, type));
  if (inner == 0 || n == 0 || outer == 0) return;
  const auto run = [&]<class T>(auto f, T) {
    f.x = static_cast<const T*>(x);
    Run(f, reverse, inner, n, outer, static_cast<T*>(y));
  };
  const auto numbers = [&]<class T>(T zero) {
    kind == ScanKind::kSum ? run(Sum<T>(), zero) : run(Prod<T>(), zero);
  };
  const auto ordered = [&]<class T>(T zero) {
    kind == ScanKind::kMax ? run(Max<T>(), zero) : run(Min<T>(), zero);
  };
  const bool is_number = kind == ScanKind::kSum || kind == ScanKind::kProd;
  switch (type) {
    case DataType::kSingle:
      return is_number ? numbers(float()) : ordered(float());
    case DataType::kDouble:
      return is_number ? numbers(double()) : ordered(double());
    case DataType::kComplexSingle:
      return numbers(std::complex<float>());
    case DataType::kComplexDouble:
      return numbers(std::complex<double>());
    case DataType::kInt64:
      return is_number ? numbers(int64_t()) : ordered(int64_t());
    case DataType::kInt32:
      return ordered(int32_t());
    case DataType::kLogical:
    case DataType::kUint8:
      return ordered(uint8_t());
  }
}

void LinearRecurrence(DataType type, bool reverse, int64_t inner, int64_t n, int64_t outer,
                      const void* a, const void* b, void* y) {
  LAMINA_CHECK(IsFloating(type));
  if (inner == 0 || n == 0 || outer == 0) return;
  const auto run = [&]<class T>(T) {
    const Recurrence<T> f = {static_cast<const T*>(a), static_cast<const T*>(b)};
    Run(f, reverse, inner, n, outer, static_cast<T*>(y));
  };
  switch (type) {
    case DataType::kSingle:
      return run(float());
    case DataType::kDouble:
      return run(double());
    case DataType::kComplexSingle:
      return run(std::complex<float>());
    default:
      return run(std::complex<double>());
  }
}

}  // namespace lamina::cpu
