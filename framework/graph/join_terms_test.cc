// What is computed as one product or sum, what is not, and that it stays what it is.
#include "framework/graph/join_terms.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "framework/autodiff/dlgradient.h"
#include "framework/graph/check_graph.h"
#include "framework/graph/optimize.h"
#include "framework/graph/testing/count_ops.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/matmul.h"
#include "framework/ops/product_precision.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/split.h"

namespace lamina {
namespace {

using testing::Count;

using Function = std::function<DlArrays(Arrays)>;

ArraySpec Single(Sizes sizes, std::string_view format = "") {
  return {DataType::kSingle, std::move(sizes), Format(format)};
}

TEST(JoinProductsTest, MakesTheGradientOfARecurrenceOneProduct) {
  const auto gradient = [](Arrays in) {
    return DlFeval(
        [](const DlArrays& x) {
          DlArray h = x[1];
          for (const DlArray& u : Split(x[2], 1, Sizes(30, 4))) h = Tanh(MatMul(x[0], h) + u);
          return DlGradient(Sum(h * h), {x[0], x[2]});
        },
        DlArrays(in.begin(), in.end()));
  };
  const std::vector<ArraySpec> specs{Single({5, 5}), Single({5, 4}), Single({5, 120})};
  const Graph graph = RecordGraph(gradient, specs), joined = Optimize(graph);
  CheckGraph(joined);
  EXPECT_EQ(Count(graph, "matmul"), 30 + 30 + 29);  // Forward; dW; dh.
  EXPECT_EQ(Count(joined, "matmul"), 30 + 1 + 29) << ToString(joined);
  // The derivatives of the time steps, for the product and as the gradient of x[2]; the states.
  EXPECT_EQ(Count(joined, "cat"), 2) << ToString(joined);
  Rng(3);
  const DlArrays in{Randn({5, 5}) * 0.3, Randn({5, 4}), Randn({5, 120})};
  const DlArrays expected = gradient(in), came = joined.Evaluate(in);
  for (size_t k = 0; k < expected.size(); ++k) {
    const double largest = MaxOver(Abs(expected[k])).At(0);
    EXPECT_LE(MaxOver(Abs(expected[k] - came[k])).At(0), 1e-5 * largest) << k;
  }
}

// What gave the inputs that each product of the graph multiplies.
std::set<std::string> FactorsOf(const Graph& graph) {
  std::vector<std::string> maker(graph.values().size(), "nothing");
  std::set<std::string> factors;
  for (const GraphStep& step : graph.steps()) {
    for (int v : step.outputs) maker[v] = step.op->Name();
    if (step.op->Name() != "matmul") continue;
    for (int v : step.inputs) factors.insert(maker[v]);
  }
  return factors;
}

TEST(JoinProductsTest, ProductsOfBfloat16StayProductsOfRoundedFactors) {
  const auto gradient = [](Arrays in) {
    const ScopedProductPrecision scope(ProductPrecision::kBfloat16);
    return DlFeval(
        [](const DlArrays& x) {
          DlArray h = x[1];
          for (const DlArray& u : Split(x[2], 1, Sizes(30, 4))) h = Tanh(MatMul(x[0], h) + u);
          return DlGradient(Sum(h * h), {x[0], x[2]});
        },
        DlArrays(in.begin(), in.end()));
  };
  const std::vector<ArraySpec> specs{Single({5, 5}), Single({5, 4}), Single({5, 120})};
  const Graph graph = RecordGraph(gradient, specs), joined = Optimize(graph);
  CheckGraph(joined);
  EXPECT_EQ(FactorsOf(graph), std::set<std::string>{"round_to_bfloat16"});
  EXPECT_EQ(FactorsOf(joined), std::set<std::string>{"round_to_bfloat16"}) << ToString(joined);
  EXPECT_EQ(Count(joined, "matmul"), 30 + 1 + 29);
  // Once: the weights, each state and each of its derivatives; for the joined product all of both.
  EXPECT_EQ(Count(joined, "round_to_bfloat16"), 1 + 30 + 29 + 2) << ToString(joined);
  Rng(3);
  const DlArrays in{Randn({5, 5}) * 0.3, Randn({5, 4}), Randn({5, 120})};
  const DlArrays expected = gradient(in), came = joined.Evaluate(in);
  for (size_t k = 0; k < expected.size(); ++k) {
    const double largest = MaxOver(Abs(expected[k])).At(0);
    EXPECT_LE(MaxOver(Abs(expected[k] - came[k])).At(0), 1e-5 * largest) << k;
  }
}

// f(x) + f(x 2) + f(x 3) + .., all different and none read by another.
DlArray SumOfTerms(int count, const DlArray& x, const std::function<DlArray(const DlArray&)>& f) {
  DlArray sum = f(x);
  for (int k = 2; k <= count; ++k) sum = sum + f(x * k);
  return sum;
}

Graph Joined(const Function& f, const std::vector<ArraySpec>& specs) {
  const Graph joined = JoinSums(RecordGraph(f, specs));
  CheckGraph(joined);
  return joined;
}

// How many sums are left of those that the function adds up.
int Left(const Function& f, const std::vector<ArraySpec>& specs) {
  return Count(Joined(f, specs), "sum");
}

// The weights are columns, the bias has one dim: a sum with another shape afterwards.
TEST(JoinSumsTest, MakesTheGradientsOfElementwiseWeightsOneSumEach) {
  const Function gradient = [](Arrays in) {
    return DlFeval(
        [](const DlArrays& x) {
          DlArray h = x[2];
          for (const DlArray& u : Split(x[3], 1, Sizes(30, 4))) {
            h = Tanh(x[0] * h + Reshape(x[1], {5, 1}) + u);
          }
          return DlGradient(Sum(h * h), x);
        },
        DlArrays(in.begin(), in.end()));
  };
  const std::vector<ArraySpec> specs{Single({5, 1}), Single({5}), Single({5, 4}), Single({5, 120})};
  const Graph graph = RecordGraph(gradient, specs);
  const Graph joined = Optimize(graph, ImageLayouts::kPlain);
  CheckGraph(joined);
  EXPECT_EQ(Count(Optimize(graph), "sum"), 30 + 30);  // The processor keeps them.
  EXPECT_EQ(Count(joined, "sum"), 1 + 1) << ToString(joined);
  // What the weights' sum adds up; the derivatives of the states, which are the gradient of x[3].
  EXPECT_EQ(Count(joined, "cat"), 2) << ToString(joined);
  Rng(3);
  const DlArrays in{Randn({5, 1}), Randn({5}), Randn({5, 4}), Randn({5, 120})};
  const DlArrays expected = gradient(in), came = joined.Evaluate(in);
  for (size_t k = 0; k < expected.size(); ++k) {
    const double largest = MaxOver(Abs(expected[k])).At(0);
    EXPECT_LE(MaxOver(Abs(expected[k] - came[k])).At(0), 1e-5 * largest) << k;
  }
}

// The bound is that of framework/cpu/reduce.h, for the number of all terms.
TEST(JoinSumsTest, HoldsTheErrorBoundOfSum) {
  constexpr int64_t kParts = 300, kColumns = 13, kRows = 7;
  const Function f = [&](Arrays in) {
    DlArray sum;
    for (const DlArray& x : Split(in[0], 1, Sizes(kParts, kColumns))) {
      sum = sum.empty() ? Sum(x, 1) : sum + Sum(x, 1);
    }
    return DlArrays{sum};
  };
  const Graph joined = Joined(f, {Single({kRows, kParts * kColumns})});
  EXPECT_EQ(Count(joined, "sum"), 1);
  EXPECT_EQ(Count(joined, "plus"), 0);
  Rng(8);
  const DlArray x = Randn({kRows, kParts * kColumns});
  const DlArray came = joined.Evaluate(DlArrays{x})[0];
  ASSERT_EQ(came.sizes(), (Sizes{kRows, 1}));
  for (int64_t row = 0; row < kRows; ++row) {
    double exact = 0, magnitude = 0;
    for (int64_t k = 0; k < kParts * kColumns; ++k) {
      exact += x.At(row + k * kRows);
      magnitude += std::abs(x.At(row + k * kRows));
    }
    const double bound = (130 + std::log2(kParts * kColumns)) * std::ldexp(magnitude, -24);
    EXPECT_LE(std::abs(came.At(row) - exact), bound);
  }
}

// Whole numbers, of which sums are exact in any order.
TEST(JoinSumsTest, ComputesTheSameOfAllTypesOverAnyDims) {
  struct Case {
    Sizes sizes;
    std::string format;
    std::vector<DimSet> dims;
  };
  const std::vector<Case> cases{{{3, 4, 5}, "", {0, 1, 2, {0, 2}, {1, 2}, DimSet::All()}},
                                {{3, 4, 5}, "CBT", {'C', "BT", "CT", DimSet::All()}},
                                {{3, 1, 2}, "", {1, {0, 1}}},  // Of size one.
                                {{3, 1}, "", {1}},
                                {{3, 0}, "", {1, DimSet::All()}}};
  for (const DataType type :
       {DataType::kSingle, DataType::kDouble, DataType::kComplexSingle, DataType::kComplexDouble,
        DataType::kInt32, DataType::kInt64, DataType::kLogical}) {
    for (const Case& c : cases) {
      DlArrays in;
      for (int k = 0; k < 5; ++k) {
        std::vector<double> values(NumElements(c.sizes));
        for (size_t i = 0; i < values.size(); ++i) {
          values[i] = static_cast<double>((7 * k + i * i) % 17) - 6;
        }
        const DlArray x = DlArray::FromVector<double>(values, c.sizes, c.format);
        in.push_back(Cast(IsComplex(type) ? Complex(x, 3 - x * x) : x, type));
      }
      for (const DimSet& dims : c.dims) {
        const Function f = [&dims](Arrays x) {
          const auto sum = [&](int k) { return Sum(x[k], dims); };
          return DlArrays{(sum(0) + sum(1)) + ((sum(2) + sum(3)) + sum(4))};
        };
        const Graph joined = Joined(f, std::vector<ArraySpec>(5, in[0].spec()));
        EXPECT_EQ(Count(joined, "sum"), 1) << ToString(joined);
        EXPECT_TRUE(IsEqual(joined.Evaluate(in)[0], f(in)[0])) << ToString(joined);
      }
    }
  }
}

TEST(JoinSumsTest, TermsThatAreNoSumsStayTerms) {
  const Function f = [](Arrays in) {
    return DlArrays{Exp(in[1]) + SumOfTerms(4, in[0], [](const DlArray& x) { return Sum(x, 1); }) +
                    in[1]};
  };
  const Graph joined = Joined(f, {Single({2, 3}), Single({2, 1})});
  EXPECT_EQ(Count(joined, "sum"), 1);
  EXPECT_EQ(Count(joined, "exp"), 1);
  EXPECT_EQ(Count(joined, "plus"), 2) << ToString(joined);
}

TEST(JoinSumsTest, WhatIsNotJoined) {
  const auto sum = [](const DlArray& x) { return Sum(x, 1); };
  const auto of = [&](int count) {
    return [=](Arrays in) { return DlArrays{SumOfTerms(count, in[0], sum)}; };
  };
  EXPECT_EQ(Left(of(4), {Single({2, 3})}), 1);
  EXPECT_EQ(Left(of(3), {Single({2, 3})}), 3) << "Few.";
  EXPECT_EQ(Left(of(4), {Single({2, 32768})}), 1);
  EXPECT_EQ(Left(of(4), {Single({1, 65537})}), 4) << "Large.";
  const auto of_two = [](int count, const DimSet& first, const DimSet& second) {
    return [=](Arrays in) {
      const auto one = [&](const DlArray& x) { return Sum(x, first); };
      const auto other = [&](const DlArray& x) { return Sum(x, second); };
      return DlArrays{SumOfTerms(count, in[0], one) + SumOfTerms(count, in[1], other)};
    };
  };
  EXPECT_EQ(Left(of_two(3, 1, 1), {Single({2, 3}), Single({2, 5})}), 6) << "Other sizes.";
  EXPECT_EQ(Left(of_two(4, 1, 1), {Single({2, 3}), Single({2, 5})}), 2);
  const ArraySpec pages = Single({2, 3, 1});
  EXPECT_EQ(Left(of_two(3, 1, {1, 2}), {pages, pages}), 6) << "Other dims.";
  EXPECT_EQ(Left(of_two(4, 1, {1, 2}), {pages, pages}), 2);
  EXPECT_EQ(Left(
                [&](Arrays in) {
                  const DlArray first = sum(in[0]), rest = SumOfTerms(3, Exp(in[0]), sum);
                  return DlArrays{first + rest, Tanh(first)};
                },
                {Single({2, 3})}),
            4)
      << "Read by another.";
  EXPECT_EQ(Left(
                [&](Arrays in) {
                  const DlArray first = SumOfTerms(2, in[0], sum);
                  return DlArrays{first + SumOfTerms(2, Exp(in[0]), sum), first};
                },
                {Single({2, 3})}),
            4)
      << "Additions of which another reads the result.";
  EXPECT_EQ(Left(
                [&](Arrays in) {
                  const DlArray first = sum(in[0]);
                  return DlArrays{Reshape(first, {2}) + SumOfTerms(3, Exp(in[0]),
                                                                   [&](const DlArray& x) {
                                                                     return Reshape(sum(x), {2});
                                                                   }),
                                  first};
                },
                {Single({2, 3})}),
            4)
      << "A sum that is reshaped for one of two that read it.";
  EXPECT_EQ(
      Left(
          [](Arrays in) {
            return DlArrays{SumOfTerms(4, in[0], [](const DlArray& x) { return MaxOver(x, 1); })};
          },
          {Single({2, 3})}),
      0);
}

// The derivatives of all states are put together once, for the weights and for the bias.
TEST(JoinSumsTest, ReadsWhatAJoinedProductReads) {
  const Function gradient = [](Arrays in) {
    return DlFeval(
        [](const DlArrays& x) {
          DlArray h = x[2];
          for (const DlArray& u : Split(x[3], 1, Sizes(12, 4))) {
            h = Tanh(MatMul(x[0], h) + x[1] + u);
          }
          return DlGradient(Sum(h * h), {x[0], x[1]});
        },
        DlArrays(in.begin(), in.end()));
  };
  const std::vector<ArraySpec> specs{Single({5, 5}), Single({5, 1}), Single({5, 4}),
                                     Single({5, 48})};
  const Graph joined = Optimize(RecordGraph(gradient, specs), ImageLayouts::kPlain);
  EXPECT_EQ(Count(joined, "sum"), 1) << ToString(joined);
  EXPECT_EQ(Count(joined, "cat"), 2) << ToString(joined);  // These and the states.
}

TEST(JoinSumsTest, RandomNumbersAreDrawnInTheirOrder) {
  const Function f = [](Arrays in) {
    DlArray sum = in[0];
    for (int k = 0; k < 6; ++k) sum = sum + Sum(Rand({2, 3}) * static_cast<double>(k + 1), 1);
    return DlArrays{sum, Rand({2})};
  };
  const Graph joined = Joined(f, {Single({2, 1})});
  EXPECT_EQ(Count(joined, "sum"), 1);
  EXPECT_EQ(Count(joined, "rand"), 7);
  const DlArrays in{DlArray::FromVector<float>({1, 2}, {2, 1})};
  Rng(4);
  const DlArrays expected = f(in);
  Rng(4);
  const DlArrays came = joined.Evaluate(in);
  EXPECT_LE(MaxOver(Abs(came[0] - expected[0])).At(0), 1e-5);
  EXPECT_TRUE(IsEqual(came[1], expected[1]));
}

}  // namespace
}  // namespace lamina
