#ifndef FRAMEWORK_CPU_POOLING_H_
#define FRAMEWORK_CPU_POOLING_H_

// Maximum and average over windows of the spatial dims, and their gradients.
//
// Data is column-major "S..SCB"; channels and batch are one number here, `planes` = C * B.
// Types: single and double.
//
// Threads: may be called from any thread; planes are split with ParallelFor.
//
//   PoolingShape s;                                  // 28 x 28, windows of 2 x 2, no overlap
//   s.spatial_rank = 2; s.planes = 8 * 128; s.input = {28, 28};
//   s.window = {2, 2}; s.stride = {2, 2};
//   cpu::ComputeOutputSize(&s);                      // s.output = {14, 14, 1}
//   cpu::MaxPoolForward(DataType::kSingle, s, x, y, indices);

#include <array>
#include <cstdint>

#include "framework/dlarray/data_type.h"

namespace lamina::cpu {

// Spatial entries from spatial_rank on must keep their default values.
struct PoolingShape {
  int spatial_rank = 2;
  int64_t planes = 1;
  std::array<int64_t, 3> input = {1, 1, 1};
  std::array<int64_t, 3> window = {1, 1, 1};
  std::array<int64_t, 3> output = {1, 1, 1};
  std::array<int64_t, 3> stride = {1, 1, 1};
  std::array<int64_t, 3> pad_begin = {0, 0, 0};
  std::array<int64_t, 3> pad_end = {0, 0, 0};
};

// output = floor((input + pad_begin + pad_end - window) / stride) + 1. Returns false, with `output`
// unspecified, if an input is empty, a window is larger than the padded input, a padding is
// negative or not smaller than its window (then a window could hold nothing but padding), a stride
// is below 1, a rank outside of 1 .. 3, or sizes whose products overflow.
bool ComputeOutputSize(PoolingShape* shape);

// y = largest element of each window; padding never wins. `indices` (or nullptr) gets its 0-based
// column-major position in the plane, the first on ties. A window with a NaN gives NaN and the
// position of its first NaN, so that a NaN is never hidden.
void MaxPoolForward(DataType type, const PoolingShape& shape, const void* x, void* y,
                    int64_t* indices);

// dx = the sum of the dy whose indices point to each element, 0 elsewhere.
void MaxPoolBackward(DataType type, const PoolingShape& shape, const void* dy,
                     const int64_t* indices, void* dx);

// y = mean of each window. With `count_padding` the sum is divided by the size of the window, the
// padding counting as zeros; without, by the number of elements that lie in the input.
void AveragePoolForward(DataType type, const PoolingShape& shape, bool count_padding, const void* x,
                        void* y);

// The gradient with respect to x of <y, dy>.
void AveragePoolBackward(DataType type, const PoolingShape& shape, bool count_padding,
                         const void* dy, void* dx);

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_POOLING_H_
