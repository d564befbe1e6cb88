// CheckLayer: tries a layer in every way that its contract promises, and says what is wrong.
//
//   CheckLayer(SReluLayer(), {NetworkDataLayout({24, 24, 20, 128}, "SSCB")});
//
// runs the named tests (docs/checking.md lists them) with data in [-1, 1] of the layouts' sizes,
// for one and for several observations, in single and double, and prints the report. Give one
// layout for each input. A layout may have unknown sizes: CheckLayer chooses them (see below) and
// says so. A layer whose parameters are not set yet is initialised from the layouts.
//
// Derivatives are compared with numeric ones, those that are taken automatically too, with respect
// to inputs, learnables and states. Tolerances follow from rounding and from the error of the
// numeric derivative (docs/checking.md); they do not widen with the arrays.
//
// A layer that is Acceleratable is also accelerated; where there is a C compiler its kernels are
// compiled (framework/acceleration/dl_accelerate.h tells which one, and where they are kept).
//
// A layer that throws is a failed test, never an exception of CheckLayer.
// Threads: may be called in several threads at once, with different layers.
#ifndef CHECKS_CHECK_LAYER_H_
#define CHECKS_CHECK_LAYER_H_

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include "checks/check_report.h"
#include "framework/layers/any_layer.h"

namespace lamina {

struct CheckOptions {
  /// The dim of the observations in unlabelled layouts, counted from 0: one for each input, or one
  /// for all. Not needed where a layout has the label "B".
  std::vector<int> observation_dimension{};
  /// Also run the tests of code generation.
  bool check_codegen_compatibility = false;
  /// All random numbers of the check follow from it.
  uint64_t seed = 0;
  /// Tests that are not to be run, by name: {"predictKeepsObservationsApart"}.
  std::set<std::string> skip_tests{};
  /// Inputs are drawn evenly from here.
  double input_low = -1, input_high = 1;
  /// Inputs are complex; real and imaginary parts are drawn like this.
  bool complex_inputs = false;
  /// Names of inputs that hold whole numbers, such as indices: int32, drawn from those whole
  /// numbers that are at least input_low and less than input_high.
  std::set<std::string> integer_inputs{};
  /// A single call with NaN or infinity in its inputs, small ones, may take so many seconds, and as
  /// many as a thousand calls with finite ones. One that takes longer ends the program with status
  /// 1, after it was told on standard error: nothing else can stop a loop in plain numbers.
  double longest_call_s = 20;
  /// Do not print the report.
  bool quiet = false;
};

/// Checks a layer on data of these layouts, one for each input: runs all tests that apply to it,
/// prints a report unless `quiet`, and returns it. Sizes that stand in for unknown ones, by label:
/// S 8, C 3, B 2, T 5; 4 for U and without a label.
///
/// Errors, of a wrong use: "checkLayer:LayoutCount" unless there is one layout for each input;
/// "checkLayer:ObservationDimension" for a dim that a layout does not have, a number of dims that
/// fits no inputs, or a dim that is not the one labelled "B"; "checkLayer:NoSuchTest" for a name in
/// skip_tests that is no test; "checkLayer:NoSuchInput" for one in integer_inputs that is no input;
/// "checkLayer:InputRange" unless input_low < input_high, both finite, with a whole number between
/// them where integer_inputs needs one.
CheckReport CheckLayer(const AnyLayer& layer, std::span<const NetworkDataLayout> layouts,
                       const CheckOptions& options = {});
inline CheckReport CheckLayer(const AnyLayer& layer,
                              std::initializer_list<NetworkDataLayout> layouts,
                              const CheckOptions& options = {}) {
  return CheckLayer(layer, std::span(layouts.begin(), layouts.size()), options);
}

/// The names of all tests, in the order in which they run.
std::vector<std::string> CheckLayerTestNames();
/// Those among them that a reader may know from other checkers of layers (docs/checking.md): the
/// rest is Lamina's own. For CheckReport::SecondsOf.
std::vector<std::string> ClassicTestNames();

namespace internal {
/// How a layer of the checked one's class is made, as from a file: for the test of saving.
struct LayerMaker {
  bool is_known = false;             ///< The class is: CheckLayer got the layer itself.
  std::function<AnyLayer()> make{};  ///< Without arguments; unset where that cannot be.
};
CheckReport CheckLayer(const AnyLayer& layer, std::span<const NetworkDataLayout> layouts,
                       const CheckOptions& options, const LayerMaker& maker);

/// The report of a layer that is no AnyLayer because its functions do not fit its properties.
CheckReport ReportBrokenSyntax(const Error& error, std::span<const NetworkDataLayout> layouts,
                               const CheckOptions& options);
}  // namespace internal

/// The same for a layer of a known type. Functions whose arity does not fit the layer's properties
/// are a failed test here, while making an AnyLayer of it throws.
template <class T>
requires(std::derived_from<T, Layer>) CheckReport
    CheckLayer(const T& layer, std::initializer_list<NetworkDataLayout> layouts,
               const CheckOptions& options = {}) {
  const std::span given(layouts.begin(), layouts.size());
  std::optional<AnyLayer> any;
  try {
    any.emplace(layer);
  } catch (const Error& e) {
    return internal::ReportBrokenSyntax(e, given, options);
  }
  internal::LayerMaker maker{.is_known = true};
  if constexpr (std::is_default_constructible_v<T>) maker.make = [] { return AnyLayer(T()); };
  return internal::CheckLayer(*any, given, options, maker);
}

}  // namespace lamina

#endif  // CHECKS_CHECK_LAYER_H_
