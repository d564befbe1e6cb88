// What is shown to be parallel is, and what is not parallel is not shown to be.
#include "framework/emit/parallel_loops.h"

#include <gtest/gtest.h>

namespace lamina {
namespace {

using loops::Block;
using loops::Expression;
using loops::LoopBuilder;
using loops::Statement;

Expression X(const Expression& at) { return Expression::Load("x", DataType::kSingle, at); }
Expression Y(const Expression& at) { return Expression::Load("y", DataType::kSingle, at); }

using Place = std::function<Expression(const Expression&, const Expression&)>;

// for j < outer, for i < inner: y[stored] = x[i] + y[loaded]; without `loaded` only x.
ParallelNest Nest(int64_t outer, int64_t inner, const Place& stored,
                  const Place& loaded = nullptr) {
  LoopBuilder b;
  b.For("j", outer, [&](const Expression& j) {
    b.For("i", inner, [&](const Expression& i) {
      b.Store("y", stored(i, j), loaded ? X(i) + Y(loaded(i, j)) : X(i));
    });
  });
  const std::vector<ParallelNest> nests = ParallelNests(b.Take());
  EXPECT_EQ(nests.size(), 1u);
  return nests[0];
}

TEST(ParallelNestsTest, LoopsThatStoreEachElementOnceAreParallel) {
  const ParallelNest nest =
      Nest(4, 3, [](auto& i, auto& j) { return i + j * Expression(3) + Expression(5); });
  EXPECT_TRUE(nest.is_shown);
  ASSERT_EQ(nest.loops.size(), 2u);
  EXPECT_EQ(nest.loops[0].name, "j");
  EXPECT_EQ(nest.body.size(), 1u);
  EXPECT_EQ(NumItems(nest.loops), 12);
  // With gaps; the first dim outermost; what is loaded is what is stored.
  EXPECT_EQ(Nest(4, 3, [](auto& i, auto& j) { return i + j * Expression(7); }).loops.size(), 2u);
  EXPECT_EQ(Nest(4, 3, [](auto& i, auto& j) { return i * Expression(4) + j; }).loops.size(), 2u);
  const Place same = [](auto& i, auto& j) { return i + j * Expression(3); };
  EXPECT_EQ(Nest(4, 3, same, same).loops.size(), 2u);
}

TEST(ParallelNestsTest, LoopsThatMeetInAnElementAreNot) {
  // Items meet: 2 + 2 * 0 is 0 + 2 * 1.
  EXPECT_FALSE(Nest(4, 3, [](auto& i, auto& j) { return i + j * Expression(2); }).is_shown);
  EXPECT_FALSE(Nest(4, 3, [](auto& i, auto& j) { return i + j; }).is_shown);
  EXPECT_FALSE(Nest(4, 3, [](auto& i, auto&) { return i; }).is_shown);
  // What another item stored is loaded.
  const Place own = [](auto& i, auto& j) { return i + j * Expression(3); };
  EXPECT_FALSE(Nest(4, 3, own, [](auto& i, auto& j) {
                 return i + j * Expression(3) + Expression(1);
               }).is_shown);
  // Not linear.
  EXPECT_FALSE(Nest(4, 3, [](auto& i, auto& j) {
                 return (i + j * Expression(3)) % Expression(7);
               }).is_shown);
}

TEST(ParallelNestsTest, TheOuterLoopMayBeParallelAlone) {
  // Each row is added up in the loop inside.
  const ParallelNest nest = Nest(
      4, 3, [](auto&, auto& j) { return j; }, [](auto&, auto& j) { return j; });
  EXPECT_TRUE(nest.is_shown);
  ASSERT_EQ(nest.loops.size(), 1u);
  EXPECT_EQ(nest.loops[0].name, "j");
}

TEST(ParallelNestsTest, ALoopInsideMayGoDown) {
  // for j < 4, for i < 3: y[step * j + 2 - i], after y[loaded]
  const auto nest = [](int step, const Place& loaded) {
    return Nest(
        4, 3, [step](auto& i, auto& j) { return j * Expression(step) + Expression(2) - i; },
        loaded);
  };
  // Both loops, where a row down meets a row up; the rows of others.
  const Place same = [](auto& i, auto& j) { return j * Expression(3) + i; };
  EXPECT_EQ(nest(3, same).loops.size(), 1u);
  EXPECT_TRUE(nest(3, same).is_shown);
  EXPECT_FALSE(nest(2, nullptr).is_shown);
  EXPECT_FALSE(
      nest(3, [](auto& i, auto& j) { return j * Expression(3) + Expression(3) - i; }).is_shown);
}

TEST(ParallelNestsTest, ANumberThatVariesIsTriedAtEachValue) {
  const Expression n = Expression::Variable("n");
  // for j < 4, for i < n: y[i + j * step]
  const auto nest = [&](const Expression& step, int64_t most) {
    Block code{{.kind = Statement::kFor, .name = "j", .extent = 4}};
    code[0].body = {{.kind = Statement::kFor,
                     .name = "i",
                     .extent = Statement::kVariableExtent,
                     .variable_extent = n}};
    const Expression i = Expression::Variable("i"), j = Expression::Variable("j");
    code[0].body[0].body = {
        {.kind = Statement::kStore, .name = "y", .index = i + j * step, .value = X(i)}};
    return ParallelNests(code, "n", most)[0];
  };
  EXPECT_EQ(nest(n, 9).loops.size(), 2u);
  EXPECT_EQ(NumItems(nest(n, 9).loops, "n", 9), 36);
  EXPECT_EQ(nest(Expression(2), 2).loops.size(), 2u);
  EXPECT_FALSE(nest(Expression(2), 3).is_shown);
}

// For each of 5 items a loop over 100 with this inside, then y[j] = total.
std::optional<std::vector<SharedLoop>> SharedOf(
    const std::function<void(LoopBuilder&, const Expression& total, const Expression& value,
                             const Expression& i)>& inside) {
  LoopBuilder b;
  b.For("j", 5, [&](const Expression& j) {
    const Expression total = b.Var("total", Expression::Number(0, DataType::kSingle));
    b.For("i", 100, [&](const Expression& i) {
      inside(b, total, b.Let("value", X(i + j * Expression(100))), i + j * Expression(100));
    });
    b.Store("y", j, total);
  });
  const std::vector<ParallelNest> nests = ParallelNests(b.Take());
  EXPECT_EQ(nests[0].loops.size(), 1u);
  return SharedLoops(nests[0]);
}

TEST(LoadsNeighboursTest, IsToldByTheStepOfAnIndex) {
  const ParallelNest nest = Nest(4, 3, [](auto& i, auto& j) { return i + j * Expression(3); });
  EXPECT_TRUE(LoadsNeighbours(nest.body, "i"));  // x[i]
  EXPECT_FALSE(LoadsNeighbours(nest.body, "j"));
  const Place place = [](auto& i, auto& j) { return i * Expression(4) + j; };
  EXPECT_TRUE(LoadsNeighbours(Nest(4, 3, place, place).body, "j"));  // y[4 i + j]
}

TEST(SharedLoopsTest, SumsAndExtremesAreJoined) {
  const auto sum =
      SharedOf([](auto& b, auto& total, auto& value, auto&) { b.Assign(total, total + value); });
  ASSERT_TRUE(sum && sum->size() == 1);
  ASSERT_EQ((*sum)[0].joined.size(), 1u);
  EXPECT_EQ((*sum)[0].joined[0].variable, "total");
  EXPECT_EQ((*sum)[0].joined[0].identity, 0);
  const auto extreme = SharedOf([](auto& b, auto& total, auto& value, auto&) {
    b.If(value > total, [&] { b.Assign(total, value); });
  });
  ASSERT_TRUE(extreme && extreme->size() == 1);
  EXPECT_FALSE((*extreme)[0].joined[0].identity);
  EXPECT_EQ((*extreme)[0].joined[0].value, "value");
}

TEST(SharedLoopsTest, SumsUnderAConditionAreJoined) {
  const auto shared = SharedOf([](auto& b, auto& total, auto& value, auto& place) {
    b.If(place < Expression(7), [&] {
      const Expression twice = b.Let("twice", value + value);
      b.Assign(total, total + twice);
    });
  });
  ASSERT_TRUE(shared && shared->size() == 1);
  ASSERT_EQ((*shared)[0].joined.size(), 1u);
  EXPECT_EQ((*shared)[0].joined[0].variable, "total");
  EXPECT_EQ((*shared)[0].joined[0].identity, 0);
  EXPECT_EQ((*shared)[0].joined[0].statement.kind, Statement::kAssign);
  // Whether it is added depends on the turns before, and so does what is added.
  EXPECT_FALSE(SharedOf([](auto& b, auto& total, auto& value, auto&) {
    b.If(total < value, [&] { b.Assign(total, total + value); });
  }));
  EXPECT_FALSE(SharedOf([](auto& b, auto& total, auto& value, auto& place) {
    b.If(place < Expression(7), [&] {
      const Expression so_far = b.Let("so_far", value * total);
      b.Assign(total, total + so_far);
    });
  }));
  EXPECT_FALSE(SharedOf([](auto& b, auto& total, auto& value, auto& place) {
    b.If(place < Expression(7), [&] {
      b.Assign(total, total + value);
      b.Store("z", place, value);
    });
  }));
}

TEST(SharedLoopsTest, StoresOfTheirOwnElementsMayBeShared) {
  const auto shared = SharedOf([](auto& b, auto& total, auto& value, auto& place) {
    b.Store("z", place, value);
    b.Assign(total, total + value);
  });
  ASSERT_TRUE(shared);
  EXPECT_TRUE((*shared)[0].stores);
  // All turns of an item store the same element: the last one counts.
  LoopBuilder b;
  b.For("j", 5, [&](const Expression& j) {
    b.Let("value", X(j));
    b.For("i", 100, [&](const Expression& i) { b.Store("z", j, X(i)); });
  });
  const std::vector<ParallelNest> nests = ParallelNests(b.Take());
  ASSERT_EQ(nests[0].loops.size(), 1u);
  EXPECT_FALSE(SharedLoops(nests[0]));
}

TEST(SharedLoopsTest, WhatDependsOnTheOrderIsNotShared) {
  // Each turn needs the one before.
  EXPECT_FALSE(
      SharedOf([](auto& b, auto& total, auto& value, auto&) { b.Assign(total, value - total); }));
  EXPECT_FALSE(SharedOf(
      [](auto& b, auto& total, auto& value, auto&) { b.Assign(total, total + value * total); }));
  // The sum so far is stored.
  EXPECT_FALSE(SharedOf([](auto& b, auto& total, auto& value, auto& place) {
    b.Assign(total, total + value);
    b.Store("z", place, total);
  }));
}

}  // namespace
}  // namespace lamina
