#include "framework/cpu/permute.h"

#include <algorithm>
#include <complex>
#include <cstring>

#include "framework/cpu/dim_walk.h"
#include "framework/cpu/threads.h"
#include "framework/dlarray/error.h"

namespace lamina::cpu {
namespace {

struct Bytes16 {
  uint64_t low, high;
};

// The dims of the output with their strides in the input; dims of size 1 are left out, and those
// that follow each other in both are joined.
DimWalk Collapse(std::span<const int64_t> sizes, std::span<const int> order) {
  int64_t strides[DimWalk::kMaxRank];
  int64_t stride = 1;
  for (size_t d = 0; d < sizes.size(); ++d) {
    strides[d] = stride;
    stride *= sizes[d];
  }
  DimWalk joined;
  int64_t size = 1, first = 0;
  for (const int from : order) {
    const auto d = static_cast<size_t>(from);
    if (sizes[d] == 1) continue;
    if (size > 1 && strides[d] == first * size) {
      size *= sizes[d];
      continue;
    }
    if (size > 1) joined.Add(size, first);
    size = sizes[d];
    first = strides[d];
  }
  if (size > 1) joined.Add(size, first);
  return joined;
}

// out[j + i * out_stride] = in[i + j * in_stride] for i < n (contiguous in the input) and j < m
// (contiguous in the output), in squares that stay in the first cache.
template <class T>
void Transpose2d(const T* in, int64_t n, int64_t in_stride, int64_t m, T* out, int64_t out_stride) {
  constexpr int64_t kSquare = sizeof(T) >= 8 ? 16 : 32;
  for (int64_t i0 = 0; i0 < n; i0 += kSquare) {
    const int64_t i1 = std::min(n, i0 + kSquare);
    for (int64_t j0 = 0; j0 < m; j0 += kSquare) {
      const int64_t j1 = std::min(m, j0 + kSquare);
      for (int64_t i = i0; i < i1; ++i) {
#pragma GCC ivdep
        for (int64_t j = j0; j < j1; ++j) out[j + i * out_stride] = in[i + j * in_stride];
      }
    }
  }
}

template <class T>
void Run(const DimWalk& dims, const T* in, T* out) {
  const int64_t total = dims.count();
  if (dims.rank() == 0) {
    *out = *in;
    return;
  }
  if (dims.stride(0) == 1) {
    // The fastest dim stays: copies of whole rows.
    DimWalk rows;
    for (int d = 1; d < dims.rank(); ++d) rows.Add(dims.size(d), dims.stride(d));
    const int64_t length = dims.size(0);
    ParallelFor(rows.count(), std::max<int64_t>(1, kElementwiseGrain / length),
                [&](int64_t begin, int64_t end) {
                  DimWalk walk = rows;
                  walk.Start(begin);
                  for (int64_t r = begin; r < end; ++r, walk.Next()) {
                    std::memcpy(out + r * length, in + walk.offset(),
                                static_cast<size_t>(length) * sizeof(T));
                  }
                });
    return;
  }
  // Transposes of the plane of the output's fastest dim (m) and the input's fastest (n).
  int plane = 0;
  while (dims.stride(plane) != 1) ++plane;
  const int64_t m = dims.size(0), n = dims.size(plane);
  int64_t out_stride = 1, n_stride = 1;
  DimWalk from, to;
  for (int d = 0; d < dims.rank(); ++d) {
    if (d == plane) {
      n_stride = out_stride;
    } else if (d != 0) {
      from.Add(dims.size(d), dims.stride(d));
      to.Add(dims.size(d), out_stride);
    }
    out_stride *= dims.size(d);
  }
  // Items of work: strips of a plane.
  const int64_t strip = std::clamp<int64_t>(kElementwiseGrain / m, 32, std::max<int64_t>(n, 32));
  const int64_t strips = (n + strip - 1) / strip;
  const int64_t planes = from.count();
  ParallelFor(
      planes * strips,
      std::max<int64_t>(1, kElementwiseGrain / std::max<int64_t>(1, total / (planes * strips))),
      [&](int64_t begin, int64_t end) {
        DimWalk source = from, target = to;
        source.Start(begin / strips);
        target.Start(begin / strips);
        int64_t s = begin % strips;
        for (int64_t item = begin; item < end; ++item) {
          const int64_t i = s * strip;
          Transpose2d(in + source.offset() + i, std::min(strip, n - i), dims.stride(0), m,
                      out + target.offset() + i * n_stride, n_stride);
          if (++s == strips) {
            s = 0;
            source.Next();
            target.Next();
          }
        }
      });
}

}  // namespace

void Permute(size_t element_size, const void* in, std::span<const int64_t> sizes,
             std::span<const int> order, void* out) {
  LAMINA_CHECK(sizes.size() == order.size() && sizes.size() <= DimWalk::kMaxRank);
  for (int64_t size : sizes) {
    if (size == 0) return;
  }
  const DimWalk dims = Collapse(sizes, order);
  const auto run = [&]<class T>(T) { Run(dims, static_cast<const T*>(in), static_cast<T*>(out)); };
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
      LAMINA_CHECK(false && "element size");
  }
}

}  // namespace lamina::cpu
