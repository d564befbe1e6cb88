#ifndef FRAMEWORK_CPU_ELEMENTWISE_H_
#define FRAMEWORK_CPU_ELEMENTWISE_H_

// Applying a scalar function to every element of dense column-major arrays, with broadcasting.
//
// The loops for single and double are compiled for three instruction sets (x86-64-v2, -v3, -v4) and
// the best that the machine has is chosen once; see instruction_set.h. The other types run the
// -v2 form.
//
// Threads: every function may be called from any thread. A kernel splits large work with
// ParallelFor; its result does not depend on the number of threads.
//
//   ElementwiseArgs args;                                    // z[4x5] = x[4x5] + y[1x5]
//   args.output = z; args.inputs[0] = x; args.inputs[1] = y;
//   CollapseBroadcast({{4, 5}}, {{{4, 5}}, {{1, 5}}}, &args);
//   FindElementwise(ScalarFunction::kPlus, DataType::kSingle)(args);

#include <cstdint>
#include <initializer_list>
#include <span>

#include "framework/cpu/scalar_function.h"
#include "framework/dlarray/data_type.h"

namespace lamina::cpu {

/// Left uninitialised on purpose: filling it would cost more than a small kernel.
struct ElementwiseArgs {
  static constexpr int kMaxRank = 32;

  void* output;  ///< dense; may be the very same memory as an input of the same type and size
  const void* inputs[3];
  int rank;                      ///< of the collapsed loop; 0 means one element
  int64_t sizes[kMaxRank];       ///< first dim fastest
  int64_t strides[3][kMaxRank];  ///< in elements, for each input; 0 repeats the element
};

using ElementwiseFn = void (*)(const ElementwiseArgs& args);

/// The kernel for arguments of type `type` (for kWhere: the type of its two values; the mask is
/// logical), or nullptr if there is none: then convert the arguments first or report an error.
/// - single, double: all
/// - complex: where the function is defined in mathematics (no order, no rounding)
/// - int32, int64, uint8: Negate, Abs, Sign, Square, Plus, Minus, Times, Mod, Max, Min,
///   comparisons, Not, And, Or, Xor, Where
/// - logical: Max, Min, comparisons, Not, And, Or, Xor, Where
///
/// Integers wrap around on overflow. The result has ResultType(function, type).
ElementwiseFn FindElementwise(ScalarFunction function, DataType type);

/// Sets rank, sizes and strides for dense inputs of sizes `inputs[i]` (1 or the output's size in
/// each dim; missing trailing dims count as 1) and a dense output of sizes `output`. Neighbouring
/// dims in which all inputs move alike become one. The pointers stay as they are. Returns false,
/// with `args` unspecified, if the collapsed loop would have more than kMaxRank dims.
bool CollapseBroadcast(std::span<const int64_t> output,
                       std::initializer_list<std::span<const int64_t>> inputs,
                       ElementwiseArgs* args);

/// The common special case: all inputs have n elements.
inline void SetFlat(int64_t n, ElementwiseArgs* args) {
  args->rank = 1;
  args->sizes[0] = n;
  args->strides[0][0] = args->strides[1][0] = args->strides[2][0] = 1;
}

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_ELEMENTWISE_H_
