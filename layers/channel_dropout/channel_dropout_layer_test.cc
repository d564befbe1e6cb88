// What the layer draws, against what independent fair draws must give. The seeds are fixed; the
// bounds are those that hold for all but about two seeds in 10^9 (6 standard deviations).
#include "layers/channel_dropout/channel_dropout_layer.h"

#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include "framework/dlarray/testing/thrown_error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

// Forward, with the random numbers of a seed.
DlArray Drawn(const AnyLayer& layer, const DlArray& x, uint64_t seed) {
  RandomSource source{.seed = seed};
  const ScopedRandomSource scope(source);
  return layer.Forward({x}).outputs[0];
}

// |k - n p| of a binomial k.
double Bound(double n, double p) { return 6 * std::sqrt(n * p * (1 - p)); }

TEST(ChannelDropoutLayerTest, PredictHandsItsInputOn) {
  const DlArray x = DlArray::FromVector<float>({1, -2, 3, 4}, {2, 2}, "CB");
  EXPECT_TRUE(IsEqual(AnyLayer(ChannelDropoutLayer(0.5)).Predict({x}).outputs[0], x));
}

TEST(ChannelDropoutLayerTest, AChannelIsDroppedAsAWholeOrDividedByWhatStays) {
  const DlArray x = Rand({3, 4, 5, 6}, DataType::kDouble, "SSCB") + 1;
  const DlArray y = Drawn(ChannelDropoutLayer(0.25), x, 1);
  ASSERT_EQ(y.spec(), x.spec());
  int dropped = 0;
  for (int64_t channel = 0; channel < 30; ++channel) {
    const bool drop = y.At(12 * channel) == 0;
    dropped += drop;
    for (int64_t e = 12 * channel; e < 12 * (channel + 1); ++e) {
      EXPECT_EQ(y.At(e), drop ? 0 : x.At(e) / 0.75) << "element " << e;
    }
  }
  EXPECT_GT(dropped, 0);
  EXPECT_LT(dropped, 30);
}

TEST(ChannelDropoutLayerTest, TimeStepsOfAChannelShareItsFate) {
  const DlArray y = Drawn(ChannelDropoutLayer(0.5), Ones({4, 3, 5}, DataType::kSingle, "CBT"), 2);
  for (int64_t t = 1; t < 5; ++t) {
    EXPECT_TRUE(IsEqual(Slice(y, 'T', t, 1), Slice(y, 'T', 0, 1))) << "time step " << t;
  }
}

TEST(ChannelDropoutLayerTest, DropsAsOftenAsItIsTold) {
  constexpr int64_t kC = 200, kB = 500;
  for (const double p : {0.0, 0.1, 0.5, 0.9}) {
    const DlArray y = Drawn(ChannelDropoutLayer(p), Ones({kC, kB}, DataType::kSingle, "CB"), 3);
    const double dropped = Sum(Single(Equal(y, 0))).Scalar();
    EXPECT_NEAR(dropped, p * kC * kB, Bound(kC * kB, p)) << "p = " << p;
  }
}

TEST(ChannelDropoutLayerTest, ChannelsAndObservationsAreDrawnApart) {
  // Neighbours along either dim are both dropped in a quarter of the cases. The pairs overlap,
  // which leaves their indicators with a variance of 3/16 and a covariance of 1/16 between
  // neighbours: the variance of their number is at most 5/16 of it.
  constexpr int64_t kC = 200, kB = 500;
  const DlArray y = Drawn(ChannelDropoutLayer(0.5), Ones({kC, kB}, DataType::kSingle, "CB"), 4);
  double along_c = 0, along_b = 0;
  for (int64_t b = 0; b < kB; ++b) {
    for (int64_t c = 0; c < kC; ++c) {
      if (y.At(c + kC * b) != 0) continue;
      if (c + 1 < kC) along_c += y.At(c + 1 + kC * b) == 0;
      if (b + 1 < kB) along_b += y.At(c + kC * (b + 1)) == 0;
    }
  }
  const double pairs_c = (kC - 1) * kB, pairs_b = kC * (kB - 1);
  EXPECT_NEAR(along_c, pairs_c / 4, 6 * std::sqrt(pairs_c * 5 / 16));
  EXPECT_NEAR(along_b, pairs_b / 4, 6 * std::sqrt(pairs_b * 5 / 16));
}

TEST(ChannelDropoutLayerTest, TheMeanOverAllDrawsIsTheInput) {
  // One draw of an element has the variance x^2 p / (1 - p).
  constexpr int kDraws = 4000;
  constexpr double kP = 0.25;
  const std::vector<double> x = {1, -2, 0.5};
  const AnyLayer layer = ChannelDropoutLayer(kP);
  std::vector<double> sum(3, 0);
  for (int i = 0; i < kDraws; ++i) {
    const DlArray y = Drawn(layer, DlArray::FromVector(x, {3, 1}, "CB"), 100 + i);
    for (int c = 0; c < 3; ++c) sum[c] += y.At(c);
  }
  for (int c = 0; c < 3; ++c) {
    EXPECT_NEAR(sum[c] / kDraws, x[c], 6 * std::abs(x[c]) * std::sqrt(kP / (1 - kP) / kDraws));
  }
}

TEST(ChannelDropoutLayerTest, NumbersComeFromTheCurrentSourceAlone) {
  const AnyLayer layer = ChannelDropoutLayer(0.5);
  const DlArray x = Ones({50, 20}, DataType::kSingle, "CB");
  const DlArray first = Drawn(layer, x, 7);
  EXPECT_TRUE(IsEqual(Drawn(layer, x, 7), first));
  EXPECT_FALSE(IsEqual(Drawn(layer, x, 8), first));
  // In another thread too.
  DlArray elsewhere;
  std::thread([&] { elsewhere = Drawn(layer, x, 7); }).join();
  EXPECT_TRUE(IsEqual(elsewhere, first));
  // A second call goes on where the first one stopped.
  RandomSource source{.seed = 7};
  const ScopedRandomSource scope(source);
  EXPECT_TRUE(IsEqual(layer.Forward({x}).outputs[0], first));
  EXPECT_FALSE(IsEqual(layer.Forward({x}).outputs[0], first));
}

TEST(ChannelDropoutLayerTest, TheDerivativeIsThatOfTheSameDraw) {
  Tape tape;
  const ScopedTape listening(&tape);
  const DlArray x = tape.Watch(Rand({2, 5, 4}, DataType::kDouble, "SCB") + 1);
  const DlArray y = Drawn(ChannelDropoutLayer(0.5), x, 5);
  const DlArray d = DlGradient(Sum(y), DlArrays{x})[0];
  for (int64_t e = 0; e < x.numel(); ++e) {
    EXPECT_EQ(d.At(e), y.At(e) == 0 ? 0 : 2) << "element " << e;
  }
}

TEST(ChannelDropoutLayerTest, ADroppedChannelHidesWhatIsNotFinite) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const DlArray x = Full({50, 1}, nan, DataType::kSingle, "CB");
  const DlArray y = Drawn(ChannelDropoutLayer(0.5), x, 6);
  const double zeros = Sum(Single(Equal(y, 0))).Scalar();
  EXPECT_GT(zeros, 0);
  EXPECT_LT(zeros, 50);
}

TEST(ChannelDropoutLayerTest, RefusesProbabilitiesThatAreNone) {
  const auto message = [](double p) { return MessageOf([p] { ChannelDropoutLayer layer(p); }); };
  EXPECT_EQ(message(1),
            "ChannelDropoutLayer: Probability is a number from 0 up to, but not, 1. It was "
            "1.000000. [layer:InvalidSetting]");
  EXPECT_THAT(message(-0.125), testing::HasSubstr("It was -0.125000."));
  EXPECT_THAT(message(std::nan("")), testing::HasSubstr("It was nan."));
}

}  // namespace
}  // namespace lamina
