// The loops of convolution_vectors.h. Compiled once for each instruction set, with LAMINA_ISA set
// to its name; see multi_isa.bzl.

#include "framework/cpu/convolution_vectors_kernels.h"

namespace lamina::cpu {
inline namespace LAMINA_ISA {
namespace {

// Vectors of the machine, and how many sums lie in registers: of filters by vectors of pixels in
// Slide, of channels by terms in SumPixels.
#if defined(__AVX512F__)
constexpr int kLanes = 16, kFilters = 8, kChannels = 4;
#elif defined(__AVX__)
constexpr int kLanes = 8, kFilters = 4, kChannels = 2;
#else
constexpr int kLanes = 4, kFilters = 4, kChannels = 2;
#endif
constexpr int kVectors = 3, kTerms = 6;

typedef float Vector __attribute__((vector_size(4 * kLanes)));
typedef float Loaded __attribute__((vector_size(4 * kLanes), aligned(4), may_alias));
// What rows are copied by.
typedef float Wide __attribute__((vector_size(64), aligned(4), may_alias));

inline __attribute__((always_inline)) Vector Load(const float* p) {
  return *reinterpret_cast<const Loaded*>(p);
}
inline __attribute__((always_inline)) void Store(float* p, Vector x) {
  *reinterpret_cast<Loaded*>(p) = x;
}

// `kF` filters, `kV` vectors of pixels from `pixels` on. `group`: filters from one term to the
// next.
template <int kF, int kV>
void SlideTile(const SlideTask& task, const float* pixels, const float* filters, int64_t group,
               const float* bias, float* to) {
  Vector sum[kF][kV];
#pragma GCC unroll 8
  for (int f = 0; f < kF; ++f) {
    const Vector begin = (bias == nullptr ? 0.0F : bias[f]) - Vector{};
#pragma GCC unroll 8
    for (int v = 0; v < kV; ++v) sum[f][v] = begin;
  }
  const int32_t* const end = task.offsets + task.terms;
#pragma GCC unroll 1
  for (const int32_t* offset = task.offsets; offset != end; ++offset, filters += group) {
    Vector x[kV];
#pragma GCC unroll 8
    for (int v = 0; v < kV; ++v) x[v] = Load(pixels + *offset + v * kLanes);
#pragma GCC unroll 8
    for (int f = 0; f < kF; ++f) {
      const Vector w = filters[f] - Vector{};
#pragma GCC unroll 8
      for (int v = 0; v < kV; ++v) sum[f][v] += x[v] * w;
    }
  }
#pragma GCC unroll 8
  for (int f = 0; f < kF; ++f) {
#pragma GCC unroll 8
    for (int v = 0; v < kV; ++v) Store(to + f * task.plane + v * kLanes, sum[f][v]);
  }
}

// All filters, `kV` vectors of pixels from number `at` on.
template <int kV>
void SlideColumn(const SlideTask& task, int64_t at) {
  const float* const pixels = task.pixels + at;
  for (int64_t first = 0; first < task.channels; first += kFilterGroup) {
    const int64_t rest = task.channels - first;
    const int64_t group = rest < kFilterGroup ? rest : kFilterGroup;
    const float* const filters = task.filters + first * task.terms;
    float* const to = task.sums + first * task.plane + at;
    const float* const bias = task.bias == nullptr ? nullptr : task.bias + first;
    int64_t f = 0;
#define LAMINA_FILTERS(count)                                                                    \
  for (; group - f >= count; f += count) {                                                       \
    SlideTile<count, kV>(task, pixels, filters + f, group, bias == nullptr ? nullptr : bias + f, \
                         to + f * task.plane);                                                   \
  }
    if constexpr (kFilters == 8 && kV <= kVectors) LAMINA_FILTERS(8)
    LAMINA_FILTERS(4)
    LAMINA_FILTERS(2)
    LAMINA_FILTERS(1)
#undef LAMINA_FILTERS
  }
}

void Slide(const SlideTask& task) {
  const int64_t end = task.vectors * kVectorRoom;
  int64_t at = 0;
  if (kFilters == 8 && task.channels < 8) {
    for (; end - at >= 2 * kVectors * kLanes; at += 2 * kVectors * kLanes) {
      SlideColumn<2 * kVectors>(task, at);
    }
  }
  for (; end - at >= kVectors * kLanes; at += kVectors * kLanes) SlideColumn<kVectors>(task, at);
  for (; end - at >= 2 * kLanes; at += 2 * kLanes) SlideColumn<2>(task, at);
  for (; end - at >= kLanes; at += kLanes) SlideColumn<1>(task, at);
}

typedef int32_t Lanes __attribute__((vector_size(4 * kLanes)));
#if defined(__AVX512F__)
constexpr Lanes kLow = {0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23};
#elif defined(__AVX__)
constexpr Lanes kLow = {0, 8, 1, 9, 2, 10, 3, 11};
#else
constexpr Lanes kLow = {0, 4, 1, 5};
#endif

// The sums of the lanes of kN vectors. In each round the lanes of two vectors are put side by side,
// and the halves of the pair added. (Not inline: its constants would take registers from the
// loops.)
template <int kN>
__attribute__((noinline)) void Totals(const Vector* sums, float* totals) {
  for (int first = 0; first < kN; first += kLanes) {
    Vector x[kLanes];
#pragma GCC unroll 16
    for (int i = 0; i < kLanes; ++i) x[i] = first + i < kN ? sums[first + i] : Vector{};
#pragma GCC unroll 4
    for (int half = kLanes / 2; half > 0; half /= 2) {
#pragma GCC unroll 8
      for (int i = 0; i < half; ++i) {
        x[i] = __builtin_shuffle(x[i], x[i + half], kLow) +
               __builtin_shuffle(x[i], x[i + half], kLow + kLanes / 2);
      }
    }
    Store(totals + first, x[0]);
  }
}

template <int kC, int kT>
void SumTile(const PixelSumTask& task, int64_t channel, int64_t term) {
  Vector sum[kC][kT];
#pragma GCC unroll 8
  for (int c = 0; c < kC; ++c) {
#pragma GCC unroll 8
    for (int t = 0; t < kT; ++t) sum[c][t] = Vector{};
  }
  const float* x[kT];
#pragma GCC unroll 8
  for (int t = 0; t < kT; ++t) x[t] = task.pixels + task.offsets[term + t];
  const float* const dy = task.dy + channel * task.plane;
  const int64_t end = task.vectors * kVectorRoom;
#pragma GCC unroll 1
  for (int64_t i = 0; i < end; i += kLanes) {
    Vector y[kC];
#pragma GCC unroll 8
    for (int c = 0; c < kC; ++c) y[c] = Load(dy + c * task.plane + i);
#pragma GCC unroll 8
    for (int t = 0; t < kT; ++t) {
      const Vector pixel = Load(x[t] + i);
#pragma GCC unroll 8
      for (int c = 0; c < kC; ++c) sum[c][t] += pixel * y[c];
    }
  }
  float totals[kC * kT + kLanes];
  Vector all[kC * kT];
#pragma GCC unroll 24
  for (int i = 0; i < kC * kT; ++i) all[i] = sum[i / kT][i % kT];
  Totals<kC * kT>(all, totals);
  for (int c = 0; c < kC; ++c) {
    float* const to = task.sums + (channel + c) * task.terms + term;
    for (int t = 0; t < kT; ++t) to[t] += totals[c * kT + t];
  }
}

// All terms of `kC` channels.
template <int kC>
void SumTerms(const PixelSumTask& task, int64_t channel) {
  int64_t t = 0;
  for (; task.terms - t >= kTerms; t += kTerms) SumTile<kC, kTerms>(task, channel, t);
  for (; task.terms - t >= 3; t += 3) SumTile<kC, 3>(task, channel, t);
  for (; task.terms - t >= 1; t += 1) SumTile<kC, 1>(task, channel, t);
  if (task.dy_sums == nullptr) return;
  const float* const dy = task.dy + channel * task.plane;
  const int64_t end = task.vectors * kVectorRoom;
  Vector sum[kC];
#pragma GCC unroll 8
  for (int c = 0; c < kC; ++c) sum[c] = Vector{};
#pragma GCC unroll 1
  for (int64_t i = 0; i < end; i += kLanes) {
#pragma GCC unroll 8
    for (int c = 0; c < kC; ++c) sum[c] += Load(dy + c * task.plane + i);
  }
  float totals[kC + kLanes];
  Vector all[kC];
#pragma GCC unroll 8
  for (int c = 0; c < kC; ++c) all[c] = sum[c];
  Totals<kC>(all, totals);
  for (int c = 0; c < kC; ++c) task.dy_sums[channel + c] += totals[c];
}

void SumPixels(const PixelSumTask& task) {
  int64_t c = 0;
  if constexpr (kChannels == 4) {
    for (; task.channels - c >= 4; c += 4) SumTerms<4>(task, c);
  }
  for (; task.channels - c >= 2; c += 2) SumTerms<2>(task, c);
  for (; task.channels - c >= 1; c += 1) SumTerms<1>(task, c);
}

// A row of `width` numbers, and what vectors have beyond.
inline __attribute__((always_inline)) void CopyVectors(const float* from, int64_t width,
                                                       float* to) {
  for (int64_t i = 0; i < width; i += kVectorRoom) {
    *reinterpret_cast<Wide*>(to + i) = *reinterpret_cast<const Wide*>(from + i);
  }
}

void CopyExactly(const float* from, int64_t width, float* to) {
  for (int64_t i = 0; i < width; ++i) to[i] = from[i];
}

void Clear(float* to, int64_t n) {
  for (int64_t i = 0; i < n; ++i) to[i] = 0;
}

// How many rows of a plane may be read, or written, in whole vectors: no row ends so near to the
// end that a vector crosses it.
int64_t RowsInVectors(PlaneRows plane) {
  const int64_t whole = (plane.width + kVectorRoom - 1) / kVectorRoom * kVectorRoom;
  const int64_t rows = plane.rows - (whole - 1) / plane.width;
  return rows < 0 ? 0 : rows;
}

void SpreadRows(const float* from, PlaneRows plane, int64_t pitch, int64_t end, float* to) {
  const int64_t in_vectors = RowsInVectors(plane);
  const int64_t gap = pitch - plane.width;
  for (int64_t row = 0; row < plane.rows; ++row) {
    float* const at = to + row * pitch;
    if (row < in_vectors) {
      CopyVectors(from + row * plane.width, plane.width, at);
    } else {
      CopyExactly(from + row * plane.width, plane.width, at);
    }
    // What follows is written later. (A loop would become a call of memset for each row.)
    *reinterpret_cast<Wide*>(at + plane.width) = Wide{};
    if (gap > kVectorRoom) Clear(at + plane.width, gap);
  }
  Clear(to + plane.rows * pitch, end - plane.rows * pitch);
}

void JoinRows(const float* from, int64_t pitch, PlaneRows plane, float* to) {
  const int64_t in_vectors = RowsInVectors(plane);
  for (int64_t row = 0; row < in_vectors; ++row) {
    CopyVectors(from + row * pitch, plane.width, to + row * plane.width);
  }
  for (int64_t row = in_vectors; row < plane.rows; ++row) {
    CopyExactly(from + row * pitch, plane.width, to + row * plane.width);
  }
}

}  // namespace

const ConvolutionVectorKernels& FindConvolutionVectorKernels() {
  static constexpr ConvolutionVectorKernels kKernels = {Slide, SumPixels, SpreadRows, JoinRows};
  return kKernels;
}

}  // namespace LAMINA_ISA
}  // namespace lamina::cpu
