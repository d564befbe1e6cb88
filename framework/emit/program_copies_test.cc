// Copies that can be saved are, and those that cannot are left.
#include "framework/emit/program_copies.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "framework/emit/c_printer.h"
#include "framework/ops/elementwise.h"

namespace lamina {
namespace {

using internal::PlaceCopies;
using loops::Block;
using loops::Expression;
using loops::LoopBuilder;

constexpr DataType kSingle = DataType::kSingle;

Expression Load(const std::string& array, const Expression& at) {
  return Expression::Load(array, kSingle, at);
}

// for i < n: to[i + first] = value(i)
Block Loop(const std::string& to, int64_t first, int64_t n,
           const std::function<Expression(const Expression&)>& value) {
  LoopBuilder b;
  b.For("i", n, [&](const Expression& i) { b.Store(to, i + Expression(first), value(i)); });
  return b.Take();
}

Block CopyLoop(const std::string& from, const std::string& to, int64_t first, int64_t n) {
  return Loop(to, first, n, [&](const Expression& i) { return Load(from, i); });
}

Block Both(Block a, const Block& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

ProgramArray Array(const std::string& name, int64_t numel, ProgramArray::Role role) {
  return {name, {kSingle, {numel}, {}}, role};
}

// x has 128 elements, a and b have 64, y and z 128. What is called is a step of a graph whose first
// value is a.
class PlaceCopiesTest : public ::testing::Test {
 protected:
  PlaceCopiesTest()
      : graph_(RecordGraph([](Arrays in) { return DlArrays{Tanh(in[0])}; },
                           std::vector<ArraySpec>{{kSingle, {64}, {}}})) {
    program_.arrays = {
        Array("x", 128, ProgramArray::kInput), Array("a", 64, ProgramArray::kScratch),
        Array("b", 64, ProgramArray::kScratch), Array("y", 128, ProgramArray::kOutput),
        Array("z", 128, ProgramArray::kOutput)};
    program_.array_of = {1, 2};
    program_.first_of = {0, 0};
  }

  void Add(Block code) { program_.steps.push_back({"", std::move(code)}); }
  // What is left, in C.
  std::string Left() {
    PlaceCopies(graph_, &program_);
    std::string text;
    for (const ProgramStep& step : program_.steps) text += CPrinter().Print(step.code, 0);
    return text;
  }

  const Graph graph_;
  Program program_;
};

Expression Twice(const Expression& i) { return Load("x", i) + Load("x", i); }

TEST_F(PlaceCopiesTest, WhatIsCopiedIsComputedInItsPlace) {
  Add(Loop("a", 0, 64, Twice));
  Add(Loop("b", 0, 64, [](const Expression& i) { return Load("a", i) * Load("x", i); }));
  Add(Both(CopyLoop("b", "y", 0, 64), CopyLoop("a", "y", 64, 64)));
  EXPECT_EQ(Left(),
            "for (int i = 0; i < 64; ++i) {\n  y[i + 64] = x[i] + x[i];\n}\n"
            "for (int i = 0; i < 64; ++i) {\n  y[i] = y[i + 64] * x[i];\n}\n");
  EXPECT_EQ(program_.array_of, (std::vector<int>{3, 3}));
  EXPECT_EQ(program_.first_of, (std::vector<int64_t>{64, 0}));
}

TEST_F(PlaceCopiesTest, ThatOfASecondCopyIsThereAlready) {
  Add(Loop("a", 0, 64, Twice));
  Add(Loop("b", 0, 64, Twice));
  Add(Both(CopyLoop("a", "y", 0, 64), CopyLoop("b", "y", 64, 64)));
  Add(Both(CopyLoop("a", "z", 0, 64), CopyLoop("b", "z", 64, 64)));
  const std::string left = Left();
  ASSERT_EQ(program_.steps.size(), 3u);
  EXPECT_EQ(CPrinter().Print(program_.steps[2].code, 0),
            "for (int i = 0; i < 128; ++i) {\n  z[i] = y[i];\n}\n")
      << left;
}

TEST_F(PlaceCopiesTest, OtherStoresToThePlaceAreNotLost) {
  // The whole array is set first, in the same step.
  Add(Loop("a", 0, 64, Twice));
  Add(Both(Loop("y", 0, 128, [](const Expression&) { return Expression::Number(0, kSingle); }),
           CopyLoop("a", "y", 32, 64)));
  Left();
  EXPECT_EQ(program_.steps.size(), 2u);
  EXPECT_EQ(program_.steps[1].code.size(), 2u);
}

TEST_F(PlaceCopiesTest, OnlyNeighboursOfAWholeScratchArray) {
  Add(Loop("a", 0, 64, Twice));
  Add(CopyLoop("a", "y", 0, 32));  // A part of it.
  Add(Loop("z", 0, 64, [](const Expression& i) { return Load("a", Expression(63) - i); }));
  Add(CopyLoop("x", "z", 64, 64));  // An input.
  Left();
  EXPECT_EQ(program_.steps.size(), 4u);
}

TEST_F(PlaceCopiesTest, WhatChangesAfterwardsIsLeft) {
  Add(Loop("a", 0, 64, Twice));
  Add(CopyLoop("a", "y", 0, 64));
  Add(Loop("a", 0, 64, [](const Expression& i) { return Load("x", i); }));
  Left();
  EXPECT_EQ(program_.steps.size(), 3u);
}

// Libraries want memory that begins where arrays begin.
TEST_F(PlaceCopiesTest, WhatIsCalledWithBeginsAtAMultiple) {
  for (const int64_t first : {0, 16, 64}) {
    program_.steps.clear();
    program_.array_of = {1, 2};
    program_.first_of = {0, 0};
    Add(Loop("a", 0, 64, Twice));
    program_.steps.push_back({.comment = "", .called = 0});
    Add(CopyLoop("a", "y", first, 64));
    Left();
    EXPECT_EQ(program_.steps.size(), first == 16 ? 3u : 2u) << first;
  }
}

}  // namespace
}  // namespace lamina
