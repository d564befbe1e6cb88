#include "framework/graph/channel_blocks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "framework/autodiff/dlgradient.h"
#include "framework/cpu/convolution.h"
#include "framework/cpu/convolution_blocks.h"
#include "framework/cpu/instruction_set.h"
#include "framework/graph/check_graph.h"
#include "framework/graph/graph.h"
#include "framework/graph/optimize.h"
#include "framework/graph/testing/count_ops.h"
#include "framework/ops/channel_blocks.h"
#include "framework/ops/convolution.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/normalization.h"
#include "framework/ops/product_precision.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"

namespace lamina {
namespace {

using testing::Count;

using Function = std::function<DlArrays(Arrays)>;

DlArray Draw(const Sizes& sizes, std::string_view format = "") {
  const DlArray x = Randn(sizes, DataType::kSingle);
  return format.empty() ? x : DlArray(x, format);
}

// How far results of a size of 1 may be apart: sums of some thousand terms in another order, in
// single; divided by numbers not below 0.1.
constexpr double kApart = 2e-4;

// The passes keep what the function gives. Returns its graph after them.
Graph Checked(const Function& function, const DlArrays& inputs) {
  std::vector<ArraySpec> specs;
  for (const DlArray& x : inputs) specs.push_back(x.spec());
  const Graph graph = RecordGraph(function, specs);
  const Graph changed = Optimize(graph);
  CheckGraph(changed);
  const DlArrays expected = graph.Evaluate(inputs), came = changed.Evaluate(inputs);
  EXPECT_EQ(came.size(), expected.size());
  for (size_t k = 0; k < came.size(); ++k) {
    EXPECT_EQ(came[k].spec(), expected[k].spec());
    double greatest = 1, apart = 0;
    for (int64_t i = 0; i < came[k].numel(); ++i) {
      greatest = std::max(greatest, std::abs(expected[k].At(i)));
      apart = std::max(apart, std::abs(came[k].At(i) - expected[k].At(i)));
    }
    EXPECT_LE(apart, kApart * greatest) << "output " << k << "\n" << ToString(changed);
  }
  return changed;
}

// Whether this machine convolves 32 channels in blocks, forward.
bool HasBlocks(const Sizes& spatial) {
  cpu::ConvolutionShape s;
  s.spatial_rank = static_cast<int>(spatial.size());
  s.batch = 2;
  s.channels_in = s.channels_out = 32;
  for (size_t d = 0; d < spatial.size(); ++d) {
    s.input[d] = spatial[d];
    s.kernel[d] = 3;
    s.pad_begin[d] = s.pad_end[d] = 1;
  }
  EXPECT_TRUE(cpu::ComputeOutputSize(&s));
  return cpu::WantsChannelBlocks(cpu::ConvolutionKind::kForward, s);
}

DlArray Convolved(const DlArray& x, const DlArray& w, const DlArray& b) {
  return DlConv(x, w, b, {.padding = 1});
}

TEST(ChannelBlocksTest, LayoutIsAPermutation) {
  const DlArray x = Draw({5, 4, 48, 3}, "SSCB");
  const ImageView view = ImageViewOf(x.spec());
  EXPECT_EQ(view, (ImageView{20, 48, 3}));
  const DlArray blocks = Apply(ToChannelBlocksOp(view), {x});
  const DlArray expected = Permute(Reshape(StripDims(x), {20, 16, 3, 3}), {1, 0, 2, 3});
  EXPECT_TRUE(IsEqual(blocks, expected));
  EXPECT_TRUE(IsEqual(Apply(FromChannelBlocksOp(view, x.spec()), {blocks}), x));
}

// Between two convolutions nothing is brought out of the blocks and back.
TEST(ChannelBlocksTest, StayInBlocksBetweenConvolutions) {
  const DlArrays in{Draw({7, 6, 32, 2}, "SSCB"), Draw({3, 3, 32, 32}), Draw({32, 1}),
                    Draw({32}, "C"), Draw({1, 1, 1, 2}, "SSCB")};
  const Graph graph = Checked(
      [](Arrays x) {
        const DlArray h = Relu(Convolved(x[0], x[1], x[2]) * x[3] + 0.5);
        const DlArray y = Convolved(h * x[4], x[1], x[2]) + x[0];
        return DlArrays{y, Sum(y, "SSB"), Sum(y, "SSC"), Mean(h, "SC")};
      },
      in);
  const bool has = HasBlocks({7, 6});
  EXPECT_EQ(Count(graph, "conv_in_blocks"), has ? 2 : 0);
  EXPECT_EQ(Count(graph, "to_channel_blocks"), has ? 1 : 0);
  EXPECT_EQ(Count(graph, "from_channel_blocks"), has ? 1 : 0);
}

// All values are quarters and all sums exact, so that the same numbers are rounded.
TEST(ChannelBlocksTest, ImagesAreRoundedToBfloat16InBlocks) {
  const cpu::StrictConvolution strict;
  const auto quarters = [](const DlArray& x) { return Round(4 * x) / 4; };
  const DlArrays in{quarters(Draw({7, 6, 32, 2}, "SSCB")), quarters(Draw({3, 3, 32, 32})),
                    quarters(Draw({32, 1}))};
  const Graph graph = Checked(
      [](Arrays x) {
        const ScopedProductPrecision scope(ProductPrecision::kBfloat16);
        return DlArrays{Convolved(Relu(Convolved(x[0], x[1], x[2])), x[1], x[2])};
      },
      in);
  const bool has = HasBlocks({7, 6});
  EXPECT_EQ(Count(graph, "to_channel_blocks"), has ? 1 : 0);
  EXPECT_EQ(Count(graph, "from_channel_blocks"), has ? 1 : 0);
}

// Large images with 3 x 3 filters are convolved as they are, on the matrix unit or by Winograd's
// algorithm, so there is nothing to bring to blocks; the strict mode forbids both.
TEST(ChannelBlocksTest, LargeImagesStayPlainUnlessStrict) {
  const DlArrays in{Draw({16, 16, 32, 12}, "SSCB"), 0.1 * Draw({3, 3, 32, 32}), Draw({32, 1})};
  const auto twice = [](Arrays x) {
    return DlArrays{Convolved(Relu(Convolved(x[0], x[1], x[2])), x[1], x[2])};
  };
  if (cpu::CurrentInstructionSet() >= cpu::InstructionSet::kV3) {
    const Graph graph = Checked(twice, in);
    EXPECT_EQ(Count(graph, "conv"), 2) << ToString(graph);
  }
  const cpu::StrictConvolution strict;
  const Graph graph = Checked(twice, in);
  EXPECT_EQ(Count(graph, "conv_in_blocks"), HasBlocks({16, 16}) ? 2 : 0) << ToString(graph);
}

// A residual block with its gradients: x and dL/dy go in, y and dL/dx come out.
TEST(ChannelBlocksTest, ResidualBlockWithGradients) {
  const DlArrays in{Draw({8, 8, 32, 2}, "SSCB"),
                    0.1 * Draw({3, 3, 32, 32}),
                    Draw({32, 1}),
                    Draw({32, 1}),
                    Draw({32, 1}),
                    Draw({8, 8, 32, 2}, "SSCB")};
  for (const int64_t groups : {1, 4, 32}) {
    const auto f = [groups](Arrays x) {
      const auto normalized = [&](const DlArray& h) { return GroupNorm(h, groups, x[3], x[4]); };
      const DlArray h = Relu(normalized(Convolved(x[0], x[1], x[2])));
      return Relu(normalized(Convolved(h, x[1], x[2])) + x[0]);
    };
    const Graph graph = Checked(
        [&](Arrays x) {
          DlArrays all(x.begin(), x.end());
          DlArrays results;
          results = DlFeval(
              [&](const DlArrays& v) {
                const DlArray y = f(v);
                DlArrays out =
                    DlGradient(Sum(y * v[5], DimSet::All()), DlArrays(v.begin(), v.begin() + 5));
                out.push_back(y);
                return out;
              },
              all);
          return results;
        },
        in);
    if (groups == 1) {
      const bool has = HasBlocks({8, 8});
      EXPECT_EQ(Count(graph, "to_channel_blocks"), has ? 2 : 0) << ToString(graph);
      EXPECT_EQ(Count(graph, "from_channel_blocks"), has ? 2 : 0) << ToString(graph);
    }
  }
}

TEST(ChannelBlocksTest, BatchNormalizationInOneTwoAndThreeDims) {
  const Sizes spatial{6, 5, 4};
  for (int rank = 1; rank <= 3; ++rank) {
    Sizes data(spatial.begin(), spatial.begin() + rank), kernel(rank, 3);
    for (const int64_t n : {32, 2}) data.push_back(n);
    for (const int64_t n : {32, 32}) kernel.push_back(n);
    const std::string format = std::string(rank, 'S') + "CB";
    const Graph graph = Checked(
        [](Arrays x) {
          const BatchNormResult h = BatchNorm(Convolved(x[0], x[1], x[2]), x[3], x[4]);
          return DlArrays{Convolved(Relu(h.y), x[1], x[2]), h.mean, h.variance};
        },
        {Draw(data, format), 0.1 * Draw(kernel), Draw({32, 1}), Draw({32, 1}), Draw({32, 1})});
    const bool has = HasBlocks(Sizes(spatial.begin(), spatial.begin() + rank));
    EXPECT_EQ(Count(graph, "to_channel_blocks"), has ? 1 : 0) << ToString(graph);
    EXPECT_EQ(Count(graph, "from_channel_blocks"), has ? 1 : 0) << ToString(graph);
  }
}

// What cannot be in blocks is brought out of them; what is logical, too.
TEST(ChannelBlocksTest, WhatNeedsPlainArraysGetsThem) {
  const DlArrays in{
      Draw({6, 6, 32, 2}, "SSCB"), Draw({3, 3, 32, 32}),       Draw({32, 1}),
      Draw({6, 6, 32, 1}, "SSCB"), Draw({6, 1, 1, 2}, "SSCB"), Draw({6, 6, 1, 1}, "SSCB")};
  Checked(
      [](Arrays x) {
        const DlArray h = Convolved(x[0], x[1], x[2]);
        const DlArray positive = h > 0;
        const DlArray flat = Reshape(StripDims(h), {36, 32, 2});
        return DlArrays{Permute(flat, {2, 0, 1}),
                        positive,
                        h + x[3],
                        h * x[4],
                        h - x[5],
                        Sum(h, 0),
                        Sum(h, "B"),
                        Sum(h, "C"),
                        Reshape(h, {64, 36}),
                        Where(positive, x[0], h),
                        ArgMax(h, 2),
                        Flip(h, 0),
                        Double(h) * 2};
      },
      in);
}

// Random numbers have no inputs.
TEST(ChannelBlocksTest, StepsWithoutInputs) {
  const Graph graph = RecordGraph(
      [](Arrays x) {
        const DlArray h = Convolved(x[0], x[1], x[2]);
        return DlArrays{h * RandLike(h)};
      },
      std::vector<ArraySpec>{{DataType::kSingle, {6, 6, 32, 2}, "SSCB"},
                             {DataType::kSingle, {3, 3, 32, 32}, {}},
                             {DataType::kSingle, {32, 1}, {}}});
  const Graph changed = Optimize(graph);
  CheckGraph(changed);
  EXPECT_EQ(Count(changed, "rand"), Count(graph, "rand"));
}

// 8 channels, groups, double: no blocks.
TEST(ChannelBlocksTest, OtherConvolutionsStayAsTheyAre) {
  const auto unchanged = [](const DlArrays& in, const ConvOptions& options) {
    const Graph graph =
        Checked([&](Arrays x) { return DlArrays{Relu(DlConv(x[0], x[1], x[2], options))}; }, in);
    EXPECT_EQ(Count(graph, "conv"), 1);
    EXPECT_EQ(graph.steps().size(), 2u);
  };
  unchanged({Draw({6, 6, 8, 2}, "SSCB"), Draw({3, 3, 8, 8}), Draw({8, 1})}, {.padding = 1});
  unchanged({Draw({6, 6, 32, 2}, "SSCB"), Draw({3, 3, 16, 32}), Draw({32, 1})},
            {.padding = 1, .groups = 2});
  unchanged(
      {Double(Draw({6, 6, 32, 2}, "SSCB")), Double(Draw({3, 3, 32, 32})), Double(Draw({32, 1}))},
      {.padding = 1});
}

}  // namespace
}  // namespace lamina
