// What is fused, what gets memory, and how it reads.
#include "framework/emit/program.h"

#include <gtest/gtest.h>

#include "framework/emit/c_body.h"
#include "framework/emit/c_printer.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/matmul.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"

namespace lamina {
namespace {

Program Write(const std::function<DlArrays(Arrays)>& function,
              const std::vector<ArraySpec>& specs) {
  const Graph graph = RecordGraph(function, specs);
  ProgramNames names;
  names.reserved = CReservedWords();
  for (size_t i = 0; i < specs.size(); ++i) names.inputs.push_back("x" + std::to_string(i));
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    names.outputs.push_back("y" + std::to_string(i));
  }
  return WriteProgram(graph, names);
}

int NumScratch(const Program& program) {
  int count = 0;
  for (const ProgramArray& a : program.arrays) count += a.role == ProgramArray::kScratch;
  return count;
}

const ArraySpec kImage{DataType::kSingle, {4, 5, 3, 2}, "SSCB"};
const ArraySpec kChannels{DataType::kSingle, {1, 1, 3}, {}};

TEST(ProgramTest, AChainOfElementwiseFunctionsIsOneLoop) {
  const Program program = Write(
      [](Arrays x) { return DlArrays{Where(x[0] <= x[1], x[1] + x[2] * (x[0] - x[1]), x[0])}; },
      {kImage, kChannels, kChannels});
  EXPECT_EQ(NumScratch(program), 0);
  ASSERT_EQ(program.steps.size(), 1u);
  EXPECT_EQ(program.steps[0].comment, "minus, times, plus, le, where -> 4(S) x 5(S) x 3(C) x 2(B)");
  CPrinter printer;
  EXPECT_EQ(
      printer.Print(program.steps[0].code, 0),
      "for (int n = 0; n < 2; ++n) {\n"
      "  for (int c = 0; c < 3; ++c) {\n"
      "    for (int hw = 0; hw < 20; ++hw) {\n"
      "      const int le = x0[hw + c * 20 + n * 60] <= x1[c];\n"
      "      const float minus = x0[hw + c * 20 + n * 60] - x1[c];\n"
      "      y0[hw + c * 20 + n * 60] = le != 0 ? x1[c] + x2[c] * minus : x0[hw + c * 20 + n * "
      "60];\n"
      "    }\n"
      "  }\n"
      "}\n");
}

TEST(ProgramTest, AChainIsComputedInTheSumThatReadsIt) {
  const Program program =
      Write([](Arrays x) { return DlArrays{Sum(Square(x[0] - x[1]), "SS")}; }, {kImage, kChannels});
  EXPECT_EQ(NumScratch(program), 0);
  EXPECT_EQ(program.steps.size(), 1u);
}

TEST(ProgramTest, WhatIsReadAgainAndAgainGetsMemory) {
  // A product reads each element many times.
  const ArraySpec matrix{DataType::kSingle, {6, 6}, {}};
  const Program product =
      Write([](Arrays x) { return DlArrays{MatMul(Exp(x[0]), x[1])}; }, {matrix, matrix});
  EXPECT_EQ(NumScratch(product), 1);
  EXPECT_EQ(product.scratch[static_cast<int>(DataType::kSingle)], 36);
  // A small array that meets a large one.
  EXPECT_EQ(
      NumScratch(Write([](Arrays x) { return DlArrays{x[0] * Exp(x[1])}; }, {kImage, kChannels})),
      1);
  // Two loops.
  EXPECT_EQ(NumScratch(Write(
                [](Arrays x) {
                  const DlArray e = Exp(x[0]);
                  return DlArrays{Sum(e, "S"), MaxOver(e, "C")};
                },
                {kImage})),
            1);
}

TEST(ProgramTest, AValueThatIsUsedTwiceInALoopHasAName) {
  const Program program = Write(
      [](Arrays x) {
        const DlArray e = Exp(x[0]);
        return DlArrays{e * e + e};
      },
      {ArraySpec{DataType::kSingle, {4}, {}}});
  CPrinter printer;
  EXPECT_EQ(printer.Print(program.steps[0].code, 0),
            "for (int i = 0; i < 4; ++i) {\n"
            "  const float exp_2 = expf(x0[i]);\n"
            "  y0[i] = exp_2 * exp_2 + exp_2;\n"
            "}\n");
}

TEST(ProgramTest, ReshapingAndStrippingMoveNothing) {
  const Program program = Write(
      [](Arrays x) {
        return DlArrays{Sum(Reshape(StripDims(x[0]), {20, 6}), 0)};
      },
      {kImage});
  EXPECT_EQ(NumScratch(program), 0);
  EXPECT_EQ(program.steps.size(), 1u);
}

TEST(ProgramTest, ArraysOfOtherTimesShareMemory) {
  const ArraySpec matrix{DataType::kSingle, {8, 8}, {}};
  const Program program = Write(
      [](Arrays x) {
        DlArray y = x[0];
        for (int i = 0; i < 6; ++i) y = MatMul(y, x[1]);
        return DlArrays{y};
      },
      {matrix, matrix});
  EXPECT_EQ(NumScratch(program), 5);
  EXPECT_EQ(program.scratch[static_cast<int>(DataType::kSingle)], 2 * 64);
  for (const ProgramArray& a : program.arrays) {
    for (const ProgramArray& b : program.arrays) {
      if (&a == &b || a.role != ProgramArray::kScratch || b.role != ProgramArray::kScratch)
        continue;
      const bool together = a.first_step <= b.last_step && b.first_step <= a.last_step;
      const bool overlap = a.offset < b.offset + 64 && b.offset < a.offset + 64;
      EXPECT_FALSE(together && overlap) << a.name << " and " << b.name;
    }
  }
}

TEST(ProgramTest, DeadStepsAreNotWritten) {
  const Program program = Write(
      [](Arrays x) {
        Exp(x[0]);
        return DlArrays{-x[0]};
      },
      {kImage});
  EXPECT_EQ(program.steps.size(), 1u);
}

TEST(IdentifierTest, MakesNamesForC) {
  EXPECT_EQ(Identifier("LeftSlope"), "left_slope");
  EXPECT_EQ(Identifier("block/Network/conv 1"), "block_network_conv_1");
  EXPECT_EQ(Identifier("9 lives"), "x9_lives");
  EXPECT_EQ(Identifier("\u00e4"), "x");
}

TEST(CNumberTest, ReadsBackAsTheSameNumber) {
  EXPECT_EQ(CNumber(0.1f, DataType::kSingle), "0.1f");
  EXPECT_EQ(CNumber(1, DataType::kSingle), "1.0f");
  EXPECT_EQ(CNumber(0.1, DataType::kDouble), "0.1");
  EXPECT_EQ(CNumber(1.0 / 3, DataType::kDouble), "0.3333333333333333");
  EXPECT_EQ(CNumber(-INFINITY, DataType::kSingle), "-INFINITY");
  EXPECT_EQ(CNumber(3, DataType::kInt32), "3");
}

TEST(CCommentTest, CannotBeLeft) { EXPECT_EQ(CComment("a */ b \n c"), "/* a * / b ? c */"); }

}  // namespace
}  // namespace lamina
