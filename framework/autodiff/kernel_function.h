// A function of arrays with a kernel of your own for a device.
//
// The function says what is computed. It runs where there is no device, derivatives are taken of
// it, generated code is written from it, and CheckLayer's GPU tests compare the kernel with it. The
// kernel is CUDA C++; on a device it takes the place of what Lamina would write, for the types that
// it names. For other types, and for derivatives, the function serves there too.
//
//   const KernelFunction snake(
//       {.name = "Snake",
//        .source = R"(
//          __global__ void Snake(const T* x, const T* a, T* y, long long n) {
//            const long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
//            if (i >= n) return;
//            const T s = sin(a[0] * x[i]);
//            y[i] = x[i] + s * s / a[0];
//          })",
//        .types = {DataType::kSingle, DataType::kDouble}},
//       [](const DlArray& x, const DlArray& a) { return x + Square(Sin(a * x)) / a; });
//   const DlArray y = snake(x, a);
//
// A derivative with a kernel of its own: a DifferentiableFunction whose Forward and Backward are
// such functions.
//
// The function takes `const DlArray&` for each input and returns a DlArray, or several as
// std::array. It captures nothing: what it depends on comes as an array. A kernel is compiled when
// it is first needed, and kept on the disk.
//
// Errors of a call: those of the function. On a device besides: "gpu:CannotCompile" with the
// compiler's messages, whose lines are those of `source`; "kernel:Launch".
//
// Source of the example: Ziyin, Hartwig, Ueda, Neural Networks Fail to Learn Periodic Functions,
// arXiv:2006.08195.
//
// Threads: a value, shared by its copies; may be called from any thread.
#ifndef FRAMEWORK_AUTODIFF_KERNEL_FUNCTION_H_
#define FRAMEWORK_AUTODIFF_KERNEL_FUNCTION_H_

#include <array>
#include <concepts>
#include <cstddef>
#include <functional>
#include <iterator>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "framework/autodiff/member_function.h"
#include "framework/dlarray/dlarray.h"
#include "framework/ops/device_kernel.h"

namespace lamina {
namespace internal {

/// The op of a function with a kernel, whose derivative is that of the function. `type` is the
/// function's.
OpPtr MakeKernelFunctionOp(DeviceKernel kernel, const std::type_info& type,
                           std::function<DlArrays(Arrays)> function);

/// Whether there is something to compute with the processor, now.
bool AllHaveValues(Arrays inputs);

/// One readable line for what is wrong with F.
template <class F>
consteval bool CheckKernelFunction() {
  constexpr bool kIsCallable = requires { &F::operator(); };
  static_assert(kIsCallable,
                "A KernelFunction is made of a kernel and a lambda that is no template.");
  static_assert(std::is_empty_v<F>,
                "The function of a KernelFunction captures nothing: what it depends on comes as an "
                "array.");
  if constexpr (kIsCallable) {
    using P = decltype(&F::operator());
    static_assert(Inputs<P>::kIsValid && !Inputs<P>::kIsVariable,
                  "The function of a KernelFunction takes `const DlArray&` for each input.");
    static_assert(Result<P>::kIsValid && !Result<P>::kIsVariable && Result<P>::kMemories == 0,
                  "The function of a KernelFunction returns a DlArray, or several as std::array.");
    return std::is_empty_v<F> && Inputs<P>::kIsValid && !Inputs<P>::kIsVariable &&
           Result<P>::kIsValid && !Result<P>::kIsVariable && Result<P>::kMemories == 0;
  }
  return false;
}

}  // namespace internal

template <class F, bool kIsRight = internal::CheckKernelFunction<F>()>
class KernelFunction {
  static constexpr size_t kInputs =
      std::tuple_size_v<typename internal::Declaration<decltype(&F::operator())>::Parameters>;
  using Returned = typename internal::Declaration<decltype(&F::operator())>::Result;

 public:
  KernelFunction(DeviceKernel kernel, F function)
      : function_(std::move(function)),
        op_(internal::MakeKernelFunctionOp(
            std::move(kernel), typeid(F), [f = function_](Arrays inputs) {
              return List(CallWith(f, inputs, std::make_index_sequence<kInputs>()));
            })) {}

  template <std::convertible_to<DlArray>... X>
  requires(sizeof...(X) == kInputs) Returned operator()(const X&... x) const {
    const DlArray inputs[] = {x...};
    if (internal::AllHaveValues(inputs)) {
      return CallWith(function_, inputs, std::make_index_sequence<kInputs>());
    }
    return Shaped(ApplyAll(op_, inputs));
  }

 private:
  template <size_t... I>
  static Returned CallWith(const F& function, Arrays inputs, std::index_sequence<I...>) {
    return function(inputs[I]...);
  }
  static DlArrays List(Returned y) {
    if constexpr (std::is_same_v<Returned, DlArray>) {
      return {std::move(y)};
    } else {
      return {std::make_move_iterator(y.begin()), std::make_move_iterator(y.end())};
    }
  }
  static Returned Shaped(DlArrays list) {
    if constexpr (std::is_same_v<Returned, DlArray>) {
      return std::move(list[0]);
    } else {
      Returned y;
      std::move(list.begin(), list.end(), y.begin());
      return y;
    }
  }

  F function_;
  OpPtr op_;
};
template <class F>
KernelFunction(DeviceKernel, F) -> KernelFunction<F>;

// Stands in for what does not compile, so that the line that says why stands alone.
template <class F>
class KernelFunction<F, false> {
 public:
  KernelFunction(const DeviceKernel&, const F&) {}
  template <class... X>
  DlArray operator()(const X&...) const {
    return {};
  }
};

}  // namespace lamina

#endif  // FRAMEWORK_AUTODIFF_KERNEL_FUNCTION_H_
