#include "framework/cpu/strided_copy.h"

#include <algorithm>
#include <complex>
#include <cstring>

#include "framework/cpu/dim_walk.h"
#include "framework/cpu/floating_type.h"
#include "framework/cpu/threads.h"
#include "framework/dlarray/error.h"

namespace lamina::cpu {
namespace {

struct Bytes16 {
  uint64_t low, high;
};

// The dims of a copy, those of size 1 left out, neighbours that move alike merged.
struct Plan {
  int rank = 0;
  int64_t size[DimWalk::kMaxRank], in[DimWalk::kMaxRank], out[DimWalk::kMaxRank];

  void Add(int64_t n, int64_t in_stride, int64_t out_stride) {
    if (n == 1) return;
    const int last = rank - 1;
    if (rank > 0 && in[last] * size[last] == in_stride && out[last] * size[last] == out_stride) {
      size[last] *= n;
      return;
    }
    size[rank] = n;
    in[rank] = in_stride;
    out[rank] = out_stride;
    ++rank;
  }
};

template <class T>
void CopyRow(const T* in, int64_t in_stride, T* out, int64_t out_stride, int64_t n) {
  if (in_stride == 1 && out_stride == 1) {
    std::memcpy(out, in, n * sizeof(T));
  } else if (in_stride == 0 && out_stride == 1) {
    std::fill_n(out, n, *in);
  } else if (out_stride == 1) {
    for (int64_t i = 0; i < n; ++i) out[i] = in[i * in_stride];
  } else {
    for (int64_t i = 0; i < n; ++i) out[i * out_stride] = in[i * in_stride];
  }
}

// out[i + j * out_stride] = in[i * in_stride + j]: a transpose. Square blocks of 64-byte lines, so
// that each line read and written is used whole while it is in the cache.
template <class T>
void CopyTransposed(const T* in, int64_t in_stride, T* out, int64_t out_stride, int64_t rows,
                    int64_t columns) {
  constexpr int64_t kBlock = 64 / sizeof(T);
  for (int64_t j0 = 0; j0 < columns; j0 += kBlock) {
    const int64_t j1 = std::min(columns, j0 + kBlock);
    for (int64_t i0 = 0; i0 < rows; i0 += kBlock) {
      const int64_t i1 = std::min(rows, i0 + kBlock);
      for (int64_t j = j0; j < j1; ++j) {
        for (int64_t i = i0; i < i1; ++i) out[i + j * out_stride] = in[i * in_stride + j];
      }
    }
  }
}

template <class T>
void Copy(const Plan& plan, const T* in, T* out) {
  if (plan.rank == 0) {
    *out = *in;
    return;
  }
  // A dim in which the input is dense, when the fastest dim is not: then blocks are transposed.
  int dense = 0;
  if (plan.out[0] == 1 && plan.in[0] != 1 && plan.in[0] != 0 && plan.size[0] > 1) {
    for (int d = 1; d < plan.rank; ++d) {
      if (plan.in[d] == 1) dense = d;
    }
  }
  DimWalk from, to;
  int64_t inner = plan.size[0];
  for (int d = 1; d < plan.rank; ++d) {
    if (d == dense) {
      inner *= plan.size[d];
      continue;
    }
    from.Add(plan.size[d], plan.in[d]);
    to.Add(plan.size[d], plan.out[d]);
  }
  if (from.count() == 1 && dense == 0) {
    ParallelFor(inner, 2 * kElementwiseGrain, [&](int64_t begin, int64_t end) {
      CopyRow(in + begin * plan.in[0], plan.in[0], out + begin * plan.out[0], plan.out[0],
              end - begin);
    });
    return;
  }
  if (from.count() == 1) {
    ParallelFor(plan.size[dense], std::max<int64_t>(1, kElementwiseGrain / plan.size[0]),
                [&](int64_t begin, int64_t end) {
                  CopyTransposed(in + begin, plan.in[0], out + begin * plan.out[dense],
                                 plan.out[dense], plan.size[0], end - begin);
                });
    return;
  }
  ParallelFor(from.count(), std::max<int64_t>(1, kElementwiseGrain / inner),
              [&](int64_t begin, int64_t end) {
                DimWalk a = from, b = to;
                a.Start(begin);
                b.Start(begin);
                for (int64_t i = begin; i < end; ++i, a.Next(), b.Next()) {
                  if (dense > 0) {
                    CopyTransposed(in + a.offset(), plan.in[0], out + b.offset(), plan.out[dense],
                                   plan.size[0], plan.size[dense]);
                  } else {
                    CopyRow(in + a.offset(), plan.in[0], out + b.offset(), plan.out[0],
                            plan.size[0]);
                  }
                }
              });
}

template <class T>
void GatherAs(int64_t inner, int64_t n, int64_t outer, const T* in, int64_t count,
              const int64_t* indices, T* out) {
  ParallelFor(outer * count, std::max<int64_t>(1, kElementwiseGrain / std::max<int64_t>(1, inner)),
              [&](int64_t begin, int64_t end) {
                for (int64_t i = begin; i < end; ++i) {
                  const T* from = in + (i / count * n + indices[i % count]) * inner;
                  std::memcpy(out + i * inner, from, inner * sizeof(T));
                }
              });
}

template <class T>
void ScatterAddAs(int64_t inner, int64_t n, int64_t outer, const T* in, int64_t count,
                  const int64_t* indices, T* out) {
  const auto add = [&](int64_t o, int64_t begin, int64_t end) {
    for (int64_t j = 0; j < count; ++j) {
      const T* from = in + (o * count + j) * inner;
      T* to = out + (o * n + indices[j]) * inner;
      for (int64_t i = begin; i < end; ++i) to[i] += from[i];
    }
  };
  // Parts that write disjoint elements, each in the order of the indices: the sum never depends on
  // the number of threads.
  const int64_t grain = std::max<int64_t>(1, kElementwiseGrain / std::max<int64_t>(1, count));
  if (outer == 1) {
    ParallelFor(inner, grain, [&](int64_t begin, int64_t end) { add(0, begin, end); });
  } else {
    ParallelFor(outer, std::max<int64_t>(1, grain / std::max<int64_t>(1, inner)),
                [&](int64_t begin, int64_t end) {
                  for (int64_t o = begin; o < end; ++o) add(o, 0, inner);
                });
  }
}

// Calls f with a pointer of a type of this size.
template <class F>
void WithElementSize(size_t element_size, F f) {
  switch (element_size) {
    case 1:
      return f(uint8_t());
    case 4:
      return f(uint32_t());
    case 8:
      return f(uint64_t());
    case 16:
      return f(Bytes16());
  }
  LAMINA_CHECK(false && "element size");
}

}  // namespace

void StridedCopy(size_t element_size, std::span<const int64_t> sizes, const void* in,
                 std::span<const int64_t> in_strides, void* out,
                 std::span<const int64_t> out_strides) {
  LAMINA_CHECK(sizes.size() <= DimWalk::kMaxRank && sizes.size() == in_strides.size() &&
               sizes.size() == out_strides.size());
  Plan plan;
  for (size_t d = 0; d < sizes.size(); ++d) {
    if (sizes[d] == 0) return;
    plan.Add(sizes[d], in_strides[d], out_strides[d]);
  }
  WithElementSize(element_size, [&](auto element) {
    using T = decltype(element);
    Copy(plan, static_cast<const T*>(in), static_cast<T*>(out));
  });
}

void Gather(size_t element_size, int64_t inner, int64_t n, int64_t outer, const void* in,
            int64_t count, const int64_t* indices, void* out) {
  if (inner * outer * count == 0) return;
  WithElementSize(element_size, [&](auto element) {
    using T = decltype(element);
    GatherAs(inner, n, outer, static_cast<const T*>(in), count, indices, static_cast<T*>(out));
  });
}

void ScatterAdd(DataType type, int64_t inner, int64_t n, int64_t outer, const void* in,
                int64_t count, const int64_t* indices, void* out) {
  const auto run = [&](auto element) {
    using T = decltype(element);
    ScatterAddAs(inner, n, outer, static_cast<const T*>(in), count, indices, static_cast<T*>(out));
  };
  WithFloatingType(type, run);
}

}  // namespace lamina::cpu
