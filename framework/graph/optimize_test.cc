#include "framework/graph/optimize.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "framework/graph/check_graph.h"
#include "framework/graph/direct_parts.h"
#include "framework/graph/join_terms.h"
#include "framework/graph/testing/count_ops.h"
#include "framework/graph/testing/random_function.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"

namespace lamina {
namespace {

using testing::Count;

using Pass = Graph (*)(const Graph&);

ArraySpec Single(Sizes sizes) { return {DataType::kSingle, std::move(sizes), {}}; }

// All values are whole sixteenths, so that joined products and sums give the same bits too.
TEST(PassesTest, KeepWhatIsComputedAndThatGraphsFitTogether) {
  const std::vector<std::pair<const char*, Pass>> passes{
      {"FoldConstants", FoldConstants},
      {"ShareEqualSteps", ShareEqualSteps},
      {"SkipIdentities", SkipIdentities},
      {"TakePartsDirectly", TakePartsDirectly},
      {"JoinProducts", JoinProducts},
      {"JoinSums", JoinSums},
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
