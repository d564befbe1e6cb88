// What a trace cannot repeat by itself: random numbers, values that are read, arrays that are no
// arguments; and the check that finds the rest.
#include <cstdlib>
#include <functional>
#include <string>

#include "absl/strings/str_cat.h"
#include "framework/acceleration/testing/accelerated_call.h"
#include "framework/ops/creation.h"
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

TEST(TraceLimitsTest, AFunctionThatCatchesTheRefusalOfAReadRunsUnacceleratedToo) {
  constexpr int kLine = __LINE__ + 4;
  const auto plain = [](const DlArray& x) {
    double first = 1;
    try {
      first = (x + x).At(0);
    } catch (...) {
    }
    return Sum(x * first, "C");
  };
  const auto f = DlAccelerate(plain, kWait);
  for (const double factor : {1, 2, 3}) {
    const DlArray x = factor * Data(1);
    ExpectNear(f(x), plain(x));
    const auto gradient = [&](const auto& function) {
      return DlFeval([&](const DlArray& in) { return DlGradient(Sum(function(in)), in); }, x);
    };
    ExpectNear(gradient(f), gradient(plain));
  }
  EXPECT_TRUE(
      Contains(f.Report(), absl::StrCat("runs unaccelerated: The values of an array were read in "
                                        "framework/acceleration/trace_limits_test.cc:",
                                        kLine, ". This 3(C) x 4(B) double DlArray has none: ")))
      << f.Report();
  EXPECT_TRUE(Contains(f.Report(),
                       "[dlarray:NoValues] This was after plus(3(C) x 4(B) double DlArray, "
                       "3(C) x 4(B) double DlArray), which gave a 3(C) x 4(B) double DlArray.\n"))
      << f.Report();
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

// What a check says of a function of `x` and of a captured number that is 0 when it is recorded and
// `later` when it is compared; "" if nothing.
std::string FoundByACheck(const std::function<DlArray(const DlArray&, double)>& function,
                          const DlArray& x, double later) {
  double captured = 0;
  const auto f =
      DlAccelerate([&](const DlArray& a) { return function(a, captured); },
                   {.check_mode = AccelerateCheck::kTolerance, .wait_for_compiler = true});
  f(x), f(x);
  captured = later;
  try {
    f(x);
  } catch (const Error& e) {
    EXPECT_EQ(e.identifier(), "accelerate:CheckFailed");
    return e.what();
  }
  return "";
}

TEST(TraceLimitsTest, ACheckAllowsWhatTheFunctionMakesOfLastDigits) {
  // A step of Adam for a derivative that is zero but for rounding: its sign is chance.
  const auto step = [](const DlArray& x, double rounding) {
    const DlArray derivative = Sum(x, "C") + (rounding - 1e-14);
    return derivative / (Abs(derivative) + 1e-20);
  };
  const DlArray cancels = DlArray::FromVector<double>({1, 2, 3, -6}, {4}, "C");
  EXPECT_EQ(FoundByACheck(step, cancels, 2e-14), "");
  const DlArray remains = DlArray::FromVector<double>({1, 2, 3, -5}, {4}, "C");
  EXPECT_EQ(FoundByACheck(step, remains, 2e-14), "");
  EXPECT_TRUE(Contains(FoundByACheck(step, remains, -2), "1 accelerated, -1 without"));
}

TEST(TraceLimitsTest, ACheckPassesAValueAtAJumpAndFindsADifferenceThatIsEverywhere) {
  const auto jump = [](const DlArray& x, double shift) {
    return Where(x + shift > 1, OnesLike(x), ZerosLike(x));
  };
  const auto with = [](double x) { return DlArray::FromVector<double>({x, 3}, {2}, "C"); };
  EXPECT_EQ(FoundByACheck(jump, with(1), 1e-4), "");
  EXPECT_TRUE(Contains(FoundByACheck(jump, with(0.95), 0.1), "0 accelerated, 1 without"));
}

TEST(TraceLimitsTest, TheEnvironmentAsksForChecksOfTheFirstCalls) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // The variable is read once in a process.
  const auto run = [](const char* checks, int calls_before_a_change) {
    setenv("LAMINA_CHECK_ACCELERATION", checks, 1);
    double factor = 1;
    const auto f = DlAccelerate([&](const DlArray& x) { return factor * x * x; });
    for (int i = 0; i < 4; ++i) {
      if (i == calls_before_a_change) factor = 2;
      try {
        DlFeval([&](const DlArray& x) { return DlGradient(Sum(f(x)), x); }, Data(1));
      } catch (const Error& e) {
        std::_Exit(e.identifier() == "accelerate:CheckFailed" ? i : 9);
      }
    }
    std::exit(0);
  };
  // Of each run, the value and the derivative; the second runs are by kernels.
  EXPECT_EXIT(run("3", 3), ::testing::ExitedWithCode(0),
              "LAMINA_CHECK_ACCELERATION: 6 accelerated calls, 4 of them by compiled kernels, gave "
              "what they give op by op");
  EXPECT_EXIT(run("3", 2), ::testing::ExitedWithCode(2), "");
  EXPECT_EXIT(run("some", 2), ::testing::ExitedWithCode(0),
              "^LAMINA_CHECK_ACCELERATION=some is not a number of calls: ignored\n$");
  EXPECT_EXIT(run("0", 2), ::testing::ExitedWithCode(0), "^$");
}

}  // namespace
}  // namespace lamina
