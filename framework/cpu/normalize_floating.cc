// The loops of normalization. Compiled once for each instruction set, with LAMINA_ISA set to its
// name; see multi_isa.bzl.

#include "framework/cpu/isa_namespace.h"
#include "framework/cpu/normalize_loops.h"

namespace lamina::cpu {
inline namespace LAMINA_ISA {
namespace {

using Block = NormalizeBlock;

template <class T>
struct Vector {
  static constexpr int kLanes = 64 / sizeof(T);
  typedef T Type __attribute__((vector_size(64)));
  typedef T Loaded __attribute__((vector_size(64), aligned(alignof(T)), may_alias));
  typedef decltype(Type{} < Type{}) Mask;

  static Type Load(const T* p) { return *reinterpret_cast<const Loaded*>(p); }
  // The lanes from `first` on.
  static Mask From(int first) {
    Mask mask;
    for (int i = 0; i < kLanes; ++i) mask[i] = i < first ? 0 : -1;
    return mask;
  }
  static T Total(Type a) {
    T lanes[kLanes];
    *reinterpret_cast<Loaded*>(lanes) = a;
    for (int width = kLanes / 2; width > 0; width /= 2) {
      for (int i = 0; i < width; ++i) lanes[i] += lanes[i + width];
    }
    return lanes[0];
  }
};

// A loop adds up one or two terms of each element; V is a number or a vector.
template <class T>
struct SumTerm {
  static constexpr int kSums = 1;
  static constexpr bool kReadsOther = false;
  T unused;
  template <class V>
  V First(V x, V) const {
    return x;
  }
};
template <class T>
struct SquareTerm {
  static constexpr int kSums = 1;
  static constexpr bool kReadsOther = false;
  T mean;
  template <class V>
  V First(V x, V) const {
    const V d = x - mean;
    return d * d;
  }
};
template <class T>
struct ProductTerms {
  static constexpr int kSums = 2;
  static constexpr bool kReadsOther = true;
  T unused;
  template <class V>
  V First(V, V other) const {
    return other;
  }
  template <class V>
  V Second(V x, V other) const {
    return x * other;
  }
};

// In two accumulators for each term. The last elements of a row are read together with some that
// were added already, which a mask takes out.
template <class Term, class T>
void GroupSums(const T* x, const T* other, Block block, int64_t columns, T* sums) {
  using Vec = Vector<T>;
  using V = typename Vec::Type;
  constexpr int kLanes = Vec::kLanes;
  Term term{T(0)};
  if constexpr (!Term::kReadsOther) {
    if (other != nullptr) term = Term{*other};
    other = x;
  }
  if (block.width < kLanes) {
    T first = 0, second = 0;
    for (int64_t r = 0; r < block.rows; ++r) {
      for (int64_t i = r * block.stride; i < r * block.stride + block.width; ++i) {
        first += term.First(x[i], other[i]);
        if constexpr (Term::kSums == 2) second += term.Second(x[i], other[i]);
      }
    }
    sums[0] += first;
    if constexpr (Term::kSums == 2) sums[columns] += second;
    return;
  }
  V first0{}, first1{}, second0{}, second1{};
  const int tail = static_cast<int>(block.width % kLanes);
  const typename Vec::Mask keep = Vec::From(kLanes - tail);
  const int64_t last = block.width - kLanes;
  for (int64_t r = 0; r < block.rows; ++r, x += block.stride, other += block.stride) {
    int64_t i = 0;
    for (; i + kLanes <= last; i += 2 * kLanes) {
      const V x0 = Vec::Load(x + i), x1 = Vec::Load(x + i + kLanes);
      const V o0 = Vec::Load(other + i), o1 = Vec::Load(other + i + kLanes);
      first0 += term.First(x0, o0);
      first1 += term.First(x1, o1);
      if constexpr (Term::kSums == 2) {
        second0 += term.Second(x0, o0);
        second1 += term.Second(x1, o1);
      }
    }
    if (i <= last) {
      const V x0 = Vec::Load(x + i), o0 = Vec::Load(other + i);
      first0 += term.First(x0, o0);
      if constexpr (Term::kSums == 2) second0 += term.Second(x0, o0);
    }
    if (tail != 0) {
      const V x0 = Vec::Load(x + last), o0 = Vec::Load(other + last);
      first1 += keep ? term.First(x0, o0) : V{};
      if constexpr (Term::kSums == 2) second1 += keep ? term.Second(x0, o0) : V{};
    }
  }
  sums[0] += Vec::Total(first0 + first1);
  if constexpr (Term::kSums == 2) sums[columns] += Vec::Total(second0 + second1);
}

template <class T>
void GroupStandardize(const T* x, const T* mean, const T* inverse, Block block, T* y) {
  const T m = *mean, s = *inverse;
  for (int64_t r = 0; r < block.rows; ++r, x += block.stride, y += block.stride) {
#pragma GCC ivdep
    for (int64_t i = 0; i < block.width; ++i) y[i] = (x[i] - m) * s;
  }
}

template <class T>
void GroupGradient(const T* y, const T* dy, const T* mean, const T* slope, const T* inverse,
                   Block block, T* dx) {
  const T m = *mean, k = *slope, s = *inverse;
  for (int64_t r = 0; r < block.rows; ++r) {
#pragma GCC ivdep
    for (int64_t i = 0; i < block.width; ++i) dx[i] = s * (dy[i] - m - y[i] * k);
    y += block.stride, dy += block.stride, dx += block.stride;
  }
}

template <class T>
void ColumnSum(const T* x, const T*, Block block, int64_t, T* sums) {
  for (int64_t r = 0; r < block.rows; ++r, x += block.stride) {
#pragma GCC ivdep
    for (int64_t j = 0; j < block.width; ++j) sums[j] += x[j];
  }
}

template <class T>
void ColumnSquares(const T* x, const T* mean, Block block, int64_t, T* sums) {
  for (int64_t r = 0; r < block.rows; ++r, x += block.stride) {
#pragma GCC ivdep
    for (int64_t j = 0; j < block.width; ++j) {
      const T d = x[j] - mean[j];
      sums[j] += d * d;
    }
  }
}

template <class T>
void ColumnProducts(const T* y, const T* dy, Block block, int64_t columns, T* sums) {
  T* products = sums + columns;
  for (int64_t r = 0; r < block.rows; ++r, y += block.stride, dy += block.stride) {
#pragma GCC ivdep
    for (int64_t j = 0; j < block.width; ++j) {
      sums[j] += dy[j];
      products[j] += y[j] * dy[j];
    }
  }
}

template <class T>
void ColumnStandardize(const T* x, const T* mean, const T* inverse, Block block, T* y) {
  for (int64_t r = 0; r < block.rows; ++r, x += block.stride, y += block.stride) {
#pragma GCC ivdep
    for (int64_t j = 0; j < block.width; ++j) y[j] = (x[j] - mean[j]) * inverse[j];
  }
}

template <class T>
void ColumnGradient(const T* y, const T* dy, const T* mean, const T* slope, const T* inverse,
                    Block block, T* dx) {
  for (int64_t r = 0; r < block.rows; ++r) {
#pragma GCC ivdep
    for (int64_t j = 0; j < block.width; ++j) {
      dx[j] = inverse[j] * (dy[j] - mean[j] - y[j] * slope[j]);
    }
    y += block.stride, dy += block.stride, dx += block.stride;
  }
}

// The error of a + b is itself a number: Knuth, The Art of Computer Programming 2, 4.2.2, theorem
// B.
template <class T>
void Accumulate(T* x, int64_t n, T* sum, T* rest) {
#pragma GCC ivdep
  for (int64_t j = 0; j < n; ++j) {
    const T a = sum[j], b = x[j], s = a + b, b_part = s - a;
    rest[j] += (a - (s - b_part)) + (b - b_part);
    sum[j] = s;
    x[j] = 0;
  }
}

template <class T>
void Finish(T* sum, const T* rest, int64_t n) {
#pragma GCC ivdep
  for (int64_t j = 0; j < n; ++j) sum[j] += rest[j];
}

template <class T>
void Contract(const T* x, int64_t inner, int64_t n, int64_t outer, T* groups) {
  constexpr int kLanes = 8;
  for (int64_t j = 0; j < n; ++j) groups[j] = 0;
  for (int64_t k = 0; k < outer; ++k) {
    for (int64_t j = 0; j < n; ++j, x += inner) {
      T lanes[kLanes] = {};
      int64_t i = 0;
      for (; i + kLanes <= inner; i += kLanes) {
        for (int l = 0; l < kLanes; ++l) lanes[l] += x[i + l];
      }
      T total = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) +
                ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
      for (; i < inner; ++i) total += x[i];
      groups[j] += total;
    }
  }
}

template <class T>
void Expand(const T* groups, int64_t inner, int64_t n, int64_t outer, T* x) {
  for (int64_t k = 0; k < outer; ++k) {
    for (int64_t j = 0; j < n; ++j, x += inner) {
      const T value = groups[j];
      for (int64_t i = 0; i < inner; ++i) x[i] = value;
    }
  }
}

template <class T>
constexpr NormalizeLoops<T> kLoops = {
    {GroupSums<SumTerm<T>, T>, GroupSums<SquareTerm<T>, T>, GroupSums<ProductTerms<T>, T>,
     GroupStandardize<T>, GroupGradient<T>},
    {ColumnSum<T>, ColumnSquares<T>, ColumnProducts<T>, ColumnStandardize<T>, ColumnGradient<T>},
    Accumulate<T>,
    Finish<T>,
    Contract<T>,
    Expand<T>};

}  // namespace

const NormalizeLoops<float>& FindNormalizeLoops(float) { return kLoops<float>; }
const NormalizeLoops<double>& FindNormalizeLoops(double) { return kLoops<double>; }

}  // namespace LAMINA_ISA
}  // namespace lamina::cpu
