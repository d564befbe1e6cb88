#include "framework/cpu/strided_copy.h"

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

// Calls f with a value of a type of that size.
template <class F>
void WithSize(size_t element_size, F f) {
  switch (element_size) {
    case 1:
      return f(uint8_t());
    case 4:
      return f(uint32_t());
    case 8:
      return f(uint64_t());
    case 16:
      return f(Bytes16());
    default:
      LAMINA_CHECK(false && "element size");
  }
}

template <class T>
void CopyRow(const T* in, int64_t in_stride, T* out, int64_t out_stride, int64_t n) {
  if (in_stride == 1 && out_stride == 1) {
    std::memcpy(out, in, static_cast<size_t>(n) * sizeof(T));
  } else if (in_stride == 0 && out_stride == 1) {
    std::fill(out, out + n, *in);
  } else {
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) out[i * out_stride] = in[i * in_stride];
  }
}

int64_t RowGrain(int64_t row) {
  return std::max<int64_t>(1, kElementwiseGrain / std::max<int64_t>(1, row));
}

template <class T>
void AddRows(int64_t inner, int64_t n, int64_t outer, const T* in, int64_t count,
             const int64_t* indices, T* out) {
  // Threads share out the target, not the indices: each element has one writer, in a fixed order.
  if (inner >= 2 * outer && inner >= 64) {
    ParallelFor(inner, std::max<int64_t>(16, RowGrain(count * outer)),
                [&](int64_t begin, int64_t end) {
                  for (int64_t o = 0; o < outer; ++o) {
                    for (int64_t i = 0; i < count; ++i) {
                      T* to = out + (o * n + indices[i]) * inner;
                      const T* from = in + (o * count + i) * inner;
#pragma GCC ivdep
                      for (int64_t k = begin; k < end; ++k) to[k] += from[k];
                    }
                  }
                });
    return;
  }
  ParallelFor(outer, RowGrain(count * inner), [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o) {
      for (int64_t i = 0; i < count; ++i) {
        T* to = out + (o * n + indices[i]) * inner;
        const T* from = in + (o * count + i) * inner;
#pragma GCC ivdep
        for (int64_t k = 0; k < inner; ++k) to[k] += from[k];
      }
    }
  });
}

}  // namespace

void StridedCopy(size_t element_size, std::span<const int64_t> sizes, const void* in,
                 std::span<const int64_t> in_strides, void* out,
                 std::span<const int64_t> out_strides) {
  LAMINA_CHECK(sizes.size() == in_strides.size() && sizes.size() == out_strides.size() &&
               sizes.size() <= DimWalk::kMaxRank);
  // Dims that move alike in both become one.
  int64_t size[DimWalk::kMaxRank + 1], from[DimWalk::kMaxRank + 1], to[DimWalk::kMaxRank + 1];
  int rank = 0;
  for (size_t d = 0; d < sizes.size(); ++d) {
    if (sizes[d] == 0) return;
    if (sizes[d] == 1) continue;
    if (rank > 0 && in_strides[d] == from[rank - 1] * size[rank - 1] &&
        out_strides[d] == to[rank - 1] * size[rank - 1]) {
      size[rank - 1] *= sizes[d];
      continue;
    }
    size[rank] = sizes[d];
    from[rank] = in_strides[d];
    to[rank] = out_strides[d];
    ++rank;
  }
  if (rank == 0) {
    size[0] = from[0] = to[0] = 1;
    rank = 1;
  }
  DimWalk rows_in, rows_out;
  for (int d = 1; d < rank; ++d) {
    rows_in.Add(size[d], from[d]);
    rows_out.Add(size[d], to[d]);
  }
  WithSize(element_size, [&]<class T>(T) {
    const T* x = static_cast<const T*>(in);
    T* y = static_cast<T*>(out);
    if (rows_in.count() == 1) {  // one row: its parts may go to several threads
      ParallelFor(size[0], kElementwiseGrain, [&](int64_t begin, int64_t end) {
        CopyRow(x + begin * from[0], from[0], y + begin * to[0], to[0], end - begin);
      });
      return;
    }
    ParallelFor(rows_in.count(), RowGrain(size[0]), [&](int64_t begin, int64_t end) {
      DimWalk source = rows_in, target = rows_out;
      source.Start(begin);
      target.Start(begin);
      for (int64_t r = begin; r < end; ++r, source.Next(), target.Next()) {
        CopyRow(x + source.offset(), from[0], y + target.offset(), to[0], size[0]);
      }
    });
  });
}

void Gather(size_t element_size, int64_t inner, int64_t n, int64_t outer, const void* in,
            int64_t count, const int64_t* indices, void* out) {
  if (inner == 0) return;
  WithSize(element_size, [&]<class T>(T) {
    const T* x = static_cast<const T*>(in);
    T* y = static_cast<T*>(out);
    ParallelFor(outer * count, RowGrain(inner), [&](int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        const T* from = x + (r / count * n + indices[r % count]) * inner;
        if (inner == 1) {
          y[r] = *from;
        } else {
          std::memcpy(y + r * inner, from, static_cast<size_t>(inner) * sizeof(T));
        }
      }
    });
  });
}

void ScatterAdd(DataType type, int64_t inner, int64_t n, int64_t outer, const void* in,
                int64_t count, const int64_t* indices, void* out) {
  const auto run = [&]<class T>(T) {
    AddRows(inner, n, outer, static_cast<const T*>(in), count, indices, static_cast<T*>(out));
  };
  switch (type) {
    case DataType::kSingle:
      return run(float());
    case DataType::kDouble:
      return run(double());
    case DataType::kComplexSingle:
      return run(std::complex<float>());
    case DataType::kComplexDouble:
      return run(std::complex<double>());
    default:
      LAMINA_CHECK(false && "ScatterAdd of a type that has no sums");
  }
}

}  // namespace lamina::cpu
