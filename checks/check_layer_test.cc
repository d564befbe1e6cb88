// How CheckLayer is used, what it refuses, and what it prints.
#include "checks/check_layer.h"

#include <cmath>
#include <regex>
#include <set>
#include <string>

#include "checks/check_main.h"
#include "checks/faulty/correct_layers.h"
#include "checks/faulty/fault.h"
#include "framework/dlarray/testing/thrown_error.h"
#include "framework/io/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "layers/srelu/srelu_layer.h"

namespace lamina {
namespace {

using faulty::FindFault;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const NetworkDataLayout kImage({4, 3, 2, 5}, "SSCB");

// Times, and the errors of rounding, differ from machine to machine.
std::string Masked(std::string text) {
  text = std::regex_replace(text, std::regex("elapsed: [0-9.]+"), "elapsed: <time>");
  return std::regex_replace(text,
                            std::regex("error [0-9.e+-]+, tolerance [0-9.e+-]+, ratio [0-9.e+-]+"),
                            "error <e>, tolerance <t>, ratio <r>");
}

TEST(CheckLayerTest, PassesSRelu) {
  const CheckReport report = CheckLayer(SReluLayer(), {kImage}, {.quiet = true});
  EXPECT_TRUE(report.ok()) << report;
  EXPECT_EQ(report.Count(TestStatus::kPassed), 34);
  EXPECT_EQ(report.Count(TestStatus::kSkipped), 8);
  EXPECT_EQ(
      Masked(ToString(report)),
      R"PASSING(Skipping GPU tests. To have them run, set gpu or emulated_gpu in check_layer, or link framework/gpu.

Skipping code generation tests. To have them run, set check_codegen_compatibility, and label the
observations or set observation_dimension.

Running TestLayerWithoutBackward on SReluLayer, 4(S) x 3(S) x 2(C) x 5(B)
.......... .......... .......... ....
Done TestLayerWithoutBackward

How close the numeric checks came (a ratio above 1 fails):
  predictKeepsObservationsApart (several observations)
    out                      error <e>, tolerance <t>, ratio <r>
  gradientsAreNumericallyCorrect (1 observation)
    in                       error <e>, tolerance <t>, ratio <r>
    LeftSlope                error <e>, tolerance <t>, ratio <r>
    RightSlope               error <e>, tolerance <t>, ratio <r>
    LeftThreshold            error <e>, tolerance <t>, ratio <r>
    RightThreshold           error <e>, tolerance <t>, ratio <r>
  gradientsAreNumericallyCorrect (several observations)
    in                       error <e>, tolerance <t>, ratio <r>
    LeftSlope                error <e>, tolerance <t>, ratio <r>
    RightSlope               error <e>, tolerance <t>, ratio <r>
    LeftThreshold            error <e>, tolerance <t>, ratio <r>
    RightThreshold           error <e>, tolerance <t>, ratio <r>
  secondDerivativesAreNumericallyCorrect
    all, twice               error <e>, tolerance <t>, ratio <r>
__________

Test Summary:
	 34 Passed, 0 Failed, 0 Incomplete, 8 Skipped.
	 Time elapsed: <time> seconds.
)PASSING");
}

TEST(CheckLayerTest, TellsWhatIsWrong) {
  const CheckReport report = CheckLayer(FindFault("ReadsValue").make(), {kImage}, {.quiet = true});
  EXPECT_FALSE(report.ok());
  EXPECT_EQ(
      Masked(ToString(report)),
      R"FAILING(Skipping GPU tests. To have them run, set gpu or emulated_gpu in check_layer, or link framework/gpu.

Skipping code generation tests. To have them run, set check_codegen_compatibility, and label the
observations or set observation_dimension.

Running TestLayerWithoutBackward on ReadsValue, 4(S) x 3(S) x 2(C) x 5(B)
.......... .......... .......FFI
Done TestLayerWithoutBackward

__________
Failed: gradientsAreNumericallyCorrect (1 observation)
    Expected: The derivative with respect to the learnable 'Scale' is the numeric one, 2.9036716, to
              within 4e-06.
    Came:     Training gets 1.6339226: 1.27 off, 0.44 relative (step 1.5e-05).
    Where:    'Scale' at 0, 0, 1
    Causes:   1. A part of the computation is hidden from the derivative: a value read by At, Scalar
              or Data, ExtractData, or work done under NoGradient.
              2. The gradient of an operation of your own that the layer uses is wrong.
              3. The function is not differentiable there in a way that was not noticed.
    Fix:      Compute with array functions from the inputs to the outputs, and take values only for
              what is not differentiated. If it is meant so, switch this test off by its name.

__________
Failed: gradientsAreNumericallyCorrect (several observations)
    Expected: The derivative with respect to the learnable 'Scale' is the numeric one, 3.4269099, to
              within 9e-06.
    Came:     Training gets 0.67184205: 2.76 off, 0.8 relative (step 1.5e-05).
    Where:    'Scale' at 0, 0, 1
    Causes:   1. A part of the computation is hidden from the derivative: a value read by At, Scalar
              or Data, ExtractData, or work done under NoGradient.
              2. The gradient of an operation of your own that the layer uses is wrong.
              3. The function is not differentiable there in a way that was not noticed.
    Fix:      Compute with array functions from the inputs to the outputs, and take values only for
              what is not differentiated. If it is meant so, switch this test off by its name.

__________
Incomplete: secondDerivativesAreNumericallyCorrect
    Reason:   The first derivatives are wrong: see gradientsAreNumericallyCorrect.

How close the numeric checks came (a ratio above 1 fails):
  predictKeepsObservationsApart (several observations)
    out                      error <e>, tolerance <t>, ratio <r>
  gradientsAreNumericallyCorrect (1 observation)
    in                       error <e>, tolerance <t>, ratio <r>
    Scale                    error <e>, tolerance <t>, ratio <r>
    Offset                   error <e>, tolerance <t>, ratio <r>
  gradientsAreNumericallyCorrect (several observations)
    in                       error <e>, tolerance <t>, ratio <r>
    Scale                    error <e>, tolerance <t>, ratio <r>
    Offset                   error <e>, tolerance <t>, ratio <r>
__________

Test Summary:
	 27 Passed, 2 Failed, 1 Incomplete, 8 Skipped.
	 Time elapsed: <time> seconds.
)FAILING");
}

TEST(CheckLayerTest, TakesALayerAsItIsAndLeavesItSo) {
  AnyLayer layer = SReluLayer();
  EXPECT_TRUE(CheckLayer(layer, {kImage}, {.quiet = true}).ok());
  EXPECT_FALSE(layer.IsInitialized());
  // Initialised, its own parameters are checked: here for other channels than the data has.
  layer.Initialize({NetworkDataLayout({4, 3, 7, 5}, "SSCB")});
  EXPECT_NE(CheckLayer(layer, {kImage}, {.quiet = true}).FindFailed("predictDoesNotError"),
            nullptr);
}

TEST(CheckLayerTest, ChoosesUnknownSizesAndSaysSo) {
  const CheckReport report =
      CheckLayer(SReluLayer(), {NetworkDataLayout({kUnknown, 3, kUnknown, kUnknown}, "SSCB")},
                 {.quiet = true});
  EXPECT_TRUE(report.ok()) << report;
  EXPECT_THAT(report.notes, ElementsAre("Input 'in' came as NaN(S) x 3(S) x NaN(C) x NaN(B). "
                                        "CheckLayer took 8(S) x 3(S) x 3(C) x 2(B)."));
}

TEST(CheckLayerTest, SkipsTestsWithSeveralObservationsUntilTheirDimIsKnown) {
  const faulty::SumAndProductLayer layer;
  const NetworkDataLayout plain({4, 3, 2});
  const CheckReport without = CheckLayer(layer, {plain, plain}, {.quiet = true});
  EXPECT_TRUE(without.ok()) << without;
  EXPECT_THAT(without.skips, Contains(HasSubstr("observation_dimension")));
  const CheckReport with =
      CheckLayer(layer, {plain, plain}, {.observation_dimension = {2}, .quiet = true});
  EXPECT_TRUE(with.ok()) << with;
  EXPECT_THAT(with.skips, Not(Contains(HasSubstr("several observations"))));
  EXPECT_GT(with.Count(TestStatus::kPassed), without.Count(TestStatus::kPassed));
}

TEST(CheckLayerTest, SwitchesTestsOffByName) {
  const CheckReport report =
      CheckLayer(FindFault("MixesObservations").make(), {kImage},
                 {.skip_tests = {"predictKeepsObservationsApart"}, .quiet = true});
  EXPECT_TRUE(report.ok()) << report;
  EXPECT_THAT(report.skips, Contains("Skipping predictKeepsObservationsApart. It is switched off "
                                     "by skip_tests."));
}

TEST(CheckLayerTest, TellsWhatCodeGenerationNeeds) {
  const auto skips = [](bool asked) {
    return CheckLayer(SReluLayer(), {kImage}, {.check_codegen_compatibility = asked, .quiet = true})
        .skips;
  };
  EXPECT_THAT(skips(false), Contains(HasSubstr("set check_codegen_compatibility")));
  EXPECT_THAT(skips(true), Not(Contains(HasSubstr("code generation"))));
}

TEST(CheckLayerTest, TakesInputsFromARange) {
  const AnyLayer layer = FindFault("LogOfNegative").make();
  EXPECT_FALSE(CheckLayer(layer, {kImage}, {.quiet = true}).ok());
  const CheckReport report =
      CheckLayer(layer, {kImage}, {.input_low = 0.5, .input_high = 2, .quiet = true});
  EXPECT_TRUE(report.ok()) << report;
}

TEST(CheckLayerTest, SameSeedSameReport) {
  const auto text = [](uint64_t seed) {
    return std::regex_replace(
        ToString(CheckLayer(SReluLayer(), {kImage}, {.seed = seed, .quiet = true})),
        std::regex("elapsed: [0-9.]+"), "");
  };
  EXPECT_EQ(text(3), text(3));
  EXPECT_NE(text(3), text(4));
}

TEST(CheckLayerTest, RefusesWrongUse) {
  const AnyLayer layer = SReluLayer();
  const auto check = [&](const CheckOptions& options) {
    return IdentifierOf([&] { CheckLayer(layer, {kImage}, options); });
  };
  EXPECT_EQ(IdentifierOf([&] { CheckLayer(layer, {}, {}); }), "checkLayer:LayoutCount");
  EXPECT_EQ(IdentifierOf([&] {
              CheckLayer(layer, {kImage, kImage}, {});
            }),
            "checkLayer:LayoutCount");
  EXPECT_EQ(check({.observation_dimension = {4}}), "checkLayer:ObservationDimension");
  EXPECT_EQ(check({.observation_dimension = {-1}}), "checkLayer:ObservationDimension");
  EXPECT_EQ(check({.observation_dimension = {2}}), "checkLayer:ObservationDimension");
  EXPECT_EQ(check({.observation_dimension = {3, 3}}), "checkLayer:ObservationDimension");
  EXPECT_EQ(check({.skip_tests = {"noSuchTest"}}), "checkLayer:NoSuchTest");
  EXPECT_EQ(check({.input_low = 1, .input_high = 1}), "checkLayer:InputRange");
  EXPECT_EQ(check({.input_low = std::nan("")}), "checkLayer:InputRange");
}

TEST(CheckLayerTest, NamesEachTestOnce) {
  const std::vector<std::string> names = CheckLayerTestNames();
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), names.size());
  for (const char* name :
       {"functionSyntaxesAreCorrect", "predictDoesNotError", "forwardDoesNotError",
        "forwardPredictAreConsistentInSize", "backwardDoesNotError", "backwardIsConsistentInSize",
        "predictIsConsistentInType", "forwardIsConsistentInType", "backwardIsConsistentInType",
        "gradientsAreNumericallyCorrect", "backwardPropagationDoesNotError",
        "predictReturnsValidStates", "forwardReturnsValidStates", "resetStateDoesNotError",
        "codegenPragmaDefinedInClassDef", "layerPropertiesSupportCodegen", "predictSupportsCodegen",
        "functionLayerSupportsCodegen"}) {
    EXPECT_THAT(names, Contains(name));
  }
}

TEST(CheckReportTest, SaysTheSameAsJson) {
  const CheckReport report =
      CheckLayer(FindFault("PartlyDetached").make(), {kImage}, {.quiet = true});
  const absl::StatusOr<Json> json = ParseJson(WriteJson(ToJson(report)));
  ASSERT_TRUE(json.ok()) << json.status();
  EXPECT_EQ((*json)["layer"], "PartlyDetached");
  EXPECT_EQ((*json)["failed"], report.Count(TestStatus::kFailed));
  EXPECT_EQ((*json)["tests"].size(), report.tests.size());
  for (size_t i = 0; i < report.tests.size(); ++i) {
    const Json& test = (*json)["tests"][i];
    EXPECT_EQ(test["name"], report.tests[i].name);
    EXPECT_EQ(test["status"], std::string(ToString(report.tests[i].status)));
    EXPECT_EQ(test["margins"].size(), report.tests[i].margins.size());
    EXPECT_EQ(test["diagnostics"].size(), report.tests[i].diagnostics.size());
  }
}

TEST(CheckReportTest, SaysTheSameAsJUnit) {
  CheckReport report{.layer = "A<B>", .suite = "TestLayerWithoutBackward", .inputs = "3(C)"};
  report.tests.push_back({.name = "one", .variant = "1 observation", .seconds = 0.25});
  report.tests.push_back({.name = "two", .variant = ""});
  report.tests.back().Fail({.expected = "5 & 6.", .came = "7.", .fix = "Count."});
  report.tests.push_back({.name = "three", .variant = ""});
  report.tests.back().Incomplete("Predict threw.");
  report.tests.push_back(
      {.name = "four", .variant = "", .status = TestStatus::kSkipped, .message = "No GPU."});
  EXPECT_EQ(ToJUnit(report), R"JUNIT(<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="check_layer" tests="4" failures="1" errors="1" skipped="1" time="0.250000">
  <testsuite name="A&lt;B&gt;" tests="4" failures="1" errors="1" skipped="1" time="0.250000">
    <testcase name="one (1 observation)" classname="A&lt;B&gt;" time="0.250000"/>
    <testcase name="two" classname="A&lt;B&gt;" time="0.000000">
      <failure message="7.">    Expected: 5 &amp; 6.
    Came:     7.
    Fix:      Count.

</failure>
    </testcase>
    <testcase name="three" classname="A&lt;B&gt;" time="0.000000">
      <error message="Predict threw."/>
    </testcase>
    <testcase name="four" classname="A&lt;B&gt;" time="0.000000">
      <skipped message="No GPU."/>
    </testcase>
  </testsuite>
</testsuites>
)JUNIT");
}

// What Bazel sees of a check target.
class CheckLayerMainTest : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "/check.xml";
    setenv("XML_OUTPUT_FILE", path_.c_str(), 1);
  }
  void TearDown() override { unsetenv("XML_OUTPUT_FILE"); }
  std::string path_;
};

TEST_F(CheckLayerMainTest, ReturnsZeroAndWritesXml) {
  EXPECT_EQ(CheckLayerMain([] { return CheckLayer(SReluLayer(), {kImage}, {.quiet = true}); }), 0);
  const absl::StatusOr<std::string> xml = ReadFile(path_);
  ASSERT_TRUE(xml.ok()) << xml.status();
  EXPECT_THAT(*xml, HasSubstr("name=\"SReluLayer\" tests=\"42\" failures=\"0\""));
}

TEST_F(CheckLayerMainTest, FailsWithTheLayer) {
  EXPECT_EQ(CheckLayerMain([] {
              return CheckLayer(FindFault("PredictThrows").make(), {kImage}, {.quiet = true});
            }),
            1);
  EXPECT_THAT(*ReadFile(path_), HasSubstr("<failure"));
}

TEST_F(CheckLayerMainTest, TellsWrongUse) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(CheckLayerMain([] { return CheckLayer(SReluLayer(), {}, {}); }), 2);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("checkLayer:LayoutCount"));
}

}  // namespace
}  // namespace lamina
