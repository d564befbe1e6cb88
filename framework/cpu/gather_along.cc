#include "framework/cpu/gather_along.h"

#include <algorithm>
#include <complex>

#include "framework/cpu/floating_type.h"
#include "framework/cpu/threads.h"
#include "framework/dlarray/error.h"

namespace lamina::cpu {
namespace {

constexpr int64_t kTile = 256;  // columns of a thread

struct Bytes16 {
  uint64_t low, high;
};

// Calls f(row, lines, k, first, last) for columns `first` to `last` of each row of
// [inner x count x outer]: row number k of some lines begins at element `row`, and these lines
// begin at element `lines` of [inner x n x outer]. Rows come in their order, on one thread.
template <class F>
void ForRows(int64_t inner, int64_t n, int64_t outer, int64_t count, F f) {
  const int64_t tiles = (inner + kTile - 1) / kTile;
  const int64_t elements = std::max<int64_t>(1, count * std::min(inner, kTile));
  ParallelFor(outer * tiles, std::max<int64_t>(1, kElementwiseGrain / elements),
              [&](int64_t begin, int64_t end) {
                for (int64_t item = begin; item < end; ++item) {
                  const int64_t o = item / tiles, first = item % tiles * kTile;
                  const int64_t last = std::min(inner, first + kTile);
                  for (int64_t k = 0; k < count; ++k) {
                    f((o * count + k) * inner, o * n * inner, k, first, last);
                  }
                }
              });
}

}  // namespace

void GatherAlong(size_t element_size, int64_t inner, int64_t n, int64_t outer, const void* x,
                 int64_t count, const int64_t* positions, void* y) {
  const auto run = [&]<class T>(T) {
    const T* const from = static_cast<const T*>(x);
    T* const to = static_cast<T*>(y);
    ForRows(inner, n, outer, count,
            [=](int64_t row, int64_t lines, int64_t, int64_t first, int64_t last) {
              for (int64_t i = first; i < last; ++i) {
                to[row + i] = from[lines + positions[row + i] * inner + i];
              }
            });
  };
  switch (element_size) {
    case 1:
      return run(uint8_t());
    case 4:
      return run(uint32_t());
    case 8:
      return run(uint64_t());
    case 16:
      return run(Bytes16());
    default:
      LAMINA_CHECK(false);
  }
}

void ScatterAddAlong(DataType type, int64_t inner, int64_t n, int64_t outer, const void* x,
                     int64_t count, const int64_t* positions, void* y) {
  const auto run = [&]<class T>(T) {
    const T* const from = static_cast<const T*>(x);
    T* const to = static_cast<T*>(y);
    ForRows(inner, n, outer, count,
            [=](int64_t row, int64_t lines, int64_t, int64_t first, int64_t last) {
              for (int64_t i = first; i < last; ++i) {
                to[lines + positions[row + i] * inner + i] += from[row + i];
              }
            });
  };
  WithFloatingType(type, run);
}

void InvertAlong(int64_t inner, int64_t n, int64_t outer, const int64_t* positions, int64_t* y) {
  ForRows(inner, n, outer, n,
          [=](int64_t row, int64_t lines, int64_t k, int64_t first, int64_t last) {
            for (int64_t i = first; i < last; ++i) y[lines + positions[row + i] * inner + i] = k;
          });
}

}  // namespace lamina::cpu
