// Prints what CheckLayer says: each diagnosis of the tests that only Lamina has, on a layer that it
// is meant for, and each refusal of a wrong use. Recorded in testdata/diagnoses.txt.
#include <algorithm>
#include <cmath>
#include <iostream>
#include <span>
#include <string>
#include <vector>

#include "checks/check_layer.h"
#include "checks/own_faults.h"
#include "framework/layers/function_layer.h"

namespace lamina::faulty {
namespace {

const NetworkDataLayout kImage({4, 3, 2, 5}, "SSCB");

// The tests that failed, with the first diagnosis of each, and what is skipped because of the
// layer.
template <class T>
void Show(const char* name, const T& layer, std::vector<std::string> expected_skips = {}) {
  std::cout << "=== " << name << "\n";
  const CheckReport report = CheckLayer(layer, {kImage}, {.quiet = true});
  std::string last;
  for (const TestPoint& point : report.tests) {
    if (point.status != TestStatus::kFailed || point.name == last) continue;
    last = point.name;
    std::cout << "Failed: " << point.name << "\n" << ToString(point.diagnostics[0]);
  }
  for (const std::string& skip : report.skips) {
    for (const std::string& test : expected_skips) {
      if (skip.find(test) != std::string::npos) std::cout << skip << "\n";
    }
  }
  std::cout << "\n";
}

void ShowRefusal(const AnyLayer& layer, std::vector<NetworkDataLayout> layouts,
                 const CheckOptions& options) {
  try {
    CheckLayer(layer, std::span<const NetworkDataLayout>(layouts), options);
    std::cout << "not refused\n\n";
  } catch (const Error& e) {
    // The list of all tests, which grows, is left out.
    std::string what = e.what();
    const size_t list = what.find("They are functionSyntaxesAreCorrect");
    if (list != std::string::npos) what.erase(list, what.rfind(" [") - list);
    std::cout << what << "\n\n";
  }
}

void ShowAll() {
#define SHOW(T) Show(#T, T())
  SHOW(ForwardJoins);
  SHOW(OnlyDeclaresJoining);
  SHOW(DrawsInForward);
  SHOW(OnlyDeclaresDrawing);
  SHOW(OnlyDeclaresKinks);
  SHOW(DividesByHeightLess1);
  SHOW(TakesSecondRow);
  SHOW(Squeezes);
  SHOW(OtherForManyObservations);
  SHOW(CutsOffSixth);
  SHOW(FindsByPosition);
  SHOW(HidesNan);
  SHOW(LeaksNan);
  SHOW(SharedScratch);
  SHOW(ForgetsGain);
  SHOW(BranchesOnValue);
  SHOW(DrawsFromItsOwn);
  SHOW(FreezesNoise);
  SHOW(DetachedInBackward);
#undef SHOW
  Show("NeedsAnArgument", NeedsAnArgument(2), {"savingAndLoadingKeepTheLayer"});
  Show("OnlyFirstDerivatives", OnlyFirstDerivatives(), {"secondDerivatives"});
  Show("a function layer", FunctionLayer([](const DlArray& x) { return Tanh(x); }),
       {"savingAndLoadingKeepTheLayer"});

  std::cout << "=== Refusals\n";
  const AnyLayer layer = TanhScaleLayer();
  ShowRefusal(layer, {}, {});
  ShowRefusal(layer, {kImage, kImage}, {});
  ShowRefusal(layer, {kImage}, {.observation_dimension = {4}});
  ShowRefusal(layer, {kImage}, {.observation_dimension = {2}});
  ShowRefusal(layer, {kImage}, {.observation_dimension = {3, 3}});
  ShowRefusal(layer, {kImage}, {.skip_tests = {"noSuchTest"}});
  ShowRefusal(layer, {kImage}, {.input_low = 1, .input_high = 1});
  ShowRefusal(layer, {kImage}, {.integer_inputs = {"in2"}});
  ShowRefusal(layer, {kImage}, {.input_low = 0.25, .input_high = 0.75, .integer_inputs = {"in"}});
}

}  // namespace
}  // namespace lamina::faulty

int main() { lamina::faulty::ShowAll(); }
