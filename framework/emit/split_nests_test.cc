// The parts of a nest compute what the nest does.
#include "framework/emit/split_nests.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "framework/emit/parallel_loops.h"
#include "framework/emit/testing/run_items.h"
#include "framework/graph/optimize.h"
#include "framework/ops/normalization.h"

namespace lamina {
namespace {

using internal::SplitNests;
using loops::Block;
using loops::Expression;
using loops::LoopBuilder;
using testing::Memory;
using testing::RunItems;

constexpr DataType kSingle = DataType::kSingle, kDouble = DataType::kDouble;
constexpr int64_t kRows = 3, kColumns = 5;

Expression Load(const std::string& array, const Expression& at) {
  return Expression::Load(array, kSingle, at);
}

Expression Number(double value) { return Expression::Number(value, kDouble); }

// For each of the rows of x: its mean, its variance, and its elements without them.
Block Standardized() {
  LoopBuilder b;
  b.For("r", kRows, [&](const Expression& r) {
    const auto x = [&](const Expression& c) {
      return Convert(Load("x", c + r * Expression(kColumns)), kDouble);
    };
    const Expression factor = b.Let("factor", Convert(Load("w", r), kDouble));
    const Expression sum = b.Var("sum", Number(0));
    b.For("c", kColumns, [&](const Expression& c) { b.Assign(sum, sum + x(c)); });
    const Expression mean = b.Let("mean", sum / Number(kColumns));
    const Expression squares = b.Var("squares", Number(0));
    b.For("c", kColumns, [&](const Expression& c) {
      const Expression rest = b.Let("rest", x(c) - mean);
      b.Assign(squares, squares + rest * rest);
    });
    const Expression variance = b.Let("variance", squares / Number(kColumns));
    b.For("c", kColumns, [&](const Expression& c) {
      b.Store("y", c + r * Expression(kColumns),
              Convert((x(c) - mean) * factor / variance, kSingle));
    });
    b.Store("m", r, Convert(mean, kSingle));
    b.Store("v", r, Convert(variance, kSingle));
  });
  return b.Take();
}

Program Made(const Block& code) {
  Program program;
  for (const char* name : {"x", "w"}) {
    program.arrays.push_back({name, {kSingle, {kRows * kColumns}, {}}, ProgramArray::kInput});
  }
  for (const char* name : {"y", "m", "v"}) {
    program.arrays.push_back({name, {kSingle, {kRows * kColumns}, {}}, ProgramArray::kOutput});
  }
  program.steps = {{"standardize", code}};
  return program;
}

Memory ResultOf(const Program& program) {
  std::mt19937 random(5);
  Memory memory;
  for (const ProgramArray& a : program.arrays) {
    std::vector<double>& values = memory[a.name];
    values.resize(static_cast<size_t>(a.spec.numel()));
    for (double& x : values) x = static_cast<double>(random() % 64);
  }
  for (const ProgramStep& step : program.steps) {
    for (const ParallelNest& nest : ParallelNests(step.code)) RunItems(nest, &random, &memory);
  }
  return memory;
}

TEST(SplitNestsTest, EachLoopIsANestOfItsOwn) {
  const Program whole = Made(Standardized());
  Program split = whole;
  SplitNests(&split, kColumns);
  ASSERT_EQ(split.steps.size(), 3u);
  EXPECT_EQ(split.steps[1].comment, "standardize, part 2 of 3");
  // The last one has no loops inside any more: its elements are items.
  const ParallelNest elements = ParallelNests(split.steps[2].code)[0];
  EXPECT_EQ(NumItems(elements.loops), kRows * kColumns);
  EXPECT_EQ(elements.body.size(), 1u);
  EXPECT_EQ(split.arrays.size(), whole.arrays.size() + 2);  // Mean and variance.
  const Memory expected = ResultOf(whole), came = ResultOf(split);
  for (const char* name : {"y", "m", "v"}) EXPECT_EQ(came.at(name), expected.at(name)) << name;
}

TEST(SplitNestsTest, ShortLoopsAndOthersStayWhole) {
  Program program = Made(Standardized());
  SplitNests(&program, kColumns + 1);
  EXPECT_EQ(program.steps.size(), 1u);
  // What it stores is loaded.
  LoopBuilder b;
  b.For("r", kRows, [&](const Expression& r) {
    const auto at = [&](const Expression& c) { return c + r * Expression(kColumns); };
    b.For("c", kColumns, [&](const Expression& c) { b.Store("y", at(c), Load("x", at(c))); });
    b.For("c", kColumns,
          [&](const Expression& c) { b.Store("y", at(c), Load("y", at(c)) + Load("x", at(c))); });
  });
  program = Made(b.Take());
  SplitNests(&program, 1);
  EXPECT_EQ(program.steps.size(), 1u);
}

// Of few channels with many elements each.
TEST(SplitNestsTest, NormalizationsOfImagesAreSplit) {
  const auto nests = [](int64_t batch) {
    const std::vector<ArraySpec> specs = {
        {kSingle, {32, 32, 4, batch}, "SSCB"}, {kSingle, {4}, "C"}, {kSingle, {4}, "C"}};
    const Graph graph = Optimize(
        RecordGraph([](Arrays in) { return DlArrays{BatchNorm(in[0], in[1], in[2]).y}; }, specs),
        ImageLayouts::kPlain);
    const Program program =
        WriteProgram(graph, {.inputs = {"x", "offset", "scale"}, .outputs = {"y"}}, nullptr,
                     ProgramFor::kDevice);
    size_t all = 0;
    for (const ProgramStep& step : program.steps) all += ParallelNests(step.code).size();
    return all;
  };
  EXPECT_EQ(nests(64), nests(8) + 2);
}

}  // namespace
}  // namespace lamina
