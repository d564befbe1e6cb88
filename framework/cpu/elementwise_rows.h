#ifndef FRAMEWORK_CPU_ELEMENTWISE_ROWS_H_
#define FRAMEWORK_CPU_ELEMENTWISE_ROWS_H_

// Inside of elementwise.h: a kernel is a set of loops over one row of elements, one loop for each
// way in which the arguments move along the row (element by element, or one value for all). Walking
// the rows and splitting them over threads is the same for all kernels and stands in
// elementwise.cc.

#include <cstdint>
#include <type_traits>

#include "framework/cpu/elementwise.h"
#include "framework/cpu/isa_namespace.h"
#include "framework/cpu/scalar_functions.h"
#include "framework/cpu/threads.h"

namespace lamina::cpu {

// Applies the function to n elements.
using RowFn = void (*)(void* out, const void* const* in, int64_t n);

struct RowLoops {
  int arity;
  int output_size;  // bytes of an element
  int input_sizes[3];
  int64_t grain;  // elements that are worth a thread
  // Bit i of the index is set: input i moves along the row. [0] is not used: where nothing moves,
  // one element is computed and repeated.
  RowFn row[8];
};

// Runs the rows of `args`. A row in which an input has a stride other than 0 and 1 is taken element
// by element: right, but slow; dense arrays have none.
void RunRows(const ElementwiseArgs& args, const RowLoops& loops);

inline namespace LAMINA_ISA {
namespace {

// The type that holds the result of F on T, where `Value` is the type of F's expression.
template <class F, class T, class Value>
using OutputOf = std::conditional_t<F::kResult == ResultRule::kLogical, uint8_t,
                                    std::conditional_t<F::kResult == ResultRule::kSame, T, Value>>;

// The loop of F for the inputs of `movers`. The output may be the same memory as an input, element
// by element; so no iteration depends on another one, which ivdep tells the compiler.
template <class F, class T, class Out>
void UnaryRow(void* out, const void* const* in, int64_t n) {
  auto* y = static_cast<Out*>(out);
  const auto* a = static_cast<const T*>(in[0]);
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) y[i] = static_cast<Out>(F::Value(a[i]));
}

template <class F, class T, class Out, int movers>
void BinaryRow(void* out, const void* const* in, int64_t n) {
  auto* y = static_cast<Out*>(out);
  const auto* a = static_cast<const T*>(in[0]);
  const auto* b = static_cast<const T*>(in[1]);
  if constexpr (movers == 3) {
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) y[i] = static_cast<Out>(F::Value(a[i], b[i]));
  } else if constexpr (movers == 1) {
    const T constant = *b;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) y[i] = static_cast<Out>(F::Value(a[i], constant));
  } else {
    const T constant = *a;
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) y[i] = static_cast<Out>(F::Value(constant, b[i]));
  }
}

template <class F, class T, int movers>
void WhereRow(void* out, const void* const* in, int64_t n) {
  auto* y = static_cast<T*>(out);
  const auto* m = static_cast<const uint8_t*>(in[0]);
  const auto* a = static_cast<const T*>(in[1]);
  const auto* b = static_cast<const T*>(in[2]);
  const uint8_t m0 = *m;
  const T a0 = *a, b0 = *b;
#pragma GCC ivdep
  for (int64_t i = 0; i < n; ++i) {
    y[i] = F::Value((movers & 1) != 0 ? m[i] : m0, (movers & 2) != 0 ? a[i] : a0,
                    (movers & 4) != 0 ? b[i] : b0);
  }
}

// Functions that cost much more than reading and writing their arguments.
constexpr bool IsExpensive(ScalarFunction f) {
  return (f >= ScalarFunction::kExp && f <= ScalarFunction::kLog10) ||
         (f >= ScalarFunction::kSin && f <= ScalarFunction::kErf) || f == ScalarFunction::kPower ||
         f == ScalarFunction::kAtan2 || f == ScalarFunction::kMod;
}

template <class F, class T>
constexpr RowLoops MakeLoops() {
  constexpr int64_t kGrain = IsExpensive(F::kId) ? kElementwiseGrain / 8 : kElementwiseGrain;
  constexpr int kSize = sizeof(T);
  if constexpr (F::kArity == 1) {
    using Out = OutputOf<F, T, decltype(F::Value(T()))>;
    return {1, sizeof(Out), {kSize}, kGrain, {nullptr, UnaryRow<F, T, Out>}};
  } else if constexpr (F::kArity == 2) {
    using Out = OutputOf<F, T, decltype(F::Value(T(), T()))>;
    return {2,
            sizeof(Out),
            {kSize, kSize},
            kGrain,
            {nullptr, BinaryRow<F, T, Out, 1>, BinaryRow<F, T, Out, 2>, BinaryRow<F, T, Out, 3>}};
  } else {
    return {3,
            kSize,
            {1, kSize, kSize},
            kGrain,
            {nullptr, WhereRow<F, T, 1>, WhereRow<F, T, 2>, WhereRow<F, T, 3>, WhereRow<F, T, 4>,
             WhereRow<F, T, 5>, WhereRow<F, T, 6>, WhereRow<F, T, 7>}};
  }
}

template <class F, class T>
void Kernel(const ElementwiseArgs& args) {
  static constexpr RowLoops kLoops = MakeLoops<F, T>();
  RunRows(args, kLoops);
}

// Kernels of one type by function. Those that make complex numbers of real ones use std::complex,
// so they are left to elementwise_other.cc.
struct KernelTable {
  ElementwiseFn fn[kNumScalarFunctions] = {};
};
template <class T, class... F>
constexpr KernelTable MakeTable(functors::List<F...>) {
  KernelTable table;
  const auto add = [&]<class G>(G) {
    if constexpr (G::kResult != ResultRule::kComplexOfReal) {
      table.fn[static_cast<int>(G::kId)] = &Kernel<G, T>;
    }
  };
  (add(F()), ...);
  return table;
}

}  // namespace
}  // namespace LAMINA_ISA
}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_ELEMENTWISE_ROWS_H_
