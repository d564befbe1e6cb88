// Averages of windows: sums of columns into one padded row, then sums along it; and back. Compiled
// once for each instruction set, with LAMINA_ISA set to its name; see multi_isa.bzl.

#include <cstddef>
#include <cstdint>

#include "framework/cpu/isa_namespace.h"
#include "framework/cpu/pooling_loops.h"
#include "framework/cpu/pooling_windows.h"

namespace lamina::cpu {
inline namespace LAMINA_ISA {
namespace {

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
constexpr AveragePoolingLoops<T> kLoops = {AverageForward<T>, AverageBackward<T>};

}  // namespace

const AveragePoolingLoops<float>& FindAveragePoolingLoops(float) { return kLoops<float>; }
const AveragePoolingLoops<double>& FindAveragePoolingLoops(double) { return kLoops<double>; }

}  // namespace LAMINA_ISA
}  // namespace lamina::cpu
