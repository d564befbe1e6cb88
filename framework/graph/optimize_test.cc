#include "framework/graph/optimize.h"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "framework/autodiff/dlgradient.h"
#include "framework/graph/check_graph.h"
#include "framework/graph/testing/random_function.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/matmul.h"
#include "framework/ops/product_precision.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/split.h"

namespace lamina {
namespace {

using Pass = Graph (*)(const Graph&);

int Count(const Graph& graph, std::string_view op) {
  int n = 0;
  for (const GraphStep& step : graph.steps()) n += step.op->Name() == op;
  return n;
}

ArraySpec Single(Sizes sizes) { return {DataType::kSingle, std::move(sizes), {}}; }

// All values are whole sixteenths, so that joined products give the same bits too.
TEST(PassesTest, KeepWhatIsComputedAndThatGraphsFitTogether) {
  const std::vector<std::pair<const char*, Pass>> passes{
      {"FoldConstants", FoldConstants},
      {"ShareEqualSteps", ShareEqualSteps},
      {"SkipIdentities", SkipIdentities},
      {"JoinProducts", JoinProducts},
      {"RemoveDeadSteps", RemoveDeadSteps},
      {"Optimize", [](const Graph& g) { return Optimize(g); }},
      {"Optimize for a device", [](const Graph& g) { return Optimize(g, ImageLayouts::kPlain); }}};
  for (int seed = 0; seed < 200; ++seed) {
    const DlArrays inputs = testing::RandomInputs(seed);
    testing::RandomFunction function(seed, 4 + seed % 20);
    const Graph graph = RecordGraph([&](Arrays x) { return function(x); },
                                    std::vector<ArraySpec>{inputs[0].spec(), inputs[1].spec()});
    CheckGraph(graph);
    const DlArrays expected = graph.Evaluate(inputs);
    for (const auto& [name, pass] : passes) {
      const Graph changed = pass(graph);
      CheckGraph(changed);
      const DlArrays came = changed.Evaluate(inputs);
      ASSERT_EQ(came.size(), expected.size());
      for (size_t k = 0; k < came.size(); ++k) {
        ASSERT_TRUE(IsEqual(came[k], expected[k]))
            << name << ", seed " << seed << ", output " << k << "\n"
            << ToString(graph) << ToString(changed);
      }
    }
  }
}

TEST(FoldConstantsTest, ComputesWhatDependsOnConstantsButMakesNothingLarge) {
  const DlArray small = DlArray::FromVector<float>({1, 2, 3}, {3, 1});
  const Graph graph = RecordGraph(
      [&](Arrays x) {
        return DlArrays{x[0] + Exp(BroadcastTo(small, Single({3, 500})))};
      },
      std::vector<ArraySpec>{Single({3, 500})});
  EXPECT_EQ(Count(FoldConstants(graph), "broadcast"), 1);
  const Graph shared = Optimize(RecordGraph(
      [&](Arrays x) {
        return DlArrays{x[0] * Exp(Reshape(small, {1, 3}))};
      },
      std::vector<ArraySpec>{Single({2, 3})}));
  EXPECT_EQ(shared.steps().size(), 1u) << ToString(shared);
}

TEST(ShareEqualStepsTest, ComputesOnceButDrawsEachTime) {
  const Graph graph = ShareEqualSteps(RecordGraph(
      [](Arrays x) {
        return DlArrays{Exp(x[0] + 1) * Exp(x[0] + 1), Rand({2}) * x[0], Rand({2}) * x[0],
                        Exp(x[0] + 2)};
      },
      std::vector<ArraySpec>{Single({2})}));
  EXPECT_EQ(Count(graph, "exp"), 2) << ToString(graph);
  EXPECT_EQ(Count(graph, "plus"), 2);
  EXPECT_EQ(Count(graph, "rand"), 2);
}

TEST(ShareEqualStepsTest, EqualConstantsAreOne) {
  const auto with = [](std::vector<float> values) {
    return DlArray::FromVector<float>(values, {static_cast<int64_t>(values.size())});
  };
  const Graph graph = RemoveDeadSteps(ShareEqualSteps(RecordGraph(
      [&](Arrays x) {
        return DlArrays{x[0] * with({1, 2}), x[0] * with({1, 2}), x[0] * with({1, 3}),
                        x[0] * Reshape(with({1, 2}), {2, 1})};
      },
      std::vector<ArraySpec>{Single({2})})));
  EXPECT_EQ(Count(graph, "times"), 3) << ToString(graph);
}

TEST(SkipIdentitiesTest, GoesPastReshapes) {
  const Graph graph = RemoveDeadSteps(SkipIdentities(RecordGraph(
      [](Arrays x) {
        return DlArrays{-Reshape(Reshape(x[0], {6}), {2, 3}), -Reshape(Reshape(x[0], {6}), {3, 2})};
      },
      std::vector<ArraySpec>{Single({2, 3})})));
  EXPECT_EQ(Count(graph, "reshape"), 1) << ToString(graph);
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

TEST(RemoveDeadStepsTest, KeepsWhatIsDrawn) {
  const Graph graph = RemoveDeadSteps(RecordGraph(
      [](Arrays x) {
        Exp(x[0]);
        Rand({3});
        return DlArrays{-x[0]};
      },
      std::vector<ArraySpec>{Single({2})}));
  EXPECT_EQ(graph.steps().size(), 2u) << ToString(graph);
}

TEST(CheckGraphTest, FindsWhatDoesNotFit) {
  const Graph good = RecordGraph([](Arrays x) { return DlArrays{Exp(-x[0])}; },
                                 std::vector<ArraySpec>{Single({2})});
  const auto message =
      [&](const std::function<void(std::vector<GraphValue>&, std::vector<GraphStep>&)>& spoil) {
        std::vector<GraphValue> values = good.values();
        std::vector<GraphStep> steps = good.steps();
        spoil(values, steps);
        try {
          CheckGraph(Graph(values, steps, good.inputs(), good.outputs()));
        } catch (const Error& e) {
          return std::string(e.what());
        }
        return std::string();
      };
  EXPECT_EQ(message([](auto&, auto&) {}), "");
  EXPECT_NE(message([](auto&, auto& steps) {
              std::swap(steps[0], steps[1]);
            }).find("Step 0, exp, reads what was made before it. It reads value 1."),
            std::string::npos);
  EXPECT_NE(message([](auto&, auto& steps) {
              steps[1].outputs = {1};
            }).find("makes values that nothing else makes."),
            std::string::npos);
  EXPECT_NE(message([](auto& values, auto&) {
              values[2].spec = Single({3});
            }).find("Step 1, exp, makes a 2 single DlArray. Value 2 is a 3 single DlArray."),
            std::string::npos);
  EXPECT_NE(message([](auto&, auto& steps) {
              steps[1].inputs = {7};
            }).find("names values from 0 to 2. It names 7."),
            std::string::npos);
}

}  // namespace
}  // namespace lamina
