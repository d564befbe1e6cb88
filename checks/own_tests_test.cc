// The tests that only Lamina has: each finds the layer that is wrong in its way, and none accuses a
// layer that is right. Their messages: testdata/diagnoses.txt.
#include <cstdlib>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include "checks/check_layer.h"
#include "checks/faulty/own_faults.h"
#include "framework/layers/builtin_layers.h"
#include "framework/ops/one_hot.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "layers/srelu/srelu_layer.h"

namespace lamina::faulty {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const NetworkDataLayout kImage({4, 3, 2, 5}, "SSCB");

using Failed = std::set<std::string>;
Failed FailedTestsOf(const CheckReport& report) {
  Failed names;
  for (const TestPoint& t : report.tests) {
    if (t.status == TestStatus::kFailed) names.insert(t.name);
  }
  return names;
}

struct Case {
  friend void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }
  std::string name;
  AnyLayer (*make)();
  CheckReport (*check)(uint64_t seed);
  Failed failed;
};

template <class T>
CheckReport CheckOf(uint64_t seed) {
  return CheckLayer(T(), {kImage}, {.seed = seed, .quiet = true});
}
template <class T>
Case Of(const std::string& name, Failed failed) {
  return {name, [] { return AnyLayer(T()); }, CheckOf<T>, std::move(failed)};
}

class OwnTestsTest : public testing::TestWithParam<Case> {};

TEST_P(OwnTestsTest, FindWhatIsWrongAndNothingElse) {
  for (uint64_t seed = 0; seed < 5; ++seed) {
    const CheckReport report = GetParam().check(seed);
    EXPECT_EQ(FailedTestsOf(report), GetParam().failed) << "seed " << seed << "\n" << report;
  }
}

// A layer that is right in all else passes with the test switched off.
TEST_P(OwnTestsTest, AreSwitchedOffByName) {
  const CheckReport report =
      CheckLayer(GetParam().make(), {kImage}, {.skip_tests = GetParam().failed, .quiet = true});
  EXPECT_TRUE(report.ok()) << report;
}

INSTANTIATE_TEST_SUITE_P(
    All, OwnTestsTest,
    testing::Values(
        Of<ForwardJoins>("ForwardJoins", {"forwardKeepsObservationsApart"}),
        Of<OnlyDeclaresJoining>("OnlyDeclaresJoining", {"joinsObservationsAsDeclared"}),
        Of<DrawsInForward>("DrawsInForward", {"drawsRandomNumbersAsDeclared"}),
        Of<OnlyDeclaresDrawing>("OnlyDeclaresDrawing", {"drawsRandomNumbersAsDeclared"}),
        Of<BeginsRandomNumbersAnew>("BeginsRandomNumbersAnew", {"drawsRandomNumbersAsDeclared"}),
        Of<LearnsWholeNumber>("LearnsWholeNumber", {"learnablesAreUsed"}),
        Of<OnlyDeclaresKinks>("OnlyDeclaresKinks", {"isNotDifferentiableAsDeclared"}),
        Of<DividesByHeightLess1>("DividesByHeightLess1", {"otherSizesWork"}),
        Of<TakesSecondRow>("TakesSecondRow", {"otherSizesWork"}),
        Of<Squeezes>("Squeezes", {"otherSizesWork"}),
        Of<OtherForManyObservations>("OtherForManyObservations", {"otherSizesWork"}),
        Of<CutsOffSixth>("CutsOffSixth", {"otherSizesWork"}),
        Of<FindsByPosition>("FindsByPosition", {"dimsAreFoundByLabel"}),
        Of<HidesNan>("HidesNan", {"nanIsPassedOn"}), Of<LeaksNan>("LeaksNan", {"nanIsPassedOn"}),
        Of<HalvesHugeValues>("HalvesHugeValues", {"nanIsPassedOn"}),
        Of<SharedScratch>("SharedScratch", {"threadsDoNotDisturbEachOther"}),
        Of<ForgetsGain>("ForgetsGain", {"savingAndLoadingKeepTheLayer"}),
        Of<BranchesOnValue>("BranchesOnValue", {"tracesReadNoValues"}),
        Of<HidesRefusedRead>("HidesRefusedRead", {"tracesReadNoValues"}),
        Of<DrawsFromItsOwn>("DrawsFromItsOwn", {"tracesGiveTheSame"}),
        Of<FreezesNoise>("FreezesNoise", {"tracesDrawAfresh"}),
        Of<LooksAlike>("LooksAlike", {"acceleratedGivesTheSame"}),
        Of<WritesOtherwise>("WritesOtherwise", {"kernelsGiveTheSame"}),
        Of<DetachedInBackward>("DetachedInBackward", {"secondDerivativesAreNumericallyCorrect"})),
    [](const auto& info) { return info.param.name; });

// --- Inputs of all observations -----------------------------------------------------------------

/// Scales the channels by a second input: one for each observation, or one for all.
struct ChannelGainLayer : Layer, Formattable {
  ChannelGainLayer() { SetNumInputs(2); }
  DlArray Predict(const DlArray& x, const DlArray& gain) const { return x * gain; }
};

TEST(NonFiniteTest, WhatBelongsToAllObservationsShowsInAll) {
  for (const NetworkDataLayout& gain :
       {NetworkDataLayout({2}, "C"), NetworkDataLayout({2, 5}, "CB")}) {
    const CheckReport report = CheckLayer(ChannelGainLayer(), {kImage, gain}, {.quiet = true});
    EXPECT_TRUE(report.ok()) << report;
  }
}

/// Halves a number of its own until it is small. No array function that could be counted is called
/// in the loop.
struct HalvesANumber : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const {
    volatile double largest = MaxOver(Abs(x)).Scalar();
    while (largest > 1) largest = largest / 2;
    return TanhScaleLayer::Predict(x);
  }
};

TEST(NonFiniteDeathTest, ALoopWithoutEndIsNamed) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(CheckLayer(HalvesANumber(), {kImage}, {.longest_call_s = 0.3, .quiet = true}),
              testing::ExitedWithCode(1),
              "nanIsPassedOn of HalvesANumber does not come to an end[^_]*Infinity in 'in' at "
              "[^_]*half of infinity is infinity");
}

// --- Hints --------------------------------------------------------------------------------------

/// Adds its first input to itself.
struct AddsTheFirstTwice : Layer, Formattable {
  AddsTheFirstTwice() { SetNumInputs(2); }
  DlArray Predict(const DlArray& a, const DlArray&) const { return a + a; }
};
/// Its second input is hidden by a large bias, for most values of both.
struct HidesTheSecond : Layer, Formattable {
  HidesTheSecond() { SetNumInputs(2); }
  DlArray Predict(const DlArray& a, const DlArray& b) const {
    return a + Relu(MaxOver(b, "SCB") - 0.999);
  }
};

TEST(UnusedInputsTest, AreToldAndNoFailure) {
  const CheckReport report = CheckLayer(AddsTheFirstTwice(), {kImage, kImage}, {.quiet = true});
  EXPECT_TRUE(report.ok()) << report;
  EXPECT_THAT(report.notes,
              ElementsAre(HasSubstr("Nothing depends on the values of the input 'in2'")));
}

TEST(UnusedInputsTest, AreNotThoseThatMatterAtFewPlaces) {
  const CheckReport report = CheckLayer(HidesTheSecond(), {kImage, kImage}, {.quiet = true});
  EXPECT_THAT(report.notes, IsEmpty());
}

// --- Declared, and so ---------------------------------------------------------------------------

struct DeclaredJoining : ForwardJoins, JoinsObservations {};
struct DeclaredDrawing : DrawsInForward, DrawsRandomNumbers, Acceleratable {};
/// Steps wherever one looks: no test of derivatives has anything to compare.
struct DeclaredSteps : TanhScaleLayer, NotDifferentiableAtPoints {
  DlArray Predict(const DlArray& x) const {
    return TanhScaleLayer::Predict(x) + Abs(Mod(1e8 * scale * x, 1) - 0.5);
  }
};
struct DeclaredStairs : TanhScaleLayer, NotDifferentiableAtPoints {
  DlArray Predict(const DlArray& x) const { return Round(8 * scale * x) + offset; }
};

TEST(DeclarationsTest, LetPassWhatIsDeclared) {
  for (uint64_t seed = 0; seed < 10; ++seed) {
    for (const CheckReport& report :
         {CheckOf<DeclaredJoining>(seed), CheckOf<DeclaredDrawing>(seed),
          CheckOf<DeclaredSteps>(seed), CheckOf<DeclaredStairs>(seed)}) {
      EXPECT_THAT(FailedTestsOf(report), IsEmpty()) << "seed " << seed << "\n" << report;
    }
  }
}

TEST(OwnTestsTest, DerivativesThatAreMeantToDifferAreNotComparedForOtherSizes) {
  const CheckReport report = CheckLayer(
      CutsOffSixth(), {kImage}, {.skip_tests = {"gradientsAreNumericallyCorrect"}, .quiet = true});
  EXPECT_THAT(FailedTestsOf(report), IsEmpty()) << report;
}

TEST(DeclarationsTest, FunctionLayersDeclareByOptions) {
  const auto function = [](const DlArray& x) { return x * (1 + Rand({1}, x.type())); };
  EXPECT_THAT(FailedTestsOf(CheckLayer(FunctionLayer(function), {kImage}, {.quiet = true})),
              ElementsAre("drawsRandomNumbersAsDeclared"));
  const CheckReport declared = CheckLayer(FunctionLayer(function, {.draws_random_numbers = true}),
                                          {kImage}, {.quiet = true});
  EXPECT_TRUE(declared.ok()) << declared;
}

// --- Accelerated --------------------------------------------------------------------------------

std::string TextOf(const CheckReport& report, const std::string& test) {
  const TestPoint* const point = report.FindFailed(test);
  return point == nullptr ? "" : ToString(point->diagnostics[0]);
}

TEST(AcceleratedTest, TellsThatTwoOperationsWereTakenForOne) {
  EXPECT_EQ(
      TextOf(CheckOf<LooksAlike>(0), "acceleratedGivesTheSame"),
      R"TEXT(    Expected: Recorded and simplified, Predict gives what it gives op by op: -4.97768 within
              3.48516e-05.
    Came:     -3.98215.
    Where:    Output 'out' at 3(S), 0(S), 1(C), 0(B), for 4(S) x 3(S) x 2(C) x 3(B)
    Causes:   1. An operation of your own (an Op) does not tell all: two that have the same Name and
              Attributes are taken for one.
              2. Otherwise this is a fault of Lamina, not of the layer.
    Fix:      Let Attributes say all in which two operations differ. Otherwise please report it,
              with the layer; until it is mended, leave Acceleratable out.
)TEXT");
}

TEST(AcceleratedTest, TellsThatAnOperationIsWrittenOtherwise) {
  EXPECT_EQ(
      TextOf(CheckOf<WritesOtherwise>(0), "kernelsGiveTheSame"),
      R"TEXT(    Expected: As compiled kernels, Predict gives what it gives op by op: -1.99107 within
              1.43221e-05.
    Came:     -2.98661.
    Where:    Output 'out' at 3(S), 0(S), 1(C), 0(B), for 4(S) x 3(S) x 2(C) x 3(B)
    Causes:   1. An operation of your own (a WrittenOp) writes something else than it runs.
              2. Otherwise this is a fault of Lamina, not of the layer.
    Fix:      Let Write say what Run computes. Otherwise please report it, with the layer; until it
              is mended, leave Acceleratable out.
)TEXT");
}

// In a process of its own: a folder that was made once is kept.
TEST(AcceleratedDeathTest, SkipsKernelsWhereNoFolderCanBeMade) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto check = [] {
    setenv("LAMINA_CACHE", "/dev/null/cache", 1);
    setenv("TMPDIR", "/dev/null", 1);
    const CheckReport report = CheckOf<WritesOtherwise>(0);
    for (const std::string& skip : report.skips) std::cerr << skip << "\n";
    std::exit(report.FindFailed("kernelsGiveTheSame") == nullptr ? 0 : 1);
  };
  EXPECT_EXIT(check(), testing::ExitedWithCode(0),
              "Skipping kernelsGiveTheSame. Kernels cannot be kept: cannot make a temporary "
              "folder.\n");
}

// --- NaN ----------------------------------------------------------------------------------------

/// The larger of x and its mirror image, and the largest of each channel: NaN is passed over.
struct Largest : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const {
    return TanhScaleLayer::Predict(Max(x, Mirror(x)) + MaxOver(x, {0, 1}));
  }
  static DlArray Mirror(const DlArray& x) { return DlArray(0.25) - 0.5 * NoNan(x); }
  static DlArray NoNan(const DlArray& x) { return Where(IsNan(x), ZerosLike(x), x); }
};
/// The same, as docs/checking.md tells to write it.
struct LargestOrNan : TanhScaleLayer {
  DlArray Predict(const DlArray& x) const {
    const DlArray y = Largest::Mirror(x), larger = Where(IsNan(x) | IsNan(y), x + y, Max(x, y));
    return TanhScaleLayer::Predict(
        larger + Where(Any(IsNan(x), {0, 1}), Sum(x, {0, 1}), MaxOver(x, {0, 1})));
  }
};

TEST(NanTest, IsShownByTheFormsThatTheDocumentationTells) {
  for (uint64_t seed = 0; seed < 5; ++seed) {
    EXPECT_THAT(FailedTestsOf(CheckOf<Largest>(seed)), ElementsAre("nanIsPassedOn"));
    const CheckReport report = CheckOf<LargestOrNan>(seed);
    EXPECT_TRUE(report.ok()) << report;
  }
}

// --- What cannot be tested is said ---------------------------------------------------------------

TEST(OwnTestsTest, SayWhyTheyAreSkipped) {
  const auto skips = [](const auto& layer) {
    const CheckReport report = CheckLayer(layer, {kImage}, {.quiet = true});
    EXPECT_TRUE(report.ok()) << report;
    return report.skips;
  };
  EXPECT_THAT(skips(NeedsAnArgument(2)),
              Contains(HasSubstr("Skipping savingAndLoadingKeepTheLayer. A NeedsAnArgument cannot "
                                 "be made without arguments")));
  EXPECT_THAT(skips(OnlyFirstDerivatives()),
              Contains(HasSubstr("Skipping secondDerivativesAreNumericallyCorrect.")));
  EXPECT_THAT(skips(FunctionLayer([](const DlArray& x) { return Tanh(x); })),
              Contains(HasSubstr("A function cannot be written to a file.")));
  // Of an AnyLayer nothing is known but the layer itself: a copy of it without parameters is
  // filled.
  const CheckReport any = CheckLayer(AnyLayer(NeedsAnArgument(2)), {kImage}, {.quiet = true});
  EXPECT_TRUE(any.ok()) << any;
  EXPECT_THAT(any.skips, Not(Contains(HasSubstr("savingAndLoading"))));
}

// --- Large arrays --------------------------------------------------------------------------------

// [24 24 20 128]: 1,474,560 elements.
TEST(LargeArraysTest, OneWrongElementIsFound) {
  const NetworkDataLayout large({24, 24, 20, 128}, "SSCB");
  Failed all_but_numeric;
  for (const std::string& name : CheckLayerTestNames()) {
    if (name != "gradientsAreNumericallyCorrect") all_but_numeric.insert(name);
  }
  const auto check = [&](double part) {
    OneWrongOfMany layer;
    layer.part = part;
    return CheckLayer(layer, {large}, {.skip_tests = all_but_numeric, .quiet = true});
  };
  const CheckReport right = check(0);
  EXPECT_TRUE(right.ok()) << right;
  for (const double part : {0.01, 0.001}) {
    const CheckReport wrong = check(part);
    const TestPoint* point = wrong.FindFailed("gradientsAreNumericallyCorrect");
    ASSERT_NE(point, nullptr) << part << "\n" << wrong;
    // 737,281 = 1 + 24 (0 + 24 (0 + 20 64)).
    EXPECT_EQ(point->diagnostics[0].where, "'in' at 1(S), 0(S), 0(C), 64(B)");
  }
}

/// Its Backward has a constant in single, the other way round than Forward: 1e-8 apart, relatively.
struct ConstantInSingle : OwnBackwardLayer {
  DlArray Predict(const DlArray& x) const { return OwnBackwardLayer::Predict(x) * 0.1; }
  std::tuple<DlArray, Memory> Forward(const DlArray& x) const {
    auto [y, memory] = OwnBackwardLayer::Forward(x);
    return {y * 0.1, memory};
  }
  std::array<DlArray, 3> Backward(const DlArray& x, Unused, const DlArray& dy,
                                  const Memory& memory) const {
    return OwnBackwardLayer::Backward(x, Unused(), dy * static_cast<double>(0.1f), memory);
  }
};

TEST(LargeArraysTest, RoundedConstantsOfARightBackwardAreNotAccused) {
  const NetworkDataLayout large({24, 24, 20, 32}, "SSCB");
  for (uint64_t seed = 0; seed < 3; ++seed) {
    for (const CheckReport& report :
         {CheckLayer(ConstantInSingle(), {large}, {.seed = seed, .quiet = true}),
          CheckLayer(OwnBackwardLayer(), {large}, {.seed = seed, .quiet = true})}) {
      EXPECT_TRUE(report.ok()) << "seed " << seed << "\n" << report;
    }
  }
}

// --- Inputs of other types
// ------------------------------------------------------------------------

/// y = scale * x, complex.
struct ComplexScale : Layer {
  Learnable scale{*this, "Scale"};
  void Initialize(const NetworkDataLayout& layout) {
    if (scale.empty()) scale = Complex(Rand(layout.Only('C')), Rand(layout.Only('C')));
  }
  DlArray Predict(const DlArray& x) const { return scale * x; }
};
/// Backward without the conjugate.
struct ForgetsConjugate : ComplexScale {
  std::array<DlArray, 2> Backward(const DlArray& x, Unused, const DlArray& dy, Unused) const {
    return {dy * scale, SumTo(dy * Conj(x), scale.spec())};
  }
};

TEST(InputTypesTest, TakesComplexInputs) {
  for (uint64_t seed = 0; seed < 5; ++seed) {
    const CheckOptions options{.seed = seed, .complex_inputs = true, .quiet = true};
    const CheckReport right = CheckLayer(ComplexScale(), {kImage}, options);
    EXPECT_TRUE(right.ok()) << "seed " << seed << "\n" << right;
    EXPECT_THAT(FailedTestsOf(CheckLayer(ForgetsConjugate(), {kImage}, options)),
                ElementsAre("gradientsAreNumericallyCorrect"));
  }
}

/// Rows of a table, chosen by whole numbers from 0 to 4: "CB" with one channel.
struct TableLayer : Layer, Formattable {
  Learnable table{*this, "Table",
                  DlArray::FromVector<float>({1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, {2, 5})};
  DlArray Predict(const DlArray& x) const {
    return DlArray(MatMul(table, StripDims(OneHot(x, 5, table.type()), "CB")), "CB");
  }
};

TEST(InputTypesTest, TakesWholeNumbers) {
  for (uint64_t seed = 0; seed < 5; ++seed) {
    const CheckReport report = CheckLayer(
        TableLayer(), {NetworkDataLayout({1, 6}, "CB")},
        {.seed = seed, .input_low = 0, .input_high = 5, .integer_inputs = {"in"}, .quiet = true});
    EXPECT_TRUE(report.ok()) << "seed " << seed << "\n" << report;
  }
}

// --- Right layers
// ---------------------------------------------------------------------------------

TEST(BuiltinLayersTest, AreNotAccused) {
  const NetworkDataLayout image({8, 7, 4, 5}, "SSCB"), features({6, 5}, "CB"),
      sequence({4, 3, 6}, "CBT"), signal({9, 4, 3}, "SCB"), volume({4, 4, 4, 2, 3}, "SSSCB");
  const auto check = [](const AnyLayer& layer, const NetworkDataLayout& layout) {
    for (uint64_t seed = 0; seed < 3; ++seed) {
      const CheckReport report = CheckLayer(layer, {layout}, {.seed = seed, .quiet = true});
      EXPECT_TRUE(report.ok()) << "seed " << seed << "\n" << report;
    }
  };
  const AnyLayer anywhere[] = {ReluLayer(),
                               LeakyReluLayer(),
                               ClippedReluLayer(0.5),
                               EluLayer(),
                               PReluLayer(),
                               GeluLayer(),
                               GeluLayer("tanh"),
                               SoftplusLayer(),
                               SwishLayer(),
                               TanhLayer(),
                               SigmoidLayer(),
                               SoftmaxLayer(),
                               DropoutLayer(0.5),
                               FullyConnectedLayer(3),
                               BatchNormalizationLayer(),
                               LayerNormalizationLayer(),
                               GroupNormalizationLayer(2),
                               IdentityLayer()};
  for (const AnyLayer& layer : anywhere) {
    for (const NetworkDataLayout& layout : {image, features, sequence, signal}) {
      check(layer, layout);
    }
  }
  check(InstanceNormalizationLayer(), image);
  check(FlattenLayer(), image);
  check(Convolution2dLayer({3, 3}, 2), image);
  check(Convolution1dLayer(3, 2), signal);
  check(Convolution1dLayer(3, 2), sequence);
  check(Convolution3dLayer({2, 2, 2}, 2), volume);
  check(MaxPooling2dLayer({2, 2}), image);
  check(AveragePooling2dLayer({2, 2}), image);
  check(GlobalMaxPooling2dLayer(), image);
  check(GlobalAveragePooling2dLayer(), image);
  check(GlobalAveragePooling1dLayer(), sequence);
  check(LstmLayer(3), sequence);
  check(LstmLayer(3), features);
}

// --- Names and times
// ------------------------------------------------------------------------------

TEST(ClassicTestsTest, AreTestsAndAreTimed) {
  const std::vector<std::string> classic = ClassicTestNames(), all = CheckLayerTestNames();
  for (const std::string& name : classic) EXPECT_THAT(all, Contains(name));
  const CheckReport report = CheckLayer(SReluLayer(), {kImage}, {.quiet = true});
  EXPECT_GT(report.SecondsOf(classic), 0);
  EXPECT_LE(report.SecondsOf(classic), report.seconds);
  EXPECT_GT(report.SecondsOf(all), report.SecondsOf(classic));
}

}  // namespace
}  // namespace lamina::faulty
