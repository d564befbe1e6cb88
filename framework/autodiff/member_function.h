// Reads what a member function of arrays takes and returns, and calls it with arrays in a row.
// Layers (layer_traits.h) and DifferentiableFunction are built on it; their authors see only its
// messages.
//
//   using F = decltype(&T::Forward);
//   Inputs<F>::kCount                              // 2, -1 when it takes a DlArrays
//   CallWithInputs(object, &T::Forward, x).values  // what it returned, flat
//
// Threads: as the function that is called.
#ifndef FRAMEWORK_AUTODIFF_MEMBER_FUNCTION_H_
#define FRAMEWORK_AUTODIFF_MEMBER_FUNCTION_H_

#include <array>
#include <concepts>
#include <cstdint>
#include <string>
#include <tuple>
#include <type_traits>
#include <typeinfo>
#include <utility>

#include "framework/autodiff/memory.h"
#include "framework/dlarray/dlarray.h"
#include "framework/ops/op.h"

namespace lamina::internal {

// --- The declaration ----------------------------------------------------------------------------

template <class F>
struct Declaration {
  static constexpr bool kIsFunction = false;
};
template <class C, class R, class... P, bool kNoexcept>
struct Declaration<R (C::*)(P...) const noexcept(kNoexcept)> {
  static constexpr bool kIsFunction = true, kIsConst = true;
  using Result = R;
  using Parameters = std::tuple<std::remove_cvref_t<P>...>;
  static constexpr bool kHasMutableReference =
      ((std::is_lvalue_reference_v<P> && !std::is_const_v<std::remove_reference_t<P>>) || ...);
};
template <class C, class R, class... P, bool kNoexcept>
struct Declaration<R (C::*)(P...) noexcept(kNoexcept)>
    : Declaration<R (C::*)(P...) const noexcept(kNoexcept)> {
  static constexpr bool kIsConst = false;
};

// Named like this so that they read well in a compiler's message. Templates, overloaded and private
// functions have no address that can be taken here.
template <class T>
concept HasForward = requires {
  &T::Forward;
};
template <class T>
concept HasBackward = requires {
  &T::Backward;
};

// --- What may be returned -----------------------------------------------------------------------

template <class T>
struct TupleOf {
  using type = std::tuple<T>;
};
template <class... T>
struct TupleOf<std::tuple<T...>> {
  using type = std::tuple<T...>;
};
template <class A, class B>
struct TupleOf<std::pair<A, B>> {
  using type = std::tuple<A, B>;
};
template <class T, size_t... I>
auto Repeat(std::index_sequence<I...>) -> std::tuple<std::enable_if_t<(I >= 0), T>...>;
template <class T, size_t kCount>
struct TupleOf<std::array<T, kCount>> {
  using type = decltype(Repeat<T>(std::make_index_sequence<kCount>()));
};

template <class T>
constexpr bool kIsArray = std::is_base_of_v<DlArray, std::remove_cvref_t<T>>;

/// One element of a result: an array, a list of arrays, a memory; layers add one.
template <class T>
inline constexpr bool kIsResultElement =
    kIsArray<T> || std::is_same_v<T, DlArrays> || std::is_same_v<T, Memory>;

template <class Tuple>
struct ResultTraits;
template <class... T>
struct ResultTraits<std::tuple<T...>> {
  static constexpr bool kIsValid = sizeof...(T) > 0 && (kIsResultElement<T> && ...);
  static constexpr int kMemories = (0 + ... + (std::is_same_v<T, Memory> ? 1 : 0));
  static constexpr bool kMemoryIsLast = [] {
    constexpr bool is_memory[] = {std::is_same_v<T, Memory>..., false};
    for (size_t i = 0; i + 1 < sizeof...(T); ++i) {
      if (is_memory[i]) return false;
    }
    return true;
  }();
  /// The number of outputs (and of a layer's states) is known only at run time.
  static constexpr bool kIsVariable = (std::is_same_v<T, DlArrays> || ...);
  static constexpr int kCount = static_cast<int>(sizeof...(T)) - kMemories;
};
template <class F>
using Result = ResultTraits<typename TupleOf<typename Declaration<F>::Result>::type>;

// --- What may be taken --------------------------------------------------------------------------

template <class Tuple>
struct InputTraits;
template <class... P>
struct InputTraits<std::tuple<P...>> {
  static constexpr bool kIsVariable =
      sizeof...(P) == 1 && (std::is_same_v<P, DlArrays> || ... || false);
  static constexpr bool kIsValid =
      kIsVariable || (sizeof...(P) > 0 && (std::is_same_v<P, DlArray> && ...));
  static constexpr int kCount = kIsVariable ? -1 : static_cast<int>(sizeof...(P));
};
template <class F>
using Inputs = InputTraits<typename Declaration<F>::Parameters>;

/// Parameters of Backward without the NeededGradients at their end.
template <class Tuple>
struct WithoutNeeded;
template <class... P>
struct WithoutNeeded<std::tuple<P...>> {
  using Parameters = std::tuple<P...>;
  static constexpr bool kTakesNeeded = [] {
    constexpr bool is_needed[] = {false, std::is_same_v<P, NeededGradients>...};
    return is_needed[sizeof...(P)];
  }();
  template <size_t... I>
  static auto First(std::index_sequence<I...>)
      -> std::tuple<std::tuple_element_t<I, Parameters>...>;
  using type = decltype(First(std::make_index_sequence<sizeof...(P) - kTakesNeeded>()));
};

template <class Tuple>
struct BackwardArguments;
template <class... P>
struct BackwardArguments<std::tuple<P...>> {
  static constexpr int kCount = static_cast<int>(sizeof...(P)) - 1;  // Without the memory.
  using Last = std::tuple_element_t<
      sizeof...(P) == 0 ? 0 : sizeof...(P) - 1,
      std::conditional_t<sizeof...(P) == 0, std::tuple<int>, std::tuple<P...>>>;
  static constexpr bool kMemoryIsLast =
      std::is_same_v<Last, Memory> || std::is_same_v<Last, Unused>;
  static constexpr bool kIsVariable =
      sizeof...(P) == 2 && (std::is_same_v<P, DlArrays> || ... || false);
  static constexpr bool kIsValid = [] {
    if constexpr (sizeof...(P) < 2) return false;
    if (kIsVariable) return true;
    constexpr bool ok[] = {(std::is_same_v<P, DlArray> || std::is_same_v<P, Unused>)..., true};
    for (int i = 0; i < kCount; ++i) {
      if (!ok[i]) return false;
    }
    return true;
  }();
  /// Bit i: argument i is read. Those past the last bit count as read.
  static constexpr uint64_t kUsed = [] {
    constexpr bool used[] = {!std::is_same_v<P, Unused>..., true};
    uint64_t mask = 0;
    for (size_t i = 0; i < sizeof...(P) && i < 64; ++i) mask |= uint64_t{used[i]} << i;
    return kIsVariable ? ~uint64_t{0} : mask;
  }();
};
template <class F>
struct BackwardTraits
    : BackwardArguments<typename WithoutNeeded<typename Declaration<F>::Parameters>::type> {
  using Parameters = typename WithoutNeeded<typename Declaration<F>::Parameters>::type;
  static constexpr bool kTakesNeeded =
      WithoutNeeded<typename Declaration<F>::Parameters>::kTakesNeeded;
};

/// Fails to compile, with one readable line, when T::Backward is declared wrongly; says whether it
/// can be used.
template <class T>
consteval bool CheckBackwardDeclaration() {
  using B = decltype(&T::Backward);
  static_assert(Declaration<B>::kIsFunction, "Backward is a member function, not static.");
  if constexpr (Declaration<B>::kIsFunction) {
    using Traits = BackwardTraits<B>;
    static_assert(Declaration<B>::kIsConst,
                  "Backward is const: it returns derivatives, it changes nothing.");
    static_assert(Traits::kMemoryIsLast,
                  "The last argument of Backward is `const Memory&`, or Unused; a NeededGradients "
                  "may follow.");
    static_assert(!Traits::kMemoryIsLast || Traits::kIsValid,
                  "Backward takes inputs, outputs, their derivatives and the memory; each as "
                  "`const DlArray&` or Unused, or one `const DlArrays&` before the memory.");
    static_assert(!Declaration<B>::kHasMutableReference,
                  "Backward takes its arguments as const: it may not change them.");
    static_assert(Result<B>::kIsValid && Result<B>::kMemories == 0,
                  "Backward returns DlArray, a tuple or array of DlArray, or DlArrays.");
    return Declaration<B>::kIsConst && Traits::kMemoryIsLast && Traits::kIsValid &&
           !Declaration<B>::kHasMutableReference && Result<B>::kIsValid;
  }
  return false;
}

// --- Calls --------------------------------------------------------------------------------------

/// What a function returned, flat.
struct CallResult {
  DlArrays values;
  Memory memory;
};

template <class T>
void Flatten(T&& value, CallResult& out) {
  using V = std::remove_cvref_t<T>;
  if constexpr (std::is_same_v<V, Memory>) {
    out.memory = std::forward<T>(value);
  } else if constexpr (std::is_same_v<V, DlArrays>) {
    for (const DlArray& v : value) out.values.push_back(v);
  } else if constexpr (kIsArray<V>) {
    out.values.push_back(value);
  } else if constexpr (kIsResultElement<V>) {
    for (const DlArray& v : value.values()) out.values.push_back(v);
  } else {
    std::apply([&](auto&&... v) { (Flatten(v, out), ...); }, value);
  }
}

template <class T, class F>
CallResult CallWithInputs(const T& object, F function, Arrays x) {
  CallResult out;
  if constexpr (Inputs<F>::kIsVariable) {
    Flatten((object.*function)(DlArrays(x.begin(), x.end())), out);
  } else {
    [&]<size_t... I>(std::index_sequence<I...>) { Flatten((object.*function)(x[I]...), out); }
    (std::make_index_sequence<Inputs<F>::kCount>());
  }
  return out;
}

/// A value in the form in which P declares it.
template <class P, class V>
decltype(auto) ArgumentAs(const V& value) {
  if constexpr (std::is_same_v<P, Unused>) {
    return Unused();
  } else {
    return (value);
  }
}

template <class T>
DlArrays CallBackward(const T& object, Arrays arguments, const Memory& memory,
                      const NeededGradients& needed) {
  using Traits = BackwardTraits<decltype(&T::Backward)>;
  using Last = typename Traits::Last;
  const auto call = [&](const auto&... x) {
    if constexpr (Traits::kTakesNeeded) {
      return object.Backward(x..., ArgumentAs<Last>(memory), needed);
    } else {
      return object.Backward(x..., ArgumentAs<Last>(memory));
    }
  };
  CallResult out;
  if constexpr (Traits::kIsVariable) {
    Flatten(call(DlArrays(arguments.begin(), arguments.end())), out);
  } else {
    [&]<size_t... I>(std::index_sequence<I...>) {
      Flatten(
          call(ArgumentAs<std::tuple_element_t<I, typename Traits::Parameters>>(arguments[I])...),
          out);
    }
    (std::make_index_sequence<Traits::kCount>());
  }
  return std::move(out.values);
}

/// The name of a class without its namespaces.
std::string ClassName(const std::type_info& type);

}  // namespace lamina::internal

#endif  // FRAMEWORK_AUTODIFF_MEMBER_FUNCTION_H_
