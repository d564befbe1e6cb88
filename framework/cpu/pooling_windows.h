#ifndef FRAMEWORK_CPU_POOLING_WINDOWS_H_
#define FRAMEWORK_CPU_POOLING_WINDOWS_H_

// Inside of pooling.h: where windows lie, and the windows of 2 x 2 with stride 2, of which maximum
// and average need no more time than reading and writing.

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
  } else if (n >= 2) {
    Rows2x2<T, 2, kMode>(g, rows, x, y, indices);
  } else {
    return false;
  }
  return true;
}

}  // namespace
}  // namespace LAMINA_ISA
}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_POOLING_WINDOWS_H_
