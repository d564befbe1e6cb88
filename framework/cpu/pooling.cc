#include "framework/cpu/pooling.h"

#include <algorithm>
#include <limits>

#include "framework/cpu/instruction_set.h"
#include "framework/cpu/pooling_loops.h"
#include "framework/cpu/scratch.h"
#include "framework/cpu/threads.h"
#include "framework/dlarray/error.h"

namespace lamina::cpu {
namespace {

// Multiplies numbers that are not negative; false on overflow.
bool Multiply(int64_t factor, int64_t* product) {
  return !__builtin_mul_overflow(factor, *product, product);
}

PoolingGeometry GeometryOf(const PoolingShape& s) {
  PoolingGeometry g;
  g.input_plane = g.output_plane = 1;
  for (int d = 0; d < 3; ++d) {
    g.input[d] = s.input[d];
    g.window[d] = s.window[d];
    g.output[d] = s.output[d];
    g.stride[d] = s.stride[d];
    g.pad_begin[d] = s.pad_begin[d];
    g.input_plane *= s.input[d];
    g.output_plane *= s.output[d];
  }
  return g;
}

// Bytes that each thread needs: for maxima, one position for each output of a row and two for each
// tap; for averages, two numbers for each output of a row and one for each element of a padded row.
int64_t ScratchSize(const PoolingShape& s) {
  return (2 * s.output[0] + s.input[0] + s.pad_begin[0] + s.pad_end[0] + 2 * s.window[0]) * 8;
}

// One of three functions, by the instruction set.
template <class F>
F Choose(F for_v2, F for_v3, F for_v4) {
  switch (CurrentInstructionSet()) {
    case InstructionSet::kV4:
      return for_v4;
    case InstructionSet::kV3:
      return for_v3;
    default:
      return for_v2;
  }
}
struct Max {
  template <class T>
  static const MaxPoolingLoops<T>& Loops() {
    using Find = const MaxPoolingLoops<T>& (*)(T);
    static const auto find =
        Choose<Find>(v2::FindMaxPoolingLoops, v3::FindMaxPoolingLoops, v4::FindMaxPoolingLoops);
    return find(T());
  }
};
struct Average {
  template <class T>
  static const AveragePoolingLoops<T>& Loops() {
    using Find = const AveragePoolingLoops<T>& (*)(T);
    static const auto find = Choose<Find>(v2::FindAveragePoolingLoops, v3::FindAveragePoolingLoops,
                                          v4::FindAveragePoolingLoops);
    return find(T());
  }
};

// Calls f(loops, geometry, first, count, scratch) for parts of the planes, with the loops of Kind
// for the type.
template <class Kind, class F>
void ForPlanes(DataType type, const PoolingShape& shape, F f) {
  PoolingShape check = shape;
  LAMINA_CHECK(IsRealFloating(type) && ComputeOutputSize(&check) && check.output == shape.output);
  const PoolingGeometry g = GeometryOf(shape);
  // A window that moves by less than its size reads elements several times.
  double reads = static_cast<double>(g.input_plane);
  for (int d = 0; d < 3; ++d) {
    reads *= std::max(1.0, static_cast<double>(g.window[d]) / static_cast<double>(g.stride[d]));
  }
  const int64_t grain = std::max<int64_t>(1, static_cast<int64_t>(kElementwiseGrain / (reads + 1)));
  const auto run = [&]<class T>(T) {
    const auto& loops = Kind::template Loops<T>();
    ParallelFor(shape.planes, grain, [&](int64_t begin, int64_t end) {
      ScratchArray<char> scratch(ScratchSize(shape));
      f(loops, g, begin, end - begin, scratch.data());
    });
  };
  type == DataType::kSingle ? run(float()) : run(double());
}

// Element i of an array whose type is that of the loops.
template <class T, template <class> class Loops>
const T* At(const void* p, int64_t i, const Loops<T>&) {
  return static_cast<const T*>(p) + i;
}
template <class T, template <class> class Loops>
T* At(void* p, int64_t i, const Loops<T>&) {
  return static_cast<T*>(p) + i;
}

}  // namespace

bool ComputeOutputSize(PoolingShape* shape) {
  PoolingShape& s = *shape;
  if (s.spatial_rank < 1 || s.spatial_rank > 3 || s.planes < 0) return false;
  int64_t input = std::max<int64_t>(s.planes, 1), output = input, window = 1;
  for (int d = 0; d < 3; ++d) {
    if (s.input[d] < 1 || s.window[d] < 1 || s.stride[d] < 1) return false;
    if (s.pad_begin[d] < 0 || s.pad_begin[d] >= s.window[d]) return false;
    if (s.pad_end[d] < 0 || s.pad_end[d] >= s.window[d]) return false;
    if (d >= s.spatial_rank && (s.input[d] != 1 || s.window[d] != 1 || s.stride[d] != 1)) {
      return false;
    }
    int64_t padded;
    if (__builtin_add_overflow(s.input[d], s.pad_begin[d], &padded) ||
        __builtin_add_overflow(padded, s.pad_end[d], &padded)) {
      return false;
    }
    if (padded < s.window[d]) return false;
    s.output[d] = (padded - s.window[d]) / s.stride[d] + 1;
    if (!Multiply(padded, &input) || !Multiply(s.output[d], &output) ||
        !Multiply(s.window[d], &window)) {
      return false;
    }
  }
  // In bytes, and with room for sums of positions.
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max() / 64;
  return input <= kMost && output <= kMost && window <= kMost;
}

void MaxPoolForward(DataType type, const PoolingShape& shape, const void* x, void* y,
                    int64_t* indices) {
  ForPlanes<Max>(
      type, shape,
      [&](auto& loops, const PoolingGeometry& g, int64_t first, int64_t count, void* scratch) {
        loops.forward(g, count, At(x, first * g.input_plane, loops),
                      At(y, first * g.output_plane, loops),
                      indices == nullptr ? nullptr : indices + first * g.output_plane, scratch);
      });
}

void MaxPoolBackward(DataType type, const PoolingShape& shape, const void* dy,
                     const int64_t* indices, void* dx) {
  ForPlanes<Max>(
      type, shape, [&](auto& loops, const PoolingGeometry& g, int64_t first, int64_t count, void*) {
        loops.backward(g, count, At(dy, first * g.output_plane, loops),
                       indices + first * g.output_plane, At(dx, first * g.input_plane, loops));
      });
}

void AveragePoolForward(DataType type, const PoolingShape& shape, bool count_padding, const void* x,
                        void* y) {
  ForPlanes<Average>(
      type, shape,
      [&](auto& loops, const PoolingGeometry& g, int64_t first, int64_t count, void* scratch) {
        loops.forward(g, count_padding, count, At(x, first * g.input_plane, loops),
                      At(y, first * g.output_plane, loops), scratch);
      });
}

void AveragePoolBackward(DataType type, const PoolingShape& shape, bool count_padding,
                         const void* dy, void* dx) {
  ForPlanes<Average>(
      type, shape,
      [&](auto& loops, const PoolingGeometry& g, int64_t first, int64_t count, void* scratch) {
        loops.backward(g, count_padding, count, At(dy, first * g.output_plane, loops),
                       At(dx, first * g.input_plane, loops), scratch);
      });
}

}  // namespace lamina::cpu
