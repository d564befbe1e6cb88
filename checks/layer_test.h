// A named test of CheckLayer: when it applies, in which variants it runs, what it does.
//
// Each family stands in a file of its own, which ends with its table. To add a test, write its body
// and a line in its family's table.
#ifndef CHECKS_LAYER_TEST_H_
#define CHECKS_LAYER_TEST_H_

#include <span>
#include <string_view>

#include "checks/check_context.h"
#include "checks/check_report.h"

namespace lamina::checks {

/// Which test points a test has.
enum class Variants : uint8_t {
  kOnce,                  ///< One, with the layouts as given.
  kOnceSeveral,           ///< One, with several observations; skipped where none are known.
  kObservations,          ///< One observation, several.
  kObservationsAndTypes,  ///< These in single and double.
};

/// What a test needs beyond a layer that it applies to; where that is missing it is skipped, and
/// the report says what to do.
enum class Needs : uint8_t { kNothing, kInitialize, kGpu, kCodegen, kCompiler };

struct LayerTest {
  std::string_view name;
  Variants variants = Variants::kOnce;
  /// False: the test has no meaning for this layer and is not listed.
  bool (*applies)(const CheckContext&) = nullptr;
  /// Notes in `point` what it finds. FunctionThrew makes the point incomplete.
  void (*run)(const CheckContext&, const Variant&, TestPoint* point) = nullptr;
  Needs needs = Needs::kNothing;
};

// What `applies` is, for most.
bool Always(const CheckContext&);
bool HasForward(const CheckContext& c);
bool HasBackward(const CheckContext& c);
bool HasStates(const CheckContext& c);

std::span<const LayerTest> SyntaxTests();
std::span<const LayerTest> SizeTests();
std::span<const LayerTest> SizeSweepTests();
std::span<const LayerTest> LabelTests();
std::span<const LayerTest> ObservationTests();
std::span<const LayerTest> DeclarationTests();
std::span<const LayerTest> TypeTests();
std::span<const LayerTest> GradientTests();
std::span<const LayerTest> SecondDerivativeTests();
std::span<const LayerTest> StateTests();
std::span<const LayerTest> InitializationTests();
std::span<const LayerTest> PurityTests();
std::span<const LayerTest> NonFiniteTests();
std::span<const LayerTest> TraceTests();
std::span<const LayerTest> AcceleratedTests();
std::span<const LayerTest> StorageTests();
std::span<const LayerTest> ThreadTests();
/// Those that need a GPU.
std::span<const LayerTest> DeviceTests();
std::span<const LayerTest> CodegenTests();

class GradientCheck;
/// Why derivatives cannot be compared with numeric ones at all; "" when they can.
std::string WhyNotComparable(const CheckContext& c, const GradientCheck& check);

/// Backward gives the same after calls of Forward with other inputs; true without a Backward.
/// Throws FunctionThrew.
bool BackwardFollowsFromItsArguments(const CheckContext& c, const Subject& subject);
inline constexpr char kBackwardNotRepeatable[] =
    "Backward depends on calls of Forward between: see backwardIsRepeatable.";

/// "4(S) x 3(S) x 2(C)": sizes and labels without the type, which has tests of its own.
std::string Shape(const ArraySpec& spec);

/// A finding of a function that threw.
Diagnostic ThrewDiagnostic(Function function, const std::string& message);

}  // namespace lamina::checks

#endif  // CHECKS_LAYER_TEST_H_
