// Maxima of windows. Compiled once for each instruction set, with LAMINA_ISA set to its name; see
// multi_isa.bzl.

#include <cstddef>
#include <cstdint>

#include "framework/cpu/isa_namespace.h"
#include "framework/cpu/pooling_loops.h"
#include "framework/cpu/pooling_windows.h"

namespace lamina::cpu {
inline namespace LAMINA_ISA {
namespace {

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

// kLanes outputs of a row whose windows lie inside in the first dim, with stride 1 or 2.
template <class T, int kLanes, int kStride>
struct MaxInside {
  using Pool = Pool2x2<T, kLanes>;
  using V = typename Pool::V;
  using I = typename Pool::I;
  using P = typename PositionOf<T>::Type;

  I even, first;  // `even` chooses 0, 2, 4, ... from two vectors that share one element
  MaxInside() {
    for (int i = 0; i < kLanes; ++i) {
      even[i] = static_cast<P>(i < kLanes / 2 ? 2 * i : 2 * i + 1);
      first[i] = static_cast<P>(kStride * i);
    }
  }
  V LoadTap(const T* x) const {
    if constexpr (kStride == 1) return Pool::Load(x);
    return __builtin_shuffle(Pool::Load(x), Pool::Load(x + kLanes - 1), even);
  }

  // `column` is the first element of the first window.
  void Do(const Geometry& g, const T* plane, int64_t column, Range in1, Range in2, T* y,
          P* positions) const {
    V best = V{} - static_cast<T>(__builtin_inf());
    I best_position =
        first + static_cast<P>((in2.begin * g.input[1] + in1.begin) * g.input[0] + column);
    for (int64_t i2 = in2.begin; i2 < in2.end; ++i2) {
      for (int64_t i1 = in1.begin; i1 < in1.end; ++i1) {
        const int64_t row = (i2 * g.input[1] + i1) * g.input[0] + column;
        for (int64_t tap = 0; tap < g.window[0]; ++tap) {
          Pool::Take(LoadTap(plane + row + tap), first + static_cast<P>(row + tap), &best,
                     &best_position);
        }
      }
    }
    *reinterpret_cast<typename Pool::LoadedV*>(y) = best;
    __builtin_memcpy(positions, &best_position, sizeof(best_position));
  }
};

// The outputs [begin, end) of a row, at least kLanes; the last ones together with some that were
// computed already.
template <class T, int kLanes, int kStride>
void MaxRowInside(const Geometry& g, const T* plane, Range outputs, Range in1, Range in2, T* y,
                  typename PositionOf<T>::Type* positions) {
  const MaxInside<T, kLanes, kStride> loop;
  const auto at = [&](int64_t i) {
    loop.Do(g, plane, i * kStride - g.pad_begin[0], in1, in2, y + i, positions + i);
  };
  for (int64_t i = outputs.begin; i + kLanes <= outputs.end; i += kLanes) at(i);
  if ((outputs.end - outputs.begin) % kLanes != 0) at(outputs.end - kLanes);
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

// The largest of a window.
template <class T, class P>
struct Largest {
  T value;
  P position;

  void Take(T v, P at) {
    if (Wins(v, value)) {
      value = v;
      position = at;
    }
  }
};

// Takes runs of at least kLanes neighbouring elements.
template <class T, class P>
class LargestOfRuns {
 public:
  static constexpr int kLanes = 64 / sizeof(T);

  explicit LargestOfRuns(P first) {
    best_ = V{} - static_cast<T>(__builtin_inf());
    positions_ = I{} + first;
    for (int l = 0; l < kLanes; ++l) lanes_[l] = static_cast<P>(l);
  }
  void Take(const T* plane, int64_t begin, int64_t end) {
    for (int64_t i = begin; i + kLanes <= end; i += kLanes) TakeVector(plane, i);
    if ((end - begin) % kLanes != 0) TakeVector(plane, end - kLanes);
  }
  Largest<T, P> Result() const {
    Largest<T, P> r = {best_[0], positions_[0]};
    for (int l = 1; l < kLanes; ++l) {
      const T v = best_[l];
      const P at = positions_[l];
      const bool same = v == r.value || (v != v && r.value != r.value);
      if (same ? at < r.position : Wins(v, r.value)) r = {v, at};
    }
    return r;
  }

 private:
  using Pool = Pool2x2<T, kLanes>;
  using V = typename Pool::V;
  using I = typename Pool::I;

  void TakeVector(const T* plane, int64_t i) {
    Pool::Take(Pool::Load(plane + i), lanes_ + static_cast<P>(i), &best_, &positions_);
  }
  V best_;
  I positions_, lanes_;
};

// Outputs one by one: for few outputs and wide windows, and at the edges.
template <class T, class P>
void MaxRowByOutputs(const Geometry& g, const T* plane, Range outputs, Range in1, Range in2, T* y,
                     P* positions) {
  for (int64_t i = outputs.begin; i < outputs.end; ++i) {
    const Range in0 = WindowInside(g, 0, i);
    // Whole rows make one run.
    int64_t run = in0.end - in0.begin, rows = in1.end - in1.begin;
    if (run == g.input[0]) {
      run *= rows;
      rows = 1;
    }
    const int64_t first = (in2.begin * g.input[1] + in1.begin) * g.input[0] + in0.begin;
    const auto for_runs = [&](auto take) {
      for (int64_t i2 = 0; i2 < in2.end - in2.begin; ++i2) {
        for (int64_t i1 = 0; i1 < rows; ++i1) take(first + (i2 * g.input[1] + i1) * g.input[0]);
      }
    };
    Largest<T, P> largest = {-static_cast<T>(__builtin_inf()), static_cast<P>(first)};
    bool done = false;
    if constexpr (sizeof(P) == sizeof(T)) {
      if (run >= LargestOfRuns<T, P>::kLanes) {
        LargestOfRuns<T, P> runs(static_cast<P>(first));
        for_runs([&](int64_t begin) { runs.Take(plane, begin, begin + run); });
        largest = runs.Result();
        done = true;
      }
    }
    if (!done) {
      for_runs([&](int64_t begin) {
        for (int64_t k = begin; k < begin + run; ++k) largest.Take(plane[k], static_cast<P>(k));
      });
    }
    y[i] = largest.value;
    positions[i] = largest.position;
  }
}

// The MaxRowInside for so many outputs, if there is one.
template <class T>
using MaxRowInsideFn = void (*)(const Geometry&, const T*, Range, Range, Range, T*,
                                typename PositionOf<T>::Type*);
template <class T, int kStride>
MaxRowInsideFn<T> FindMaxRowInside(int64_t outputs) {
  constexpr int kMost = 64 / sizeof(T);
  if (outputs >= kMost) return MaxRowInside<T, kMost, kStride>;
  if (outputs >= kMost / 2) return MaxRowInside<T, kMost / 2, kStride>;
  if (outputs >= kMost / 4) return MaxRowInside<T, kMost / 4, kStride>;
  return nullptr;
}

template <class T, class P>
void MaxPlanes(const Geometry& g, int64_t planes, const T* x, T* y, int64_t* indices,
               void* scratch) {
  const int64_t n = g.output[0], s = g.stride[0];
  Range* const taps = static_cast<Range*>(scratch);
  P* const positions = reinterpret_cast<P*>(taps + g.window[0]);
  for (int64_t t = 0; t < g.window[0]; ++t) taps[t] = OutputsOfTap(g, t);
  // Outputs whose windows lie inside.
  const Range inside = {taps[0].begin, Greatest(taps[0].begin, taps[g.window[0] - 1].end)};
  MaxRowInsideFn<T> row_inside = nullptr;
  if constexpr (sizeof(P) == sizeof(T)) {
    const int64_t count = inside.end - inside.begin;
    if (s == 1) row_inside = FindMaxRowInside<T, 1>(count);
    if (s == 2) row_inside = FindMaxRowInside<T, 2>(count);
  }
  for (int64_t p = 0; p < planes; ++p, x += g.input_plane) {
    for (int64_t o2 = 0; o2 < g.output[2]; ++o2) {
      const Range in2 = WindowInside(g, 2, o2);
      for (int64_t o1 = 0; o1 < g.output[1]; ++o1, y += n) {
        const Range in1 = WindowInside(g, 1, o1);
        if (row_inside != nullptr) {
          if constexpr (sizeof(P) == sizeof(T)) {
            row_inside(g, x, inside, in1, in2, y, positions);
          }
          MaxRowByOutputs(g, x, {0, inside.begin}, in1, in2, y, positions);
          MaxRowByOutputs(g, x, {inside.end, n}, in1, in2, y, positions);
        } else if (n < g.window[0] || n < 4) {
          MaxRowByOutputs(g, x, {0, n}, in1, in2, y, positions);
        } else {
          MaxRowByTaps(g, taps, x, in1, in2, y, positions);
        }
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

template <class T>
constexpr MaxPoolingLoops<T> kLoops = {MaxForward<T>, MaxBackward<T>};

}  // namespace

const MaxPoolingLoops<float>& FindMaxPoolingLoops(float) { return kLoops<float>; }
const MaxPoolingLoops<double>& FindMaxPoolingLoops(double) { return kLoops<double>; }

}  // namespace LAMINA_ISA
}  // namespace lamina::cpu
