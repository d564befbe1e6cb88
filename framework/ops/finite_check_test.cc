// Is the op found that first makes a NaN, with the element, what it got there, and the line of the
// user? This file is compiled with -g1; it stands for a user's.
#include "framework/ops/finite_check.h"

#include <cmath>
#include <complex>
#include <limits>
#include <new>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "framework/autodiff/dlgradient.h"
#include "framework/dlarray/testing/thrown_error.h"
#include "framework/ops/abstract_run.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/testing/indexing.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity(), kNaN = NAN;

DlArray Vector(const std::vector<double>& v) {
  return DlArray::FromVector(v, {static_cast<int64_t>(v.size())});
}

// The message, with the lines of this file taken from where they are expected.
void ExpectSays(const std::string& message, const std::string& part) {
  EXPECT_NE(message.find(part), std::string::npos) << "expected: " << part << "\n" << message;
}

TEST(FiniteCheckTest, TellsTheElementAndWhatTheOpGot) {
  const DlArray x =
      DlArray::FromVector<float>({1, 2, 3, 0.5F, 4, -0.25F, 1, 1, -1, 1, 1, 1}, {3, 4}, "CB");
  const FiniteCheck check;
  const std::string message = MessageOf([&] { return Log(x + 0 * x); });
  ExpectSays(message,
             "log gave NaN at 2(C), 1(B) and at 1 more of 12 elements of a 3(C) x 4(B) "
             "single DlArray. It got -0.25. It was called at ");
  ExpectSays(message, "[ops:NotFinite]");
  // Two arrays, a scalar, and one that is repeated.
  ExpectSays(MessageOf([] { return Vector({1, 0}) / Vector({2, 0}); }), "It got 0 and 0.");
  ExpectSays(MessageOf([] { return Vector({1, 0}) / DlArray(0.0); }), "It got 0 and 0.");
  ExpectSays(MessageOf([] {
               return Reshape(Vector({-2, 3}), {1, 2}) / Vector({0, 0, 0}) * Vector({0, 0, 0});
             }),
             "It got -Inf and a 3 double DlArray from 0 to 0.");
  ExpectSays(
      MessageOf([] {
        return Power(Reshape(Vector({-2, 3}), {1, 2}), Vector({0.5, 1}));
      }),
      "power gave NaN at 0, 0 of 4 elements of a 2 x 2 double DlArray. It got a 1 x 2 double "
      "DlArray from -2 to 3 and a 2 double DlArray from 0.5 to 1.");
}

TEST(FiniteCheckTest, WhatIsFiniteStaysAsItIs) {
  const auto f = [](const DlArray& x) {
    const DlArray y = Sum(Exp(-x * x) + Sqrt(Abs(x) + 1));
    return Cat(0, {y, Sum(DlGradient(y, x))});
  };
  const DlArray x = Vector({-1, 0, 2});
  const DlArray plain = DlFeval(f, x);
  EXPECT_FALSE(FiniteCheck::IsOn());
  const FiniteCheck check({.infinities = true});
  EXPECT_TRUE(FiniteCheck::IsOn());
  EXPECT_TRUE(IsEqual(DlFeval(f, x), plain));
}

TEST(FiniteCheckTest, OnlyWhileItLives) {
  const DlArray x = Vector({-1});
  { const FiniteCheck check; }
  EXPECT_TRUE(std::isnan(Log(x).Scalar()));
  const FiniteCheck check;
  std::thread([&] { EXPECT_TRUE(std::isnan(Log(x).Scalar())); }).join();
  EXPECT_EQ(IdentifierOf([&] { return Log(x); }), "ops:NotFinite");
  EXPECT_EQ(IdentifierOf([&] { return Log(x); }), "ops:NotFinite") << "after an error, too";
}

TEST(FiniteCheckTest, InfinityCountsWhereItIsAskedFor) {
  const DlArray x = Vector({0, 1});
  {
    const FiniteCheck check;
    EXPECT_EQ(Log(x).At(0), -kInf);
    // Infinity alone is not told, but where NaN comes from it is.
    ExpectSays(MessageOf([&] { return Log(x) * x; }), "It got -Inf and 0. ");
    ExpectSays(MessageOf([&] { return Log(x) * x; }),
               "Search for the infinity that it got, with {.infinities = true}.");
  }
  const FiniteCheck check({.infinities = true});
  ExpectSays(MessageOf([&] { return Log(x) * x; }), "log gave -Inf at 0 of 2 elements");
}

TEST(FiniteCheckTest, NaNThatNoOpMadeIsTold) {
  const FiniteCheck check;
  const std::string message = MessageOf([] { return Vector({1, 2, 3}) + Vector({1, kNaN, kNaN}); });
  ExpectSays(message,
             "plus got NaN at 1 and at 1 more of 3 elements of a 3 double DlArray, which "
             "no op made.");
  ExpectSays(message, "Look where this array comes from");
  EXPECT_EQ(IdentifierOf([] {
              return Where(Vector({1, 0}) > 0, Vector({1, kNaN}), 2.0);
            }),
            "no error")
      << "what is not passed on";
}

// A user's function, in the words of this file.
DlArray Decay(const DlArray& x) { return Sqrt(x); }
const int kLineOfDecay = __LINE__ - 1;

TEST(FiniteCheckTest, AGradientTellsWhereItsFunctionWasCalled) {
  const auto f = [](const DlArray& x) {
    const DlArray y = Sum(Decay(x) * x);
    return DlGradient(y, x);
  };
  const DlArray x = Vector({1, 4, 0});
  EXPECT_TRUE(std::isnan(DlFeval(f, x).At(2)));  // 0 times infinity.
  const FiniteCheck check;
  const std::string message = MessageOf([&] { return DlFeval(f, x); });
  ExpectSays(message, "In the gradient of sqrt, ");
  ExpectSays(message, " gave NaN at 2 of 3 elements of a 3 double DlArray.");
  ExpectSays(message,
             absl::StrCat("sqrt was called at framework/ops/finite_check_test.cc:", kLineOfDecay,
                          ", from framework/ops/finite_check_test.cc:", kLineOfDecay + 5));
}

TEST(FiniteCheckTest, WhatTellsOfBothTheNaNAndTheInfinityBeforeIt) {
  const DlArray x = Vector({1, 0});
  const std::string of_product = WhatIsNotFinite([&] { Log(x) * x; });
  ExpectSays(of_product, "times gave NaN at 1 of 2 elements");
  ExpectSays(of_product, "[ops:NotFinite]\nBefore that: log gave -Inf at 1 of 2 elements");
  EXPECT_EQ(of_product.find("Search for the infinity"), std::string::npos) << of_product;
  ExpectSays(of_product, "Keep away from there what it gets");
  ExpectSays(WhatIsNotFinite([&] { Exp(1000 * x); }), "let numbers grow less before.");
  ExpectSays(WhatIsNotFinite([&] { Sum(1e308 * (x + 1)); }), "let numbers grow less before.");
  // An infinity that is not of a gradient, and shows in one.
  const auto gradient = [&] {
    DlFeval([](const DlArray& v) { return DlGradient(Sum(1 / v * (v + 1)), v); }, x);
  };
  const std::string of_gradient = WhatIsNotFinite(gradient);
  ExpectSays(of_gradient,
             "In the gradient of times, times got Inf at 1 of 2 elements of a 2 double "
             "DlArray, which is not of a gradient.");
  ExpectSays(of_gradient, "Before that: divide gave Inf at 1 of 2 elements");
  // An infinity alone; nothing; what the function itself throws, and what becomes of the error.
  ExpectSays(WhatIsNotFinite([&] { Log(x); }), "log gave -Inf");
  EXPECT_EQ(WhatIsNotFinite([&] { Exp(x); }), "");
  EXPECT_THROW(WhatIsNotFinite([] { throw std::bad_alloc(); }), std::bad_alloc);
  EXPECT_EQ(IdentifierOf([&] { WhatIsNotFinite([&] { Reshape(x, {3}); }); }),
            "dlarray:ElementCount");
  ExpectSays(WhatIsNotFinite([&] {
               try {
                 Log(-x);
               } catch (const Error&) {
                 throw 1;
               }
             }),
             "log gave NaN at 0");
}

TEST(FiniteCheckTest, ComplexArraysAndThoseWithoutValues) {
  const FiniteCheck check;
  const DlArray z = DlArray::FromVector<std::complex<double>>({{1, 0}, {0, 0}}, {2});
  ExpectSays(MessageOf([&] { return z / z; }),
             "of a 2 complex double DlArray. It got (0, 0) and (0, 0).");
  const AbstractRun abstract;
  EXPECT_FALSE(Log(AbstractArray(z.spec())).has_values());
}

}  // namespace
}  // namespace lamina
