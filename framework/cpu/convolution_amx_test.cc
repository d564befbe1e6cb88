#include "framework/cpu/convolution_amx.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "framework/cpu/amx.h"
#include "framework/cpu/convolution.h"
#include "framework/cpu/convolution_oracle.h"
#include "framework/cpu/threads.h"

namespace lamina::cpu {
namespace {

using oracle::Arrays, oracle::kU, oracle::Make, oracle::RandomArrays, oracle::Same, oracle::Sum,
    oracle::SumsOf, oracle::Volume;
using Results = oracle::Results<float>;
using Sums = oracle::Results<Sum>;

constexpr float kInf = std::numeric_limits<float>::infinity();

// Convolutions that AmxConvolutionPays accepts; elsewhere, and with LAMINA_CPU=v4, these tests are
// skipped but for the last one, and convolution_test tells what is to be.
class ConvolutionAmxTest : public testing::Test {
 protected:
  Arrays RandomFor(const ConvolutionShape& s, int spread = 0) {
    return RandomArrays(s, random_, spread);
  }
  static Results Compute(const ConvolutionShape& s, const Arrays& a) {
    Results r = a.ResultsFilledWith(std::nanf(""));
    const auto type = DataType::kSingle;
    ConvolutionForward(type, s, a.x.data(), a.w.data(), a.bias.data(), r.y.data());
    ConvolutionBackwardData(type, s, a.dy.data(), a.w.data(), r.dx.data());
    ConvolutionBackwardWeights(type, s, a.x.data(), a.dy.data(), r.dw.data(), r.db.data());
    return r;
  }
  // The largest error in parts of the own sum.
  static double Error(const std::vector<float>& got, const std::vector<Sum>& want) {
    double error = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      const double e = std::abs(got[i] - want[i].value);
      if (!(e <= 0)) error = std::max(error, std::isnan(e) ? kInf : e / want[i].size);
    }
    return error;
  }
  // The bound of convolution_amx.h and one rounding for the bias, or eight for groups of images.
  static double Bound(double k) { return (530 + 3 * k + 8) * kU; }
  static double Blocks(int64_t taps, int64_t channels) {
    return static_cast<double>(taps * ((channels + 31) / 32));
  }
  static void ExpectWithinBounds(const ConvolutionShape& s, const Results& got, const Sums& want) {
    EXPECT_LE(Error(got.y, want.y), Bound(Blocks(Volume(s.kernel), s.channels_in)));
    EXPECT_LE(Error(got.dx, want.dx), Bound(Blocks(Volume(s.kernel), s.channels_out)));
    // Rows of images have their padding with them.
    const auto pixels = static_cast<double>(
        s.batch * (s.output[0] + s.kernel[0] * s.dilation[0]) * (s.output[1] + 1) + 32 * s.batch);
    EXPECT_LE(Error(got.dw, want.dw), Bound(pixels / 32));
    EXPECT_LE(Error(got.db, want.db), static_cast<double>(s.batch * Volume(s.output)) * kU);
  }
  static bool Pays(const ConvolutionShape& s) {
    return AmxConvolutionPays(ConvolutionKind::kForward, s) &&
           AmxConvolutionPays(ConvolutionKind::kBackwardData, s) &&
           AmxConvolutionPays(ConvolutionKind::kBackwardWeights, s);
  }
  std::mt19937 random_{9};
};

#define SKIP_WITHOUT_AMX() \
  if (!HasAmx()) GTEST_SKIP() << "The processor has no AMX, or LAMINA_CPU forbids it."

// Odd sizes, channels that fill no tile, every kind of padding, dilation, one dim, a large filter;
// images in several strips, and several images in one.
std::vector<ConvolutionShape> Shapes() {
  return {
      Same(3, 32, 32, 14, 14),
      Same(5, 33, 47, 13, 11),
      Same(2, 64, 40, 17, 30),
      Same(11, 48, 32, 7, 7),
      Make(2, 2, 40, 36, {21, 23, 1}, {3, 3, 1}, {0, 2, 0}, {1, 0, 0}),
      Make(2, 3, 32, 64, {19, 16, 1}, {4, 2, 1}, {3, 0, 0}, {2, 1, 0}),
      Make(2, 3, 32, 33, {16, 18, 1}, {3, 3, 1}, {0, 0, 0}, {0, 0, 0}),
      Make(2, 1, 64, 34, {30, 27, 1}, {3, 3, 1}, {4, 2, 0}, {3, 4, 0}, {2, 2, 1}),
      Make(2, 3, 16, 17, {20, 15, 1}, {5, 5, 1}, {2, 2, 0}, {2, 2, 0}),
      Make(2, 2, 256, 257, {18, 15, 1}, {1, 1, 1}, {0, 0, 0}, {0, 0, 0}),
      Make(1, 4, 64, 70, {151, 1, 1}, {6, 1, 1}, {5, 0, 0}, {2, 0, 0}),
      Make(2, 1, 32, 32, {1, 600, 1}, {1, 9, 1}, {0, 4, 0}, {0, 4, 0}),
      Same(1, 32, 32, 150, 90),
      Same(2, 70, 130, 16, 17),
  };
}

TEST_F(ConvolutionAmxTest, IsWithinItsBound) {
  SKIP_WITHOUT_AMX();
  for (const ConvolutionShape& s : Shapes()) {
    SCOPED_TRACE(testing::Message()
                 << s.channels_in << " " << s.channels_out << " " << s.input[0] << " x "
                 << s.input[1] << " " << s.kernel[0] << " x " << s.kernel[1]);
    ASSERT_TRUE(Pays(s));
    // With a spread of 20 few terms make up a sum.
    for (const int spread : {0, 20}) {
      const Arrays a = RandomFor(s, spread);
      ExpectWithinBounds(s, Compute(s, a), SumsOf(s, a));
    }
  }
}

TEST_F(ConvolutionAmxTest, IsAsExactAsMeasuredOnNormalData) {
  SKIP_WITHOUT_AMX();
  const ConvolutionShape s = Same(4, 64, 64, 28, 28);
  const Arrays a = RandomFor(s);
  const Results got = Compute(s, a);
  const Sums want = SumsOf(s, a);
  EXPECT_LE(Error(got.y, want.y), 33 * kU);
  EXPECT_LE(Error(got.dx, want.dx), 33 * kU);
  EXPECT_LE(Error(got.dw, want.dw), 12 * kU);
}

// One term in each sum: each tap alone moves images to where it belongs, and what is lost of each
// product is no more than the rests of its factors.
TEST_F(ConvolutionAmxTest, OneTermIsExactToSixteenBits) {
  SKIP_WITHOUT_AMX();
  const ConvolutionShape s = Make(2, 3, 48, 48, {17, 12, 1}, {3, 3, 1}, {2, 1, 0}, {1, 1, 0});
  ASSERT_TRUE(Pays(s));
  const int64_t taps = Volume(s.kernel);
  for (int64_t t = 0; t < taps; ++t) {
    Arrays a = RandomFor(s);
    const std::vector<float> filters = a.w;
    std::fill(a.w.begin(), a.w.end(), 0.0f);
    std::fill(a.bias.begin(), a.bias.end(), 0.0f);
    // Output channel k reads channel 7 k + 5.
    for (int64_t k = 0; k < s.channels_out; ++k) {
      const auto at =
          static_cast<size_t>((k * s.channels_in + (7 * k + 5) % s.channels_in) * taps + t);
      a.w[at] = filters[at];
    }
    // One pixel of each channel of the output has a gradient, in one of the images.
    std::fill(a.dy.begin(), a.dy.end(), 0.0f);
    const int64_t plane = Volume(s.output);
    for (int64_t k = 0; k < s.channels_out; ++k) {
      a.dy[static_cast<size_t>((k % 3 * s.channels_out + k) * plane + (31 * k + 20 * t) % plane)] =
          filters[static_cast<size_t>(k)];
    }
    const Results got = Compute(s, a);
    const Sums want = SumsOf(s, a);
    EXPECT_LE(Error(got.y, want.y), 513 * kU) << t;
    EXPECT_LE(Error(got.dx, want.dx), 513 * kU) << t;
    EXPECT_LE(Error(got.dw, want.dw), 513 * kU) << t;
  }
}

TEST_F(ConvolutionAmxTest, NanAndInfAreThoseOfThePlainWay) {
  SKIP_WITHOUT_AMX();
  const ConvolutionShape s = Same(3, 32, 40, 20, 21);
  ASSERT_TRUE(Pays(s));
  const auto x_at = [&](int64_t image, int64_t c, int64_t pixel) {
    return static_cast<size_t>((image * s.channels_in + c) * Volume(s.input) + pixel);
  };
  const Arrays finite = RandomFor(s);
  const Results before = Compute(s, finite);
  const auto expect_like_plain = [&](const Arrays& a) {
    const Results got = Compute(s, a);
    const StrictConvolution strict;
    const Results plain = Compute(s, a);
    const auto same_kinds = [](const std::vector<float>& x, const std::vector<float>& y) {
      int special = 0;
      for (size_t i = 0; i < x.size(); ++i) {
        EXPECT_EQ(std::isnan(x[i]), std::isnan(y[i])) << i;
        EXPECT_EQ(std::isinf(x[i]), std::isinf(y[i])) << i;
        if (std::isinf(y[i])) {
          EXPECT_EQ(x[i], y[i]) << i;
        }
        if (!std::isfinite(y[i])) ++special;
      }
      return special;
    };
    return same_kinds(got.y, plain.y) + same_kinds(got.dx, plain.dx) + same_kinds(got.dw, plain.dw);
  };
  Arrays a = finite;
  a.x[x_at(1, 3, 0)] = kInf;
  a.x[x_at(1, 4, 100)] = -kInf;
  a.x[x_at(1, 31, 419)] = std::nanf("");
  EXPECT_GT(expect_like_plain(a), 0);
  // Other images are as they were.
  const Results got = Compute(s, a);
  const auto image = static_cast<std::ptrdiff_t>(got.y.size() / 3);
  EXPECT_TRUE(std::equal(got.y.begin(), got.y.begin() + image, before.y.begin()));
  EXPECT_TRUE(std::equal(got.y.begin() + 2 * image, got.y.end(), before.y.begin() + 2 * image));
  EXPECT_EQ(got.dx, before.dx);
  // Whatever the bits of a NaN are.
  for (const uint32_t bits : {0x7fffffffu, 0xffffffffu, 0x7f800001u, 0xffff8000u}) {
    Arrays one = finite;
    one.x[x_at(2, 17, 210)] = std::bit_cast<float>(bits);
    EXPECT_EQ(expect_like_plain(one), 9 * 40 + 9 * 40) << bits;  // nine outputs, all filters of it
  }
  a = finite;
  a.w[5] = kInf;
  a.w[700] = std::nanf("");
  EXPECT_GT(expect_like_plain(a), 0);
  a = finite;
  a.dy[1000] = -kInf;
  EXPECT_GT(expect_like_plain(a), 0);
  // Sums that overflow.
  a = finite;
  for (float& v : a.x) v *= 0x1p100f;
  for (float& v : a.w) v *= 0x1p26f;
  EXPECT_GT(expect_like_plain(a), 0);
}

// Of numbers that are subnormal, or 2^48 times whose sums are too large for a single, no more is
// lost than of others.
TEST_F(ConvolutionAmxTest, KeepsExtremeExponents) {
  SKIP_WITHOUT_AMX();
  const ConvolutionShape s = Same(2, 32, 32, 18, 20);
  ASSERT_TRUE(Pays(s));
  struct {
    int x, other;
  } const exponents[] = {{-140, 120}, {-149, 100}, {100, -60}, {-60, -60}, {45, 45}, {110, -140}};
  for (const auto& e : exponents) {
    Arrays a = RandomFor(s);
    for (float& v : a.x) v = std::ldexp(v, e.x);
    for (float& v : a.w) v = std::ldexp(v, e.other);
    for (float& v : a.dy) v = std::ldexp(v, e.other);
    std::fill(a.bias.begin(), a.bias.end(), 0.0f);
    // The gradient of the data has no part in it.
    const Results got = Compute(s, a);
    const Sums want = SumsOf(s, a);
    for (size_t i = 0; i < got.y.size(); ++i) {
      ASSERT_LE(std::abs(got.y[i] - want.y[i].value), Bound(9) * want.y[i].size + 0x1p-149)
          << e.x << " " << e.other;
    }
    for (size_t i = 0; i < got.dw.size(); ++i) {
      ASSERT_LE(std::abs(got.dw[i] - want.dw[i].value), Bound(30) * want.dw[i].size + 0x1p-149)
          << e.x << " " << e.other;
    }
  }
}

TEST_F(ConvolutionAmxTest, ThreadsAndOtherImagesDoNotChangeTheBits) {
  SKIP_WITHOUT_AMX();
  const int before = NumThreads();
  for (const ConvolutionShape& s :
       {Same(1, 64, 64, 40, 44), Same(7, 64, 96, 28, 28), Same(9, 128, 70, 14, 14)}) {
    const Arrays a = RandomFor(s);
    SetNumThreads(1);
    const Results one = Compute(s, a);
    for (const int threads : {2, 3, 5}) {
      SetNumThreads(threads);
      const Results got = Compute(s, a);
      EXPECT_EQ(got.y, one.y) << threads;
      EXPECT_EQ(got.dx, one.dx) << threads;
      EXPECT_EQ(got.dw, one.dw) << threads;
    }
    ConvolutionShape last = s;
    last.batch = 1;
    std::vector<float> y(static_cast<size_t>(s.channels_out * Volume(s.output)));
    ConvolutionForward(DataType::kSingle, last,
                       a.x.data() + (s.batch - 1) * s.channels_in * Volume(s.input), a.w.data(),
                       a.bias.data(), y.data());
    EXPECT_TRUE(
        std::equal(y.begin(), y.end(), one.y.end() - static_cast<std::ptrdiff_t>(y.size())));
    SetNumThreads(before);
  }
}

// Also where there is no AMX.
TEST_F(ConvolutionAmxTest, StrictIsThePlainWay) {
  for (const ConvolutionShape& s : {Same(3, 32, 48, 14, 13), Same(2, 64, 40, 9, 30)}) {
    const Arrays a = RandomFor(s);
    const Sums want = SumsOf(s, a);
    const StrictConvolution strict;
    const Results got = Compute(s, a);
    EXPECT_LE(Error(got.y, want.y), 4 * kU);
    EXPECT_LE(Error(got.dx, want.dx), 4 * kU);
    EXPECT_LE(Error(got.dw, want.dw), 9 * kU);
  }
}

TEST_F(ConvolutionAmxTest, OthersAreNotItsOwn) {
  const ConvolutionShape good = Same(8, 64, 64, 14, 14);
  EXPECT_EQ(Pays(good), HasAmx());
  const auto pays = [&](auto change) {
    ConvolutionShape s = good;
    change(s);
    EXPECT_TRUE(ComputeOutputSize(&s));
    return AmxConvolutionPays(ConvolutionKind::kForward, s) ||
           AmxConvolutionPays(ConvolutionKind::kBackwardData, s) ||
           AmxConvolutionPays(ConvolutionKind::kBackwardWeights, s);
  };
  EXPECT_EQ(pays([](auto&) {}), HasAmx());
  EXPECT_FALSE(pays([](auto& s) { s.stride[1] = 2; }));
  EXPECT_FALSE(pays([](auto& s) { s.groups = 2; }));
  EXPECT_FALSE(pays([](auto& s) { s.spatial_rank = 3; }));
  EXPECT_FALSE(pays([](auto& s) { s.batch = 0; }));
  EXPECT_FALSE(pays([](auto& s) { s.pad_begin[0] = 3; }));
  EXPECT_FALSE(pays([](auto& s) { s.pad_end[1] = 3; }));
  EXPECT_FALSE(pays([](auto& s) { s.channels_in = s.channels_out = 7; }));
  EXPECT_FALSE(pays([](auto& s) { s.input = {1, 1, 1}; }));
  // Far more padding than image.
  EXPECT_FALSE(pays([](auto& s) {
    s.dilation = {1000, 1000, 1};
    s.pad_begin = s.pad_end = {1000, 1000, 0};
  }));
}

}  // namespace
}  // namespace lamina::cpu
