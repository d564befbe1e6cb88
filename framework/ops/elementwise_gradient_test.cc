// First and second derivatives of every function of elements, against numeric ones.
#include <complex>
#include <map>
#include <string>
#include <vector>

#include "framework/autodiff/dlgradient.h"
#include "framework/autodiff/testing/gradient_check.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"
#include "framework/ops/testing/elementwise_table.h"
#include "framework/ops/testing/indexing.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

struct Interval {
  double low, high;
};

// Where each function of one argument is smooth: away from kinks, jumps, and the ends of its
// domain. Complex arguments have both parts in the interval.
struct Domain {
  std::vector<Interval> real, complex;
};

const std::map<std::string, Domain>& Domains() {
  static const auto* const kDomains = new std::map<std::string, Domain>{
      {"negate", {{{-2, 2}}, {{-2, 2}}}},
      {"abs", {{{0.3, 2}, {-2, -0.3}}, {{0.3, 2}, {-2, -0.3}}}},
      {"sign", {{{0.3, 2}, {-2, -0.3}}, {{0.3, 2}, {-2, -0.3}}}},
      {"exp", {{{-2, 2}}, {{-2, 2}}}},
      {"expm1", {{{-2, 2}}, {{-2, 2}}}},
      {"log", {{{0.3, 3}}, {{0.3, 2}, {-2, -0.3}}}},
      {"log1p", {{{-0.6, 2}}, {{0.3, 2}, {-2, -0.3}}}},
      {"log2", {{{0.3, 3}}, {{0.3, 2}, {-2, -0.3}}}},
      {"log10", {{{0.3, 3}}, {{0.3, 2}, {-2, -0.3}}}},
      {"sqrt", {{{0.3, 3}}, {{0.3, 2}, {-2, -0.3}}}},
      {"rsqrt", {{{0.5, 3}}, {{0.5, 2}, {-2, -0.5}}}},
      {"square", {{{-2, 2}}, {{-2, 2}}}},
      {"reciprocal", {{{0.5, 2}, {-2, -0.5}}, {{0.5, 2}, {-2, -0.5}}}},
      {"sin", {{{-3, 3}}, {{-2, 2}}}},
      {"cos", {{{-3, 3}}, {{-2, 2}}}},
      {"tan", {{{-1, 1}, {2, 4}}, {{-1, 1}}}},
      {"asin", {{{-0.7, 0.7}}, {{0.3, 2}, {-2, -0.3}}}},
      {"acos", {{{-0.7, 0.7}}, {{0.3, 2}, {-2, -0.3}}}},
      {"atan", {{{-3, 3}}, {{0.3, 2}, {-2, -0.3}}}},
      {"sinh", {{{-2, 2}}, {{-2, 2}}}},
      {"cosh", {{{-2, 2}}, {{-2, 2}}}},
      {"tanh", {{{-2, 2}}, {{-1, 1}}}},
      {"asinh", {{{-3, 3}}, {{0.3, 2}, {-2, -0.3}}}},
      {"acosh", {{{1.4, 3}}, {{0.3, 2}, {-2, -0.3}}}},
      {"atanh", {{{-0.7, 0.7}}, {{0.3, 2}, {-2, -0.3}}}},
      {"sigmoid", {{{-4, 4}}, {{-1, 1}}}},
      {"erf", {{{-2, 2}}, {}}},
      {"floor", {{{0.1, 0.4}, {-0.4, -0.1}}, {}}},
      {"ceil", {{{0.1, 0.4}, {-0.4, -0.1}}, {}}},
      {"round", {{{0.1, 0.4}, {0.6, 1.4}}, {}}},
      {"fix", {{{0.1, 0.9}, {-1.9, -1.1}}, {}}},
      {"relu", {{{0.1, 2}, {-2, -0.1}}, {}}},
      {"conj", {{{-2, 2}}, {{-2, 2}}}},
      {"real", {{{-2, 2}}, {{-2, 2}}}},
      {"imag", {{{-2, 2}}, {{-2, 2}}}},
  };
  return *kDomains;
}

TEST(ElementwiseGradientTest, EveryFunctionOfOneHasADomainOrNoDerivative) {
  for (const auto& [name, function] : UnaryFunctions()) {
    const bool logical = function(DlArray(0.5)).type() == DataType::kLogical;
    EXPECT_EQ(Domains().count(name), logical ? 0u : 1u) << name;
  }
}

TEST(ElementwiseGradientTest, FunctionsOfOne) {
  for (const auto& [name, domain] : Domains()) {
    const UnaryFunction function = UnaryFunctions().at(name);
    const auto f = [&](const DlArrays& x) { return function(x[0]); };
    for (const Interval& i : domain.real) {
      EXPECT_TRUE(GradientsAgree(f, {RandomInput({3, 4}, "CB", i.low, i.high)}))
          << name << " from " << i.low;
    }
    for (const Interval& i : domain.complex) {
      EXPECT_TRUE(GradientsAgree(
          f, {RandomInput({3, 2}, "CB", i.low, i.high, 2, DataType::kComplexDouble)}))
          << name << " of complex numbers from " << i.low;
    }
  }
}

struct Pair {
  Interval x, y;
};
struct PairDomain {
  std::vector<Pair> real;
  bool complex;
};

const std::map<std::string, PairDomain>& PairDomains() {
  static const auto* const kDomains = new std::map<std::string, PairDomain>{
      {"plus", {{{{-2, 2}, {-2, 2}}}, true}},
      {"minus", {{{{-2, 2}, {-2, 2}}}, true}},
      {"times", {{{{-2, 2}, {-2, 2}}}, true}},
      {"divide", {{{{-2, 2}, {0.6, 2}}, {{-2, 2}, {-2, -0.6}}}, true}},
      {"power", {{{{0.5, 2}, {-2, 2}}}, true}},
      {"max", {{{{-2, -0.1}, {0.1, 2}}, {{0.1, 2}, {-2, -0.1}}}, false}},
      {"min", {{{{-2, -0.1}, {0.1, 2}}, {{0.1, 2}, {-2, -0.1}}}, false}},
      {"atan2", {{{{0.5, 2}, {-2, 2}}, {{-2, -0.5}, {0.5, 2}}}, false}},
      {"mod", {{{{2.2, 2.8}, {1, 1.05}}, {{-2.8, -2.2}, {1, 1.05}}}, false}},
      {"complex", {{{{-2, 2}, {-2, 2}}}, false}},
  };
  return *kDomains;
}

TEST(ElementwiseGradientTest, EveryFunctionOfTwoHasADomainOrNoDerivative) {
  for (const auto& [name, function] : BinaryFunctions()) {
    const bool logical = function(DlArray(0.5), DlArray(0.25)).type() == DataType::kLogical;
    EXPECT_EQ(PairDomains().count(name), logical ? 0u : 1u) << name;
  }
}

struct Meeting {
  Sizes sizes_x;
  const char* format_x;
  Sizes sizes_y;
  const char* format_y;
};
const Meeting kMeetings[] = {
    {{3, 4}, "CB", {3, 4}, "CB"}, {{3, 4}, "CB", {3}, "C"},      {{4}, "B", {3, 4}, "CB"},
    {{3}, "C", {4}, "B"},         {{2, 3}, "SC", {2, 2}, "SS"},  {{3, 4}, "CB", {3}, ""},
    {{1, 4}, "", {3, 4}, "CB"},   {{3, 4}, "CB", {}, ""},        {{}, "", {3, 4}, "CB"},
    {{3, 4}, "CB", {1, 1}, "CB"}, {{3, 1, 2}, "", {1, 2}, ""},   {{}, "", {}, ""},
    {{3, 1}, "CB", {3, 4}, ""},   {{3, 4}, "CB", {3, 1, 1}, ""},
};

TEST(ElementwiseGradientTest, FunctionsOfTwoMeetingInEveryWay) {
  for (const auto& [name, domain] : PairDomains()) {
    const BinaryFunction function = BinaryFunctions().at(name);
    const auto f = [&](const DlArrays& x) { return function(x[0], x[1]); };
    for (const Pair& p : domain.real) {
      for (const Meeting& m : kMeetings) {
        EXPECT_TRUE(GradientsAgree(f, {RandomInput(m.sizes_x, m.format_x, p.x.low, p.x.high, 1),
                                       RandomInput(m.sizes_y, m.format_y, p.y.low, p.y.high, 2)}))
            << name << " of " << m.format_x << ToString(m.sizes_x) << " and " << m.format_y
            << ToString(m.sizes_y);
      }
    }
  }
}

TEST(ElementwiseGradientTest, ComplexFunctionsOfTwo) {
  using enum DataType;
  for (const auto& [name, domain] : PairDomains()) {
    if (!domain.complex) continue;
    const BinaryFunction function = BinaryFunctions().at(name);
    const auto f = [&](const DlArrays& x) { return function(x[0], x[1]); };
    for (const auto& [type_x, type_y] :
         {std::pair(kComplexDouble, kComplexDouble), std::pair(kDouble, kComplexDouble),
          std::pair(kComplexDouble, kDouble)}) {
      for (const Meeting& m : {kMeetings[0], kMeetings[1], kMeetings[8]}) {
        EXPECT_TRUE(GradientsAgree(f, {RandomInput(m.sizes_x, m.format_x, 0.5, 1.5, 1, type_x),
                                       RandomInput(m.sizes_y, m.format_y, 0.5, 1.5, 2, type_y)}))
            << name << " of " << Name(type_x) << " and " << Name(type_y);
      }
    }
  }
}

TEST(ElementwiseGradientTest, Where) {
  const auto f = [](const DlArrays& x) { return Where(x[2], Square(x[0]), x[1] * x[0]); };
  const DlArray mask = Numbered({3, 4}, "CB", DataType::kLogical);
  EXPECT_TRUE(GradientsAgree(f, {RandomInput({3, 4}, "CB"), RandomInput({3}, "C"), mask}));
  EXPECT_TRUE(GradientsAgree(f, {RandomInput({}), RandomInput({3, 4}, "CB"), mask}));
  EXPECT_TRUE(GradientsAgree(f, {RandomInput({3}, "C", -1, 1, 1, DataType::kComplexDouble),
                                 RandomInput({4}, "B", -1, 1, 2, DataType::kComplexDouble), mask}));
  // The mask carries no derivative, though it depends on x; nor do the other comparisons.
  EXPECT_TRUE(GradientsAgree(
      [](const DlArrays& x) { return Where(x[0] > 0, Square(x[0]), 3 * x[0]) * (x[0] <= 0.5); },
      {DlArray::FromVector<double>({-1, -0.5, 0.25, 1, 2}, {5})}));
}

TEST(ElementwiseGradientTest, Cast) {
  EXPECT_TRUE(
      GradientsAgree([](const DlArrays& x) { return Square(Cast(x[0], ToComplex(x[0].type()))); },
                     {RandomInput({3})}));
  EXPECT_TRUE(
      GradientsAgree([](const DlArrays& x) { return Square(Cast(x[0], ToReal(x[0].type()))); },
                     {RandomInput({3}, "", -1, 1, 1, DataType::kComplexDouble)}));
  EXPECT_TRUE(GradientsAgree([](const DlArrays& x) { return x[0] * Cast(x[0], DataType::kInt64); },
                             {DlArray::FromVector<double>({-1.2, 0.7, 3.1}, {3})}));
}

// --- Where a derivative is a convention.

DlArray GradientOf(const std::function<DlArray(const DlArray&)>& f, const DlArray& x) {
  // The second term keeps the sum watched where f is flat.
  return DlFeval([&](const DlArray& w) { return DlGradient(Sum(f(w)) + 0 * Sum(Real(w)), w); }, x);
}

std::vector<double> GradientAt(const std::function<DlArray(const DlArray&)>& f,
                               const std::vector<double>& x) {
  return GradientOf(f, DlArray::FromVector(x, {static_cast<int64_t>(x.size())})).ToVector<double>();
}

TEST(ElementwiseGradientTest, Conventions) {
  using V = std::vector<double>;
  EXPECT_EQ(GradientAt(Relu, {-1, 0, 2}), (V{0, 0, 1}));
  EXPECT_EQ(GradientAt(Abs, {-1, 0, 2}), (V{-1, 0, 1}));
  EXPECT_EQ(GradientAt(Sign, {-1, 0, 2}), (V{0, 0, 0}));
  const DlArray complex_zero = GradientOf([](const DlArray& x) { return Imag(Sign(x)) + Abs(x); },
                                          DlArray(std::complex<double>(0, 0)));
  EXPECT_EQ(complex_zero.ComplexAt(0), 0.0);
  EXPECT_EQ(GradientAt(Floor, {-1, 0, 2.5}), (V{0, 0, 0}));
  // Where both are equal the derivative goes to the first.
  const DlArray one = 1.0;
  EXPECT_EQ(GradientAt([&](const DlArray& x) { return Max(x, one); }, {0, 1, 2}), (V{0, 1, 1}));
  EXPECT_EQ(GradientAt([&](const DlArray& x) { return Max(one, x); }, {0, 1, 2}), (V{0, 0, 1}));
  EXPECT_EQ(GradientAt([&](const DlArray& x) { return Min(x, one); }, {0, 1, 2}), (V{1, 1, 0}));
  EXPECT_EQ(GradientAt([&](const DlArray& x) { return Min(one, x); }, {0, 1, 2}), (V{1, 0, 0}));
  // To the one that is no NaN.
  EXPECT_EQ(GradientAt([&](const DlArray& x) { return Max(one, x); }, {NAN, 2}), (V{0, 1}));
  EXPECT_EQ(GradientAt([&](const DlArray& x) { return Min(x, DlArray(NAN)); }, {1}), (V{1}));
  // Power: with respect to y zero where x is zero; x^0 and x^1 are smooth at 0.
  const DlArray zero = 0.0;
  EXPECT_EQ(GradientAt([&](const DlArray& y) { return Power(zero, y); }, {1, 2}), (V{0, 0}));
  EXPECT_EQ(GradientAt([&](const DlArray& x) { return Power(x, DlArray(1.0)); }, {0, -2}),
            (V{1, 1}));
  EXPECT_EQ(GradientAt([&](const DlArray& x) { return Power(x, DlArray(0.0)); }, {0, 2}),
            (V{0, 0}));
  EXPECT_EQ(GradientAt([&](const DlArray& x) { return Power(x, DlArray(2.0)); }, {0, -2}),
            (V{0, -4}));
}

TEST(ElementwiseGradientTest, WhatIsNotTakenHasDerivativeZero) {
  const DlArray bad = DlArray::FromVector<double>({NAN, INFINITY, 1}, {3});
  EXPECT_EQ(GradientAt([&](const DlArray& x) { return Where(x < 3, x * x, bad + x); }, {0.5, 2, 4}),
            (std::vector<double>{1, 4, 1}));
  // With respect to what is not taken itself.
  EXPECT_EQ(GradientAt([&](const DlArray& x) { return Where(IsNan(x), 0, x); }, {NAN, 2}),
            (std::vector<double>{0, 1}));
}

TEST(ElementwiseGradientTest, ComplexConventions) {
  const DlArray z = DlArray::FromVector<std::complex<double>>({{0, 0}, {3, 4}}, {2});
  const DlArray g = GradientOf(Abs, z);
  EXPECT_EQ(g.ComplexAt(0), 0.0);
  EXPECT_LE(std::abs(g.ComplexAt(1) - std::complex<double>(0.6, 0.8)), 1e-15);
}

}  // namespace
}  // namespace lamina
