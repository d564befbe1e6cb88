// An operation with a forward and a backward of its own.
//
// It is a struct with two functions. Nothing is registered and nothing is overridden: how many
// inputs and outputs there are, which of them are kept for Backward, and whether there is a memory,
// is read from their declarations. DifferentiableFunction makes a function of arrays of it:
//
//   struct ReverseGradient {
//     double factor = 1;
//     DlArray Forward(const DlArray& x) const { return x; }
//     DlArray Backward(Unused, Unused, const DlArray& dLdY, Unused) const {
//       return -factor * dLdY;
//     }
//   };
//   DlArray y = DifferentiableFunction(ReverseGradient{0.5})(x);
//
// Forward(x1, .., xN) const
//     returns y1, .., yM, as one DlArray or as std::tuple, std::pair or std::array of DlArray; and
//     last, if there is something to hand over, a Memory with any number of values.
// Backward(x.., y.., dLdY.., memory, [needed]) const
//     returns dLdX1, .., dLdXN, each with the size, labels and type of its input. An argument that
//     is declared `Unused` is not kept in between. `needed`, a NeededGradients, says for each input
//     whether its derivative is asked for; where it is not, DlArray() may be returned.
// For a number of inputs or outputs that is known only at run time Forward takes or returns one
// DlArrays, and Backward takes one DlArrays with all of its arguments before the memory.
//
// Forward is not differentiated: what it does may have another derivative than Backward's, or none.
// For second derivatives Backward is differentiated; where it reads a memory, Forward is too, as
// the way to the memory's values. Arrays come as the caller gave them, with labels or without.
//
// It serves wherever functions of arrays do: in Predict of a layer, in a function that DlFeval
// runs, as a FunctionLayer, as a loss (of outputs and targets) of TrainNet. A layer's own Backward
// (framework/layers/layer.h) has the same form and goes the same way.
//
// Errors of a call: those of Forward and Backward, with the function's name;
// "autodiff:BackwardArity" when Backward returns a wrong number of derivatives,
// "autodiff:WrongGradient" when one does not fit its input, "autodiff:NoSecondDerivative" when a
// second derivative is asked for and the memory depends on an input that is Unused. What can be
// seen from the declarations does not compile, and says why in one line.
//
// Threads: a value, shared by its copies; calls are as free as Forward and Backward are.
#ifndef FRAMEWORK_AUTODIFF_DIFFERENTIABLE_FUNCTION_H_
#define FRAMEWORK_AUTODIFF_DIFFERENTIABLE_FUNCTION_H_

#include <algorithm>
#include <array>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include "framework/autodiff/own_backward.h"

namespace lamina {
namespace internal {

// Like the checks of layer_traits.h: one readable line for what is wrong with F.
template <class F>
consteval bool CheckFunctionForward() {
  using P = decltype(&F::Forward);
  static_assert(Declaration<P>::kIsFunction, "Forward is a member function, not static.");
  if constexpr (Declaration<P>::kIsFunction) {
    static_assert(Declaration<P>::kIsConst,
                  "Forward is const: it returns what it computes, it changes nothing.");
    static_assert(Inputs<P>::kIsValid,
                  "Forward takes `const DlArray&` for each input, or one `const DlArrays&`.");
    static_assert(!Declaration<P>::kHasMutableReference,
                  "Forward takes its inputs as const: it may not change them.");
    static_assert(Result<P>::kIsValid,
                  "Forward returns DlArray, a tuple or array of DlArray, or DlArrays; a Memory may "
                  "follow.");
    static_assert(Result<P>::kMemories <= 1 && Result<P>::kMemoryIsLast,
                  "Forward returns at most one Memory, last.");
    static_assert(!Result<P>::kIsValid || Result<P>::kCount > 0,
                  "Forward returns one output at least, before the Memory.");
    return Declaration<P>::kIsConst && Inputs<P>::kIsValid &&
           !Declaration<P>::kHasMutableReference && Result<P>::kIsValid &&
           Result<P>::kMemories <= 1 && Result<P>::kMemoryIsLast && Result<P>::kCount > 0;
  }
  return false;
}

/// Each was found good by itself.
template <class F>
consteval bool CheckFunctionArity() {
  using P = decltype(&F::Forward);
  using B = decltype(&F::Backward);
  using Traits = BackwardTraits<B>;
  constexpr bool kReadsMemory = std::is_same_v<typename Traits::Last, Memory>;
  static_assert(!kReadsMemory || Result<P>::kMemories > 0,
                "Backward takes a Memory, but Forward returns none: declare it as Unused.");
  static_assert(kReadsMemory || Result<P>::kMemories == 0,
                "Forward returns a Memory, but Backward declares it as Unused.");
  constexpr bool kMemoryFits = kReadsMemory == (Result<P>::kMemories > 0);
  constexpr bool kIsList = Inputs<P>::kIsVariable || Result<P>::kIsVariable;
  static_assert(!kIsList || Traits::kIsVariable,
                "Where Forward takes or returns a DlArrays, Backward takes one `const DlArrays&` "
                "before the memory.");
  if constexpr (kIsList || Traits::kIsVariable) {
    return kMemoryFits && Traits::kIsVariable;
  } else {
    constexpr bool kTakes = Traits::kCount == Inputs<P>::kCount + 2 * Result<P>::kCount;
    static_assert(kTakes,
                  "Backward takes each input, each output, the derivative of each output, and the "
                  "memory; what it does not need as Unused.");
    constexpr bool kReturns = Result<B>::kIsVariable || Result<B>::kCount == Inputs<P>::kCount;
    static_assert(kReturns, "Backward returns one derivative for each input of Forward.");
    return kMemoryFits && kTakes && kReturns;
  }
}

template <class F>
consteval bool CheckFunction() {
  static_assert(HasForward<F> && HasBackward<F>,
                "A differentiable function has one public Forward and one public Backward, neither "
                "overloaded nor a template.");
  if constexpr (HasForward<F> && HasBackward<F>) {
    constexpr bool kForward = CheckFunctionForward<F>(), kBackward = CheckBackwardDeclaration<F>();
    if constexpr (kForward && kBackward) return CheckFunctionArity<F>();
  }
  return false;
}

template <class F>
class FunctionRule final : public OwnBackwardRule {
 public:
  FunctionRule(std::shared_ptr<const F> function, int inputs)
      : OwnBackwardRule("Backward of " + ClassName(typeid(F)),
                        {.inputs = inputs,
                         .outputs = kAllOutputs,
                         .derivatives = kAllOutputs,
                         .used = BackwardTraits<decltype(&F::Backward)>::kUsed}),
        function_(std::move(function)) {}
  CallResult CallForward(Arrays inputs) const override {
    try {
      return CallWithInputs(*function_, &F::Forward, inputs);
    } catch (Error& e) {
      e.AddPlace("Forward of " + ClassName(typeid(F)));
      throw;
    }
  }
  DlArrays CallBackward(Arrays arguments, const Memory& memory,
                        const GradientCall& call) const override {
    return internal::CallBackward(*function_, arguments, memory, NeededGradients(call.needed));
  }

 private:
  std::shared_ptr<const F> function_;
};

/// What Forward takes; void when F is wrong.
template <class F>
consteval auto ParametersOf() {
  if constexpr (CheckFunction<F>()) {
    return std::type_identity<typename Declaration<decltype(&F::Forward)>::Parameters>();
  } else {
    return std::type_identity<void>();
  }
}

/// The call, with the parameters of Forward: plain ones, so that it can be seen what it takes.
template <class F, class Parameters>
class FunctionCall;
template <class F, class... X>
class FunctionCall<F, std::tuple<X...>> {
 public:
  explicit FunctionCall(F function) : function_(std::make_shared<const F>(std::move(function))) {}

  auto operator()(const X&... x) const {
    using Outputs = Result<decltype(&F::Forward)>;
    if constexpr (Inputs<decltype(&F::Forward)>::kIsVariable) {
      return Shaped<Outputs>(Run((x, ...)));
    } else {
      const DlArray inputs[] = {x...};
      return Shaped<Outputs>(Run(inputs));
    }
  }

 private:
  DlArrays Run(Arrays x) const {
    return RunWithOwnBackward(
        std::make_shared<FunctionRule<F>>(function_, static_cast<int>(x.size())), x);
  }
  // One array, several as std::array, or a list.
  template <class Outputs>
  static auto Shaped(DlArrays y) {
    if constexpr (Outputs::kIsVariable) {
      return y;
    } else if constexpr (Outputs::kCount == 1) {
      return y[0];
    } else {
      std::array<DlArray, Outputs::kCount> shaped;
      std::move(y.begin(), y.end(), shaped.begin());
      return shaped;
    }
  }

  std::shared_ptr<const F> function_;
};
// Stands in for what does not compile, so that the line that says why stands alone.
template <class F>
class FunctionCall<F, void> {
 public:
  explicit FunctionCall(const F&) {}
  template <class... X>
  DlArray operator()(const X&...) const {
    return {};
  }
};

}  // namespace internal

/// F as a function of arrays. It takes what F::Forward takes, and returns its outputs without the
/// Memory: a DlArray, several as std::array, or DlArrays.
template <class F>
class DifferentiableFunction
    : public internal::FunctionCall<F, typename decltype(internal::ParametersOf<F>())::type> {
 public:
  explicit DifferentiableFunction(F function)
      : internal::FunctionCall<F, typename decltype(internal::ParametersOf<F>())::type>(
            std::move(function)) {}
};

}  // namespace lamina

#endif  // FRAMEWORK_AUTODIFF_DIFFERENTIABLE_FUNCTION_H_
