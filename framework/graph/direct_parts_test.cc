// Which parts are taken from where they come from, which are not, and that every bit stays.
#include "framework/graph/direct_parts.h"

#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <string>
#include <vector>

#include "framework/autodiff/dlgradient.h"
#include "framework/graph/check_graph.h"
#include "framework/graph/optimize.h"
#include "framework/graph/testing/count_ops.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/matmul.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"

namespace lamina {
namespace {

using testing::Count;

using Function = std::function<DlArrays(Arrays)>;

ArraySpec Double(Sizes sizes, std::string_view format = "") {
  return {DataType::kDouble, std::move(sizes), Format(format)};
}

// The graph after the pass, which gives the bits of the function.
Graph Direct(const Function& f, const std::vector<ArraySpec>& specs) {
  DlArrays in;
  for (const ArraySpec& spec : specs) in.push_back(Randn(spec.sizes, spec.type, spec.format.str()));
  const Graph graph = RecordGraph(f, specs);
  Graph direct = TakePartsDirectly(SkipIdentities(graph));
  CheckGraph(direct);
  const DlArrays expected = graph.Evaluate(in), came = direct.Evaluate(in);
  for (size_t k = 0; k < expected.size(); ++k) {
    EXPECT_EQ(ToString(came[k].spec()), ToString(expected[k].spec())) << ToString(direct);
    EXPECT_TRUE(IsEqual(came[k], expected[k])) << k << "\n" << ToString(direct);
  }
  return direct;
}

// tanh(W h + x) with states that are put one behind the other, and its gradients.
TEST(TakePartsDirectlyTest, ResultsThatGrowAreOneCat) {
  constexpr int64_t kSteps = 20;
  const Graph graph = Direct(
      [](Arrays in) {
        return DlFeval(
            [](const DlArrays& p) {
              DlArray h = Slice(p[0], 1, 0, 1), y = h;
              for (int64_t t = 1; t < kSteps; ++t) {
                h = Tanh(MatMul(p[1], h) + Slice(p[0], 1, t, 1));
                y = Cat(1, {y, h});
              }
              DlArrays all = DlGradient(Sum(y * y), p);
              all.push_back(y);
              return all;
            },
            DlArrays(in.begin(), in.end()));
      },
      {Double({3, kSteps}), Double({3, 3})});
  EXPECT_EQ(Count(graph, "cat"), 2) << ToString(graph);  // y, and the gradient of the input.
  // Of the input and of the gradient of y one for each step.
  EXPECT_EQ(Count(graph, "slice"), 2 * kSteps) << ToString(graph);
}

// The steps of two loops, one after the other.
TEST(TakePartsDirectlyTest, WhatIsPutTogetherAndTakenApartIsPassedOn) {
  const Graph graph = Direct(
      [](Arrays in) {
        DlArrays first, second;
        for (int64_t t = 0; t < 8; ++t) {
          first.push_back(Exp(Reshape(Slice(in[0], 2, t, 1), {3, 4})));
        }
        const DlArray y = Cat(2, first);
        for (int64_t t = 0; t < 8; ++t) {
          second.push_back(Tanh(Reshape(Slice(y, 2, t, 1), {3, 4})));
        }
        return DlArrays{Cat(2, second)};
      },
      {Double({3, 4, 8})});
  EXPECT_EQ(Count(graph, "cat"), 1) << ToString(graph);
  EXPECT_EQ(Count(graph, "slice"), 8) << ToString(graph);
}

TEST(TakePartsDirectlyTest, SlicesOfSlicesAreOne) {
  const auto count = [](const Function& f) {
    return Count(Direct(f, {Double({12, 5}, "CB")}), "slice");
  };
  EXPECT_EQ(count([](Arrays in) {
              return DlArrays{Slice(Slice(Slice(in[0], 'C', 1, 10), 'C', 8, 4, -2), 'C', 1, 3)};
            }),
            1);
  EXPECT_EQ(count([](Arrays in) { return DlArrays{Flip(Flip(in[0], 'C'), 'C')}; }), 0);
  // Along two dims they stay two.
  EXPECT_EQ(count([](Arrays in) { return DlArrays{Slice(Slice(in[0], 'C', 1, 10), 'B', 1, 2)}; }),
            2);
}

TEST(TakePartsDirectlyTest, WhatElseIsReadStays) {
  // A slice over two parts; along another dim; parts of a Cat that is read elsewhere, too.
  const Graph graph = Direct(
      [](Arrays in) {
        const DlArray both = Cat(0, {Exp(in[0]), in[1]});
        return DlArrays{Slice(both, 0, 1, 3), Slice(both, 1, 0, 2), Cat(0, {both, in[0]})};
      },
      {Double({2, 3}), Double({4, 3})});
  EXPECT_EQ(Count(graph, "cat"), 2) << ToString(graph);
  EXPECT_EQ(Count(graph, "slice"), 2) << ToString(graph);
  // Cats along two dims.
  const Graph square = Direct(
      [](Arrays in) {
        return DlArrays{Cat(1, {Cat(0, {in[0], in[0]}), Cat(0, {in[0], Exp(in[0])})})};
      },
      {Double({2, 3})});
  EXPECT_EQ(Count(square, "cat"), 3) << ToString(square);
}

// Slices and Cats of one another, drawn by chance, with parts without elements among them.
TEST(TakePartsDirectlyTest, AnyPartsKeepEveryBit) {
  for (int run = 0; run < 500; ++run) {
    Direct(
        [run](Arrays in) {
          std::mt19937 draw(run);
          const auto up_to = [&](int64_t n) { return static_cast<int64_t>(draw() % (n + 1)); };
          DlArrays all(in.begin(), in.end());
          const auto any = [&] { return all[static_cast<size_t>(up_to(all.size() - 1))]; };
          for (int k = 0; k < 15; ++k) {
            const DlArray x = any();
            const int dim = static_cast<int>(up_to(1));
            if (up_to(1) == 0) {
              const int64_t n = x.size(dim);
              if (n == 0) continue;
              const int64_t start = up_to(n - 1), step = draw() % 4 == 0 ? -1 : 1 + up_to(1);
              const int64_t most = step > 0 ? (n - 1 - start) / step + 1 : start + 1;
              all.push_back(Slice(x, dim, start, up_to(most), step));
            } else if (x.numel() < 2000) {
              DlArrays parts{x};
              for (int64_t more = up_to(3); more > 0; --more) {
                const DlArray y = any();
                if (y.size(1 - dim) == x.size(1 - dim) && y.numel() < 2000) parts.push_back(y);
              }
              all.push_back(Cat(dim, parts));
            }
          }
          return DlArrays(all.end() - 3, all.end());
        },
        {Double({3, 4}), Double({3, 2}), Double({1, 4})});
  }
}

}  // namespace
}  // namespace lamina
