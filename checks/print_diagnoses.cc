// Prints all that CheckLayer says: each diagnosis, reason, remark, note and skip once, with the
// faulty layer that it was met on; then each refusal of a wrong use. Recorded in
// testdata/diagnoses.txt.
//
// Texts that differ in numbers, quoted names, sizes, types, the function or a thrown message alone
// are the same.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <optional>
#include <regex>
#include <set>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "checks/check_layer.h"
#include "checks/faulty/fault.h"
#include "checks/faulty/own_faults.h"
#include "checks/faulty/rare_faults.h"
#include "framework/layers/builtin_layers.h"
#include "framework/layers/function_layer.h"

namespace lamina::faulty {
namespace {

const NetworkDataLayout kImage({4, 3, 2, 5}, "SSCB");

// What makes two texts different ones. The message of an error that the layer threw is not
// CheckLayer's own.
std::string Kind(std::string text) {
  for (const char* threw : {" threw:\n", "DoesNotError:\n", "failed: ", "by design:\n"}) {
    const size_t at = text.find(threw);
    const bool own = text.find("no std::exception") != std::string::npos;
    if (at != std::string::npos && !own) text.erase(at + std::strlen(threw));
  }
  const auto replace = [&](const char* what, const char* with) {
    text = std::regex_replace(text, std::regex(what), with);
  };
  replace("'[^']*'", "''");
  replace("(input|learnable|state) ''", "it");
  replace("\\b(Forward and its derivative|Predict|Forward)\\b", "Predict");
  replace("\\b(single|double|int32)\\b", "type");
  replace("\\b(a )?scalar\\b", "1");
  replace("After [a-z0-9]+, which gave .*", "After an op");
  replace("(real|imaginary) part", "a part");
  replace("Skipping [A-Za-z]+\\.", "Skipping.");
  replace("-?[0-9]+(\\.[0-9]+)?(e[-+][0-9]+)?", "#");
  replace("(#(\\([A-Z]\\))?( x |, )?)+", "#");
  return text;
}

class Printer {
 public:
  // What the report says that none before said.
  void Show(const std::string& layer, const CheckReport& report) {
    layer_ = layer;
    for (const std::string& note : report.notes) Print("Note", note, Kind(note));
    for (const std::string& skip : report.skips) Print("", skip, Kind(skip));
    for (const TestPoint& point : report.tests) {
      for (const Diagnostic& d : point.diagnostics) {
        std::string distinct = point.name;
        for (const std::string* part : {&d.expected, &d.came, &d.where, &d.fix}) {
          distinct += "\n" + Kind(*part);
        }
        for (const std::string& cause : d.causes) distinct += "\n" + Kind(cause);
        Print("Failed: " + point.name, ToString(d), distinct);
      }
      if (point.message.empty() || point.status == TestStatus::kSkipped) continue;
      const std::string_view title = point.status == TestStatus::kPassed   ? "Passed: "
                                     : point.status == TestStatus::kFailed ? "Note: "
                                                                           : "Incomplete: ";
      Print(std::string(title) + point.name, point.message, Kind(point.message));
    }
  }

 private:
  void Print(const std::string& title, const std::string& text, const std::string& distinct) {
    if (!printed_.insert(distinct).second) return;
    if (layer_ != last_) std::cout << "\n=== " << layer_ << "\n";
    last_ = layer_;
    std::cout << title << (title.empty() ? "" : "\n") << text << (text.back() == '\n' ? "" : "\n");
  }

  std::set<std::string> printed_;
  std::string layer_, last_;
};

void ShowRefusal(const AnyLayer& layer, std::vector<NetworkDataLayout> layouts,
                 const CheckOptions& options) {
  try {
    CheckLayer(layer, std::span<const NetworkDataLayout>(layouts), options);
    std::cout << "not refused\n\n";
  } catch (const Error& e) {
    std::cout << e.what() << "\n\n";
  }
}

std::set<std::string> AllBut(const std::string& test) {
  const std::vector<std::string> names = CheckLayerTestNames();
  std::set<std::string> others(names.begin(), names.end());
  others.erase(test);
  return others;
}

// A variable of the environment while the object lives.
class Environment {
 public:
  Environment(const char* name, const char* value) : name_(name) {
    if (const char* const before = std::getenv(name)) before_ = before;
    setenv(name, value, 1);
  }
  ~Environment() {
    if (before_.has_value()) {
      setenv(name_, before_->c_str(), 1);
    } else {
      unsetenv(name_);
    }
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  const char* const name_;
  std::optional<std::string> before_;
};

void ShowAll() {
  Printer printer;
  const auto show = [&](const std::string& name, const auto& layer,
                        const NetworkDataLayout& layout = kImage, CheckOptions options = {}) {
    options.quiet = true;
    printer.Show(name, CheckLayer(layer, {layout}, options));
  };
#define SHOW(T) show(#T, T())
  SHOW(ForwardJoins);
  SHOW(OnlyDeclaresJoining);
  SHOW(DrawsInForward);
  SHOW(OnlyDeclaresDrawing);
  SHOW(BeginsRandomNumbersAnew);
  SHOW(LearnsWholeNumber);
  SHOW(OnlyDeclaresKinks);
  SHOW(DividesByHeightLess1);
  SHOW(TakesSecondRow);
  SHOW(Squeezes);
  SHOW(OtherForManyObservations);
  SHOW(CutsOffSixth);
  SHOW(FindsByPosition);
  SHOW(HidesNan);
  SHOW(LeaksNan);
  SHOW(HalvesHugeValues);
  SHOW(SharedScratch);
  SHOW(ForgetsGain);
  SHOW(BranchesOnValue);
  SHOW(DrawsFromItsOwn);
  SHOW(FreezesNoise);
  SHOW(LooksAlike);
  SHOW(WritesOtherwise);
  SHOW(DetachedInBackward);
  SHOW(OnlyFirstDerivatives);
  show("NeedsAnArgument", NeedsAnArgument(2));
  show("a function layer", FunctionLayer([](const DlArray& x) { return Tanh(x); }));
  for (const FaultGroup& group : AllFaults()) {
    for (const Fault& fault : group.faults) printer.Show(fault.name, Check(fault, 0));
  }

  const NetworkDataLayout sequence({3, 4, 6}, "CBT"), large({16, 16, 2, 5}, "SSCB");
  SHOW(DropsHeight1);
  SHOW(SumsFirstDim);
  SHOW(DividesByZero);
  SHOW(ResetsToUnset);
  SHOW(SharesMaximum);
  SHOW(SetsUpOneThread);
  SHOW(ThrowsInOtherThreads);
  SHOW(HoldsFunction);
  SHOW(BackwardThrowsNextTime);
  SHOW(SquaresOnce);
  SHOW(BendsInBoth<true>);
  SHOW(NanNearby);
  SHOW(ThrowsNumber);
  SHOW(DeclaredSteps);
  SHOW(CountsByValues);
  SHOW(LooksAlikeInOtherSizes);
#undef SHOW
  show("BendsInBoth<false>", BendsInBoth<false>(), large);
  show("TimesObservations", TimesObservations(), NetworkDataLayout({4, 3, 4, 5}, "SSCB"));
  printer.Show("MeanForSum, 4 channels",
               CheckLayer(FindFault("MeanForSum").make(), {NetworkDataLayout({4, 3, 4, 5}, "SSCB")},
                          {.quiet = true}));
  show("ReturnsOneDerivative", ReturnsOneDerivative(), sequence);
  show("LogicalState", LogicalState(), sequence);
  show("ConstructorThrows", ConstructorThrows<std::runtime_error>("its argument"));
  show("ConstructorRefuses", ConstructorThrows<Error>("its argument"));
  show("CopiesDefaultsWrongly", CopiesDefaultsWrongly(false));
  show("BranchesOnValue, with a test switched off", BranchesOnValue(), kImage,
       {.skip_tests = {"tracesReadNoValues"}});
  show("DrawsFromItsOwn, with a test switched off", DrawsFromItsOwn(), kImage,
       {.skip_tests = {"tracesGiveTheSame"}});
  show("LooksAlike, with a test switched off", LooksAlike(), kImage,
       {.skip_tests = {"acceleratedGivesTheSame"}});
  printer.Show("WrongSign, with a test switched off",
               CheckLayer(FindFault("WrongSign").make(), {kImage},
                          {.skip_tests = {"gradientsAreNumericallyCorrect"}, .quiet = true}));
  const CheckOptions kernels{.skip_tests = AllBut("kernelsGiveTheSame")};
  const CheckOptions properties{.check_codegen_compatibility = true,
                                .skip_tests = AllBut("layerPropertiesSupportCodegen")},
      predict{.check_codegen_compatibility = true, .skip_tests = AllBut("predictSupportsCodegen")},
      states{.check_codegen_compatibility = true, .skip_tests = AllBut("statesSupportCodegen")};
  show("TanhScaleLayer, to be generated", TanhScaleLayer(), kImage,
       {.check_codegen_compatibility = true,
        .skip_tests = AllBut("codegenPragmaDefinedInClassDef")});
  show("TwinNames", TwinNames(), kImage, properties);
  show("GreekName", GreekName(), kImage, properties);
  show("BranchesOnValue, to be generated", BranchesOnValue(), kImage, predict);
  show("DrawsInPredict", DrawsInPredict(), kImage, predict);
  show("DoublesWithoutValues", DoublesWithoutValues(), kImage, predict);
  show("CountsOtherwiseWithoutValues", CountsOtherwiseWithoutValues(), kImage, states);
  show("GrowingState", GrowingState(), kImage, predict);
  {
    const Environment refuses("CC", "false");
    show("AcceleratedTanhScale, by a compiler that refuses all", AcceleratedTanhScale(), kImage,
         kernels);
    show("TanhScaleLayer, by a compiler that refuses all", TanhScaleLayer(), kImage, predict);
  }
  {
    const Environment missing("CC", "/no/such/compiler");
    show("AcceleratedTanhScale, without a compiler", AcceleratedTanhScale(), kImage, kernels);
    show("TanhScaleLayer, without a compiler", TanhScaleLayer(), kImage, predict);
  }
  show("TanhLayer, without observations", TanhLayer(), NetworkDataLayout({4, 3, 2}));
  show("TanhLayer, unknown sizes", TanhLayer(), NetworkDataLayout({4, 3, 2, kUnknown}, "SSCB"));
  show("TanhLayer, large", TanhLayer(), NetworkDataLayout({256, 256, 3, 128}, "SSCB"),
       {.skip_tests = AllBut("predictDoesNotError")});

  std::cout << "\n=== Refusals\n";
  const AnyLayer layer = TanhScaleLayer();
  ShowRefusal(layer, {}, {});
  ShowRefusal(layer, {kImage, kImage}, {});
  ShowRefusal(layer, {kImage}, {.observation_dimension = {4}});
  ShowRefusal(layer, {kImage}, {.observation_dimension = {-1}});
  ShowRefusal(layer, {kImage}, {.observation_dimension = {2}});
  ShowRefusal(layer, {kImage}, {.observation_dimension = {3, 3}});
  ShowRefusal(layer, {kImage}, {.skip_tests = {"noSuchTest"}});
  ShowRefusal(layer, {kImage}, {.input_low = 1, .input_high = 1});
  ShowRefusal(layer, {kImage}, {.input_low = std::nan("")});
  ShowRefusal(layer, {kImage}, {.integer_inputs = {"in2"}});
  ShowRefusal(layer, {kImage}, {.input_low = 0.25, .input_high = 0.75, .integer_inputs = {"in"}});
}

}  // namespace
}  // namespace lamina::faulty

int main() { lamina::faulty::ShowAll(); }
