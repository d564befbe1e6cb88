// The tests of code generation: what passes, and the diagnosis of what does not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <string>
#include <vector>

#include "checks/check_layer.h"
#include "framework/lamina.h"
#include "framework/layers/builtin_layers.h"
#include "layers/channel_dropout/channel_dropout_layer.h"
#include "layers/complex_fully_connected/complex_fully_connected_layer.h"
#include "layers/peephole_lstm/peephole_lstm_layer.h"
#include "layers/project_and_reshape/project_and_reshape_layer.h"
#include "layers/residual_block/residual_block_layer.h"
#include "layers/running_norm/running_norm_layer.h"
#include "layers/siamese_pair/siamese_pair_layer.h"
#include "layers/split_level/split_level_layer.h"
#include "layers/srelu/srelu_layer.h"
#include "layers/srelu_backward/srelu_backward_layer.h"
#include "layers/srelu_codegen/srelu_codegen_layer.h"
#include "layers/thermal_cell/thermal_cell_layer.h"
#include "layers/weighted_addition/weighted_addition_layer.h"

namespace lamina {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

const std::set<std::string> kCodegenTests = {
    "codegenPragmaDefinedInClassDef", "layerPropertiesSupportCodegen", "predictSupportsCodegen",
    "functionLayerSupportsCodegen", "statesSupportCodegen"};

// Only the tests of code generation.
CheckReport Check(const AnyLayer& layer, const std::vector<NetworkDataLayout>& layouts,
                  bool needs_tag = false) {
  CheckOptions options{.check_codegen_compatibility = true, .quiet = true};
  for (const std::string& name : CheckLayerTestNames()) {
    if (kCodegenTests.count(name) == 0) options.skip_tests.insert(name);
  }
  if (!needs_tag) options.skip_tests.insert("codegenPragmaDefinedInClassDef");
  return CheckLayer(layer, layouts, options);
}

int NumPassed(const CheckReport& report) {
  int count = 0;
  for (const TestPoint& t : report.tests) count += t.status == TestStatus::kPassed;
  return count;
}

TEST(CodegenTestsTest, TheReferenceLayersAreGenerated) {
  const NetworkDataLayout image({8, 8, 4, 3}, "SSCB");
  struct Row {
    AnyLayer layer;
    std::vector<NetworkDataLayout> layouts;
    bool has_states;
  };
  const std::vector<Row> rows = {
      {SReluLayer(), {image}, false},
      {SReluCodegenLayer(), {image}, false},
      {SReluBackwardLayer(), {image}, false},
      {WeightedAdditionLayer(3), {image, image, image}, false},
      {ProjectAndReshapeLayer({4, 4, 8}), {NetworkDataLayout({10, 3}, "CB")}, false},
      {PeepholeLstmLayer(6), {NetworkDataLayout({3, 2, 5}, "CBT")}, true},
      {ResidualBlockLayer(8, {.stride = 2, .include_skip_convolution = true}), {image}, false},
      {BatchNormResidualBlockLayer(4), {image}, true},
      {SplitLevelLayer(), {NetworkDataLayout({36, 2, 4}, "SCB")}, false},
      {SiamesePairLayer(DlNetwork({FullyConnectedLayer(7), TanhLayer()})), {image, image}, false},
      {ComplexFullyConnectedLayer(5), {NetworkDataLayout({8, 8, 1, 3}, "SSCB")}, false},
      {ChannelDropoutLayer(0.25), {image}, false},
      {RunningNormLayer(), {image}, true},
      {ThermalCellLayer({.time_step = 0.5, .body_capacity = 2, .body_temperature = 1}),
       {NetworkDataLayout({2, 2, 6}, "CBT")},
       true},
      {LstmLayer(5), {NetworkDataLayout({3, 2, 4}, "CBT")}, true},
  };
  for (const Row& row : rows) {
    const CheckReport report = Check(row.layer, row.layouts);
    EXPECT_TRUE(report.ok()) << report;
    // Properties, one observation, several, and states.
    EXPECT_EQ(NumPassed(report), row.has_states ? 4 : 3) << report;
  }
}

// --- What is wrong ----------------------------------------------------------------------------

const NetworkDataLayout kPlain({4, 3}, "CB");

// The one diagnosis of `test`.
Diagnostic DiagnosisOf(const CheckReport& report, const std::string& test) {
  Diagnostic diagnosis;
  int count = 0;
  for (const TestPoint& t : report.tests) {
    if (t.status != TestStatus::kFailed) continue;
    EXPECT_EQ(t.name, test) << report;
    if (count++ == 0) diagnosis = t.diagnostics.at(0);
  }
  EXPECT_GE(count, 1) << report;
  return diagnosis;
}

TEST(CodegenTestsTest, ALayerDeclaresThatItIsMeantToBeGenerated) {
  const Diagnostic d = DiagnosisOf(Check(SReluLayer(), {kPlain}, /*needs_tag=*/true),
                                   "codegenPragmaDefinedInClassDef");
  EXPECT_EQ(d.expected, "A layer that is meant to be generated declares it.");
  EXPECT_EQ(d.came, "SReluLayer does not derive from CodeGeneratable.");
  EXPECT_EQ(d.fix, "Write struct SReluLayer : Layer, CodeGeneratable.");
  EXPECT_TRUE(Check(SReluCodegenLayer(), {kPlain}, /*needs_tag=*/true).ok());
}

// A function has nothing to derive from CodeGeneratable.
TEST(CodegenTestsTest, AFunctionIsGeneratedWithoutADeclaration) {
  const FunctionLayer swish([](const DlArray& x) { return x * Sigmoid(x); });
  const CheckReport report = Check(swish, {kPlain}, /*needs_tag=*/true);
  EXPECT_TRUE(report.ok()) << report;
  EXPECT_EQ(NumPassed(report), 3);  // Properties, one observation, several.
  const FunctionLayer branch([](const DlArray& x) { return Sum(x).Scalar() > 0 ? x : -x; });
  EXPECT_EQ(DiagnosisOf(Check(branch, {kPlain}, /*needs_tag=*/true), "functionLayerSupportsCodegen")
                .where,
            "codegen:ReadsValues");
}

struct TwinNamesLayer : Layer {
  Learnable first{*this, "InnerGain", DlArray(1.0f)};
  Learnable second{*this, "Inner_gain", DlArray(1.0f)};
  DlArray Predict(const DlArray& x) const { return x * first * second; }
};
struct GreekNameLayer : Layer {
  Learnable alpha{*this, "\u03b1", DlArray(1.0f)};
  DlArray Predict(const DlArray& x) const { return x * alpha; }
};

TEST(CodegenTestsTest, NamesOfPropertiesAreNamesInC) {
  Diagnostic d = DiagnosisOf(Check(TwinNamesLayer(), {kPlain}), "layerPropertiesSupportCodegen");
  EXPECT_EQ(d.expected, "Each learnable and state has a name of its own in C.");
  EXPECT_EQ(d.came, "'Inner_gain' and 'InnerGain' would have the same name.");
  d = DiagnosisOf(Check(GreekNameLayer(), {kPlain}), "layerPropertiesSupportCodegen");
  EXPECT_EQ(d.came, "'\u03b1' has characters that C names do not have.");
}

struct BranchLayer : Layer {
  DlArray Predict(const DlArray& x) const { return Sum(x).Scalar() > 0 ? x : -x; }
};
struct NoisyPredictLayer : Layer {
  DlArray Predict(const DlArray& x) const { return x + RandLike(x); }
};

TEST(CodegenTestsTest, PredictIsMadeOfArrayFunctions) {
  Diagnostic d = DiagnosisOf(Check(BranchLayer(), {kPlain}), "predictSupportsCodegen");
  EXPECT_EQ(d.expected, "C code can be generated from Predict.");
  EXPECT_THAT(d.came, StartsWith("A layer that is generated computes with array functions alone, "
                                 "whatever the values. A value was read while the code was "
                                 "generated: "));
  EXPECT_EQ(d.where, "codegen:ReadsValues");
  EXPECT_EQ(d.fix, "Choose with Where; take what is for a person's eye out of Predict.");
  d = DiagnosisOf(Check(NoisyPredictLayer(), {kPlain}), "predictSupportsCodegen");
  EXPECT_EQ(d.where, "emit:CannotPrint");
  EXPECT_THAT(d.came, HasSubstr("The op rand of layer"));
}

// The same for each call, but something else where there are no values: when it is generated.
struct TwoFacedLayer : Layer {
  DlArray Predict(const DlArray& x) const { return x.has_values() ? x : 2 * x; }
};

TEST(CodegenTestsTest, TheGeneratedCodeComputesTheSame) {
  const Diagnostic d = DiagnosisOf(Check(TwoFacedLayer(), {kPlain}), "predictSupportsCodegen");
  EXPECT_THAT(d.expected, StartsWith("The generated code computes what Predict computes: "));
  EXPECT_THAT(d.came, HasSubstr(" in call 1."));
  EXPECT_EQ(d.where, "output 1, value 2");
  EXPECT_EQ(d.fix,
            "Make what changes from call to call a State, and return it; compute the same with and "
            "without values.");
}

// A number that changes from call to call and is no State.
struct HiddenCounterLayer : Layer {
  DlArray Predict(const DlArray& x) const { return x + static_cast<double>(++calls); }
  static inline std::atomic<int> calls = 0;
};

TEST(CodegenTestsTest, ALayerThatDoesNotRepeatItselfIsNotCompared) {
  const CheckReport report = Check(HiddenCounterLayer(), {kPlain});
  for (const TestPoint& t : report.tests) {
    if (t.name != "predictSupportsCodegen") continue;
    EXPECT_EQ(t.status, TestStatus::kIncomplete);
    EXPECT_EQ(t.message,
              "The same call gives different results: see predictIsRepeatable and "
              "forwardIsRepeatable.");
  }
}

struct CounterLayer : Layer {
  State count{*this, "Count", DlArray(0.0f)};
  std::tuple<DlArray, DlArray> Predict(const DlArray& x) const { return {x * count, count + 1}; }
  void ResetState() { count = DlArray(0.0f); }
};

TEST(CodegenTestsTest, StatesAreCarriedFromCallToCall) {
  const CheckReport report = Check(CounterLayer(), {kPlain});
  EXPECT_TRUE(report.ok()) << report;
  EXPECT_EQ(NumPassed(report), 4);
}

}  // namespace
}  // namespace lamina
