// Each faulty layer is caught by the test that is meant to catch it; no correct layer is accused.
#include <set>

#include "checks/check_layer.h"
#include "checks/faulty/backward_faults.h"
#include "checks/faulty/correct_layers.h"
#include "checks/faulty/forward_faults.h"
#include "checks/faulty/state_faults.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "layers/srelu/srelu_layer.h"

namespace lamina::faulty {
namespace {

using Layouts = std::vector<NetworkDataLayout>;

Layouts Image() { return {NetworkDataLayout({4, 3, 2, 5}, "SSCB")}; }
Layouts ManyImages() { return {NetworkDataLayout({4, 3, 2, 40}, "SSCB")}; }
Layouts TwoImages() {
  return {NetworkDataLayout({4, 3, 2, 5}, "SSCB"), NetworkDataLayout({4, 3, 2, 5}, "SSCB")};
}
Layouts Sequence() { return {NetworkDataLayout({3, 4, 6}, "CBT")}; }

template <class T>
CheckReport Check(const T& layer, const Layouts& layouts, uint64_t seed = 0) {
  const CheckOptions options{.seed = seed, .quiet = true};
  if (layouts.size() == 1) return CheckLayer(layer, {layouts[0]}, options);
  return CheckLayer(layer, {layouts[0], layouts[1]}, options);
}

using Names = std::set<std::string>;
Names FailedTests(const CheckReport& report) {
  Names names;
  for (const TestPoint& t : report.tests) {
    if (t.status == TestStatus::kFailed) names.insert(t.name);
  }
  return names;
}

struct Fault {
  friend void PrintTo(const Fault& f, std::ostream* out) { *out << f.name; }

  std::string name;
  CheckReport (*check)(uint64_t seed);
  /// The test that is meant to catch it.
  std::string caught_by;
  /// What else must fail: other consequences of the fault.
  Names also{};
};

template <class T, Layouts (*kLayouts)() = Image>
CheckReport Of(uint64_t seed) {
  return Check(T(), kLayouts(), seed);
}

std::vector<Fault> Faults() {
  const std::string numeric = "gradientsAreNumericallyCorrect", lost = "gradientsAreNotLost",
                    size = "backwardIsConsistentInSize", syntax = "functionSyntaxesAreCorrect",
                    type = "predictIsConsistentInType", apart = "predictKeepsObservationsApart",
                    repeatable = "predictIsRepeatable", used = "statesAreUsed";
  return {
      {"WrongSign", Of<Spoiled<WrongSign>>, numeric},
      {"WrongFactor", Of<Spoiled<WrongFactor>>, numeric},
      {"MeanForSum", Of<Spoiled<MeanForSum>>, numeric},
      {"SwappedLearnables", Of<Spoiled<SwappedLearnables>>, numeric},
      {"MissingChainRule", Of<Spoiled<MissingChainRule>>, numeric},
      {"UsesOutputForTanh", Of<Spoiled<UsesOutputForTanh>>, numeric},
      {"AddsDecay", Of<Spoiled<AddsDecay>>, numeric},
      {"ForgetsBorder", Of<Spoiled<ForgetsBorder>>, numeric},
      {"CutsOffObservations", Of<Spoiled<CutsOffObservations>, ManyImages>, numeric},
      {"SwappedInputs", Of<SwappedInputs, TwoImages>, numeric},
      {"ZeroDerivative", Of<Spoiled<ZeroDerivative>>, lost},
      {"UnsetDerivative", Of<Spoiled<UnsetDerivative>>, size, {lost}},
      {"ForgottenReduction", Of<Spoiled<ForgottenReduction>>, size},
      {"ReducesAllDims", Of<Spoiled<ReducesAllDims>>, size},
      {"SingleDerivative", Of<Spoiled<SingleDerivative>>, "backwardIsConsistentInType"},
      {"BackwardThrows", Of<Spoiled<BackwardThrows>>, "backwardDoesNotError"},
      {"StaleMemory", Of<StaleMemory>, "backwardIsRepeatable"},
      {"TooFewDerivatives", Of<TooFewDerivatives>, syntax},
      {"WrongArity", Of<WrongArity>, syntax},

      {"AlwaysDouble", Of<AlwaysDouble>, type},
      {"SingleConstant", Of<SingleConstant>, type},
      {"LogicalOutput", Of<LogicalOutput>, type},
      {"ForwardSingle", Of<ForwardSingle>, "forwardIsConsistentInType"},
      {"ForwardReduces", Of<ForwardReduces>, "forwardPredictAreConsistentInSize"},
      {"DropsLabels", Of<DropsLabels>, "predictReturnsLabels", {"predictDoesNotError"}},
      {"ThrowsForOne", Of<ThrowsForOne>, "predictDoesNotError"},
      {"PredictThrows", Of<PredictThrows>, "predictDoesNotError"},
      {"ThrowsStandard", Of<ThrowsStandard>, "predictDoesNotError"},
      {"ForwardThrows", Of<ForwardThrows>, "forwardDoesNotError"},
      {"LogOfNegative", Of<LogOfNegative>, "predictReturnsFiniteValues"},
      {"MixesObservations", Of<MixesObservations>, apart},
      {"SumsObservations", Of<SumsObservations>, apart},
      {"DetachedLearnable", Of<DetachedLearnable>, lost},
      {"DetachedInput", Of<DetachedInput>, lost},
      {"UnderNoGradient", Of<UnderNoGradient>, lost},
      {"PartlyDetached", Of<PartlyDetached>, numeric},
      {"ReadsValue", Of<ReadsValue>, numeric},
      {"OperationWithWrongFactor", Of<OperationWithWrongFactor>, numeric},
      {"OperationWithWrongSize", Of<OperationWithWrongSize>, "backwardPropagationDoesNotError"},
      {"Stairs", Of<Stairs>, lost},
      {"FineStairs", Of<FineStairs>, lost},
      {"Rough", Of<Rough>, numeric},
      {"HiddenCounter", Of<HiddenCounter>, repeatable},
      {"RemembersInput", Of<RemembersInput>, repeatable},
      {"ForeignRandom", Of<ForeignRandom>, "forwardIsRepeatable"},
      {"CopyForgetsTable", Of<CopyForgetsTable>, "copiesAreIndependent"},
      {"UnusedLearnable", Of<UnusedLearnable>, "learnablesAreUsed"},
      {"InitializeOverwrites", Of<InitializeOverwrites>, "initializeKeepsSetParameters"},
      {"InitializeForgets", Of<InitializeForgets>, "initializeSetsParameters"},
      {"InitializeThrows", Of<InitializeThrows>, "initializeDoesNotError"},
      {"InitializeCountsObservations", Of<InitializeCountsObservations>,
       "initializeIgnoresObservations"},

      {"StateNotReturned", Of<StateNotReturned, Sequence>, syntax},
      {"StateNotReturnedInList",
       Of<StateNotReturnedInList, Sequence>,
       syntax,
       {"predictDoesNotError"}},
      {"ReturnsOldState", Of<ReturnsOldState, Sequence>, used},
      {"StartsFromZeros", Of<StartsFromZeros, Sequence>, used},
      {"StateGrows", Of<StateGrows, Sequence>, "predictReturnsValidStates"},
      {"StateOverflows", Of<StateOverflows, Sequence>, "predictReturnsValidStates"},
      {"SwappedStates", Of<SwappedStates, Sequence>, "predictReturnsValidStates"},
      {"ForwardStateUnset", Of<ForwardStateUnset>, "forwardReturnsValidStates"},
      {"DetachedState", Of<DetachedState, Sequence>, lost},
      {"ResetChangesProperty", Of<ResetChangesProperty, Sequence>, "resetStateDoesNotError"},
      {"ResetUnsets", Of<ResetUnsets, Sequence>, "resetStateDoesNotError"},
      {"ResetForgets", Of<ResetForgets, Sequence>, "resetStateResetsAllStates"},
  };
}

class FaultTest : public testing::TestWithParam<Fault> {};

TEST_P(FaultTest, IsCaughtByTheTestThatShould) {
  const Fault& fault = GetParam();
  Names expected = fault.also;
  expected.insert(fault.caught_by);
  for (uint64_t seed = 0; seed < 3; ++seed) {
    const CheckReport report = fault.check(seed);
    EXPECT_EQ(FailedTests(report), expected) << "seed " << seed << "\n" << report;
    const TestPoint* point = report.FindFailed(fault.caught_by);
    ASSERT_NE(point, nullptr);
    for (const Diagnostic& d : point->diagnostics) {
      EXPECT_NE(d.expected, "");
      EXPECT_NE(d.came, "");
      EXPECT_NE(d.fix, "");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(All, FaultTest, testing::ValuesIn(Faults()),
                         [](const auto& info) { return info.param.name; });

class CorrectLayerTest : public testing::TestWithParam<Fault> {};

TEST_P(CorrectLayerTest, IsNotAccused) {
  constexpr int kSeeds = 25;
  for (uint64_t seed = 0; seed < kSeeds; ++seed) {
    const CheckReport report = GetParam().check(seed);
    EXPECT_TRUE(report.ok()) << "seed " << seed << "\n" << report;
    EXPECT_GT(report.Count(TestStatus::kPassed), 15);
    if (!report.ok()) break;
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, CorrectLayerTest,
    testing::Values(Fault{"SRelu", Of<SReluLayer>, ""},
                    Fault{"SReluSequence", Of<SReluLayer, Sequence>, ""},
                    Fault{"TanhScale", Of<TanhScaleLayer>, ""},
                    Fault{"OwnBackward", Of<OwnBackwardLayer>, ""},
                    Fault{"OwnBackwardManyImages", Of<OwnBackwardLayer, ManyImages>, ""},
                    Fault{"OwnBackwardTwoInputs", Of<OwnBackwardTwoInputsLayer, TwoImages>, ""},
                    Fault{"SumAndProduct", Of<SumAndProductLayer, TwoImages>, ""},
                    Fault{"SpatialMean", Of<SpatialMeanLayer>, ""},
                    Fault{"LeakyIntegrator", Of<LeakyIntegratorLayer, Sequence>, ""},
                    Fault{"Residual", Of<ResidualLayer>, ""}, Fault{"Center", Of<CenterLayer>, ""},
                    Fault{"Noise", Of<NoiseLayer>, ""}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace lamina::faulty
