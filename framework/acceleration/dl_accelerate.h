// DlAccelerate: a function of arrays that is recorded once and then replayed.
//
// The accelerated function is called like the function itself. The first call for some sizes,
// labels and types records what the function does and runs it op by op; from the second call on it
// is compiled by the machine's C compiler in the background, and runs as a few fused loops when
// that is ready. Without a compiler everything runs all the same, op by op.
//
//   auto f = DlAccelerate([](const DlArray& x, const DlArray& w) { return Tanh(w * x); });
//   DlArray y = f(x, w);                       // records
//   y = f(x, w);                               // replays
//   std::cout << f.Report();
//
// What holds of the function holds of the accelerated one: derivatives of any order pass through
// it; random numbers are drawn afresh in each call, those that the function would draw; results
// differ by rounding alone. Values are not part of what a trace is kept for, so what the function
// does must not depend on them: a function that reads a value (`if (x.Scalar() > 0)`) is noticed
// and runs unaccelerated, and the report says where. What the function reads besides its arguments
// (variables that it captures) is fixed when it is recorded: call ClearCache after a change.
//
// The function takes `const DlArray&` any number of times, or one `Arrays` or DlArrays. It returns
// a DlArray, DlArrays, or a pair, tuple or array of them, with at most one DlArrays.
//
// Environment: LAMINA_WAIT_FOR_COMPILER=1 makes the second call wait for the compiler;
// LAMINA_CHECK_ACCELERATION=N does so too, and runs the first N calls of each trace op by op as
// well and compares; CC names the compiler; LAMINA_CACHE the folder for what it made.
//
// Threads: an accelerated function may be called from any number of threads at once, if the
// function may; copies share one cache.
#ifndef FRAMEWORK_ACCELERATION_DL_ACCELERATE_H_
#define FRAMEWORK_ACCELERATION_DL_ACCELERATE_H_

#include <array>
#include <concepts>
#include <memory>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>

#include "absl/functional/function_ref.h"
#include "framework/autodiff/member_function.h"
#include "framework/dlarray/dlarray.h"
#include "framework/ops/op.h"

namespace lamina {

enum class AccelerateCheck : uint8_t {
  /// Only those that the environment asks for.
  kNone,
  /// Each call runs the function as well and compares.
  kTolerance,
};

struct AccelerateOptions {
  int cache_size = 50;                     ///< Traces that are kept at most, 1 or more.
  int64_t cache_bytes = int64_t{1} << 30;  ///< Memory that they hold at most, but for the last one.
  AccelerateCheck check_mode = AccelerateCheck::kNone;
  /// The largest difference that a check allows, in parts of the output's largest value. Where the
  /// function makes more of the last digits of its inputs, more is allowed, and a difference counts
  /// where it shows for inputs beside these too: rounding may decide on which side of a jump a
  /// value falls.
  double check_tolerance = 1e-4;
  bool enabled = true;
  /// The second call waits for the compiler. The environment may say so too.
  bool wait_for_compiler = false;
};

namespace internal {
class TraceCache;

/// What is common to all accelerated functions.
class AcceleratedBase {
 public:
  int CacheSize() const;
  /// Calls that found a trace, in percent of all that looked for one; 0 before the first.
  double HitRate() const;
  /// Traces in the cache, in percent of CacheSize.
  double Occupancy() const;
  /// Traces in the cache.
  int NumTraces() const;
  AccelerateCheck CheckMode() const;
  double CheckTolerance() const;
  bool Enabled() const;

  /// The options from now on. Traces beyond the new size leave. Errors: those of DlAccelerate.
  void SetOptions(const AccelerateOptions& options);
  AccelerateOptions Options() const;
  /// Forgets all traces, all counts, and that the function cannot be traced.
  void ClearCache();

  /// For a reader: counts, and for each trace why it was made ("size of input 0, dim T: 31 instead
  /// of 30"), how often it ran, what it is compiled to, or why it runs without kernels.
  std::string Report() const;

 protected:
  using Function = std::function<DlArrays(Arrays)>;
  explicit AcceleratedBase(const AccelerateOptions& options);
  /// Calls `plain`, or a trace of it. `owned` gives the same function as an object that may be
  /// kept.
  DlArrays Call(Arrays inputs, absl::FunctionRef<DlArrays(Arrays)> plain,
                absl::FunctionRef<Function()> owned) const;

 private:
  std::shared_ptr<TraceCache> cache_;
};

/// `values` as an R: the reverse of Flatten (member_function.h).
template <class R>
R Unflatten(DlArrays values) {
  if constexpr (std::is_same_v<R, DlArrays>) {
    return values;
  } else if constexpr (std::is_same_v<R, DlArray>) {
    return std::move(values[0]);
  } else {
    using Tuple = typename TupleOf<R>::type;
    static_assert(ResultTraits<Tuple>::kIsValid && ResultTraits<Tuple>::kMemories == 0,
                  "An accelerated function returns DlArray, DlArrays, or a tuple of them.");
    return [&]<class... T>(std::type_identity<std::tuple<T...>>) {
      static_assert((0 + ... + int{std::is_same_v<T, DlArrays>}) <= 1,
                    "An accelerated function returns at most one DlArrays.");
      const size_t in_list = values.size() - (0 + ... + size_t{std::is_same_v<T, DlArray>});
      size_t next = 0;
      const auto take = [&]<class E>(std::type_identity<E>) {
        if constexpr (std::is_same_v<E, DlArrays>) {
          const auto begin = values.begin() + static_cast<int64_t>(next);
          next += in_list;
          return DlArrays(begin, begin + static_cast<int64_t>(in_list));
        } else {
          return std::move(values[next++]);
        }
      };
      return R{take(std::type_identity<T>())...};  // In order: these are braces.
    }(std::type_identity<Tuple>());
  }
}

template <class T>
concept IsArrayList =
    std::convertible_to<const T&, Arrays> && !std::convertible_to<const T&, DlArray>;

}  // namespace internal

template <class F>
class AcceleratedFunction : public internal::AcceleratedBase {
 public:
  AcceleratedFunction(F function, const AccelerateOptions& options)
      : AcceleratedBase(options), function_(std::make_shared<const F>(std::move(function))) {}

  /// What the function returns. Errors: those of the function; with a check, from the call or from
  /// a gradient through it, "accelerate:CheckFailed", which names the output and its worst element.
  template <std::convertible_to<DlArray>... X>
  auto operator()(const X&... x) const {
    const std::array<DlArray, sizeof...(X)> inputs{DlArray(x)...};
    return Run(
        []<size_t... I>(const F& f, Arrays a, std::index_sequence<I...>) { return f(a[I]...); },
        inputs, std::make_index_sequence<sizeof...(X)>());
  }
  template <internal::IsArrayList X>
  auto operator()(const X& x) const {
    return Run(
        [](const F& f, Arrays a, std::index_sequence<>) {
          if constexpr (std::invocable<const F&, Arrays>) {
            return f(a);
          } else {
            return f(DlArrays(a.begin(), a.end()));
          }
        },
        x, std::index_sequence<>());
  }

 private:
  template <class Caller, class Indices>
  auto Run(Caller caller, Arrays inputs, Indices indices) const {
    using R = decltype(caller(*function_, inputs, indices));
    const auto flat = [caller](const F& f, Arrays a) {
      internal::CallResult out;
      internal::Flatten(caller(f, a, Indices()), out);
      return std::move(out.values);
    };
    return internal::Unflatten<R>(Call(
        inputs, [&](Arrays a) { return flat(*function_, a); },
        [&] { return Function([f = function_, flat](Arrays a) { return flat(*f, a); }); }));
  }

  std::shared_ptr<const F> function_;
};

/// `function`, accelerated. Errors: "accelerate:CacheSize" for a cache_size below 1 or cache_bytes
/// below 0; "accelerate:CheckTolerance" for a check_tolerance that is negative or not finite.
template <class F>
AcceleratedFunction<std::decay_t<F>> DlAccelerate(F&& function,
                                                  const AccelerateOptions& options = {}) {
  return {std::forward<F>(function), options};
}

}  // namespace lamina

#endif  // FRAMEWORK_ACCELERATION_DL_ACCELERATE_H_
