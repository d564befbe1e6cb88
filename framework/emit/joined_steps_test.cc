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
#include "framework/loops/statement.h"
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

// Steps that store `to[i] = from[i + first]` for so many items, one after the other.
struct Copy {
  std::string to, from;
  int64_t first, items;
};

size_t NumSteps(const std::vector<Copy>& copies) {
  const std::vector<ArraySpec> inputs{Vector(100)};
  Program program;
  for (const char* name : {"x", "scratch", "a", "b"}) {
    program.arrays.push_back({.name = name, .spec = inputs[0], .role = ProgramArray::kOutput});
  }
  program.arrays[0].role = ProgramArray::kInput;
  program.arrays[1].role = ProgramArray::kScratch;
  for (const Copy& copy : copies) {
    loops::LoopBuilder b;
    b.For("i", copy.items, [&](const loops::Expression& i) {
      b.Store(
          copy.to, i,
          loops::Expression::Load(copy.from, DataType::kSingle, i + loops::Expression(copy.first)));
    });
    program.steps.push_back({.comment = copy.to, .code = b.Take()});
  }
  internal::JoinSteps(RecordGraph([](Arrays x) { return DlArrays{x[0] + 1}; }, inputs), &program);
  return program.steps.size();
}

TEST(JoinStepsTest, WhatAnotherStepStoresIsLeftToIt) {
  EXPECT_EQ(NumSteps({{"a", "x", 0, 3}, {"b", "x", 1, 5}}), 1u);
  EXPECT_EQ(NumSteps({{"a", "x", 0, 3}, {"b", "a", 1, 2}}), 2u);  // Needs what comes before,
  EXPECT_EQ(NumSteps({{"a", "x", 0, 3}, {"a", "x", 1, 2}}), 2u);  // stores there too,
  EXPECT_EQ(NumSteps({{"a", "b", 0, 3}, {"b", "x", 1, 2}}), 2u);  // or where that reads.
  // A step between the two: apart from both, or not.
  EXPECT_EQ(NumSteps({{"a", "x", 0, 3}, {"scratch", "x", 0, 3}, {"b", "x", 0, 5}}), 2u);
  EXPECT_EQ(NumSteps({{"a", "x", 0, 3}, {"scratch", "x", 0, 3}, {"b", "scratch", 0, 3}}), 3u);
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
