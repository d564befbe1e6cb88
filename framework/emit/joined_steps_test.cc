// Results that need nothing of one another are one nest; what they compute is compared on the
// emulated device (gpu/device_program_test.cc).
#include "framework/emit/joined_steps.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/emit/parallel_loops.h"
#include "framework/emit/program.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/matmul.h"

namespace lamina {
namespace {

ArraySpec Vector(int64_t size) { return {DataType::kSingle, {size}, {}}; }

// How many items each nest of each step has.
std::vector<int64_t> Items(const std::function<DlArrays(Arrays)>& f,
                           const std::vector<ArraySpec>& inputs) {
  const Graph graph = RecordGraph(f, inputs);
  ProgramNames names;
  for (size_t i = 0; i < graph.inputs().size(); ++i) names.inputs.push_back(absl::StrCat("x", i));
  for (size_t i = 0; i < graph.outputs().size(); ++i) names.outputs.push_back(absl::StrCat("y", i));
  std::vector<int64_t> items;
  for (const ProgramStep& step : WriteProgram(graph, names, nullptr, ProgramFor::kDevice).steps) {
    for (const ParallelNest& nest : ParallelNests(step.code)) {
      EXPECT_TRUE(nest.is_shown);
      items.push_back(NumItems(nest.loops));
    }
  }
  return items;
}

using AllItems = std::vector<int64_t>;

TEST(JoinStepsTest, ResultsOfDifferentSizesAreOneNest) {
  EXPECT_EQ(Items(
                [](Arrays x) {
                  return DlArrays{x[0] + 1, Exp(x[1]), Tanh(x[2])};
                },
                {Vector(3), Vector(40), Vector(500)}),
            AllItems{543});
}

TEST(JoinStepsTest, ManyItemsAreAKernelOfTheirOwn) {
  EXPECT_EQ(Items(
                [](Arrays x) {
                  return DlArrays{x[0] + 1, Exp(x[1]), Tanh(x[2])};
                },
                {Vector(3), Vector(1 << 16), Vector(500)}),
            (AllItems{503, 1 << 16}));
}

// The second result needs what the first one stores, in other places; the third needs neither, and
// may come before.
TEST(JoinStepsTest, WhatNeedsAnotherResultComesAfterIt) {
  EXPECT_EQ(Items(
                [](Arrays x) {
                  const DlArray y = Exp(x[0]);
                  return DlArrays{y, MatMul(x[1], y), Tanh(x[2])};
                },
                {{DataType::kSingle, {30, 2}, {}}, {DataType::kSingle, {4, 30}, {}}, Vector(500)}),
            (AllItems{560, 8}));
}

// A kernel is given 64 arrays at most: here 31 results, what they are computed from, and what all
// share.
TEST(JoinStepsTest, AKernelHasSomeArrays) {
  std::vector<ArraySpec> inputs{Vector(1)};
  for (int64_t i = 0; i < 40; ++i) inputs.push_back(Vector(2 + i));
  const AllItems items = Items(
      [](Arrays x) {
        DlArrays all;
        for (size_t i = 1; i < x.size(); ++i) all.push_back(x[i] * x[0]);
        return all;
      },
      inputs);
  ASSERT_EQ(items.size(), 2u);
  EXPECT_EQ(items[0] + items[1], 40 * 41 / 2 + 40);
}

}  // namespace
}  // namespace lamina
