// The loops of pooling. Compiled once for each instruction set, with LAMINA_ISA set to its name;
// see multi_isa.bzl.

#include <cstddef>
#include <cstdint>

#include "framework/cpu/isa_namespace.h"
#include "framework/cpu/pooling_loops.h"

namespace lamina::cpu {
inline namespace LAMINA_ISA {
namespace {

using Geometry = PoolingGeometry;

// Positions in a plane: as wide as the numbers, so that both fit the same vectors.
template <class T>
struct PositionOf;
template <>
struct PositionOf<float> {
  using Type = int32_t;
};
template <>
struct PositionOf<double> {
  using Type = int64_t;
};

int64_t Least(int64_t a, int64_t b) { return a < b ? a : b; }
int64_t Greatest(int64_t a, int64_t b) { return a < b ? b : a; }

// [begin, end)
struct Range {
  int64_t begin, end;
};

// The part of the window of output o that lies in the input, in dim d, as positions in the input.
Range WindowInside(const Geometry& g, int d, int64_t o) {
  const int64_t start = o * g.stride[d] - g.pad_begin[d];
  return {Greatest(start, 0), Least(start + g.window[d], g.input[d])};
}

// The outputs whose windows have their element `tap` in the input, in the first dim.
Range OutputsOfTap(const Geometry& g, int64_t tap) {
  const int64_t s = g.stride[0], shift = tap - g.pad_begin[0];  // position = o * s + shift
  const int64_t begin = shift < 0 ? (-shift + s - 1) / s : 0;
  const int64_t room = g.input[0] - shift;
  const int64_t end = room <= 0 ? 0 : Least((room + s - 1) / s, g.output[0]);
  return {begin, Greatest(begin, end)};
}

// Whether v takes the place of the largest so far: larger, or the first NaN.
template <class T>
bool Wins(T v, T best) {
  return !(v <= best) & (best == best);
}

// --- Windows of 2 x 2 with stride 2, without padding: as fast as memory. ---

enum class Mode { kMax, kMaxAndIndices, kAverage };

// `kLanes` outputs of one row.
template <class T, int kLanes>
struct Pool2x2 {
  using P = typename PositionOf<T>::Type;
  typedef T V __attribute__((vector_size(kLanes * sizeof(T))));
  typedef T LoadedV
      __attribute__((vector_size(kLanes * sizeof(T)), aligned(alignof(T)), may_alias));
  typedef P I __attribute__((vector_size(kLanes * sizeof(P))));
  typedef int64_t L __attribute__((vector_size(kLanes * sizeof(int64_t))));
  typedef int64_t LoadedL
      __attribute__((vector_size(kLanes * sizeof(int64_t)), aligned(8), may_alias));

  static V Load(const T* p) { return *reinterpret_cast<const LoadedV*>(p); }

  // `even` and `odd` choose from 2 * kLanes numbers, `first` holds 0, 2, 4, ...
  I even, odd, first;
  Pool2x2() {
    for (int i = 0; i < kLanes; ++i) {
      even[i] = static_cast<P>(2 * i);
      odd[i] = static_cast<P>(2 * i + 1);
      first[i] = static_cast<P>(2 * i);
    }
  }

  static void Take(V v, I position, V* best, I* best_position) {
    const I wins = ~(v <= *best) & (*best == *best);
    *best = wins ? v : *best;
    *best_position = wins ? position : *best_position;
  }

  template <Mode kMode>
  void Do(const T* x, int64_t row, P position, T* y, int64_t* indices) const {
    const V a = Load(x), b = Load(x + kLanes), c = Load(x + row), d = Load(x + row + kLanes);
    if constexpr (kMode == Mode::kAverage) {
      const V left = a + c, right = b + d;
      *reinterpret_cast<LoadedV*>(y) =
          (__builtin_shuffle(left, right, even) + __builtin_shuffle(left, right, odd)) * T(0.25);
      return;
    }
    V best = __builtin_shuffle(a, b, even);
    I best_position = first + position;
    const I below = best_position + static_cast<P>(row);
    const I right = best_position + 1;
    Take(__builtin_shuffle(a, b, odd), right, &best, &best_position);
    Take(__builtin_shuffle(c, d, even), below, &best, &best_position);
    Take(__builtin_shuffle(c, d, odd), below + 1, &best, &best_position);
    *reinterpret_cast<LoadedV*>(y) = best;
    if constexpr (kMode == Mode::kMaxAndIndices) {
      *reinterpret_cast<LoadedL*>(indices) = __builtin_convertvector(best_position, L);
    }
  }
};

// Rows of at least kLanes outputs. The last outputs of a row are computed together with some that
// were computed already.
template <class T, int kLanes, Mode kMode>
void Rows2x2(const Geometry& g, int64_t rows, const T* x, T* y, int64_t* indices) {
  using P = typename PositionOf<T>::Type;
  constexpr bool kIndices = kMode == Mode::kMaxAndIndices;
  const Pool2x2<T, kLanes> loop;
  const int64_t width = g.input[0], n = g.output[0], rows_of_plane = g.output[1];
  int64_t row_in_plane = 0;
  for (int64_t r = 0; r < rows; ++r) {
    const T* const from = x + 2 * row_in_plane * width;
    const P position = static_cast<P>(2 * row_in_plane * width);
    for (int64_t i = 0; i + kLanes <= n; i += kLanes) {
      loop.template Do<kMode>(from + 2 * i, width, position + static_cast<P>(2 * i), y + i,
                              kIndices ? indices + i : nullptr);
    }
    if (n % kLanes != 0) {
      const int64_t i = n - kLanes;
      loop.template Do<kMode>(from + 2 * i, width, position + static_cast<P>(2 * i), y + i,
                              kIndices ? indices + i : nullptr);
    }
    y += n;
    if (kIndices) indices += n;
    if (++row_in_plane == rows_of_plane) {
      row_in_plane = 0;
      x += g.input_plane;
    }
  }
}

// False if the shape is another one.
template <Mode kMode, class T>
bool Planes2x2(const Geometry& g, int64_t planes, const T* x, T* y, int64_t* indices) {
  constexpr int kMost = 64 / sizeof(T);
  for (int d = 0; d < 3; ++d) {
    const int64_t size = d < 2 ? 2 : 1;
    if (g.window[d] != size || g.stride[d] != size || g.pad_begin[d] != 0) return false;
    if (2 * g.output[d] > g.input[d] && d < 2) return false;
  }
  if (g.input[2] != 1) return false;
  const int64_t n = g.output[0], rows = planes * g.output[1];
  if (n >= kMost) {
    Rows2x2<T, kMost, kMode>(g, rows, x, y, indices);
  } else if (n >= kMost / 2) {
    Rows2x2<T, kMost / 2, kMode>(g, rows, x, y, indices);
  } else if (n >= kMost / 4) {
    Rows2x2<T, kMost / 4, kMode>(g, rows, x, y, indices);
  } else {
    return false;
  }
  return true;
}

// --- Maximum of any windows. ---

// One element of each window of a row is compared with the best so far.
template <class T, class P, int64_t kStride>
void MaxTap(const T* x, int64_t stride, int64_t n, P position, T* best, P* best_position) {
  if (kStride > 0) stride = kStride;
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) {
    const T v = x[i * stride], b = best[i];
    const P at = position + static_cast<P>(i * stride), old = best_position[i];
    const bool wins = Wins(v, b);
    best[i] = wins ? v : b;
    best_position[i] = wins ? at : old;
  }
}

// A row of outputs, tap after tap; `taps` has the OutputsOfTap.
template <class T, class P>
void MaxRowByTaps(const Geometry& g, const Range* taps, const T* plane, Range in1, Range in2, T* y,
                  P* positions) {
  const int64_t n = g.output[0], s = g.stride[0];
  const int64_t start = (in2.begin * g.input[1] + in1.begin) * g.input[0];
  for (int64_t i = 0; i < n; ++i) {
    y[i] = -static_cast<T>(__builtin_inf());
    positions[i] = static_cast<P>(start + Greatest(i * s - g.pad_begin[0], 0));
  }
  for (int64_t i2 = in2.begin; i2 < in2.end; ++i2) {
    for (int64_t i1 = in1.begin; i1 < in1.end; ++i1) {
      const int64_t row = (i2 * g.input[1] + i1) * g.input[0];
      for (int64_t tap = 0; tap < g.window[0]; ++tap) {
        const Range o = taps[tap];
        const int64_t from = row + o.begin * s + tap - g.pad_begin[0];
        const auto loop = s == 1 ? MaxTap<T, P, 1> : s == 2 ? MaxTap<T, P, 2> : MaxTap<T, P, 0>;
        if (o.end > o.begin) {
          loop(plane + from, s, o.end - o.begin, static_cast<P>(from), y + o.begin,
               positions + o.begin);
        }
      }
    }
  }
}

// A row of few outputs with wide windows.
template <class T, class P>
void MaxRowByOutputs(const Geometry& g, const Range*, const T* plane, Range in1, Range in2, T* y,
                     P* positions) {
  for (int64_t i = 0; i < g.output[0]; ++i) {
    const Range in0 = WindowInside(g, 0, i);
    T best = -static_cast<T>(__builtin_inf());
    int64_t position = (in2.begin * g.input[1] + in1.begin) * g.input[0] + in0.begin;
    for (int64_t i2 = in2.begin; i2 < in2.end; ++i2) {
      for (int64_t i1 = in1.begin; i1 < in1.end; ++i1) {
        const int64_t row = (i2 * g.input[1] + i1) * g.input[0];
        for (int64_t k = row + in0.begin; k < row + in0.end; ++k) {
          if (Wins(plane[k], best)) {
            best = plane[k];
            position = k;
          }
        }
      }
    }
    y[i] = best;
    positions[i] = static_cast<P>(position);
  }
}

template <class T, class P>
void MaxPlanes(const Geometry& g, int64_t planes, const T* x, T* y, int64_t* indices,
               void* scratch) {
  const int64_t n = g.output[0];
  const bool by_outputs = n < g.window[0] || n < 4;
  const auto row = by_outputs ? MaxRowByOutputs<T, P> : MaxRowByTaps<T, P>;
  Range* const taps = static_cast<Range*>(scratch);
  P* const positions = reinterpret_cast<P*>(taps + (by_outputs ? 0 : g.window[0]));
  for (int64_t t = 0; t < g.window[0] && !by_outputs; ++t) taps[t] = OutputsOfTap(g, t);
  for (int64_t p = 0; p < planes; ++p, x += g.input_plane) {
    for (int64_t o2 = 0; o2 < g.output[2]; ++o2) {
      for (int64_t o1 = 0; o1 < g.output[1]; ++o1, y += n) {
        row(g, taps, x, WindowInside(g, 1, o1), WindowInside(g, 2, o2), y, positions);
        if (indices == nullptr) continue;
        for (int64_t i = 0; i < n; ++i) indices[i] = positions[i];
        indices += n;
      }
    }
  }
}

template <class T>
void MaxForward(const Geometry& g, int64_t planes, const T* x, T* y, int64_t* indices,
                void* scratch) {
  using P = typename PositionOf<T>::Type;
  if (g.input_plane > INT32_MAX && sizeof(P) == 4) {
    return MaxPlanes<T, int64_t>(g, planes, x, y, indices, scratch);
  }
  const bool done = indices == nullptr
                        ? Planes2x2<Mode::kMax, T>(g, planes, x, y, nullptr)
                        : Planes2x2<Mode::kMaxAndIndices, T>(g, planes, x, y, indices);
  if (!done) MaxPlanes<T, P>(g, planes, x, y, indices, scratch);
}

template <class T>
void MaxBackward(const Geometry& g, int64_t planes, const T* dy, const int64_t* indices, T* dx) {
  for (int64_t p = 0; p < planes; ++p, dx += g.input_plane) {
    __builtin_memset(dx, 0, static_cast<size_t>(g.input_plane) * sizeof(T));
    for (int64_t i = 0; i < g.output_plane; ++i) dx[indices[i]] += dy[i];
    dy += g.output_plane;
    indices += g.output_plane;
  }
}

// --- Average: sums of columns into one padded row, then sums along it; and back. ---

template <class T, int64_t kStride>
void GatherTap(const T* row, int64_t stride, int64_t n, T* y) {
  if (kStride > 0) stride = kStride;
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) y[i] += row[i * stride];
}
template <class T, int64_t kStride>
void ScatterTap(const T* dy, int64_t stride, int64_t n, T* row) {
  if (kStride > 0) stride = kStride;
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) row[i * stride] += dy[i];
}

template <class T>
void AddRow(const T* x, int64_t n, T* y) {
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) y[i] += x[i];
}

// Elements of a padded row that windows reach.
int64_t PaddedRow(const Geometry& g) { return (g.output[0] - 1) * g.stride[0] + g.window[0]; }

// How many elements of each window count, in the first dim.
template <class T>
void CountInRow(const Geometry& g, bool count_padding, T* counts) {
  for (int64_t i = 0; i < g.output[0]; ++i) {
    const Range in = WindowInside(g, 0, i);
    counts[i] = static_cast<T>(count_padding ? g.window[0] : in.end - in.begin);
  }
}

template <class T>
void AverageForward(const Geometry& g, bool count_padding, int64_t planes, const T* x, T* y,
                    void* scratch) {
  if (Planes2x2<Mode::kAverage, T>(g, planes, x, y, nullptr)) return;
  const int64_t n = g.output[0], s = g.stride[0], pad = g.pad_begin[0];
  T* const counts = static_cast<T*>(scratch);
  T* const row = counts + n;
  const int64_t padded = PaddedRow(g);
  const int64_t used = Least(g.input[0], padded - pad);  // of an input row
  const auto tap_loop = s == 1 ? GatherTap<T, 1> : s == 2 ? GatherTap<T, 2> : GatherTap<T, 0>;
  CountInRow(g, count_padding, counts);
  for (int64_t i = 0; i < padded; ++i) row[i] = 0;
  for (int64_t p = 0; p < planes; ++p, x += g.input_plane) {
    for (int64_t o2 = 0; o2 < g.output[2]; ++o2) {
      const Range in2 = WindowInside(g, 2, o2);
      for (int64_t o1 = 0; o1 < g.output[1]; ++o1, y += n) {
        const Range in1 = WindowInside(g, 1, o1);
        for (int64_t i = 0; i < used; ++i) row[pad + i] = 0;
        for (int64_t i2 = in2.begin; i2 < in2.end; ++i2) {
          for (int64_t i1 = in1.begin; i1 < in1.end; ++i1) {
            AddRow(x + (i2 * g.input[1] + i1) * g.input[0], used, row + pad);
          }
        }
        const T rows =
            static_cast<T>(count_padding ? g.window[1] * g.window[2]
                                         : (in1.end - in1.begin) * (in2.end - in2.begin));
        if (n < g.window[0]) {
          for (int64_t i = 0; i < n; ++i) {
            T sum = 0;
            for (int64_t k = i * s; k < i * s + g.window[0]; ++k) sum += row[k];
            y[i] = sum / (rows * counts[i]);
          }
          continue;
        }
        for (int64_t i = 0; i < n; ++i) y[i] = 0;
        for (int64_t tap = 0; tap < g.window[0]; ++tap) tap_loop(row + tap, s, n, y);
#pragma GCC ivdep
        for (int64_t i = 0; i < n; ++i) y[i] /= rows * counts[i];
      }
    }
  }
}

template <class T>
void AverageBackward(const Geometry& g, bool count_padding, int64_t planes, const T* dy, T* dx,
                     void* scratch) {
  const int64_t n = g.output[0], s = g.stride[0], pad = g.pad_begin[0];
  T* const counts = static_cast<T*>(scratch);
  T* const shares = counts + n;
  T* const row = shares + n;
  const int64_t padded = PaddedRow(g);
  const int64_t used = Least(g.input[0], padded - pad);
  const auto tap_loop = s == 1 ? ScatterTap<T, 1> : s == 2 ? ScatterTap<T, 2> : ScatterTap<T, 0>;
  CountInRow(g, count_padding, counts);
  for (int64_t p = 0; p < planes; ++p, dx += g.input_plane) {
    __builtin_memset(dx, 0, static_cast<size_t>(g.input_plane) * sizeof(T));
    for (int64_t o2 = 0; o2 < g.output[2]; ++o2) {
      const Range in2 = WindowInside(g, 2, o2);
      for (int64_t o1 = 0; o1 < g.output[1]; ++o1, dy += n) {
        const Range in1 = WindowInside(g, 1, o1);
        const T rows =
            static_cast<T>(count_padding ? g.window[1] * g.window[2]
                                         : (in1.end - in1.begin) * (in2.end - in2.begin));
#pragma GCC ivdep
        for (int64_t i = 0; i < n; ++i) shares[i] = dy[i] / (rows * counts[i]);
        for (int64_t i = 0; i < padded; ++i) row[i] = 0;
        if (n < g.window[0]) {
          for (int64_t i = 0; i < n; ++i) {
            for (int64_t k = i * s; k < i * s + g.window[0]; ++k) row[k] += shares[i];
          }
        } else {
          for (int64_t tap = 0; tap < g.window[0]; ++tap) tap_loop(shares, s, n, row + tap);
        }
        for (int64_t i2 = in2.begin; i2 < in2.end; ++i2) {
          for (int64_t i1 = in1.begin; i1 < in1.end; ++i1) {
            AddRow(row + pad, used, dx + (i2 * g.input[1] + i1) * g.input[0]);
          }
        }
      }
    }
  }
}

template <class T>
constexpr PoolingLoops<T> kLoops = {MaxForward<T>, MaxBackward<T>, AverageForward<T>,
                                    AverageBackward<T>};

}  // namespace

const PoolingLoops<float>& FindPoolingLoops(float) { return kLoops<float>; }
const PoolingLoops<double>& FindPoolingLoops(double) { return kLoops<double>; }

}  // namespace LAMINA_ISA
}  // namespace lamina::cpu
