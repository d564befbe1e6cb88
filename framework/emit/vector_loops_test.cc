// Loops in which a thread may have four neighbours are told from those in which it must not.
#include "framework/emit/vector_loops.h"

#include <gtest/gtest.h>

#include <string>

#include "framework/emit/cuda_kernels.h"

namespace lamina {
namespace {

using loops::Block;
using loops::Expression;
using loops::LoopBuilder;
using loops::Statement;

const Expression kI = Expression::Variable("i"), kJ = Expression::Variable("j");

Expression X(const Expression& at) { return Expression::Load("x", DataType::kSingle, at); }
Expression Y(const Expression& at) { return Expression::Load("y", DataType::kSingle, at); }
Expression InRows(int length) { return kI + kJ * Expression(length); }

Statement Loop(const char* name, int64_t extent) {
  return {.kind = Statement::kFor, .name = name, .extent = extent};
}
Statement Store(const Expression& at, const Expression& value) {
  return {.kind = Statement::kStore, .name = "y", .index = at, .value = value};
}

Program ProgramOf(int64_t elements, ProgramArray::Role role_of_x = ProgramArray::kInput) {
  Program program;
  const auto add = [&](const char* name, ProgramArray::Role role, int64_t n) {
    program.arrays.push_back({.name = name, .spec = {DataType::kSingle, {n}, {}}, .role = role});
  };
  add("x", role_of_x, elements);
  add("s", ProgramArray::kInput, 4);
  add("y", ProgramArray::kOutput, 64);
  return program;
}

// for j < 4, for i < inner: `s`, with an x of 64 elements.
std::optional<VectorLoops> FourOf(const Statement& s, int64_t inner = 8) {
  return FourAtOnce({Loop("j", 4), Loop("i", inner)}, {s}, ProgramOf(64));
}

TEST(FourAtOnceTest, NeighboursAreAccessedAtOnce) {
  const Expression at = InRows(8) + Expression(4);
  const auto four = FourOf(Store(at, X(at) * Expression::Load("s", DataType::kSingle, kJ)));
  ASSERT_TRUE(four);
  EXPECT_EQ(four->innermost, "i");
  // All four have the same element of s: it is read as before.
  ASSERT_EQ(four->accesses.size(), 2u);
  EXPECT_EQ(four->accesses[0].array, "x");
  EXPECT_TRUE(four->accesses[0].is_loaded);
  EXPECT_FALSE(four->accesses[0].is_stored);
  EXPECT_EQ(four->accesses[1].array, "y");
  EXPECT_FALSE(four->accesses[1].is_loaded);
  EXPECT_TRUE(four->accesses[1].is_stored);
  ASSERT_EQ(four->body.size(), 1u);
  EXPECT_EQ(four->body[0].name, four->accesses[1].variable + ".at");
}

TEST(FourAtOnceTest, WhatIsLoadedAndStoredIsOneVariable) {
  const auto four = FourOf(Store(InRows(8), Y(InRows(8)) + X(InRows(8)) * X(InRows(8))));
  ASSERT_TRUE(four);
  ASSERT_EQ(four->accesses.size(), 2u);
  for (const VectorLoops::Access& access : four->accesses) {
    EXPECT_TRUE(access.is_loaded);
    EXPECT_EQ(access.is_stored, access.array == "y");
  }
}

TEST(FourAtOnceTest, TheFirstOfFourIsAMultipleOfFour) {
  const Expression at = InRows(8);
  EXPECT_TRUE(FourOf(Store(at, X(at))));
  EXPECT_FALSE(FourOf(Store(at, X(at + Expression(1)))));
  EXPECT_FALSE(FourOf(Store(at + Expression(2), X(at))));
  // Rows of six elements, of which four are taken, and a number that four do not divide.
  EXPECT_FALSE(FourOf(Store(InRows(6), X(at)), 4));
  EXPECT_FALSE(FourOf(Store(at, X(at)), 6));
}

TEST(FourAtOnceTest, OthersThanNeighboursAreNot) {
  const Expression at = InRows(8);
  EXPECT_FALSE(FourOf(Store(at, X(kI * Expression(2)))));
  EXPECT_FALSE(FourOf(Store(at, X(Expression(7) - kI))));
  EXPECT_FALSE(FourOf(Store(kI * Expression(4) + kJ, X(at))));
  EXPECT_FALSE(FourOf(Store(at, X(at % Expression(8)))));
  // The four would store to one element.
  EXPECT_FALSE(FourOf(Store(kJ, X(at))));
}

TEST(FourAtOnceTest, WhatIsReadWithoutItsConditionIsThere) {
  const Statement s = Store(InRows(8), Select(kJ < Expression(2), X(InRows(8)),
                                              Expression::Number(0, DataType::kSingle)));
  const std::vector<Statement> loops{Loop("j", 4), Loop("i", 8)};
  EXPECT_TRUE(FourAtOnce(loops, {s}, ProgramOf(32)));
  EXPECT_FALSE(FourAtOnce(loops, {s}, ProgramOf(16)));
  // With sizes that vary it is not known.
  EXPECT_FALSE(FourAtOnce(loops, {s}, ProgramOf(32), "n", 2));
}

// Also where the kernel's parameter begins within an array: what is left behind it counts.
TEST(FourAtOnceTest, AParameterThatBeginsWithinAnArrayHasLess) {
  constexpr int kRows = 16384;
  const auto kernels = [](int64_t elements, int from) {
    Program program = ProgramOf(elements);
    program.arrays.back().spec.sizes = {8 * kRows};
    const Statement s =
        Store(InRows(8), Select(kJ < Expression(kRows - 1), X(InRows(8) + Expression(from)),
                                Expression::Number(0, DataType::kSingle)));
    Statement inner = Loop("i", 8), outer = Loop("j", kRows);
    inner.body = {s};
    outer.body = {inner};
    program.steps = {{.comment = "shift", .code = {outer}}};
    CPrinter printer(Language::kCuda);
    return PrintCuda(program, &printer, {.share = true}).kernels;
  };
  const auto loads_four = [](const std::string& text) {
    return text.find("= LoadFour<aligned>(") != std::string::npos;
  };
  EXPECT_TRUE(loads_four(kernels(8 * kRows, 0)));
  EXPECT_TRUE(loads_four(kernels(8 * kRows + 8, 8)));
  EXPECT_FALSE(loads_four(kernels(8 * kRows, 8)));
}

TEST(FourAtOnceTest, WhatTheFourCannotShareIsLeft) {
  const Expression at = InRows(8);
  // The value of i itself; a store or a loop inside; an array that is text of the code.
  EXPECT_FALSE(FourOf(Store(at, X(at) * Convert(kI, DataType::kSingle))));
  EXPECT_FALSE(FourOf({.kind = Statement::kIf,
                       .name = "",
                       .value = X(at) > Expression(0),
                       .body = {Store(at, X(at))}}));
  Statement inside = Loop("k", 3);
  inside.body = {Store(at, X(at))};
  EXPECT_FALSE(FourOf(inside));
  const std::vector<Statement> loops{Loop("j", 4), Loop("i", 8)};
  EXPECT_FALSE(FourAtOnce(loops, {Store(at, X(at))}, ProgramOf(64, ProgramArray::kConstant)));
  EXPECT_FALSE(FourAtOnce({}, {Store(at, X(at))}, ProgramOf(64)));
}

TEST(FourAtOnceTest, ANumberThatVariesIsTriedAtEachValue) {
  const Expression n = Expression::Variable("n");
  const auto four = [&](const Expression& extent, const Expression& row) {
    Statement inner = Loop("i", Statement::kVariableExtent);
    inner.variable_extent = extent;
    const Expression at = kI + kJ * row;
    return FourAtOnce({Loop("j", 4), inner}, {Store(at, X(at))}, ProgramOf(64), "n", 3);
  };
  const Expression four_n = n * Expression(4);
  EXPECT_TRUE(four(four_n, four_n));
  EXPECT_FALSE(four(n, four_n));
  EXPECT_FALSE(four(four_n, n));
}

}  // namespace
}  // namespace lamina
