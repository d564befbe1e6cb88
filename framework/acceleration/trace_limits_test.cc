// What a trace cannot repeat by itself: random numbers, values that are read, arrays that are no
// arguments; and the check that finds the rest.

#include "absl/strings/str_cat.h"
#include "framework/acceleration/testing/accelerated_call.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

using testing::Contains;
using testing::Data;
using testing::ExpectNear;
using testing::kWait;

TEST(TraceLimitsTest, DrawsTheNumbersOfTheFunctionAfreshInEachCall) {
  const auto plain = [](const DlArray& x) {
    RandLike(x);  // Nobody reads these.
    return x + RandnLike(x) + Rand({3, 1}, x.type());
  };
  const auto f = DlAccelerate(plain, kWait);
  const DlArray x = Data(1);
  Rng(7);
  DlArrays accelerated, expected;
  for (int i = 0; i < 4; ++i) accelerated.push_back(f(x));
  Rng(7);
  for (int i = 0; i < 4; ++i) expected.push_back(plain(x));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(IsEqual(accelerated[i], expected[i])) << i;
  EXPECT_FALSE(IsEqual(accelerated[2], accelerated[3]));
}

TEST(TraceLimitsTest, AFunctionThatReadsAValueRunsUnacceleratedAndTheReportSaysWhere) {
  int calls = 0;
  constexpr int kLine = __LINE__ + 4;
  const auto f = DlAccelerate([&](const DlArray& x) {
    ++calls;
    const DlArray s = Sum(Abs(x));
    return s.Scalar() > 1 ? x / s : x;
  });
  const DlArray large = Data(1), small = Data(1) * 1e-3;
  ExpectNear(f(large), large / Sum(Abs(large)));
  EXPECT_EQ(calls, 2);  // The recording and the call.
  ExpectNear(f(small), small);
  ExpectNear(f(large), large / Sum(Abs(large)));
  EXPECT_EQ(calls, 4);
  EXPECT_TRUE(Contains(
      f.Report(),
      absl::StrCat(
          "runs unaccelerated: The values of an array were read in "
          "framework/acceleration/trace_limits_test.cc:",
          kLine,
          ". This scalar double DlArray has none: "
          "it stands for any values inside a trace. Write the computation with array functions "
          "(Where "
          "instead of if), or leave it untraced. [dlarray:NoValues] This was after sum(3(C) x 4(B) "
          "double DlArray), "
          "reshape(1(C) x 1(B) double DlArray), which gave a scalar double DlArray.\n")))
      << f.Report();
  const auto g =
      DlAccelerate([](const DlArray& x, const DlArray& n) { return n.Scalar() > 0 ? x : -x; });
  g(large, 1.0);
  EXPECT_TRUE(Contains(g.Report(), "[dlarray:NoValues] This was before the first op.\n"))
      << g.Report();
}

TEST(TraceLimitsTest, AWatchedArrayThatIsNoArgumentIsNoticed) {
  const DlArray x = Data(1), w = Data(2);
  const auto gradient = DlFeval(
      [&](const DlArray& watched) {
        const auto f = DlAccelerate([&](const DlArray& a) { return a * (2 * watched); });
        DlArray y = f(x);
        y = y + f(x);
        EXPECT_TRUE(Contains(f.Report(),
                             "runs unaccelerated: It reads an array that is watched and "
                             "not among its arguments"))
            << f.Report();
        return DlGradient(Sum(y), watched);
      },
      w);
  ExpectNear(gradient, 4 * x);
}

TEST(TraceLimitsTest, ChosenRandomNumbersAreNoticed) {
  const auto f = DlAccelerate([](const DlArray& x) {
    Rng(3);
    return x + RandLike(x);
  });
  const DlArray first = f(Data(1)), second = f(Data(1));
  EXPECT_TRUE(IsEqual(first, second));
  EXPECT_TRUE(Contains(f.Report(), "runs unaccelerated: It chooses its random numbers by itself"));
}

TEST(TraceLimitsTest, ACheckFindsWhatIsNotInTheArgumentsAndNamesTheWorstElement) {
  AccelerateOptions check{.check_mode = AccelerateCheck::kTolerance, .check_tolerance = 1e-3};
  double factor = 1;
  const auto f = DlAccelerate(
      [&](const DlArray& x) {
        return DlArrays{2 * x, x * x * factor};
      },
      check);
  const DlArray x = DlArray::FromVector<double>({1, 2, -4, 3}, {2, 2}, "CB");
  f(x), f(x);
  factor = 1.0005;
  f(x);
  factor = 1.5;
  try {
    f(x);
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(
        e.what(),
        "The accelerated function gives what the function gives, to 0.001 times the largest "
        "magnitude of each array. Output 1, a 2(C) x 2(B) double DlArray, differs most at "
        "element (0(C), 1(B)): 16 accelerated, 24 without; the largest magnitude is 24. Look "
        "for something that the function reads besides its arguments, or raise "
        "check_tolerance where only rounding differs. [accelerate:CheckFailed]");
  }
  // Derivatives are compared too.
  double slope = 1;
  const auto g = DlAccelerate([&](const DlArray& a) { return slope * a - (slope - 1) * 2; }, check);
  const auto derivative = [&](const DlArray& a) { return DlGradient(Sum(g(a)), a); };
  const DlArray two = DlArray::FromVector<double>({2, 2}, {2}, "C");
  DlFeval(derivative, two);
  slope = 2;
  try {
    DlFeval(derivative, two);
    FAIL();
  } catch (const Error& e) {
    EXPECT_TRUE(Contains(e.what(),
                         "Derivative 0, a 2(C) double DlArray, differs most at element "
                         "(0(C)): 1 accelerated, 2 without"))
        << e.what();
  }
}

TEST(TraceLimitsTest, ACheckPassesRandomFunctions) {
  const auto f = DlAccelerate([](const DlArray& x) { return x * RandLike(x); },
                              {.check_mode = AccelerateCheck::kTolerance});
  for (int i = 0; i < 3; ++i)
    DlFeval([&](const DlArray& x) { return DlGradient(Sum(f(x)), x); }, Data(1));
}

}  // namespace
}  // namespace lamina
