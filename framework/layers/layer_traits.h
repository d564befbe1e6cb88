// Reads from the functions of a layer what it can do, and says in one line, at compile time, what
// is wrong with them. Used by AnyLayer; layer authors see only its messages.
#ifndef FRAMEWORK_LAYERS_LAYER_TRAITS_H_
#define FRAMEWORK_LAYERS_LAYER_TRAITS_H_

#include <concepts>
#include <span>
#include <tuple>
#include <type_traits>
#include <utility>

#include "framework/autodiff/member_function.h"
#include "framework/layers/layer.h"

namespace lamina::internal {

template <>
inline constexpr bool kIsResultElement<NetworkState> = true;

// Like HasForward and HasBackward (member_function.h): a layer has one public Predict.
template <class T>
concept HasPredict = requires {
  &T::Predict;
};
template <class T>
concept HasInitialize = requires {
  &T::Initialize;
};
template <class T>
concept HasResetState = requires {
  &T::ResetState;
};

// Does T name a member so, in whatever way? Then the same name inherited from elsewhere is
// ambiguous. This finds a Forward that is overloaded or private and would else be passed over in
// silence.
struct ForwardOfAnother {
  int Forward;
};
struct BackwardOfAnother {
  int Backward;
};
struct InitializeOfAnother {
  int Initialize;
};
struct ResetStateOfAnother {
  int ResetState;
};
template <class T, class Another>
struct WithAnother : T, Another {};

template <class T>
consteval bool NamesForward() {
  if constexpr (std::is_final_v<T>) {
    return HasForward<T>;
  } else {
    return !requires { &WithAnother<T, ForwardOfAnother>::Forward; };
  }
}
template <class T>
consteval bool NamesBackward() {
  if constexpr (std::is_final_v<T>) {
    return HasBackward<T>;
  } else {
    return !requires { &WithAnother<T, BackwardOfAnother>::Backward; };
  }
}
template <class T>
consteval bool NamesInitialize() {
  if constexpr (std::is_final_v<T>) {
    return HasInitialize<T>;
  } else {
    return !requires { &WithAnother<T, InitializeOfAnother>::Initialize; };
  }
}
template <class T>
consteval bool NamesResetState() {
  if constexpr (std::is_final_v<T>) {
    return HasResetState<T>;
  } else {
    return !requires { &WithAnother<T, ResetStateOfAnother>::ResetState; };
  }
}

/// One layout for each input, or all of them in a row.
template <class Tuple>
struct LayoutTraits;
template <class... P>
struct LayoutTraits<std::tuple<P...>> {
  static constexpr bool kIsVariable =
      sizeof...(P) == 1 && (std::is_same_v<P, std::span<const NetworkDataLayout>> || ... || false);
  static constexpr bool kIsValid =
      kIsVariable || (sizeof...(P) > 0 && (std::is_same_v<P, NetworkDataLayout> && ...));
  static constexpr int kCount = kIsVariable ? -1 : static_cast<int>(sizeof...(P));
};
template <class F>
using Layouts = LayoutTraits<typename Declaration<F>::Parameters>;

// --- The contract, checked ----------------------------------------------------------------------
//
// Each of these fails to compile, with one readable line, when T breaks the contract in a way that
// can be seen from its declarations, and says whether T can be used all the same: if not, nothing
// more is made of T, so that the line is not buried.

template <class T>
consteval bool CheckPredict() {
  static_assert(HasPredict<T>,
                "A layer has one public function Predict, neither overloaded nor a template.");
  if constexpr (HasPredict<T>) {
    using P = decltype(&T::Predict);
    static_assert(Declaration<P>::kIsFunction, "Predict is a member function, not static.");
    if constexpr (Declaration<P>::kIsFunction) {
      static_assert(Declaration<P>::kIsConst,
                    "Predict is const: a layer returns its new states, it does not change itself.");
      static_assert(Inputs<P>::kIsValid,
                    "Predict takes `const DlArray&` for each input, or one `const DlArrays&`.");
      static_assert(!Declaration<P>::kHasMutableReference,
                    "Predict takes its inputs as const: it may not change them.");
      static_assert(Result<P>::kIsValid,
                    "Predict returns DlArray, a tuple or array of DlArray, or DlArrays.");
      static_assert(Result<P>::kMemories == 0, "Predict returns no Memory: only Forward does.");
      return Declaration<P>::kIsConst && Inputs<P>::kIsValid &&
             !Declaration<P>::kHasMutableReference && Result<P>::kIsValid;
    }
  }
  return false;
}

/// Predict was found good.
template <class T>
consteval bool CheckForward() {
  static_assert(HasForward<T> || !NamesForward<T>(),
                "Forward is public, neither overloaded nor a template.");
  if constexpr (HasForward<T>) {
    using P = decltype(&T::Predict);
    using F = decltype(&T::Forward);
    static_assert(Declaration<F>::kIsFunction, "Forward is a member function, not static.");
    if constexpr (Declaration<F>::kIsFunction) {
      static_assert(Declaration<F>::kIsConst,
                    "Forward is const: a layer returns its new states, it does not change itself.");
      static_assert(Inputs<F>::kIsValid && Inputs<F>::kCount == Inputs<P>::kCount,
                    "Forward takes the same inputs as Predict.");
      static_assert(!Declaration<F>::kHasMutableReference,
                    "Forward takes its inputs as const: it may not change them.");
      static_assert(Result<F>::kIsValid,
                    "Forward returns what Predict returns, and a Memory last if there is a "
                    "Backward.");
      static_assert(Result<F>::kMemories <= 1 && Result<F>::kMemoryIsLast,
                    "Forward returns at most one Memory, last.");
      static_assert(!Result<F>::kIsValid || Result<F>::kIsVariable == Result<P>::kIsVariable,
                    "Forward returns outputs in the same form as Predict.");
      static_assert(!Result<F>::kIsValid || Result<F>::kCount == Result<P>::kCount,
                    "Forward returns as many outputs and states as Predict.");
      static_assert(HasBackward<T> || Result<F>::kMemories == 0,
                    "Forward returns a Memory, but there is no Backward to take it.");
      static_assert(!HasBackward<T> || Result<F>::kMemories > 0,
                    "A layer with Forward and Backward returns a Memory from Forward, last.");
      return Declaration<F>::kIsConst && Inputs<F>::kCount == Inputs<P>::kCount &&
             Inputs<F>::kIsValid && !Declaration<F>::kHasMutableReference && Result<F>::kIsValid;
    }
    return false;
  }
  return true;
}

template <class T>
consteval bool CheckBackward() {
  static_assert(HasBackward<T> || !NamesBackward<T>(),
                "Backward is public, neither overloaded nor a template.");
  if constexpr (HasBackward<T>) return CheckBackwardDeclaration<T>();
  return true;
}

template <class T>
consteval bool CheckInitialize() {
  static_assert(HasInitialize<T> || !NamesInitialize<T>(),
                "Initialize is public, neither overloaded nor a template.");
  if constexpr (HasInitialize<T>) {
    using I = decltype(&T::Initialize);
    static_assert(Declaration<I>::kIsFunction, "Initialize is a member function, not static.");
    if constexpr (Declaration<I>::kIsFunction) {
      static_assert(std::is_same_v<typename Declaration<I>::Result, void>,
                    "Initialize returns nothing: it sets the parameters.");
      static_assert(Layouts<I>::kIsValid,
                    "Initialize takes `const NetworkDataLayout&` for each input, or one "
                    "`std::span<const NetworkDataLayout>`.");
      constexpr int kLayouts = Layouts<I>::kCount, kInputs = Inputs<decltype(&T::Predict)>::kCount;
      static_assert(!Layouts<I>::kIsValid || kLayouts < 0 || kInputs < 0 || kLayouts == kInputs,
                    "Initialize takes as many layouts as Predict takes inputs.");
      return Layouts<I>::kIsValid;
    }
    return false;
  }
  return true;
}

template <class T>
consteval bool CheckResetState() {
  static_assert(HasResetState<T> || !NamesResetState<T>(),
                "ResetState is public, neither overloaded nor a template.");
  if constexpr (HasResetState<T>) {
    using R = decltype(&T::ResetState);
    static_assert(Declaration<R>::kIsFunction, "ResetState is a member function, not static.");
    if constexpr (Declaration<R>::kIsFunction) {
      constexpr bool kTakesNothing = std::is_same_v<typename Declaration<R>::Result, void> &&
                                     std::tuple_size_v<typename Declaration<R>::Parameters> == 0;
      static_assert(kTakesNothing,
                    "ResetState takes nothing and returns nothing: it sets the states.");
      return kTakesNothing;
    }
    return false;
  }
  return true;
}

template <class T>
consteval bool CheckContract() {
  constexpr bool kIsLayer = std::derived_from<T, Layer>;
  static_assert(kIsLayer, "A layer derives publicly from lamina::Layer.");
  static_assert(!kIsLayer || std::copy_constructible<T>,
                "A layer is a value: it must be copyable.");
  if constexpr (kIsLayer && std::copy_constructible<T>) {
    if constexpr (CheckPredict<T>()) {
      constexpr bool kForward = CheckForward<T>(), kBackward = CheckBackward<T>(),
                     kInitialize = CheckInitialize<T>(), kResetState = CheckResetState<T>();
      return kForward && kBackward && kInitialize && kResetState;
    }
  }
  return false;
}

/// What AnyLayer takes: layers, and what was meant to be one and gets a readable line from
/// CheckContract.
template <class T>
concept MeantAsLayer = std::is_base_of_v<Layer, T> || HasPredict<T>;

}  // namespace lamina::internal

#endif  // FRAMEWORK_LAYERS_LAYER_TRAITS_H_
