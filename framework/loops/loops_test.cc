// Expressions record what generic functions do; loops join where they may.
#include <gtest/gtest.h>

#include "framework/loops/expression.h"
#include "framework/loops/statement.h"

namespace lamina::loops {
namespace {

Expression X() { return Expression::Variable("x", DataType::kSingle); }

TEST(ExpressionTest, ANumberTakesTheTypeOfItsPartner) {
  const Expression sum = Expression(0.5) + X();
  EXPECT_EQ(sum.type(), DataType::kSingle);
  EXPECT_EQ(sum.node().operands[0].type(), DataType::kSingle);
  EXPECT_TRUE(sum.node().operands[0].is_number(0.5));
  EXPECT_EQ((X() < Expression(1)).type(), DataType::kLogical);
  EXPECT_EQ(Select(X() > Expression(0), Expression(1), X()).type(), DataType::kSingle);
}

TEST(ExpressionTest, SimplifiesIndicesAndNothingElse) {
  const Expression i = Expression::Variable("i");
  EXPECT_EQ((i * Expression(1) + Expression(0)).operation(), Operation::kVariable);
  EXPECT_TRUE((i * Expression(0)).is_number(0));
  EXPECT_TRUE((Expression(3) * Expression(4) - Expression(2)).is_number(10));
  EXPECT_EQ((i + Expression(-2)).operation(), Operation::kSubtract);
  // x + 0 is not x for -0, and x * 0 not 0 for NaN.
  EXPECT_EQ((X() + Expression(0)).operation(), Operation::kAdd);
  EXPECT_EQ((X() * Expression(0)).operation(), Operation::kMultiply);
}

TEST(ExpressionTest, AConditionIsAMaskAlready) {
  const Expression condition = X() < Expression(0);
  EXPECT_EQ((condition != Expression(0)).operation(), Operation::kLess);
  const Expression loaded = Expression::Load("mask", DataType::kLogical, Expression(0));
  EXPECT_EQ((loaded != Expression(0)).operation(), Operation::kNotEqual);
}

TEST(ExpressionTest, RewriteReplacesInIndicesToo) {
  const Expression i = Expression::Variable("i");
  const Expression x = Expression::Load("x", DataType::kSingle, i * Expression(4) + Expression(1));
  const Expression at_two = Rewrite(x, [](const Expression& e) {
    return e.operation() == Operation::kVariable ? Expression(2) : e;
  });
  EXPECT_TRUE(at_two.node().operands[0].is_number(9));
}

// for w < 3 { for h < 5 { y[h + 5 w] = x[...] } }
Block Nest(const std::function<Expression(const Expression& h, const Expression& w)>& index) {
  LoopBuilder b;
  b.For("w", 3, [&](const Expression& w) {
    b.For("h", 5, [&](const Expression& h) {
      b.Store("y", h + w * Expression(5), Expression::Load("x", DataType::kSingle, index(h, w)));
    });
  });
  Block block = b.Take();
  JoinLoops(block);
  return block;
}

TEST(JoinLoopsTest, JoinsNeighboursInMemory) {
  const Block block =
      Nest([](const Expression& h, const Expression& w) { return h + w * Expression(5); });
  ASSERT_EQ(block.size(), 1u);
  EXPECT_EQ(block[0].extent, 15);
  EXPECT_EQ(block[0].name, "hw");
  ASSERT_EQ(block[0].body.size(), 1u);
  EXPECT_EQ(block[0].body[0].kind, Statement::kStore);
  EXPECT_EQ(block[0].body[0].index.node().name, "hw");
}

TEST(JoinLoopsTest, KeepsLoopsWhoseIndicesPart) {
  const auto loops = [](const Block& block) {
    return block[0].body[0].kind == Statement::kFor ? 2 : 1;
  };
  // A repeated row, a repeated column, a transposition, and a step of two.
  EXPECT_EQ(loops(Nest([](const Expression& h, const Expression&) { return h; })), 2);
  EXPECT_EQ(loops(Nest([](const Expression&, const Expression& w) { return w; })), 2);
  EXPECT_EQ(
      loops(Nest([](const Expression& h, const Expression& w) { return h * Expression(3) + w; })),
      2);
  EXPECT_EQ(
      loops(Nest([](const Expression& h, const Expression& w) { return h + w * Expression(10); })),
      2);
  // One element for all may be read in a joined loop.
  EXPECT_EQ(loops(Nest([](const Expression&, const Expression&) { return Expression(0); })), 1);
}

TEST(JoinLoopsTest, KeepsLoopsWhoseIndexIsAValue) {
  LoopBuilder b;
  b.For("w", 3, [&](const Expression& w) {
    b.For("h", 5, [&](const Expression& h) {
      b.Store("y", h + w * Expression(5), Convert(h, DataType::kSingle));
    });
  });
  Block block = b.Take();
  JoinLoops(block);
  EXPECT_EQ(block[0].body[0].kind, Statement::kFor);
}

TEST(LoopBuilderTest, NamesAreUniqueWhileTheyAreOpen) {
  LoopBuilder b;
  b.Reserve({"taken"});
  EXPECT_EQ(b.Unique("taken"), "taken_2");
  b.For("i", 2, [&](const Expression& outer) {
    b.For("i", 2, [&](const Expression& inner) {
      EXPECT_EQ(outer.node().name, "i");
      EXPECT_EQ(inner.node().name, "i_2");
      b.Store("y", outer * Expression(2) + inner, inner);
    });
  });
  b.For("i", 2, [&](const Expression& again) { EXPECT_EQ(again.node().name, "i"); });
  EXPECT_EQ(b.Take().size(), 1u);  // A loop without a body is none.
}

TEST(LoopBuilderTest, ALoopOfOneIsNone) {
  LoopBuilder b;
  b.For("i", 1, [&](const Expression& i) {
    EXPECT_TRUE(i.is_number(0));
    b.Store("y", i, X());
  });
  b.For("i", 0, [&](const Expression& i) { b.Store("y", i, X()); });
  const Block block = b.Take();
  ASSERT_EQ(block.size(), 1u);
  EXPECT_EQ(block[0].kind, Statement::kStore);
}

}  // namespace
}  // namespace lamina::loops
