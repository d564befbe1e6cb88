#ifndef FRAMEWORK_CPU_REDUCE_LOOPS_H_
#define FRAMEWORK_CPU_REDUCE_LOOPS_H_

// Inside of reduce.h: the loops of one reduction on one type. Which elements they are called for,
// in which order and on which thread stands in reduce.cc.

#include <cstdint>
#include <type_traits>

#include "framework/cpu/isa_namespace.h"
#include "framework/cpu/reduce.h"

namespace lamina::cpu {

struct ReduceLoops {
  int input_size;   // bytes of an element
  int result_size;  // bytes of an element of the result and of partial results
  // result[0] = reduction of x[0 .. n), n >= 0.
  void (*contiguous)(const void* x, int64_t n, void* result);
  // result[j] = reduction of x[r * stride + j] over r < rows, for j < width.
  void (*columns)(const void* x, int64_t stride, int64_t rows, int64_t width, void* result);
  // a[j] = reduction of a[j] and b[j], both results, for j < n; a holds the earlier elements.
  void (*combine)(void* a, const void* b, int64_t n);
};

// Tables for single and double (Sum .. Min) of each instruction set; nullptr for other pairs.
namespace v2 {
const ReduceLoops* FindFloatingReduce(Reduction reduction, bool is_double);
}
namespace v3 {
const ReduceLoops* FindFloatingReduce(Reduction reduction, bool is_double);
}
namespace v4 {
const ReduceLoops* FindFloatingReduce(Reduction reduction, bool is_double);
}
// All other pairs but kArgMax and kArgMin; nullptr if not supported.
const ReduceLoops* FindOtherReduce(Reduction reduction, DataType type);

inline namespace LAMINA_ISA {
namespace {

// In each op, V is a number or a vector of them; A the type of the result.
struct SumOp {
  template <class A>
  static A Identity() {
    return A(0);
  }
  template <class V>
  static V Step(V a, V x) {
    return a + x;
  }
  template <class V>
  static V Combine(V a, V b) {
    return a + b;
  }
};
struct ProdOp {
  template <class A>
  static A Identity() {
    return A(1);
  }
  template <class V>
  static V Step(V a, V x) {
    return a * x;
  }
  template <class V>
  static V Combine(V a, V b) {
    return a * b;
  }
};
struct SumSquaresOp : SumOp {
  template <class V>
  static V Step(V a, V x) {
    return a + x * x;
  }
};
// A NaN is the identity: any other value takes its place, and no comparison lets one in.
struct MaxOp {
  template <class A>
  static A Identity() {
    return static_cast<A>(__builtin_nan(""));
  }
  template <class V>
  static V Step(V a, V x) {
    return (x > a) | (a != a) ? x : a;
  }
  template <class V>
  static V Combine(V a, V b) {
    return Step(a, b);
  }
};
struct MinOp : MaxOp {
  template <class V>
  static V Step(V a, V x) {
    return (x < a) | (a != a) ? x : a;
  }
  template <class V>
  static V Combine(V a, V b) {
    return Step(a, b);
  }
};

// result[0] = reduction of n elements of a floating type, in four vectors of 64 bytes.
template <class Op, class T>
void VectorContiguous(const void* in, int64_t n, void* result) {
  typedef T V __attribute__((vector_size(64)));
  typedef T Loaded __attribute__((vector_size(64), aligned(alignof(T)), may_alias));
  constexpr int kLanes = 64 / sizeof(T);
  const T* x = static_cast<const T*>(in);
  const auto load = [](const T* p) -> V { return *reinterpret_cast<const Loaded*>(p); };
  T total = Op::template Identity<T>();
  if (n >= kLanes) {
    const V start = V{} + Op::template Identity<T>();
    V a0 = start, a1 = start, a2 = start, a3 = start;
    for (; n >= 4 * kLanes; n -= 4 * kLanes, x += 4 * kLanes) {
      a0 = Op::Step(a0, load(x));
      a1 = Op::Step(a1, load(x + kLanes));
      a2 = Op::Step(a2, load(x + 2 * kLanes));
      a3 = Op::Step(a3, load(x + 3 * kLanes));
    }
    for (; n >= kLanes; n -= kLanes, x += kLanes) a0 = Op::Step(a0, load(x));
    a0 = Op::Combine(Op::Combine(a0, a1), Op::Combine(a2, a3));
    T lanes[kLanes];
    *reinterpret_cast<Loaded*>(lanes) = a0;
    for (int width = kLanes / 2; width > 0; width /= 2) {
      for (int i = 0; i < width; ++i) lanes[i] = Op::Combine(lanes[i], lanes[i + width]);
    }
    total = lanes[0];
  }
  if (n > 0) {
    T rest = Op::template Identity<T>();
    for (int64_t i = 0; i < n; ++i) rest = Op::Step(rest, x[i]);
    total = Op::Combine(total, rest);
  }
  *static_cast<T*>(result) = total;
}

// The same for any type, in eight lanes.
template <class Op, class T, class A>
void PlainContiguous(const void* in, int64_t n, void* result) {
  constexpr int kLanes = 8;
  const T* x = static_cast<const T*>(in);
  A lanes[kLanes];
  for (A& a : lanes) a = Op::template Identity<A>();
  for (; n >= kLanes; n -= kLanes, x += kLanes) {
    for (int i = 0; i < kLanes; ++i) lanes[i] = Op::Step(lanes[i], x[i]);
  }
  for (int i = 0; i < n; ++i) lanes[i] = Op::Step(lanes[i], x[i]);
  for (int width = kLanes / 2; width > 0; width /= 2) {
    for (int i = 0; i < width; ++i) lanes[i] = Op::Combine(lanes[i], lanes[i + width]);
  }
  *static_cast<A*>(result) = lanes[0];
}

template <class Op, class T, class A>
void WideColumns(const T* x, int64_t stride, int64_t rows, int64_t width, A* y) {
#pragma GCC ivdep
  for (int64_t j = 0; j < width; ++j) y[j] = Op::template Identity<A>();
  int64_t r = 0;
  for (; r + 4 <= rows; r += 4) {
    const T* row = x + r * stride;
#pragma GCC ivdep
    for (int64_t j = 0; j < width; ++j) {
      A a = Op::Step(y[j], row[j]);
      a = Op::Step(a, row[j + stride]);
      a = Op::Step(a, row[j + 2 * stride]);
      y[j] = Op::Step(a, row[j + 3 * stride]);
    }
  }
  for (; r < rows; ++r) {
    const T* row = x + r * stride;
#pragma GCC ivdep
    for (int64_t j = 0; j < width; ++j) y[j] = Op::Step(y[j], row[j]);
  }
}

template <class Op, class T, class A>
void Columns(const void* in, int64_t stride, int64_t rows, int64_t width, void* result) {
  constexpr int64_t kWide = 64;
  const T* x = static_cast<const T*>(in);
  A* y = static_cast<A*>(result);
  const int64_t fold = width > 0 ? kWide / width : 0;
  if (stride != width || fold < 2 || rows < 2 * fold) {
    return WideColumns<Op, T, A>(x, stride, rows, width, y);
  }
  // Narrow rows without gaps: take `fold` of them as one wide row, then reduce that.
  A wide[kWide];
  const int64_t wide_rows = rows / fold, wide_width = fold * width;
  WideColumns<Op, T, A>(x, wide_width, wide_rows, wide_width, wide);
  WideColumns<Op, T, A>(x + wide_rows * wide_width, width, rows - wide_rows * fold, width, y);
  for (int64_t k = fold - 1; k >= 0; --k) {
    for (int64_t j = 0; j < width; ++j) y[j] = Op::Combine(wide[k * width + j], y[j]);
  }
}

template <class Op, class A>
void Combine(void* a, const void* b, int64_t n) {
  A* y = static_cast<A*>(a);
  const A* x = static_cast<const A*>(b);
#pragma GCC ivdep
  for (int64_t j = 0; j < n; ++j) y[j] = Op::Combine(y[j], x[j]);
}

template <class Op, class T>
inline constexpr ReduceLoops kVectorLoops = {sizeof(T), sizeof(T), VectorContiguous<Op, T>,
                                             Columns<Op, T, T>, Combine<Op, T>};
template <class Op, class T, class A>
inline constexpr ReduceLoops kPlainLoops = {sizeof(T), sizeof(A), PlainContiguous<Op, T, A>,
                                            Columns<Op, T, A>, Combine<Op, A>};

}  // namespace
}  // namespace LAMINA_ISA
}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_REDUCE_LOOPS_H_
