#include "framework/cpu/convolution_winograd.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "framework/cpu/convolution_oracle.h"
#include "framework/cpu/instruction_set.h"
#include "framework/cpu/threads.h"

namespace lamina::cpu {
namespace {

using oracle::Arrays, oracle::RandomArrays, oracle::Same, oracle::Sum, oracle::SumsOf;
using Results = oracle::Results<float>;
using Sums = oracle::Results<Sum>;

constexpr ConvolutionKind kKinds[] = {ConvolutionKind::kForward, ConvolutionKind::kBackwardData,
                                      ConvolutionKind::kBackwardWeights};

std::string Text(const ConvolutionShape& s) {
  std::string text;
  for (const int64_t v : {s.batch, s.channels_in, s.channels_out, s.input[0], s.input[1],
                          s.pad_begin[0], s.pad_begin[1], s.pad_end[0], s.pad_end[1]}) {
    text += std::to_string(v) + " ";
  }
  return text;
}

// By WinogradConvolution, whether it pays or not; without the gradient of the bias.
Results Compute(const ConvolutionShape& s, Arrays a, bool with_bias = false) {
  Results r = a.ResultsFilledWith(std::numeric_limits<float>::quiet_NaN());
  WinogradConvolution(ConvolutionKind::kForward, s, a.x.data(), a.w.data(),
                      with_bias ? a.bias.data() : nullptr, r.y.data());
  WinogradConvolution(ConvolutionKind::kBackwardData, s, r.dx.data(), a.w.data(), nullptr,
                      a.dy.data());
  WinogradConvolution(ConvolutionKind::kBackwardWeights, s, a.x.data(), r.dw.data(), nullptr,
                      a.dy.data());
  return r;
}

Arrays RandomFor(const ConvolutionShape& s, unsigned seed = 1) {
  std::mt19937 random(seed);
  return RandomArrays(s, random);
}

// By the formula.
Sums InDouble(const ConvolutionShape& s, Arrays a, bool with_bias = false) {
  if (!with_bias) std::fill(a.bias.begin(), a.bias.end(), 0.0f);
  return SumsOf(s, a);
}

template <class T>
const std::vector<T>& OfKind(ConvolutionKind kind, const oracle::Results<T>& r) {
  return kind == ConvolutionKind::kForward        ? r.y
         : kind == ConvolutionKind::kBackwardData ? r.dx
                                                  : r.dw;
}

// The largest error in units of u of the largest sum of the tile, or of the filter.
double ErrorInU(ConvolutionKind kind, const ConvolutionShape& s, const Results& all_got,
                const Sums& all_want) {
  const std::vector<float>& got = OfKind(kind, all_got);
  const std::vector<Sum>& want = OfKind(kind, all_want);
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
            const double e = std::abs(got[i] - want[i].value);
            error = e <= error ? error : e;
            largest = std::max(largest, want[i].size);
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
        oracle::Make(2, from(1, 5), from(1, 40), from(1, 40), {from(1, 30) + 2, from(1, 15) + 2, 1},
                     {3, 3, 1}, {from(0, 2), from(0, 2), 0}, {from(0, 2), from(0, 2), 0});
    const Arrays arrays = RandomFor(s, static_cast<unsigned>(i));
    const bool with_bias = i % 2 == 0;
    const Results got = Compute(s, arrays, with_bias);
    const Sums want = InDouble(s, arrays, with_bias);
    for (const ConvolutionKind kind : kKinds) {
      const double error = ErrorInU(kind, s, got, want);
      EXPECT_LT(error, 24) << Text(s) << "kind " << static_cast<int>(kind);
      worst = std::max(worst, error);
    }
  }
  std::printf("largest error: %.1f u of the largest sum of a tile\n", worst);
}

TEST_F(ConvolutionWinogradTest, HasTheErrorThatIsSaid) {
  const ConvolutionShape s = Same(2, 64, 64, 24, 22);
  const Arrays arrays = RandomFor(s);
  const Results got = Compute(s, arrays);
  const Sums want = InDouble(s, arrays);
  for (const ConvolutionKind kind : kKinds) {
    const double error = ErrorInU(kind, s, got, want);
    EXPECT_LT(error, 12) << "kind " << static_cast<int>(kind);
    std::printf("kind %d: %.1f u\n", static_cast<int>(kind), error);
  }
}

TEST_F(ConvolutionWinogradTest, ThreadsDoNotChangeImages) {
  const ConvolutionShape s = Same(5, 17, 19, 21, 13);
  const Arrays arrays = RandomFor(s);
  const int before = NumThreads();
  SetNumThreads(1);
  const Results one = Compute(s, arrays);
  SetNumThreads(3);
  const Results three = Compute(s, arrays);
  EXPECT_EQ(one.y, three.y);
  EXPECT_EQ(one.dx, three.dx);
  EXPECT_LT(ErrorInU(ConvolutionKind::kBackwardWeights, s, three, InDouble(s, arrays)), 9);
  EXPECT_EQ(three.dw, Compute(s, arrays).dw);  // As many threads: the same bits.
  SetNumThreads(before);
}

// NaN reaches the 4 x 4 outputs of each tile that sees it, of its image alone.
TEST_F(ConvolutionWinogradTest, KeepsNanInItsTiles) {
  const ConvolutionShape s = Same(3, 16, 8, 16, 16);
  Arrays arrays = RandomFor(s);
  const size_t plane = 256, of_image = 16 * plane;
  arrays.x[of_image + 2 * plane + 5 * 16 + 6] = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> y = Compute(s, arrays).y;
  for (size_t i = 0; i < y.size(); ++i) {
    const size_t image = i / (8 * plane), row = i / 16 % 16, column = i % 16;
    EXPECT_EQ(std::isnan(y[i]), image == 1 && row / 4 == 1 && column / 4 == 1) << i;
  }
}

TEST_F(ConvolutionWinogradTest, IsForWhatItIsMadeFor) {
  const ConvolutionShape good = Same(4, 32, 32, 28, 28);
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
