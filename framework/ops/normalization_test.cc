#include "framework/ops/normalization.h"

#include <cmath>
#include <string>

#include "framework/autodiff/dlgradient.h"
#include "framework/autodiff/testing/gradient_check.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/testing/recorded_case.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

TEST(NormalizationTest, MatchesPyTorch) {
  EXPECT_TRUE(MatchesRecorded("batchnorm",
                              [](const DlArrays& in) { return BatchNorm(in[0], in[1], in[2]).y; }));
  EXPECT_TRUE(MatchesRecorded("batchnorm_features", [](const DlArrays& in) {
    return BatchNorm(in[0], in[1], in[2], {.epsilon = 1e-3}).y;
  }));
  EXPECT_TRUE(MatchesRecorded("batchnorm_given", [](const DlArrays& in) {
    return BatchNorm(in[0], in[1], in[2], in[3], in[4]);
  }));
  for (const std::string name : {"layernorm_image", "layernorm_sequence"}) {
    EXPECT_TRUE(
        MatchesRecorded(name, [](const DlArrays& in) { return LayerNorm(in[0], in[1], in[2]); }));
  }
  EXPECT_TRUE(MatchesRecorded("layernorm_whole_sequence", [](const DlArrays& in) {
    return LayerNorm(in[0], in[1], in[2], {}, LayerNormDims::kBatchExcluded);
  }));
  EXPECT_TRUE(MatchesRecorded(
      "groupnorm", [](const DlArrays& in) { return GroupNorm(in[0], 3, in[1], in[2]); }));
  EXPECT_TRUE(MatchesRecorded(
      "instancenorm", [](const DlArrays& in) { return InstanceNorm(in[0], in[1], in[2]); }));
}

TEST(NormalizationTest, Statistics) {
  const DlArray x = RandomInput({3, 2, 4, 5}, "SSCB");
  const BatchNormResult r = BatchNorm(x, {}, {});
  EXPECT_TRUE(Near(r.mean, DlArray(Reshape(Mean(x, "SB"), {4}), "C"), 1e-14));
  EXPECT_TRUE(Near(r.variance, DlArray(Reshape(Variance(x, "SB"), {4}), "C"), 1e-14));
  // Unset scale and offset are 1 and 0; the statistics of x given back give the same.
  const DlArray scale = DlArray::FromVector<double>({1, 1, 1, 1}, {4});
  EXPECT_TRUE(Near(BatchNorm(x, 0.0, scale).y, r.y, 0));
  EXPECT_TRUE(Near(BatchNorm(x, {}, {}, r.mean, r.variance), r.y, 1e-13));
}

TEST(NormalizationTest, FirstAndSecondDerivatives) {
  const DlArrays inputs = {RandomInput({3, 4, 2}, "SCB", -2, 2), RandomInput({4}, "", -1, 1, 2),
                           RandomInput({4}, "C", 0.5, 2, 3)};
  const GradientCheckOptions tolerance{.tolerance = 3e-8};
  EXPECT_TRUE(GradientsAgree(
      [](const DlArrays& in) {
        // The statistics carry derivatives as well as y does.
        const BatchNormResult r = BatchNorm(in[0], in[1], in[2], {.epsilon = 0.1});
        return Sin(r.y) + r.mean * Square(r.variance);
      },
      inputs, tolerance));
  EXPECT_TRUE(GradientsAgree(
      [](const DlArrays& in) {
        return Sin(BatchNorm(in[0], in[1], in[2], in[3], in[4], {.epsilon = 0.1}));
      },
      {inputs[0], inputs[1], inputs[2], RandomInput({4}, "C", -1, 1, 4),
       RandomInput({4}, "C", 1, 2, 5)},
      tolerance));
  EXPECT_TRUE(GradientsAgree(
      [](const DlArrays& in) { return Sin(LayerNorm(in[0], in[1], in[2], {.epsilon = 0.1})); },
      inputs, tolerance));
  EXPECT_TRUE(GradientsAgree(
      [](const DlArrays& in) { return Sin(GroupNorm(in[0], 2, in[1], in[2], {.epsilon = 0.1})); },
      inputs, tolerance));
  EXPECT_TRUE(GradientsAgree(
      [](const DlArrays& in) { return Sin(InstanceNorm(in[0], in[1], in[2], {.epsilon = 0.1})); },
      inputs, tolerance));
  // A statistic alone.
  EXPECT_TRUE(GradientsAgree(
      [](const DlArrays& in) { return Log(BatchNorm(in[0], {}, {}).variance); }, {inputs[0]}));
}

// A large mean costs no digits: the difference to the mean is taken before squares.
TEST(NormalizationTest, LargeMean) {
  const DlArray x = Single(RandomInput({1000, 2}, "BC")), far = Round(x * 64) / 64;
  const DlArray near_y = BatchNorm(far, {}, {}).y, far_y = BatchNorm(far + 4096, {}, {}).y;
  EXPECT_TRUE(Near(far_y, Double(near_y), 1e-3));
}

TEST(NormalizationTest, GroupsOfOneElement) {
  const DlArray x = RandomInput({3}, "C");
  EXPECT_TRUE(Near(BatchNorm(x, 0.5, {}).y, x * 0 + 0.5, 0));
  EXPECT_TRUE(
      Near(InstanceNorm(RandomInput({3, 2}, "CB"), {}, {}), RandomInput({3, 2}, "CB") * 0, 0));
}

TEST(NormalizationTest, GroupsOfChannels) {
  const DlArray x = RandomInput({3, 4, 2, 3}, "SCBT");
  // All channels in one group, and each in its own.
  EXPECT_TRUE(Near(GroupNorm(x, 1, {}, {}), LayerNorm(x, {}, {}, {}, LayerNormDims::kBatchExcluded),
                   1e-13));
  EXPECT_TRUE(Near(GroupNorm(x, 4, {}, {}), InstanceNorm(x, {}, {}), 1e-13));
  const DlArray y = LayerNorm(x, {}, {}, {}, LayerNormDims::kSpatialChannel);
  EXPECT_TRUE(Near(Mean(y, "SC"), Mean(y, "SC") * 0, 1e-13));
}

TEST(NormalizationTest, Formats) {
  const DlArray x = RandomInput({3, 2, 4, 5}, "SSCB"), offset = RandomInput({4}, "", -1, 1, 2);
  const DlArray moved = Permute(StripDims(x), {2, 3, 0, 1});
  const NormOptions plain{.format = "CBSS"};
  const auto back = [](const DlArray& y) { return Permute(StripDims(y), {2, 3, 0, 1}); };
  const BatchNormResult r = BatchNorm(moved, offset, {}, plain);
  EXPECT_TRUE(IsEqual(r.y, back(BatchNorm(x, offset, {}).y)));
  EXPECT_EQ(r.mean.spec(), (ArraySpec{DataType::kDouble, {4}, ""}));
  EXPECT_TRUE(IsEqual(LayerNorm(moved, offset, {}, plain), back(LayerNorm(x, offset, {}))));
  EXPECT_TRUE(IsEqual(GroupNorm(moved, 2, offset, {}, plain), back(GroupNorm(x, 2, offset, {}))));
  EXPECT_TRUE(IsEqual(InstanceNorm(moved, offset, {}, plain), back(InstanceNorm(x, offset, {}))));
  // Parameters as a 1 x 1 x C array; types.
  EXPECT_TRUE(IsEqual(BatchNorm(x, Reshape(offset, {1, 1, 4}), {}).y, BatchNorm(x, offset, {}).y));
  EXPECT_EQ(BatchNorm(Single(x), {}, {}).y.type(), DataType::kSingle);
  EXPECT_EQ(BatchNorm(Cast(x * 9, DataType::kInt32), {}, {}).y.type(), DataType::kSingle);
  // Nothing to normalize is nothing, except for statistics.
  const DlArray empty = RandomInput({4, 0}, "CB");
  EXPECT_EQ(LayerNorm(empty, {}, {}).sizes(), (Sizes{4, 0}));
  EXPECT_EQ(BatchNorm(empty, {}, {}, offset, offset).sizes(), (Sizes{4, 0}));
  EXPECT_TRUE(Throws("ops:EmptyGroup", [&] { BatchNorm(empty, {}, {}); }));
}

TEST(NormalizationTest, Errors) {
  const DlArray x = RandomInput({3, 4, 5}, "SCB");
  using Function = void (*)(const DlArray&, const DlArray&, const NormOptions&);
  const Function all[] = {
      [](const DlArray& x, const DlArray& p, const NormOptions& o) { BatchNorm(x, p, {}, o); },
      [](const DlArray& x, const DlArray& p, const NormOptions& o) {
        BatchNorm(x, {}, {}, p.empty() ? DlArray(0.0) : p, 1.0, o);
      },
      [](const DlArray& x, const DlArray& p, const NormOptions& o) { LayerNorm(x, {}, p, o); },
      [](const DlArray& x, const DlArray& p, const NormOptions& o) { GroupNorm(x, 2, p, {}, o); },
      [](const DlArray& x, const DlArray& p, const NormOptions& o) { InstanceNorm(x, {}, p, o); },
  };
  for (const Function f : all) {
    EXPECT_TRUE(Throws("ops:FormatNeeded", [&] { f(StripDims(x), {}, {}); }));
    EXPECT_TRUE(Throws("dlarray:FormatMismatch", [&] { f(RandomInput({3, 5}, "SB"), {}, {}); }));
    EXPECT_TRUE(Throws("dlarray:SizeMismatch", [&] { f(x, RandomInput({3}), {}); }));
    EXPECT_TRUE(Throws("dlarray:SizeMismatch", [&] { f(x, RandomInput({4}, "B"), {}); }));
    EXPECT_TRUE(Throws("ops:InvalidEpsilon", [&] { f(x, {}, {.epsilon = 0}); }));
    EXPECT_TRUE(Throws("ops:InvalidEpsilon", [&] { f(x, {}, {.epsilon = NAN}); }));
    EXPECT_TRUE(
        Throws("ops:UnsupportedType", [&] { f(Cast(x, DataType::kComplexDouble), {}, {}); }));
    EXPECT_TRUE(Throws("ops:UnsupportedType",
                       [&] { f(x, Cast(RandomInput({4}), DataType::kComplexDouble), {}); }));
  }
  EXPECT_TRUE(Throws("ops:InvalidGroups", [&] { GroupNorm(x, 3, {}, {}); }));
  EXPECT_TRUE(Throws("ops:InvalidGroups", [&] { GroupNorm(x, 0, {}, {}); }));
}

}  // namespace
}  // namespace lamina
