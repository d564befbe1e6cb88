// Derivatives of what you computed: DlFeval watches, DlGradient asks.
//
// DlFeval(f, args...) calls f with the same arguments, watched: what f computes from them can be
// differentiated inside f by DlGradient. Arrays, lists of arrays, layers and networks (their
// learnable parameters) are watched; other arguments are handed through. A DlFeval inside another
// goes on with the same watch, so gradients of gradients can be taken.
//
//   auto [loss, gradient] = DlFeval(
//       [](const DlArray& x) {
//         const DlArray loss = Sum(x * x);
//         return std::pair(loss, DlGradient(loss, x));
//       },
//       x);
//
// Threads: each thread has its own watch; DlFeval may run in several threads at once.
#ifndef FRAMEWORK_AUTODIFF_DLGRADIENT_H_
#define FRAMEWORK_AUTODIFF_DLGRADIENT_H_

#include <concepts>
#include <optional>
#include <type_traits>
#include <utility>

#include "framework/autodiff/tape.h"

namespace lamina {
namespace internal {

/// A layer, a network: something that shows its learnable arrays.
template <class T>
concept HasLearnables = requires(T& t, void (*visit)(DlArray&)) {
  t.ForEachLearnable(visit);
};

/// A tape for this thread, unless one listens already.
class FevalScope {
 public:
  FevalScope();
  Tape& tape() { return *tape_; }

 private:
  std::optional<Tape> own_;
  std::optional<ScopedTape> listening_;
  Tape* tape_;
};

template <class T>
decltype(auto) Watched(Tape& tape, const T& value) {
  if constexpr (std::is_same_v<T, DlArray>) {
    return tape.Watch(value);
  } else if constexpr (std::is_same_v<T, DlArrays>) {
    DlArrays watched;
    for (const DlArray& x : value) watched.push_back(tape.Watch(x));
    return watched;
  } else if constexpr (HasLearnables<T>) {
    T copy = value;
    copy.ForEachLearnable([&](DlArray& x) { x = tape.Watch(x); });
    return copy;
  } else if constexpr (std::convertible_to<const T&, const DlArray&>) {
    return tape.Watch(static_cast<const DlArray&>(value));
  } else {
    return static_cast<const T&>(value);
  }
}

}  // namespace internal

/// Calls f with the watched arguments and returns what it returns.
template <class F, class... Args>
auto DlFeval(F&& f, const Args&... args) {
  internal::FevalScope scope;
  return std::forward<F>(f)(internal::Watched(scope.tape(), args)...);
}

/// The derivative of the real scalar `y` with respect to `x`, with the sizes, labels and type of x;
/// zeros where y does not depend on x. For complex x it is dy/dRe(x) + i dy/dIm(x), the direction
/// of steepest ascent. Errors: "autodiff:OutsideDlFeval", "autodiff:NotScalar", "autodiff:Untraced"
/// when y or x is not watched, "autodiff:DataReleased" for a second gradient without retain_data,
/// "autodiff:ComplexVariable" when complex variables are not allowed.
DlArray DlGradient(const DlArray& y, const DlArray& x, const GradientOptions& options = {});
/// The derivatives with respect to several variables, in one walk. Errors as above.
DlArrays DlGradient(const DlArray& y, const DlArrays& variables,
                    const GradientOptions& options = {});

/// The product of `weights` with the Jacobian matrix of y: the derivatives of Sum(y * weights), for
/// a y that is no scalar. `weights` has the sizes, labels and type of y. Errors: as DlGradient, but
/// for "autodiff:NotScalar"; "autodiff:WeightsSpec".
DlArrays DlVectorJacobian(const DlArray& y, const DlArray& weights, const DlArrays& variables,
                          const GradientOptions& options = {});

/// Computes `f()` unwatched and gives its outputs the gradient `rule` with respect to `inputs`:
/// how an operation with its own backward enters a computation.
template <class F>
DlArrays WithGradientRule(std::shared_ptr<const GradientRule> rule, Arrays inputs, F&& f) {
  Tape* tape = Tape::Current();
  DlArrays outputs;
  {
    const NoGradient pause;
    outputs = std::forward<F>(f)();
  }
  return tape == nullptr ? outputs : tape->Record(std::move(rule), inputs, std::move(outputs));
}

}  // namespace lamina

#endif  // FRAMEWORK_AUTODIFF_DLGRADIENT_H_
