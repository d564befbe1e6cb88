#include "framework/cpu/convolution_winograd.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "framework/cpu/convolution_reference.h"
#include "framework/cpu/instruction_set.h"
#include "framework/cpu/threads.h"

namespace lamina::cpu {
namespace {

constexpr ConvolutionKind kKinds[] = {ConvolutionKind::kForward, ConvolutionKind::kBackwardData,
                                      ConvolutionKind::kBackwardWeights};

ConvolutionShape Make(int64_t batch, int64_t in, int64_t out, int64_t width, int64_t height,
                      std::array<int64_t, 3> begin, std::array<int64_t, 3> end) {
  ConvolutionShape s;
  s.batch = batch;
  s.channels_in = in;
  s.channels_out = out;
  s.input = {width, height, 1};
  s.kernel = {3, 3, 1};
  s.pad_begin = begin;
  s.pad_end = end;
  EXPECT_TRUE(ComputeOutputSize(&s));
  return s;
}

std::string Text(const ConvolutionShape& s) {
  std::string text;
  for (const int64_t v : {s.batch, s.channels_in, s.channels_out, s.input[0], s.input[1],
                          s.pad_begin[0], s.pad_begin[1], s.pad_end[0], s.pad_end[1]}) {
    text += std::to_string(v) + " ";
  }
  return text;
}

// The arrays of a convolution, normal numbers.
struct Arrays {
  explicit Arrays(const ConvolutionShape& shape, unsigned seed = 1) : s(shape), random(seed) {
    const int64_t pixels_in = s.input[0] * s.input[1] * s.batch,
                  pixels_out = s.output[0] * s.output[1] * s.batch;
    for (auto [array, size] :
         {std::pair(&x, pixels_in * s.channels_in),
          std::pair(&w, 9 * s.channels_in * s.channels_out),
          std::pair(&y, pixels_out * s.channels_out), std::pair(&bias, s.channels_out)}) {
      array->resize(static_cast<size_t>(size));
      for (float& v : *array) v = normal(random);
    }
  }
  const std::vector<float>& ResultOf(ConvolutionKind kind) {
    return kind == ConvolutionKind::kForward ? y : kind == ConvolutionKind::kBackwardData ? x : w;
  }
  // The result of a kind, all of it overwritten.
  std::vector<float> Compute(ConvolutionKind kind, bool with_bias) {
    Arrays copy = *this;
    std::vector<float>& result = const_cast<std::vector<float>&>(copy.ResultOf(kind));
    std::fill(result.begin(), result.end(), std::numeric_limits<float>::quiet_NaN());
    WinogradConvolution(kind, s, copy.x.data(), copy.w.data(),
                        with_bias ? copy.bias.data() : nullptr, copy.y.data());
    return result;
  }

  ConvolutionShape s;
  std::mt19937 random;
  std::normal_distribution<float> normal;
  std::vector<float> x, w, y, bias;
};

struct Sums {
  std::vector<double> value, size;
};

// In double, by the formula.
Sums SumsOf(ConvolutionKind kind, Arrays& a, bool with_bias) {
  const size_t n = a.ResultOf(kind).size();
  Sums sums{std::vector<double>(n, 0), std::vector<double>(n, 0)};
  const auto add = [&](size_t i, double v) {
    sums.value[i] += v;
    sums.size[i] += std::abs(v);
  };
  if (with_bias) {
    const auto plane = static_cast<size_t>(a.s.output[0] * a.s.output[1]);
    for (size_t i = 0; i < n; ++i) add(i, a.bias[i / plane % a.bias.size()]);
  }
  reference::ForEachTerm(a.s, [&](int64_t ix, int64_t iw, int64_t iy) {
    const auto i = static_cast<size_t>(ix), j = static_cast<size_t>(iw),
               o = static_cast<size_t>(iy);
    if (kind == ConvolutionKind::kForward) add(o, double{a.x[i]} * a.w[j]);
    if (kind == ConvolutionKind::kBackwardData) add(i, double{a.y[o]} * a.w[j]);
    if (kind == ConvolutionKind::kBackwardWeights) add(j, double{a.y[o]} * a.x[i]);
  });
  return sums;
}

// The largest error in units of u of the largest sum of the tile, or of the filter.
double ErrorInU(ConvolutionKind kind, const ConvolutionShape& s, const std::vector<float>& got,
                const Sums& want) {
  const bool filters = kind == ConvolutionKind::kBackwardWeights;
  const std::array<int64_t, 3> size = filters                             ? s.kernel
                                      : kind == ConvolutionKind::kForward ? s.output
                                                                          : s.input;
  const auto width = static_cast<size_t>(size[0]), height = static_cast<size_t>(size[1]);
  const size_t tile = filters ? 3 : 4;
  double worst = 0;
  for (size_t plane = 0; plane < got.size(); plane += width * height) {
    for (size_t top = 0; top < height; top += tile) {
      for (size_t left = 0; left < width; left += tile) {
        double error = 0, largest = 0;
        for (size_t r = top; r < std::min(top + tile, height); ++r) {
          for (size_t c = left; c < std::min(left + tile, width); ++c) {
            const size_t i = plane + r * width + c;
            // Not a number is the greatest error.
            const double e = std::abs(got[i] - want.value[i]);
            error = e <= error ? error : e;
            largest = std::max(largest, want.size[i]);
          }
        }
        const double in_u = error / largest * 0x1p24;
        worst = in_u <= worst ? worst : in_u;
      }
    }
  }
  return worst;
}

class ConvolutionWinogradTest : public testing::Test {
 protected:
  void SetUp() override {
    if (CurrentInstructionSet() == InstructionSet::kV2) GTEST_SKIP() << "needs AVX2";
  }
};

TEST_F(ConvolutionWinogradTest, AgreesWithTheFormula) {
  std::mt19937 random(7);
  const auto from = [&](int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random);
  };
  double worst = 0;
  for (int i = 0; i < 40; ++i) {
    const ConvolutionShape s =
        Make(from(1, 5), from(1, 40), from(1, 40), from(1, 30) + 2, from(1, 15) + 2,
             {from(0, 2), from(0, 2), 0}, {from(0, 2), from(0, 2), 0});
    Arrays arrays(s, static_cast<unsigned>(i));
    for (const ConvolutionKind kind : kKinds) {
      const bool with_bias = kind == ConvolutionKind::kForward && i % 2 == 0;
      const double error =
          ErrorInU(kind, s, arrays.Compute(kind, with_bias), SumsOf(kind, arrays, with_bias));
      EXPECT_LT(error, 24) << Text(s) << "kind " << static_cast<int>(kind);
      worst = std::max(worst, error);
    }
  }
  std::printf("largest error: %.1f u of the largest sum of a tile\n", worst);
}

TEST_F(ConvolutionWinogradTest, HasTheErrorThatIsSaid) {
  const ConvolutionShape s = Make(2, 64, 64, 24, 22, {1, 1, 0}, {1, 1, 0});
  Arrays arrays(s);
  for (const ConvolutionKind kind : kKinds) {
    const double error =
        ErrorInU(kind, s, arrays.Compute(kind, false), SumsOf(kind, arrays, false));
    EXPECT_LT(error, 12) << "kind " << static_cast<int>(kind);
    std::printf("kind %d: %.1f u\n", static_cast<int>(kind), error);
  }
}

TEST_F(ConvolutionWinogradTest, ThreadsDoNotChangeImages) {
  const ConvolutionShape s = Make(5, 17, 19, 21, 13, {1, 1, 0}, {1, 1, 0});
  Arrays arrays(s);
  const int before = NumThreads();
  for (const ConvolutionKind kind : kKinds) {
    SetNumThreads(1);
    const std::vector<float> one = arrays.Compute(kind, false);
    SetNumThreads(3);
    const std::vector<float> three = arrays.Compute(kind, false);
    if (kind != ConvolutionKind::kBackwardWeights) {
      EXPECT_EQ(one, three);
    } else {
      EXPECT_LT(ErrorInU(kind, s, three, SumsOf(kind, arrays, false)), 9);
      EXPECT_EQ(three, arrays.Compute(kind, false));  // As many threads: the same bits.
    }
  }
  SetNumThreads(before);
}

// NaN reaches the 4 x 4 outputs of each tile that sees it, of its image alone.
TEST_F(ConvolutionWinogradTest, KeepsNanInItsTiles) {
  const ConvolutionShape s = Make(3, 16, 8, 16, 16, {1, 1, 0}, {1, 1, 0});
  Arrays arrays(s);
  const size_t plane = 256, of_image = 16 * plane;
  arrays.x[of_image + 2 * plane + 5 * 16 + 6] = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> y = arrays.Compute(ConvolutionKind::kForward, false);
  for (size_t i = 0; i < y.size(); ++i) {
    const size_t image = i / (8 * plane), row = i / 16 % 16, column = i % 16;
    EXPECT_EQ(std::isnan(y[i]), image == 1 && row / 4 == 1 && column / 4 == 1) << i;
  }
}

TEST_F(ConvolutionWinogradTest, IsForWhatItIsMadeFor) {
  const ConvolutionShape good = Make(4, 32, 32, 28, 28, {1, 1, 0}, {1, 1, 0});
  const auto pays = [](ConvolutionShape s, auto change) {
    change(s);
    EXPECT_TRUE(ComputeOutputSize(&s));
    return WinogradPays(ConvolutionKind::kForward, s);
  };
  EXPECT_TRUE(pays(good, [](auto&) {}));
  EXPECT_FALSE(pays(good, [](auto& s) { s.stride[0] = 2; }));
  EXPECT_FALSE(pays(good, [](auto& s) { s.dilation[1] = 2; }));
  EXPECT_FALSE(pays(good, [](auto& s) { s.kernel[1] = 5; }));
  EXPECT_FALSE(pays(good, [](auto& s) { s.pad_end[1] = 3; }));
  EXPECT_FALSE(pays(good, [](auto& s) { s.groups = 2; }));
  EXPECT_FALSE(pays(good, [](auto& s) { s.spatial_rank = 1; }));
  EXPECT_FALSE(pays(good, [](auto& s) { s.batch = 1; }));
  EXPECT_FALSE(pays(good, [](auto& s) { s.channels_in = 8; }));
}

}  // namespace
}  // namespace lamina::cpu
