#include "framework/ops/convolution.h"

#include <array>
#include <complex>
#include <string>
#include <vector>

#include "framework/autodiff/dlgradient.h"
#include "framework/autodiff/testing/gradient_check.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/testing/recorded_case.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

DlArray Conv(const DlArrays& in, const ConvOptions& options = {}) {
  return DlConv(in[0], in[1], in.size() > 2 ? in[2] : DlArray(), options);
}

TEST(ConvolutionTest, MatchesPyTorch) {
  const auto check = [](const std::string& name, const ConvOptions& options) {
    EXPECT_TRUE(MatchesRecorded(name, [&](const DlArrays& in) { return Conv(in, options); }));
  };
  check("conv1d", {.stride = {2}, .padding = 1});
  check("conv1d_time_causal", {.dilation = {2}, .padding = "causal"});
  check("conv2d", {});
  check("conv2d_all", {.stride = {2, 3},
                       .dilation = {1, 2},
                       .padding = Padding::BeginEnd({0, 2}, {3, 1}),
                       .groups = 3});
  check("conv2d_depthwise", {.padding = {1, 1}, .groups = 4});
  check("conv2d_same", {.dilation = {2, 1}, .padding = "same"});
  check("conv3d", {.stride = {1, 2, 1}, .padding = {0, 1, 1}});
}

TEST(ConvolutionTest, TransposedMatchesPyTorch) {
  EXPECT_TRUE(MatchesRecorded("transpconv2d", [](const DlArrays& in) {
    return DlTranspConv(in[0], in[1], in[2], {.stride = {2, 3}});
  }));
  EXPECT_TRUE(MatchesRecorded("transpconv1d_all", [](const DlArrays& in) {
    return DlTranspConv(in[0], in[1], in[2],
                        {.stride = {2}, .dilation = {2}, .cropping = 1, .groups = 2});
  }));
}

// The definition, element by element, in double. Sizes are given for three moved dims.
struct Slow {
  std::array<int64_t, 3> input, filter, stride, dilation, begin, output;
  int64_t channels, filters, groups, batch;

  std::vector<double> operator()(const std::vector<double>& x, const std::vector<double>& w,
                                 const std::vector<double>& bias) const {
    const int64_t per_group = channels / groups;
    const auto at = [](const std::array<int64_t, 3>& sizes, int64_t i, int64_t j, int64_t k) {
      return i + sizes[0] * (j + sizes[1] * k);
    };
    const int64_t in = input[0] * input[1] * input[2], out = output[0] * output[1] * output[2],
                  taps = filter[0] * filter[1] * filter[2];
    std::vector<double> y(static_cast<size_t>(out * filters * batch));
    for (int64_t b = 0; b < batch; ++b) {
      for (int64_t k = 0; k < filters; ++k) {
        const int64_t first = k / (filters / groups) * per_group;
        for (int64_t o = 0; o < out; ++o) {
          const std::array<int64_t, 3> place = {o % output[0], o / output[0] % output[1],
                                                o / output[0] / output[1]};
          double sum = bias[k];
          for (int64_t c = 0; c < per_group; ++c) {
            for (int64_t s = 0; s < taps; ++s) {
              const std::array<int64_t, 3> tap = {s % filter[0], s / filter[0] % filter[1],
                                                  s / filter[0] / filter[1]};
              std::array<int64_t, 3> from;
              bool inside = true;
              for (int d = 0; d < 3; ++d) {
                from[d] = place[d] * stride[d] - begin[d] + tap[d] * dilation[d];
                inside = inside && from[d] >= 0 && from[d] < input[d];
              }
              if (!inside) continue;
              sum += w[s + taps * (c + per_group * k)] *
                     x[at(input, from[0], from[1], from[2]) + in * (first + c + channels * b)];
            }
          }
          y[o + out * (k + filters * b)] = sum;
        }
      }
    }
    return y;
  }
};

// Random shapes along one to three dims, with odd sizes and sizes of 1, against the definition.
TEST(ConvolutionTest, MatchesTheDefinition) {
  uint64_t state = 7;
  const auto pick = [&state](int64_t low, int64_t high) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return low + static_cast<int64_t>((state >> 33) % static_cast<uint64_t>(high - low + 1));
  };
  for (int round = 0; round < 150; ++round) {
    const int rank = static_cast<int>(pick(1, 3));
    Slow slow;
    slow.groups = pick(1, 3);
    slow.channels = slow.groups * pick(1, 3);
    slow.filters = slow.groups * pick(1, 4);
    slow.batch = pick(0, 3);
    Sizes x_sizes, w_sizes, stride, dilation, begin, end, y_sizes;
    for (int d = 0; d < 3; ++d) {
      const bool moved = d < rank;
      slow.filter[d] = moved ? pick(1, 3) : 1;
      slow.stride[d] = moved ? pick(1, 3) : 1;
      slow.dilation[d] = moved ? pick(1, 2) : 1;
      slow.begin[d] = moved ? pick(0, 2) : 0;
      const int64_t after = moved ? pick(0, 2) : 0;
      const int64_t extent = (slow.filter[d] - 1) * slow.dilation[d] + 1;
      slow.input[d] = moved ? std::max<int64_t>(extent - slow.begin[d] - after, 1) + pick(0, 4) : 1;
      slow.output[d] = (slow.input[d] + slow.begin[d] + after - extent) / slow.stride[d] + 1;
      if (!moved) continue;
      x_sizes.push_back(slow.input[d]);
      w_sizes.push_back(slow.filter[d]);
      stride.push_back(slow.stride[d]);
      dilation.push_back(slow.dilation[d]);
      begin.push_back(slow.begin[d]);
      end.push_back(after);
      y_sizes.push_back(slow.output[d]);
    }
    for (const int64_t n : {slow.channels, slow.batch}) x_sizes.push_back(n);
    for (const int64_t n : {slow.channels / slow.groups, slow.filters}) w_sizes.push_back(n);
    for (const int64_t n : {slow.filters, slow.batch}) y_sizes.push_back(n);
    const std::string format = std::string(rank, 'S') + "CB";
    const DlArray x = RandomInput(x_sizes, format, -1, 1, round);
    const DlArray w = RandomInput(w_sizes, "", -1, 1, round + 1000);
    const DlArray bias = RandomInput({slow.filters}, "", -1, 1, round + 2000);
    const DlArray expected = DlArray::FromVector<double>(
        slow(x.ToVector<double>(), w.ToVector<double>(), bias.ToVector<double>()), y_sizes, format);
    const ConvOptions options{.stride = stride,
                              .dilation = dilation,
                              .padding = Padding::BeginEnd(begin, end),
                              .groups = slow.groups};
    SCOPED_TRACE("x " + ToString(x_sizes) + ", weights " + ToString(w_sizes) + ", stride " +
                 ToString(stride) + ", dilation " + ToString(dilation) + ", padding " +
                 ToString(begin) + " and " + ToString(end));
    EXPECT_TRUE(Near(DlConv(x, w, bias, options), expected, 1e-13));
    EXPECT_TRUE(Near(DlConv(Single(x), Single(w), Single(bias), options), expected, 3e-6));
    // The groups as a dim of the weights.
    Sizes grouped = w_sizes;
    grouped.back() /= slow.groups;
    grouped.push_back(slow.groups);
    ConvOptions untold = options;
    untold.groups = 1;
    EXPECT_TRUE(Near(DlConv(x, Reshape(w, grouped), bias, untold), expected, 1e-13));
  }
}

TEST(ConvolutionTest, FirstAndSecondDerivatives) {
  const auto check = [](const ConvOptions& options, const DlArrays& inputs) {
    EXPECT_TRUE(GradientsAgree([&](const DlArrays& in) { return Sin(Conv(in, options)); }, inputs));
  };
  check({.stride = {2}, .padding = 1},
        {RandomInput({5, 2, 2}, "SCB"), RandomInput({3, 2, 3}, "", -1, 1, 2),
         RandomInput({3}, "", -1, 1, 3)});
  check({.stride = {1, 2}, .dilation = {2, 1}, .padding = Padding::BeginEnd({1, 0}, {0, 2})},
        {RandomInput({4, 3, 4, 2}, "SSCB"), RandomInput({2, 2, 2, 2, 2}, "", -1, 1, 2),
         RandomInput({1}, "", -1, 1, 3)});
  check({}, {RandomInput({3, 2, 2, 1, 2}, "SSSCB"), RandomInput({2, 1, 2, 1, 2}, "", -1, 1, 2)});
  check({.padding = "causal"}, {RandomInput({2, 2, 4}, "CBT"), RandomInput({2, 2, 3}, "", -1, 1, 2),
                                RandomInput({3, 1}, "CU", -1, 1, 3)});
  EXPECT_TRUE(GradientsAgree(
      [](const DlArrays& in) {
        return Sin(DlTranspConv(in[0], in[1], in[2], {.stride = {2, 1}, .cropping = {1, 0}}));
      },
      {RandomInput({3, 2, 2, 2}, "SSCB"), RandomInput({3, 2, 3, 2}, "", -1, 1, 2),
       RandomInput({3}, "", -1, 1, 3)}));
}

TEST(ConvolutionTest, ComplexDerivatives) {
  const DataType c = DataType::kComplexDouble;
  EXPECT_TRUE(
      GradientsAgree([](const DlArrays& in) { return Square(Conv(in, {.padding = 1})); },
                     {RandomInput({3, 1, 2}, "SCB", -1, 1, 1, c),
                      RandomInput({2, 1, 2}, "", -1, 1, 2, c), RandomInput({2}, "", -1, 1, 3, c)}));
  // Complex data, real weights.
  EXPECT_TRUE(GradientsAgree(
      [](const DlArrays& in) { return Square(Conv(in)); },
      {RandomInput({3, 1, 2}, "SCB", -1, 1, 1, c), RandomInput({2, 1, 2}, "", -1, 1, 2)}));
}

// <DlConv(x, w), y> = <x, DlTranspConv(y, w)>: the transposed convolution is the transpose.
TEST(ConvolutionTest, TransposeOfConvolution) {
  const DlArray x = RandomInput({7, 5, 4, 2}, "SSCB"), w = RandomInput({3, 2, 4, 3}, "", -1, 1, 2);
  const DlArray y = DlConv(x, w, {}, {.stride = {2, 1}, .padding = {1, 0}});
  const DlArray d = RandomInput(y.sizes(), "SSCB", -1, 1, 3);
  const DlArray back = DlTranspConv(d, w, {}, {.stride = {2, 1}, .cropping = {1, 0}});
  ASSERT_EQ(back.spec(), x.spec());
  EXPECT_NEAR(Sum(y * d).Scalar(), Sum(x * back).Scalar(), 1e-12);
}

TEST(ConvolutionTest, SameSizes) {
  for (int64_t n = 1; n <= 7; ++n) {
    for (int64_t k = 1; k <= 5; ++k) {
      for (int64_t s = 1; s <= 3; ++s) {
        const DlArray x = RandomInput({n, 1, 1}, "SCB"), w = RandomInput({k, 1, 1});
        EXPECT_EQ(DlConv(x, w, {}, {.stride = {s}, .padding = "same"}).size(0), (n + s - 1) / s);
        EXPECT_EQ(DlTranspConv(x, w, {}, {.stride = {s}, .cropping = "same"}).size(0), n * s)
            << n << " " << k << " " << s;
      }
    }
  }
  // An odd element goes to the end: y(i) = x(i) + 10 x(i + 1).
  const DlArray x = DlArray::FromVector<double>({1, 2, 3}, {3, 1}, "SC");
  const DlArray w = DlArray::FromVector<double>({1, 10}, {2});
  EXPECT_EQ(DlConv(x, w, {}, {.padding = "same"}).ToVector<double>(),
            (std::vector<double>{21, 32, 3}));
  // Causal: y(i) = x(i - 1) + 10 x(i).
  const DlArray causal = DlConv(x, w, {}, {.padding = "causal"});
  EXPECT_EQ(causal.ToVector<double>(), (std::vector<double>{10, 21, 32}));
}

TEST(ConvolutionTest, Formats) {
  const DlArray x = RandomInput({5, 4, 2, 3}, "SSCB"), w = RandomInput({3, 2, 2, 4}, "", -1, 1, 2);
  const DlArray y = DlConv(x, w, {});
  EXPECT_EQ(y.spec(), (ArraySpec{DataType::kDouble, {3, 3, 4, 3}, "SSCB"}));
  // Unlabelled, in another order: so is the result.
  const DlArray plain = DlConv(Permute(StripDims(x), {3, 0, 1, 2}), w, {}, {.format = "BSSC"});
  EXPECT_TRUE(IsEqual(plain, Permute(StripDims(y), {3, 0, 1, 2})));
  // T counts as batch.
  const DlArray video = RandomInput({5, 4, 2, 3, 2}, "SSCBT");
  const DlArray z = DlConv(video, w, {});
  EXPECT_EQ(z.spec(), (ArraySpec{DataType::kDouble, {3, 3, 4, 3, 2}, "SSCBT"}));
  const DlArray second = DlArray(Reshape(Slice(video, 'T', 1, 1), {5, 4, 2, 3}), "SSCB");
  EXPECT_TRUE(Near(DlArray(Reshape(Slice(z, 'T', 1, 1), {3, 3, 4, 3}), "SSCB"),
                   DlConv(second, w, {}), 1e-14));
  // Along S and T.
  const DlArray strip = RandomInput({5, 2, 3, 4}, "SCBT");
  const DlArray along = DlConv(strip, w, {}, {.over_time = true});
  EXPECT_EQ(along.spec(), (ArraySpec{DataType::kDouble, {3, 4, 3, 3}, "SCBT"}));
  const DlArray as_image(Permute(StripDims(strip), {0, 3, 1, 2}), "SSCB");
  EXPECT_TRUE(IsEqual(Permute(StripDims(along), {0, 3, 1, 2}), StripDims(DlConv(as_image, w, {}))));
  // Without B, without C.
  EXPECT_EQ(DlConv(RandomInput({5, 4, 2}, "SSC"), w, {}).format(), Format("SSC"));
  const DlArray one = RandomInput({3, 2, 1, 4}, "", -1, 1, 2);
  EXPECT_EQ(DlConv(RandomInput({5, 4, 3}, "SSB"), one, {}).spec(),
            (ArraySpec{DataType::kDouble, {3, 3, 4, 3}, "SSCB"}));
  EXPECT_EQ(DlTranspConv(RandomInput({5, 4, 3}, "SSB"), RandomInput({2, 2, 4, 1}), {}).spec(),
            (ArraySpec{DataType::kDouble, {6, 5, 4, 3}, "SSCB"}));
  // Labelled weights; weights whose last sizes of 1 were dropped; a bias for all.
  EXPECT_TRUE(IsEqual(DlConv(x, DlArray(w, "SSCU"), {}), y));
  const DlArray single_filter = RandomInput({3, 2, 2});
  EXPECT_EQ(DlConv(x, single_filter, {}).size(2), 1);
  EXPECT_TRUE(Near(DlConv(x, w, 2.0), y + 2, 1e-14));
  // Types: single wins over double, integers count as single.
  EXPECT_EQ(DlConv(x, Single(w), {}).type(), DataType::kSingle);
  EXPECT_EQ(DlConv(Cast(x * 9, DataType::kInt32), w, {}).type(), DataType::kDouble);
  // An empty batch.
  EXPECT_EQ(DlConv(RandomInput({5, 4, 2, 0}, "SSCB"), w, {}).sizes(), (Sizes{3, 3, 4, 0}));
}

TEST(ConvolutionTest, Errors) {
  const DlArray x = RandomInput({5, 4, 2, 3}, "SSCB"), w = RandomInput({3, 2, 2, 4});
  const auto conv = [](const DlArray& x, const DlArray& w, const ConvOptions& options = {},
                       const DlArray& bias = {}) { return [=] { DlConv(x, w, bias, options); }; };
  EXPECT_TRUE(Throws("ops:FormatNeeded", conv(StripDims(x), w)));
  EXPECT_TRUE(Throws("dlarray:FormatMismatch", conv(x, w, {.format = "SCBT"})));
  EXPECT_TRUE(Throws("dlarray:FormatMismatch", conv(RandomInput({5, 4}, "CB"), w)));
  EXPECT_TRUE(Throws("dlarray:FormatMismatch", conv(RandomInput({5, 2, 4}, "SCU"), w)));
  EXPECT_TRUE(Throws("dlarray:FormatMismatch", conv(RandomInput({1, 1, 1, 1, 2}, "SSSSC"), w)));
  EXPECT_TRUE(Throws("dlarray:FormatMismatch", conv(x, DlArray(w, "SSCB"))));
  EXPECT_TRUE(Throws("dlarray:SizeMismatch", conv(x, RandomInput({3, 2, 3, 4}))));
  EXPECT_TRUE(Throws("dlarray:SizeMismatch", conv(x, RandomInput({3, 2, 2, 2, 2, 2}))));
  EXPECT_TRUE(Throws("dlarray:SizeMismatch", conv(x, w, {}, RandomInput({3}))));
  EXPECT_TRUE(Throws("ops:InvalidGroups", conv(x, w, {.groups = 3})));
  EXPECT_TRUE(Throws("ops:InvalidGroups", conv(x, w, {.groups = 0})));
  EXPECT_TRUE(Throws("ops:InvalidGroups", conv(x, RandomInput({3, 2, 1, 2, 2}), {.groups = 4})));
  EXPECT_TRUE(Throws("ops:InvalidStride", conv(x, w, {.stride = {0}})));
  EXPECT_TRUE(Throws("ops:InvalidStride", conv(x, w, {.stride = {1, 1, 1}})));
  EXPECT_TRUE(Throws("ops:InvalidStride", conv(x, w, {.stride = {}})));
  EXPECT_TRUE(Throws("ops:InvalidDilation", conv(x, w, {.dilation = {1, -1}})));
  EXPECT_TRUE(Throws("ops:InvalidDilation", conv(x, w, {.dilation = {int64_t{1} << 60}})));
  EXPECT_TRUE(Throws("ops:InvalidPadding", conv(x, w, {.padding = -1})));
  EXPECT_TRUE(Throws("ops:InvalidPadding", conv(x, w, {.padding = int64_t{1} << 40})));
  EXPECT_TRUE(Throws("ops:InvalidPadding", conv(x, w, {.padding = ~size_t{0}})));
  EXPECT_TRUE(Throws("ops:InvalidPadding", conv(x, w, {.padding = {1, 1, 1}})));
  EXPECT_TRUE(Throws("ops:InvalidPadding", conv(x, w, {.padding = "causal"})));
  EXPECT_TRUE(Throws("ops:InvalidPadding", [] { Padding("full"); }));
  EXPECT_TRUE(Throws("ops:WindowTooLarge", conv(x, RandomInput({6, 2, 2, 4}))));
  EXPECT_TRUE(Throws("ops:WindowTooLarge", conv(x, w, {.dilation = {3}})));
  EXPECT_TRUE(Throws("ops:WindowTooLarge", conv(x, RandomInput({0, 2, 2, 4}))));
  EXPECT_TRUE(Throws("ops:WindowTooLarge", conv(x, RandomInput({3, 2, 2, 0}))));
  EXPECT_TRUE(
      Throws("ops:WindowTooLarge", conv(RandomInput({0, 4, 2, 3}, "SSCB"), w, {.padding = 3})));

  const auto transposed = [&](const DlArray& w, const TranspConvOptions& options) {
    return [=] { DlTranspConv(x, w, {}, options); };
  };
  const DlArray v = RandomInput({3, 2, 4, 2});
  EXPECT_TRUE(Throws("dlarray:SizeMismatch", transposed(w, {})));
  EXPECT_TRUE(Throws("ops:InvalidGroups", transposed(v, {.groups = 3})));
  EXPECT_TRUE(Throws("ops:InvalidPadding", transposed(v, {.cropping = {4, 0}})));
  EXPECT_TRUE(Throws("ops:InvalidPadding", transposed(v, {.cropping = "causal"})));
  EXPECT_TRUE(Throws("ops:InvalidStride", transposed(v, {.stride = {0}})));
  EXPECT_TRUE(Throws("ops:FormatNeeded", [&] { DlTranspConv(StripDims(x), v, {}); }));
}

}  // namespace
}  // namespace lamina
