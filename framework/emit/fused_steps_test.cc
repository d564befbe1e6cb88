// Fused nests compute what the two of them compute one after the other, in whatever order the items
// are done; and what needs another item's result is left apart.
#include "framework/emit/fused_steps.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "framework/emit/testing/run_items.h"
#include "framework/graph/optimize.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/matmul.h"
#include "framework/ops/shape.h"

namespace lamina {
namespace {

using internal::Fused;
using loops::Block;
using loops::Expression;
using loops::LoopBuilder;
using loops::Operation;
using loops::Statement;
using testing::Memory;
using testing::RunItems;

Expression Load(const std::string& array, const Expression& at) {
  return Expression::Load(array, DataType::kSingle, at);
}

ParallelNest NestOf(LoopBuilder* b) {
  const std::vector<ParallelNest> nests = ParallelNests(b->Take());
  EXPECT_EQ(nests.size(), 1u);
  return nests[0];
}

// for j < outer: for i < inner: to[i + j column + first] = from[i + j from_column + from_first] + 1
ParallelNest Nest(int64_t outer, int64_t inner, const std::string& to, int64_t column,
                  int64_t first, const std::string& from, int64_t from_column, int64_t from_first) {
  LoopBuilder b;
  b.For("j", outer, [&](const Expression& j) {
    b.For("i", inner, [&](const Expression& i) {
      const Expression plus =
          b.Let("plus", Load(from, i + j * Expression(from_column) + Expression(from_first)) +
                            Expression(1));
      b.Store(to, i + j * Expression(column) + Expression(first), plus);
    });
  });
  return NestOf(&b);
}

Memory Zeros() {
  Memory memory;
  for (const char* name : {"x", "y", "z"}) {
    memory[name].assign(300, 0);
    std::iota(memory[name].begin(), memory[name].end(), 7);
  }
  return memory;
}

TEST(FusedTest, LoopsOverNeighboursAndOverColumnsMeet) {
  // y = x + 1 as one loop of 12, then z = y + 1 in columns of 3 that are 8 apart.
  const ParallelNest first = Nest(1, 12, "y", 12, 0, "x", 12, 0);
  const auto fused = Fused(first, Nest(4, 3, "z", 8, 2, "y", 3, 0));
  ASSERT_TRUE(fused);
  EXPECT_EQ(NumItems(fused->loops), 12);
  // What the first one stored is not loaded.
  Block code = fused->body;
  EXPECT_EQ(ParallelNests({[&] {
              Statement outer = fused->loops[0], inner = fused->loops[1];
              inner.body = code;
              outer.body = {inner};
              return outer;
            }()})[0]
                .loops.size(),
            2u);
  for (const Statement& s : code) {
    Visit(s.value, [](const Expression& e) {
      EXPECT_FALSE(e.operation() == Operation::kLoad && e.node().name == "y");
    });
  }
  // Neither as many items nor parts of one another.
  EXPECT_FALSE(Fused(first, Nest(4, 4, "z", 8, 2, "x", 3, 0)));
  EXPECT_FALSE(Fused(Nest(3, 4, "y", 4, 0, "x", 4, 0), Nest(4, 3, "z", 8, 2, "x", 3, 0)));
}

TEST(FusedTest, WhatAnotherItemNeedsIsLeftApart) {
  const ParallelNest y = Nest(4, 3, "y", 3, 0, "x", 3, 0);
  EXPECT_TRUE(Fused(y, Nest(4, 3, "z", 3, 0, "y", 3, 0)));
  EXPECT_FALSE(Fused(y, Nest(4, 3, "z", 3, 0, "y", 3, 1)));
  EXPECT_FALSE(Fused(y, Nest(4, 3, "z", 3, 0, "y", 4, 0)));
  EXPECT_TRUE(Fused(y, Nest(4, 3, "z", 3, 0, "y", 3, 12)));  // Behind all that is stored.
  // The second stores what the first loads.
  EXPECT_FALSE(Fused(y, Nest(4, 3, "x", 3, 0, "z", 3, 0)));
  EXPECT_FALSE(Fused(y, Nest(4, 3, "x", 3, 1, "z", 3, 0)));
  EXPECT_TRUE(Fused(y, Nest(4, 3, "x", 3, 12, "z", 3, 0)));
  // Both store.
  EXPECT_FALSE(Fused(y, Nest(4, 3, "y", 3, 0, "z", 3, 0)));
  EXPECT_FALSE(Fused(y, Nest(4, 3, "y", 3, 2, "z", 3, 0)));
  const ParallelNest part = Nest(4, 3, "y", 6, 0, "x", 3, 0);
  EXPECT_TRUE(Fused(part, Nest(4, 3, "y", 6, 3, "z", 3, 0)));
  EXPECT_FALSE(Fused(part, Nest(4, 3, "y", 6, 4, "z", 3, 0)));
}

TEST(FusedTest, ComputesWhatBothDo) {
  std::mt19937 random(3);
  const auto draw = [&](int64_t least, int64_t most) {
    return least + static_cast<int64_t>(random() % static_cast<uint32_t>(most - least + 1));
  };
  const std::vector<std::string> arrays = {"x", "y", "z"};
  int num_fused = 0;
  for (int n = 0; n < 3000; ++n) {
    const auto nest = [&](int64_t outer, int64_t inner) {
      const std::string from = arrays[random() % 3];
      const std::string to = arrays[(static_cast<size_t>(draw(1, 2)) + (from[0] - 'x')) % 3];
      return Nest(outer, inner, to, inner * draw(1, 2), draw(0, 2) * inner, from,
                  inner * draw(1, 2), draw(0, 2) * inner);
    };
    const std::pair<int64_t, int64_t> sizes[] = {{1, 12}, {2, 6}, {4, 3}};
    const auto [a, b] = sizes[random() % 3];
    const auto [c, d] = sizes[random() % 3];
    const ParallelNest first = nest(a, b), second = nest(c, d);
    const auto fused = Fused(first, second);
    if (!fused) continue;
    ++num_fused;
    Memory one_after_the_other = Zeros(), at_once = Zeros();
    RunItems(first, &random, &one_after_the_other);
    RunItems(second, &random, &one_after_the_other);
    RunItems(*fused, &random, &at_once);
    ASSERT_EQ(at_once, one_after_the_other) << n;
  }
  EXPECT_GT(num_fused, 300);
}

// The program of a graph for a device, with the names that tests look for.
Program Write(const std::function<DlArrays(Arrays)>& function,
              const std::vector<ArraySpec>& specs) {
  const Graph graph = Optimize(RecordGraph(function, specs), ImageLayouts::kPlain);
  ProgramNames names;
  for (size_t i = 0; i < specs.size(); ++i) names.inputs.push_back("x" + std::to_string(i));
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    names.outputs.push_back("y" + std::to_string(i));
  }
  return WriteProgram(graph, names, nullptr, ProgramFor::kDevice);
}

size_t NumNests(const Program& program) {
  size_t nests = 0;
  for (const ProgramStep& step : program.steps) nests += ParallelNests(step.code).size();
  return nests;
}

const ArraySpec kMatrix{DataType::kSingle, {5, 4}, {}};

TEST(FuseStepsTest, PartsOfAConcatenationAreOneNest) {
  const Program program = Write(
      [](Arrays in) {
        return DlArrays{Cat(0, {Tanh(in[0]), Exp(in[1]), in[0] * in[1]})};
      },
      {kMatrix, kMatrix});
  EXPECT_EQ(NumNests(program), 1u);
}

// Each time step stores its state where all states are put together.
TEST(FuseStepsTest, CopiesIntoAConcatenationAreSaved) {
  const Program program = Write(
      [](Arrays in) {
        DlArray h = in[0];
        DlArrays states;
        for (int t = 0; t < 3; ++t) {
          h = Tanh(MatMul(in[1], h));
          states.push_back(h);
        }
        return DlArrays{Cat(1, states)};
      },
      {kMatrix, {DataType::kSingle, {5, 5}, {}}});
  EXPECT_EQ(NumNests(program), 6u);  // A product and a state for each of three steps.
  const auto scratch = std::count_if(
      program.arrays.begin(), program.arrays.end(),
      [](const ProgramArray& a) { return a.role == ProgramArray::kScratch && a.first_step >= 0; });
  EXPECT_EQ(scratch, 3);  // The products.
}

// Twice the same states, in other places: one of the copies stays, and is one loop.
TEST(FuseStepsTest, CopiesOfNeighboursAreOne) {
  const Program program = Write(
      [](Arrays in) {
        DlArrays states;
        for (int t = 0; t < 3; ++t) {
          states.push_back(Tanh(MatMul(in[1], t == 0 ? in[0] : states.back())));
        }
        DlArrays later = {in[0]};
        later.insert(later.end(), states.begin(), states.end());
        return DlArrays{Cat(1, states), Cat(1, later)};
      },
      {kMatrix, {DataType::kSingle, {5, 5}, {}}});
  EXPECT_EQ(NumNests(program), 8u);  // The copies of the input and of three states.
}

}  // namespace
}  // namespace lamina
