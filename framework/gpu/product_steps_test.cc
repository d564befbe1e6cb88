// What becomes one step with a product, and what must not: on graphs, without a device.
#include "framework/gpu/product_steps.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "framework/autodiff/dlgradient.h"
#include "framework/graph/check_graph.h"
#include "framework/graph/optimize.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/matmul.h"
#include "framework/ops/product_precision.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"

namespace lamina::gpu {
namespace {

using Function = std::function<DlArrays(Arrays)>;
using IsTaken = std::function<bool(const ProductCall&)>;

ArraySpec Single(const Sizes& sizes, std::string_view format = "") {
  return {DataType::kSingle, sizes, Format(format)};
}

struct Fused {
  Graph graph;
  std::vector<ProductCall> calls;  // With an epilogue, in the order of the graph.

  // How many steps have an op of this name.
  int Count(std::string_view name) const {
    int count = 0;
    for (const GraphStep& step : graph.steps()) count += step.op->Name() == name ? 1 : 0;
    return count;
  }
};

Fused Fuse(
    const Function& f, const std::vector<ArraySpec>& specs,
    const IsTaken& is_taken = [](const ProductCall&) { return true; }) {
  const Graph recorded = Optimize(RecordGraph(f, specs), ImageLayouts::kPlain);
  Fused fused{.graph = WithEpilogues(recorded, is_taken), .calls = {}};
  CheckGraph(fused.graph);
  EXPECT_EQ(fused.graph.inputs().size(), recorded.inputs().size());
  EXPECT_EQ(fused.graph.outputs().size(), recorded.outputs().size());
  const KnownValues known(fused.graph);
  for (const GraphStep& step : fused.graph.steps()) {
    const auto call = ProductOf(fused.graph, step, known);
    if (call && call->has_epilogue()) fused.calls.push_back(*call);
  }
  if (fused.calls.empty()) {
    EXPECT_EQ(ToString(fused.graph), ToString(recorded));
  }
  return fused;
}

// y = w x + b of a labelled x, and what follows.
const std::vector<ArraySpec> kLayer = {Single({4, 5, 6}, "CBT"), Single({3, 4}), Single({3, 1})};

TEST(WithEpiloguesTest, ABiasAndAReluAreTakenTogether) {
  const Fused fused =
      Fuse([](Arrays in) { return DlArrays{Relu(FullyConnect(in[0], in[1], in[2]))}; }, kLayer);
  ASSERT_EQ(fused.calls.size(), 1u);
  EXPECT_EQ(fused.calls[0],
            (ProductCall{.m = 3, .n = 30, .k = 4, .adds_bias = true, .has_relu = true}));
  EXPECT_EQ(fused.Count("plus") + fused.Count("relu"), 0);
  const GraphStep& step = fused.graph.steps().back();
  EXPECT_EQ(step.inputs.size(), 3u);
  EXPECT_EQ(fused.graph.outputs(), step.outputs);
}

TEST(WithEpiloguesTest, EachMayBeAlone) {
  const Fused bias =
      Fuse([](Arrays in) { return DlArrays{Tanh(FullyConnect(in[0], in[1], in[2]))}; }, kLayer);
  ASSERT_EQ(bias.calls.size(), 1u);
  EXPECT_TRUE(bias.calls[0].adds_bias && !bias.calls[0].has_relu);
  EXPECT_EQ(bias.Count("plus"), 0);
  const Fused relu = Fuse([](Arrays in) { return DlArrays{Relu(FullyConnect(in[0], in[1], {}))}; },
                          {kLayer[0], kLayer[1]});
  ASSERT_EQ(relu.calls.size(), 1u);
  EXPECT_TRUE(!relu.calls[0].adds_bias && relu.calls[0].has_relu);
  EXPECT_EQ(relu.Count("relu"), 0);
}

TEST(WithEpiloguesTest, WhatTheDeviceDoesNotTakeStays) {
  const Function layer = [](Arrays in) {
    return DlArrays{Relu(FullyConnect(in[0], in[1], in[2]))};
  };
  const Fused bias = Fuse(layer, kLayer, [](const ProductCall& c) { return !c.has_relu; });
  ASSERT_EQ(bias.calls.size(), 1u);
  EXPECT_TRUE(bias.calls[0].adds_bias && !bias.calls[0].has_relu);
  EXPECT_EQ(bias.Count("relu"), 1);
  EXPECT_TRUE(Fuse(layer, kLayer, [](const ProductCall&) { return false; }).calls.empty());
}

TEST(WithEpiloguesTest, WhatIsReadElsewhereIsKept) {
  // The product itself.
  EXPECT_TRUE(Fuse(
                  [](Arrays in) {
                    const DlArray z = MatMul(in[0], in[1]);
                    return DlArrays{Relu(z + in[2]), z};
                  },
                  {Single({3, 4}), Single({4, 5}), Single({3, 1})})
                  .calls.empty());
  EXPECT_TRUE(Fuse(
                  [](Arrays in) {
                    const DlArray z = MatMul(in[0], in[1]);
                    return DlArrays{Relu(z + in[2]) * z};
                  },
                  {Single({3, 4}), Single({4, 5}), Single({3, 1})})
                  .calls.empty());
  // What the ReLU gets: the bias alone is added.
  const Fused sum = Fuse(
      [](Arrays in) {
        const DlArray s = MatMul(in[0], in[1]) + in[2];
        return DlArrays{Relu(s), Tanh(s)};
      },
      {Single({3, 4}), Single({4, 5}), Single({3, 1})});
  ASSERT_EQ(sum.calls.size(), 1u);
  EXPECT_TRUE(sum.calls[0].adds_bias && !sum.calls[0].has_relu);
  EXPECT_EQ(sum.Count("relu"), 1);
}

TEST(WithEpiloguesTest, OnlyAVectorForTheRowsIsABias) {
  const auto with = [](const ArraySpec& b) {
    return Fuse([](Arrays in) { return DlArrays{MatMul(in[0], in[1]) + in[2]}; },
                {Single({3, 4}), Single({4, 5}), b})
        .calls.size();
  };
  EXPECT_EQ(with(Single({3, 1})), 1u);
  EXPECT_EQ(with(Single({3})), 1u);
  EXPECT_EQ(with(Single({1, 5})), 0u);
  EXPECT_EQ(with(Single({3, 5})), 0u);
  EXPECT_EQ(with(Single({})), 0u);
  EXPECT_EQ(with(Single({3, 1, 2})), 0u);  // The sum is larger.
  EXPECT_EQ(with({DataType::kDouble, {3, 1}, {}}), 0u);
  // Rows that are as many as columns are rows.
  const auto square = [](const ArraySpec& b) {
    return Fuse([](Arrays in) { return DlArrays{MatMul(in[0], in[1]) + in[2]}; },
                {Single({4, 4}), Single({4, 4}), b})
        .calls.size();
  };
  EXPECT_EQ(square(Single({4, 1})), 1u);
  EXPECT_EQ(square(Single({1, 4})), 0u);
  // A constant may stand in the source of kernels.
  EXPECT_TRUE(Fuse(
                  [](Arrays in) {
                    const DlArray b = DlArray::FromVector<float>({1, 2, 3}, {3, 1});
                    return DlArrays{MatMul(in[0], in[1]) + b};
                  },
                  {Single({3, 4}), Single({4, 5})})
                  .calls.empty());
  // Pages have a bias each.
  EXPECT_TRUE(Fuse([](Arrays in) { return DlArrays{MatMul(in[0], in[1]) + in[2]}; },
                   {Single({3, 4, 2}), Single({4, 5, 2}), Single({3, 1})})
                  .calls.empty());
}

TEST(WithEpiloguesTest, AProductMayBeTheBiasOfAnother) {
  const Fused fused =
      Fuse([](Arrays in) { return DlArrays{Relu(MatMul(in[0], in[1]) + MatMul(in[0], in[2]))}; },
           {Single({3, 4}), Single({4, 1}), Single({4, 1})});
  ASSERT_EQ(fused.calls.size(), 1u);
  EXPECT_TRUE(fused.calls[0].adds_bias && fused.calls[0].has_relu);
  EXPECT_EQ(fused.Count("matmul"), 1);
}

// Relu(w x + b) and the derivatives of w and b.
DlArrays LayerGradient(Arrays in, const std::vector<int>& order) {
  return DlFeval(
      [&order](const DlArrays& p) {
        DlArrays wanted;
        const DlArrays g =
            DlGradient(Sum(Square(Relu(FullyConnect(p[0], p[1], p[2])))), DlArrays{p[1], p[2]});
        for (const int i : order) wanted.push_back(g[static_cast<size_t>(i)]);
        return wanted;
      },
      DlArrays(in.begin(), in.end()));
}

TEST(WithEpiloguesTest, TheGradientOfABiasIsSummedWithThatOfTheWeights) {
  for (const std::vector<int>& order : {std::vector<int>{0, 1}, {1, 0}}) {
    const Fused fused = Fuse([&](Arrays in) { return LayerGradient(in, order); }, kLayer);
    ASSERT_EQ(fused.calls.size(), 2u);
    EXPECT_TRUE(fused.calls[0].adds_bias && fused.calls[0].has_relu);
    EXPECT_EQ(
        fused.calls[1],
        (ProductCall{.m = 3, .n = 4, .k = 30, .transpose_y = true, .sums = ProductCall::kOfX}));
    EXPECT_EQ(fused.Count("sum"), 0);
  }
}

TEST(WithEpiloguesTest, LongSumsAreNotSummedInAnyOrder) {
  const auto count = [](int64_t batch) {
    const Fused fused = Fuse(
        [](Arrays in) {
          return LayerGradient(in, {0, 1});
        },
        {Single({4, batch}, "CB"), kLayer[1], kLayer[2]});
    return fused.calls.size();
  };
  EXPECT_EQ(count(128), 2u);
  EXPECT_EQ(count(129), 1u);
}

TEST(WithEpiloguesTest, SumsOfEitherFactorAreTaken) {
  for (const bool tx : {false, true}) {
    for (const bool ty : {false, true}) {
      const ArraySpec x = tx ? Single({5, 3}) : Single({3, 5}),
                      y = ty ? Single({4, 5}) : Single({5, 4});
      for (const int factor : {0, 1}) {
        for (const int dim : {0, 1}) {
          const Fused fused = Fuse(
              [&](Arrays in) {
                return DlArrays{MatMul(in[0], in[1], tx, ty),
                                Sum(in[static_cast<size_t>(factor)], dim)};
              },
              {x, y});
          const int summed = factor == 0 ? (tx ? 0 : 1) : (ty ? 1 : 0);
          ASSERT_EQ(fused.calls.size(), dim == summed ? 1u : 0u)
              << tx << ty << " factor " << factor << " dim " << dim;
          if (fused.calls.empty()) continue;
          EXPECT_EQ(fused.calls[0].sums, factor == 0 ? ProductCall::kOfX : ProductCall::kOfY);
          EXPECT_EQ(fused.graph.outputs(), fused.graph.steps().back().outputs);
        }
      }
    }
  }
}

TEST(WithEpiloguesTest, SumsThatAreNeededBeforeTheProductAreKept) {
  const std::vector<ArraySpec> specs = {Single({3, 5}), Single({5, 4})};
  EXPECT_TRUE(Fuse(
                  [](Arrays in) {
                    const DlArray s = Tanh(Sum(in[0], 1));
                    return DlArrays{s, MatMul(in[0], in[1] + MatMul(s, s, true))};
                  },
                  specs)
                  .calls.empty());
  // Reshaped, they can wait.
  const Fused waits = Fuse(
      [](Arrays in) {
        const DlArray s = Reshape(Sum(in[0], 1), {3});
        const DlArray z = MatMul(in[0], in[1]);
        return DlArrays{Tanh(s), z};
      },
      specs);
  ASSERT_EQ(waits.calls.size(), 1u);
  EXPECT_EQ(waits.Count("sum"), 0);
}

// The factor is rounded, what is summed is not.
TEST(WithEpiloguesTest, SumsOfWhatIsNotTheFactorAreKept) {
  const Fused fused = Fuse(
      [](Arrays in) {
        const ScopedProductPrecision scope(ProductPrecision::kBfloat16);
        return LayerGradient(in, {0, 1});
      },
      kLayer);
  ASSERT_EQ(fused.calls.size(), 1u);
  EXPECT_TRUE(fused.calls[0].is_rounded && fused.calls[0].has_relu);
  EXPECT_EQ(fused.Count("sum"), 1);
}

}  // namespace
}  // namespace lamina::gpu
