// The loops of softmax. Compiled once for each instruction set, with LAMINA_ISA set to its name;
// see multi_isa.bzl.

#include "framework/cpu/isa_namespace.h"
#include "framework/cpu/math_exponential.h"
#include "framework/cpu/softmax_loops.h"

namespace lamina::cpu {
inline namespace LAMINA_ISA {
namespace {

// sum + rest += x with the rounding error of the addition kept in `rest`: so sums of exponentials
// are exact to about one rounding. (Knuth, The Art of Computer Programming 2, 4.2.2, theorem B.)
template <class V>
void Accumulate(V x, V* sum, V* rest) {
  const V a = *sum, s = a + x, x_part = s - a;
  *rest += (a - (s - x_part)) + (x - x_part);
  *sum = s;
}

template <class T>
struct Vector {
  static constexpr int kLanes = 64 / sizeof(T);
  typedef T Type __attribute__((vector_size(64)));
  typedef T Loaded __attribute__((vector_size(64), aligned(alignof(T)), may_alias));

  static Type Load(const T* p) { return *reinterpret_cast<const Loaded*>(p); }
};

// Largest of n elements but NaN; -inf for none.
template <class T>
T Largest(const T* x, int64_t n) {
  using Vec = Vector<T>;
  constexpr int kLanes = Vec::kLanes;
  T largest = -static_cast<T>(__builtin_inf());
  int64_t i = 0;
  if (n >= kLanes) {
    typename Vec::Type a = typename Vec::Type{} + largest, b = a;
    for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
      const auto u = Vec::Load(x + i), v = Vec::Load(x + i + kLanes);
      a = u > a ? u : a;
      b = v > b ? v : b;
    }
    const auto v = Vec::Load(x + n - kLanes), u = Vec::Load(x + (n - i < kLanes ? n - kLanes : i));
    a = u > a ? u : a;
    b = v > b ? v : b;
    a = a > b ? a : b;
    T lanes[kLanes];
    *reinterpret_cast<typename Vec::Loaded*>(lanes) = a;
    for (int width = kLanes / 2; width > 0; width /= 2) {
      for (int l = 0; l < width; ++l) {
        lanes[l] = lanes[l + width] > lanes[l] ? lanes[l + width] : lanes[l];
      }
    }
    return lanes[0];
  }
  for (; i < n; ++i) largest = x[i] > largest ? x[i] : largest;
  return largest;
}

// x = exp(x), and adds them; n is a multiple of the lanes.
template <class T>
void ExpAndAdd(T* x, int64_t n, typename Vector<T>::Type* sums, typename Vector<T>::Type* rests) {
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) x[i] = math::ExpOfNegative(x[i]);
  for (int64_t i = 0; i < n; i += Vector<T>::kLanes) {
    Accumulate(Vector<T>::Load(x + i), sums, rests);
  }
}

// The sum of all lanes.
template <class T, class V>
T TotalOf(V sums, V rests) {
  using Loaded = typename Vector<T>::Loaded;
  T sum[Vector<T>::kLanes], rest[Vector<T>::kLanes];
  *reinterpret_cast<Loaded*>(sum) = sums;
  *reinterpret_cast<Loaded*>(rest) = rests;
  for (int width = Vector<T>::kLanes / 2; width > 0; width /= 2) {
    for (int l = 0; l < width; ++l) {
      rest[l] += rest[l + width];
      Accumulate(sum[l + width], &sum[l], &rest[l]);
    }
  }
  return sum[0] + rest[0];
}

// In parts of kPart elements. The last one is done in `scratch`, filled up with -inf to whole
// vectors: exponentials of single elements would cost the most.
template <bool kLogarithm, class T>
void Line(const T* x, int64_t n, T* y, T* scratch) {
  constexpr int kLanes = Vector<T>::kLanes;
  constexpr int64_t kPart = kSoftmaxMaxWidth;
  const T m = Largest(x, n);
  const int64_t last = (n - 1) / kPart * kPart;
  typename Vector<T>::Type sums{}, rests{};
  for (int64_t start = 0; start < last; start += kPart) {
    const T* const from = x + start;
    T* const e = kLogarithm ? scratch : y + start;
#pragma GCC ivdep
    for (int64_t i = 0; i < kPart; ++i) e[i] = from[i] - m;
    ExpAndAdd(e, kPart, &sums, &rests);
  }
  const int64_t length = n - last, padded = (length + kLanes - 1) / kLanes * kLanes;
#pragma GCC ivdep
  for (int64_t i = 0; i < length; ++i) scratch[i] = x[last + i] - m;
  for (int64_t i = length; i < padded; ++i) scratch[i] = -static_cast<T>(__builtin_inf());
  ExpAndAdd(scratch, padded, &sums, &rests);
  const T sum = TotalOf<T>(sums, rests);
  if constexpr (kLogarithm) {
    const T logarithm = math::Log(sum);
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) y[i] = (x[i] - m) - logarithm;
  } else {
    const T factor = 1 / sum;
#pragma GCC ivdep
    for (int64_t i = 0; i < last; ++i) y[i] *= factor;
#pragma GCC ivdep
    for (int64_t i = 0; i < length; ++i) y[last + i] = scratch[i] * factor;
  }
}

template <bool kLogarithm, class T>
void Columns(const T* x, int64_t stride, int64_t n, int64_t width, T* y, T* scratch) {
  T* const m = scratch;
  T* const sum = scratch + kSoftmaxMaxWidth;
  T* const rest = scratch + 2 * kSoftmaxMaxWidth;
  for (int64_t j = 0; j < width; ++j) {
    m[j] = -static_cast<T>(__builtin_inf());
    sum[j] = rest[j] = 0;
  }
  for (int64_t r = 0; r < n; ++r) {
    const T* const row = x + r * stride;
#pragma GCC ivdep
    for (int64_t j = 0; j < width; ++j) m[j] = row[j] > m[j] ? row[j] : m[j];
  }
  for (int64_t r = 0; r < n; ++r) {
    const T* const row = x + r * stride;
    T* const out = y + r * stride;
#pragma GCC ivdep
    for (int64_t j = 0; j < width; ++j) {
      const T e = math::ExpOfNegative(row[j] - m[j]);
      Accumulate(e, &sum[j], &rest[j]);
      if constexpr (!kLogarithm) out[j] = e;
    }
  }
#pragma GCC ivdep
  for (int64_t j = 0; j < width; ++j) {
    const T total = sum[j] + rest[j];
    sum[j] = kLogarithm ? math::Log(total) : 1 / total;
  }
  for (int64_t r = 0; r < n; ++r) {
    const T* const row = x + r * stride;
    T* const out = y + r * stride;
#pragma GCC ivdep
    for (int64_t j = 0; j < width; ++j) {
      out[j] = kLogarithm ? (row[j] - m[j]) - sum[j] : out[j] * sum[j];
    }
  }
}

// Brings the columns of [inner x n x outer] side by side: packed[k][j] is element k of column j.
// The distance between the rows of `packed` is `width`.
template <class T>
void Pack(const T* x, int64_t inner, int64_t n, int64_t outer, int64_t width, T* packed) {
  for (int64_t o = 0; o < outer; ++o, packed += inner, x += inner * n) {
    if (inner == 1) {
      for (int64_t k = 0; k < n; ++k) packed[k * width] = x[k];
      continue;
    }
    for (int64_t k = 0; k < n; ++k) {
      for (int64_t i = 0; i < inner; ++i) packed[k * width + i] = x[k * inner + i];
    }
  }
}
template <class T>
void Unpack(const T* packed, int64_t width, int64_t inner, int64_t n, int64_t outer, T* y) {
  for (int64_t o = 0; o < outer; ++o, packed += inner, y += inner * n) {
    if (inner == 1) {
      for (int64_t k = 0; k < n; ++k) y[k] = packed[k * width];
      continue;
    }
    for (int64_t k = 0; k < n; ++k) {
      for (int64_t i = 0; i < inner; ++i) y[k * inner + i] = packed[k * width + i];
    }
  }
}

template <bool kLogarithm, class T>
void Packed(const T* x, int64_t inner, int64_t n, int64_t outer, T* y, T* scratch) {
  T* const packed = scratch + 4 * kSoftmaxMaxWidth;
  const int64_t width = inner * outer;
  Pack(x, inner, n, outer, width, packed);
  Columns<kLogarithm>(packed, width, n, width, packed, scratch);
  Unpack(packed, width, inner, n, outer, y);
}

template <class T>
void AnyLine(bool logarithm, const T* x, int64_t n, T* y, T* scratch) {
  (logarithm ? Line<true, T> : Line<false, T>)(x, n, y, scratch);
}
template <class T>
void AnyColumns(bool logarithm, const T* x, int64_t stride, int64_t n, int64_t width, T* y,
                T* scratch) {
  (logarithm ? Columns<true, T> : Columns<false, T>)(x, stride, n, width, y, scratch);
}
template <class T>
void AnyPacked(bool logarithm, const T* x, int64_t inner, int64_t n, int64_t outer, T* y,
               T* scratch) {
  (logarithm ? Packed<true, T> : Packed<false, T>)(x, inner, n, outer, y, scratch);
}

template <class T>
constexpr SoftmaxLoops<T> kLoops = {AnyLine<T>, AnyColumns<T>, AnyPacked<T>};

}  // namespace

const SoftmaxLoops<float>& FindSoftmaxLoops(float) { return kLoops<float>; }
const SoftmaxLoops<double>& FindSoftmaxLoops(double) { return kLoops<double>; }

}  // namespace LAMINA_ISA
}  // namespace lamina::cpu
