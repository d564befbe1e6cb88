#include "checks/check_layer.h"

#include <algorithm>
#include <chrono>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "checks/check_context.h"
#include "checks/layer_test.h"
#include "checks/unused_inputs.h"
#include "framework/acceleration/acceleration.h"
#include "framework/cpu/convolution.h"
#include "framework/emit/c_compiler.h"
#include "framework/ops/gpu_array.h"

namespace lamina {
namespace {

using checks::CheckContext;
using checks::FunctionThrew;
using checks::LayerTest;
using checks::Needs;
using checks::Observations;
using checks::Variant;
using checks::Variants;

constexpr std::string_view kNoObservations =
    "Skipping tests with several observations. To have them run, label a dim of the layout \"B\", "
    "or set observation_dimension, counted from 0:\n"
    "for 2-D image data 3, for 3-D image data 4, for sequence data 1.";
constexpr std::string_view kNoInitialize =
    "Skipping initialization tests. The layer has no function Initialize.";
constexpr std::string_view kNoGpu =
    "Skipping GPU tests. To have them run, set gpu or emulated_gpu in check_layer, or link "
    "framework/gpu.";
constexpr std::string_view kCodegenNotAsked =
    "Skipping code generation tests. To have them run, set check_codegen_compatibility, and label "
    "the observations or set observation_dimension.";
constexpr std::string_view kNoCompiler =
    "Skipping tests that compile generated code. There is no C compiler: install one (cc), or name "
    "it in the environment variable CC.";

std::vector<LayerTest> AllTests() {
  std::vector<LayerTest> all;
  for (const std::span<const LayerTest> family :
       {checks::SyntaxTests(), checks::SizeTests(), checks::SizeSweepTests(), checks::LabelTests(),
        checks::ObservationTests(), checks::TypeTests(), checks::StateTests(),
        checks::InitializationTests(), checks::PurityTests(), checks::NonFiniteTests(),
        checks::DeclarationTests(), checks::ThreadTests(), checks::StorageTests(),
        checks::GradientTests(), checks::SecondDerivativeTests(), checks::TraceTests(),
        checks::AcceleratedTests(), checks::DeviceTests(), checks::CodegenTests()}) {
    all.insert(all.end(), family.begin(), family.end());
  }
  return all;
}

std::vector<Variant> VariantsOf(const LayerTest& test) {
  constexpr DataType kSingle = DataType::kSingle, kDouble = DataType::kDouble;
  switch (test.variants) {
    case Variants::kOnce:
      return {{Observations::kAsGiven, kSingle}};
    case Variants::kOnceSeveral:
      return {{Observations::kSeveral, kSingle}};
    case Variants::kObservations:
      return {{Observations::kOne, kSingle}, {Observations::kSeveral, kSingle}};
    case Variants::kObservationsAndTypes:
      break;
  }
  return {{Observations::kOne, kSingle},
          {Observations::kOne, kDouble},
          {Observations::kSeveral, kSingle},
          {Observations::kSeveral, kDouble}};
}

// Why a test point is not run, as the report's skip message; "" when it is.
std::string WhySkipped(const LayerTest& test, const Variant& variant, const CheckContext& c) {
  if (c.options().skip_tests.count(std::string(test.name)) > 0) {
    return absl::StrCat("Skipping ", std::string(test.name), ". It is switched off by skip_tests.");
  }
  if (test.needs == Needs::kGpu) {
    const absl::Status gpu = CanUseGpu();
    if (absl::IsFailedPrecondition(gpu)) return std::string(kNoGpu);
    if (!gpu.ok()) return absl::StrCat("Skipping GPU tests. ", gpu.message());
  }
  if (test.needs == Needs::kCodegen || test.needs == Needs::kCompiler) {
    if (!c.options().check_codegen_compatibility) return std::string(kCodegenNotAsked);
    if (test.needs == Needs::kCompiler && FindCompiler().empty()) return std::string(kNoCompiler);
  }
  if (test.needs == Needs::kInitialize && !c.traits().has_initialize) {
    return std::string(kNoInitialize);
  }
  if (variant.observations == Observations::kSeveral && !c.has_observations()) {
    return std::string(kNoObservations);
  }
  return "";
}

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// Which test tells that a function throws.
std::string_view TestOf(checks::Function function) {
  switch (function) {
    case checks::Function::kPredict:
      return "predictDoesNotError";
    case checks::Function::kForward:
      return "forwardDoesNotError";
    case checks::Function::kBackward:
      return "backwardDoesNotError";
    case checks::Function::kInitialize:
      return "initializeDoesNotError";
    case checks::Function::kResetState:
      break;
  }
  return "resetStateDoesNotError";
}

void Run(const LayerTest& test, const CheckContext& c, const Variant& variant, TestPoint* point) {
  const auto start = std::chrono::steady_clock::now();
  try {
    test.run(c, variant, point);
  } catch (const FunctionThrew& e) {
    checks::Function function = e.function;
    if (function == checks::Function::kForward && !c.traits().has_forward) {
      function = checks::Function::kPredict;
    }
    const std::string_view name =
        function == checks::Function::kBackward && !c.traits().has_backward
            ? "backwardPropagationDoesNotError"
            : TestOf(function);
    point->Incomplete(absl::StrCat(std::string(ToString(function)), " threw an error, see ",
                                   std::string(name), ":\n", e.message));
  } catch (const std::exception& e) {
    // Nothing else throws but our own work on what the layer returned.
    point->Fail({.expected = "What the layer returns can be worked with.",
                 .came = e.what(),
                 .where = "",
                 .causes = {"Arrays are returned that were moved from, or have no values."},
                 .fix = "Return arrays that array functions made."});
  }
  point->seconds = SecondsSince(start);
}

std::string InWords(std::span<const NetworkDataLayout> layouts) {
  return absl::StrJoin(layouts, ", ", [](std::string* out, const NetworkDataLayout& l) {
    out->append(ToString(l));
  });
}

void RequireKnown(const std::set<std::string>& names) {
  const std::vector<std::string> known = CheckLayerTestNames();
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    throw Error("checkLayer:NoSuchTest", "skip_tests names tests of CheckLayer.",
                absl::StrCat("\"", name, "\" came."),
                absl::StrCat("They are ", absl::StrJoin(known, ", "), "."));
  }
}

}  // namespace

std::vector<std::string> CheckLayerTestNames() {
  std::vector<std::string> names;
  for (const LayerTest& test : AllTests()) names.emplace_back(test.name);
  return names;
}

std::vector<std::string> ClassicTestNames() {
  return {"functionSyntaxesAreCorrect",
          "predictDoesNotError",
          "forwardDoesNotError",
          "forwardPredictAreConsistentInSize",
          "backwardDoesNotError",
          "backwardIsConsistentInSize",
          "predictIsConsistentInType",
          "forwardIsConsistentInType",
          "backwardIsConsistentInType",
          "gradientsAreNumericallyCorrect",
          "backwardPropagationDoesNotError",
          "predictReturnsValidStates",
          "forwardReturnsValidStates",
          "resetStateDoesNotError",
          "initializeDoesNotError",
          "initializeSetsParameters",
          "codegenPragmaDefinedInClassDef",
          "layerPropertiesSupportCodegen",
          "predictSupportsCodegen",
          "functionLayerSupportsCodegen"};
}

CheckReport CheckLayer(const AnyLayer& layer, std::span<const NetworkDataLayout> layouts,
                       const CheckOptions& options) {
  return internal::CheckLayer(layer, layouts, options, {});
}

CheckReport internal::CheckLayer(const AnyLayer& layer, std::span<const NetworkDataLayout> layouts,
                                 const CheckOptions& options, const LayerMaker& maker) {
  const auto start = std::chrono::steady_clock::now();
  RequireKnown(options.skip_tests);
  const cpu::StrictConvolution strict;
  // Nested networks too compute op by op: what is compared is compared bit for bit.
  const ScopedAcceleration plain(Acceleration::kNone);
  const CheckContext context(layer, layouts, options, maker);
  CheckReport report;
  report.layer = layer->Type();
  report.suite =
      context.traits().has_backward ? "TestLayerWithBackward" : "TestLayerWithoutBackward";
  report.inputs = InWords(layouts);
  report.notes = context.notes();
  for (const LayerTest& test : AllTests()) {
    if (!test.applies(context)) continue;
    for (const Variant& variant : VariantsOf(test)) {
      TestPoint point{
          .name = std::string(test.name),
          .variant = ToString(variant, test.variants == Variants::kObservationsAndTypes)};
      point.message = WhySkipped(test, variant, context);
      if (point.message.empty()) {
        Run(test, context, variant, &point);
      } else {
        point.status = TestStatus::kSkipped;
      }
      if (point.status == TestStatus::kSkipped &&
          std::find(report.skips.begin(), report.skips.end(), point.message) ==
              report.skips.end()) {
        report.skips.push_back(point.message);
      }
      report.tests.push_back(std::move(point));
    }
  }
  for (std::string& note : checks::NotesOfUnusedInputs(context)) {
    report.notes.push_back(std::move(note));
  }
  report.seconds = SecondsSince(start);
  if (!options.quiet) std::cout << report << std::flush;
  return report;
}

CheckReport internal::ReportBrokenSyntax(const Error& error,
                                         std::span<const NetworkDataLayout> layouts,
                                         const CheckOptions& options) {
  RequireKnown(options.skip_tests);
  CheckReport report;
  const std::string& message = error.message();
  report.layer = message.substr(0, message.find(':'));
  report.suite = "TestLayerWithoutBackward";
  report.inputs = InWords(layouts);
  report.notes = {"The functions do not fit the properties: nothing else can be tested."};
  TestPoint point{.name = "functionSyntaxesAreCorrect", .variant = ""};
  point.Fail({.expected = "Predict, Forward and Backward take and return what the contract says.",
              .came = error.what(),
              .where = error.identifier(),
              .causes = {"The numbers of inputs, outputs, learnables and states do not fit the "
                         "functions."},
              .fix = error.fix()});
  report.tests.push_back(std::move(point));
  if (!options.quiet) std::cout << report << std::flush;
  return report;
}

}  // namespace lamina
