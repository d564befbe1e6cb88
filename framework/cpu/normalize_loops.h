#ifndef FRAMEWORK_CPU_NORMALIZE_LOOPS_H_
#define FRAMEWORK_CPU_NORMALIZE_LOOPS_H_

// Inside of normalize.h: the loops. Which elements they are called for, in which order and on which
// thread stands in normalize.cc.

#include <cstdint>

namespace lamina::cpu {

// Rows of `width` neighbouring elements, `stride` elements apart.
struct NormalizeBlock {
  int64_t stride, rows, width;
};

// Two forms of each loop exist: all elements of a block belong to one group, and what belongs to a
// group is one number; or each column belongs to one group, and what belongs to groups is an array
// of `width` numbers.
template <class T>
struct NormalizeBlockLoops {
  // sums += x, other is not used
  // sums += (x - other)^2, other is the mean
  // sums += other, sums[columns] += x * other, other is an array like x
  using SumFn = void (*)(const T* x, const T* other, NormalizeBlock block, int64_t columns,
                         T* sums);
  SumFn sum, squares, products;
  // y = (x - mean) * inverse
  void (*standardize)(const T* x, const T* mean, const T* inverse, NormalizeBlock block, T* y);
  // dx = inverse * (dy - mean - y * slope)
  void (*gradient)(const T* y, const T* dy, const T* mean, const T* slope, const T* inverse,
                   NormalizeBlock block, T* dx);
};

template <class T>
struct NormalizeLoops {
  NormalizeBlockLoops<T> one_group, columns;
  // sum + rest += x with the rounding error of the addition kept in `rest`; x = 0.
  void (*accumulate)(T* x, int64_t n, T* sum, T* rest);
  // sum += rest
  void (*finish)(T* sum, const T* rest, int64_t n);
  // groups[j] = sum of x[i][j][k] over i < inner and k < outer, j < n, first index fastest.
  void (*contract)(const T* x, int64_t inner, int64_t n, int64_t outer, T* groups);
  // The other way: x[i][j][k] = groups[j].
  void (*expand)(const T* groups, int64_t inner, int64_t n, int64_t outer, T* x);
};

namespace v2 {
const NormalizeLoops<float>& FindNormalizeLoops(float);
const NormalizeLoops<double>& FindNormalizeLoops(double);
}  // namespace v2
namespace v3 {
const NormalizeLoops<float>& FindNormalizeLoops(float);
const NormalizeLoops<double>& FindNormalizeLoops(double);
}  // namespace v3
namespace v4 {
const NormalizeLoops<float>& FindNormalizeLoops(float);
const NormalizeLoops<double>& FindNormalizeLoops(double);
}  // namespace v4

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_NORMALIZE_LOOPS_H_
