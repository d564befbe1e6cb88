#include "framework/ops/pooling.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "framework/autodiff/testing/gradient_check.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/testing/recorded_case.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

TEST(PoolingTest, MatchesPyTorch) {
  const auto max = [](const std::string& name, const PoolOptions& options) {
    EXPECT_TRUE(MatchesRecorded(name, [&](const DlArrays& in) { return MaxPool(in[0], options); }));
  };
  max("maxpool1d", {.window = {3}, .stride = {2}, .padding = 1});
  max("maxpool2d", {.window = {2, 3}, .stride = {2, 1}});
  max("maxpool3d", {.window = {2}, .stride = {2}, .padding = 1});
  max("maxpool_time", {.window = {2}, .stride = {2}});
  const PoolOptions options{.window = {3, 2}, .stride = {2, 1}, .padding = 1};
  EXPECT_TRUE(
      MatchesRecorded("avgpool2d", [&](const DlArrays& in) { return AvgPool(in[0], options); }));
  EXPECT_TRUE(MatchesRecorded("avgpool2d_inside",
                              [&](const DlArrays& in) { return AvgPool(in[0], options, false); }));
  EXPECT_TRUE(MatchesRecorded("avgpool3d",
                              [](const DlArrays& in) { return AvgPool(in[0], {.window = {2}}); }));
}

TEST(PoolingTest, FirstAndSecondDerivatives) {
  const PoolOptions options{.window = {2, 3}, .stride = {1, 2}, .padding = 1};
  const DlArray x = RandomInput({4, 5, 2, 2}, "SSCB");
  EXPECT_TRUE(
      GradientsAgree([&](const DlArrays& in) { return Sin(MaxPool(in[0], options)); }, {x}));
  for (const bool count_padding : {false, true}) {
    EXPECT_TRUE(GradientsAgree(
        [&](const DlArrays& in) { return Sin(AvgPool(in[0], options, count_padding)); }, {x}));
  }
  const DlArray sequence = RandomInput({2, 2, 6}, "CBT");
  EXPECT_TRUE(GradientsAgree(
      [](const DlArrays& in) { return Sin(MaxPool(in[0], {.window = {2}})); }, {sequence}));
  EXPECT_TRUE(GradientsAgree(
      [](const DlArrays& in) { return Sin(AvgPool(in[0], {.global = true})); }, {sequence}));
}

TEST(PoolingTest, Indices) {
  // One plane, column-major:  3 1 4
  //                           1 5 9     windows of 2 x 2: 5 (element 3), 9 (element 5).
  const DlArray x = DlArray::FromVector<double>({3, 1, 1, 5, 4, 9}, {2, 3}, "SS");
  const MaxPoolResult r = MaxPoolWithIndices(x, {.window = {2}});
  EXPECT_EQ(r.y.ToVector<double>(), (std::vector<double>{5, 9}));
  EXPECT_EQ(r.indices.ToVector<int64_t>(), (std::vector<int64_t>{3, 5}));
  EXPECT_EQ(r.indices.format(), r.y.format());
  // The first of equal ones; padding is not an element.
  const DlArray flat = DlArray::FromVector<double>({-7, -7, -7}, {3, 1}, "SC");
  EXPECT_EQ(MaxPoolWithIndices(flat, {.window = {3}, .padding = 1}).indices.ToVector<int64_t>(),
            (std::vector<int64_t>{0, 0, 1}));
  EXPECT_EQ(MaxPool(flat, {.window = {3}, .padding = 1}).ToVector<double>(),
            (std::vector<double>{-7, -7, -7}));
}

TEST(PoolingTest, NanIsNotHidden) {
  const DlArray x = DlArray::FromVector<double>({1, NAN, 3, 4}, {4}, "S");
  for (const DlArray& y : {MaxPool(x, {.window = {2}}), AvgPool(x, {.window = {2}})}) {
    EXPECT_TRUE(std::isnan(y.At(0)));
    EXPECT_TRUE(std::isnan(y.At(1)));
    EXPECT_FALSE(std::isnan(y.At(2)));
  }
}

TEST(PoolingTest, Formats) {
  const DlArray x = RandomInput({5, 4, 2, 3}, "SSCB");
  const PoolOptions options{.window = {2}, .stride = {2}};
  const DlArray y = MaxPool(x, options);
  EXPECT_EQ(y.spec(), (ArraySpec{DataType::kDouble, {2, 2, 2, 3}, "SSCB"}));
  PoolOptions plain = options;
  plain.format = "BSSC";
  EXPECT_TRUE(IsEqual(MaxPool(Permute(StripDims(x), {3, 0, 1, 2}), plain),
                      Permute(StripDims(y), {3, 0, 1, 2})));
  // Global: the extremes and means over the moved dims.
  EXPECT_TRUE(IsEqual(MaxPool(x, {.global = true}), MaxOver(x, "S")));
  EXPECT_TRUE(Near(AvgPool(x, {.global = true}), Mean(x, "S"), 1e-15));
  const DlArray sequence = RandomInput({3, 2, 5}, "CBT"), video = RandomInput({4, 2, 3, 5}, "SCBT");
  EXPECT_TRUE(IsEqual(MaxPool(sequence, {.global = true}), MaxOver(sequence, "T")));
  EXPECT_TRUE(IsEqual(MaxPool(video, {.global = true}), MaxOver(video, "S")));
  EXPECT_TRUE(Near(AvgPool(video, {.global = true, .over_time = true}), Mean(video, "ST"), 1e-15));
  EXPECT_EQ(AvgPool(video, {.window = {2, 3}, .over_time = true}).sizes(), (Sizes{3, 2, 3, 3}));
  // "same" keeps ceil(n / stride).
  EXPECT_EQ(MaxPool(x, {.window = {3}, .stride = {2}, .padding = "same"}).sizes(),
            (Sizes{3, 2, 2, 3}));
  EXPECT_EQ(AvgPool(Single(x), options).type(), DataType::kSingle);
  EXPECT_EQ(MaxPool(Cast(x * 9, DataType::kInt32), options).type(), DataType::kSingle);
  EXPECT_EQ(MaxPool(RandomInput({5, 4, 2, 0}, "SSCB"), options).sizes(), (Sizes{2, 2, 2, 0}));
  EXPECT_EQ(AvgPool(RandomInput({1, 1, 1}, "SCB"), {.window = {1}}).sizes(), (Sizes{1, 1, 1}));
}

TEST(PoolingTest, Errors) {
  const DlArray x = RandomInput({5, 4, 2, 3}, "SSCB");
  const auto pool = [](const DlArray& x, const PoolOptions& options) {
    return [=] {
      const auto identifier = [](auto f) -> std::string {
        try {
          f();
        } catch (const Error& e) {
          return e.identifier();
        }
        return "";
      };
      EXPECT_NE(identifier([&] { AvgPool(x, options); }), "");
      MaxPool(x, options);
    };
  };
  EXPECT_TRUE(Throws("ops:FormatNeeded", pool(StripDims(x), {.window = {2}})));
  EXPECT_TRUE(Throws("dlarray:FormatMismatch", pool(RandomInput({5, 4}, "CB"), {.window = {2}})));
  EXPECT_TRUE(Throws("dlarray:FormatMismatch", pool(RandomInput({5, 4}, "SU"), {.window = {2}})));
  EXPECT_TRUE(Throws("ops:InvalidWindow", pool(x, {})));
  EXPECT_TRUE(Throws("ops:InvalidWindow", pool(x, {.window = {0}})));
  EXPECT_TRUE(Throws("ops:InvalidWindow", pool(x, {.window = {2, 2, 2}})));
  EXPECT_TRUE(Throws("ops:InvalidStride", pool(x, {.window = {2}, .stride = {0}})));
  EXPECT_TRUE(Throws("ops:InvalidPadding", pool(x, {.window = {2}, .padding = 2})));
  EXPECT_TRUE(Throws("ops:InvalidPadding", pool(x, {.window = {2}, .padding = -1})));
  EXPECT_TRUE(Throws("ops:InvalidPadding", pool(x, {.window = {2}, .padding = int64_t{1} << 40})));
  EXPECT_TRUE(Throws("ops:WindowTooLarge", pool(x, {.window = {6, 1}})));
  constexpr int kLarge = 1 << 30;
  EXPECT_TRUE(Throws("ops:WindowTooLarge", pool(x, {.window = {kLarge}, .padding = kLarge - 1})));
  EXPECT_TRUE(
      Throws("ops:WindowTooLarge", pool(RandomInput({0, 4, 2, 3}, "SSCB"), {.global = true})));
  EXPECT_TRUE(
      Throws("ops:UnsupportedType", pool(Cast(x, DataType::kComplexDouble), {.window = {2}})));
}

}  // namespace
}  // namespace lamina
