// What the exercise asks for. The solution passes the same test. Seeds are fixed; the bounds are 6
// standard deviations.

#include <gtest/gtest.h>

#include <cmath>
#include <type_traits>

#include "checks/check_layer.h"
#include HEADER_UNDER_TEST

namespace lamina {
namespace {

DlArray Drawn(const AnyLayer& layer, const DlArray& x, uint64_t seed) {
  RandomSource source{.seed = seed};
  const ScopedRandomSource scope(source);
  return layer.Forward({x}).outputs[0];
}

TEST(ChannelNoiseTest, Step1DeclaresThatItDraws) {
  EXPECT_TRUE((std::is_base_of_v<DrawsRandomNumbers, ChannelNoiseLayer>))
      << "struct ChannelNoiseLayer : Layer, Formattable, Acceleratable, DrawsRandomNumbers";
}

TEST(ChannelNoiseTest, Step2FactorsHaveMeanOneAndTheStandardDeviationThatIsAsked) {
  constexpr double kN = 100000, kS = 0.25;
  const DlArray y = Drawn(ChannelNoiseLayer(kS), Ones({200, 500}, DataType::kSingle, "CB"), 1);
  EXPECT_NEAR(Mean(y).Scalar(), 1, 6 * kS / std::sqrt(kN));
  // The variance of a normal sample has the standard deviation sqrt(2/n) of itself.
  EXPECT_NEAR(Variance(y).Scalar(), kS * kS, 6 * kS * kS * std::sqrt(2 / kN))
      << "return x * (1 + strength * Randn(...)): is there a Forward?";
}

TEST(ChannelNoiseTest, Step2PixelsOfAChannelShareTheirFactor) {
  const DlArray y = Drawn(ChannelNoiseLayer(), Ones({3, 4, 5, 6}, DataType::kSingle, "SSCB"), 2);
  ASSERT_EQ(Dims(y), "SSCB");
  for (int64_t channel = 0; channel < 30; ++channel) {
    for (int64_t e = 1; e < 12; ++e) {
      EXPECT_EQ(y.At(12 * channel + e), y.At(12 * channel)) << "draw one number for each C and B";
    }
    if (channel == 0) continue;
    ASSERT_NE(y.At(12 * channel), y.At(12 * (channel - 1))) << "another one for each";
  }
}

TEST(ChannelNoiseTest, Step2NumbersComeFromTheCurrentSource) {
  const AnyLayer layer = ChannelNoiseLayer();
  const DlArray x = Ones({5, 6}, DataType::kSingle, "CB");
  EXPECT_TRUE(IsEqual(Drawn(layer, x, 3), Drawn(layer, x, 3)));
  EXPECT_FALSE(IsEqual(Drawn(layer, x, 3), Drawn(layer, x, 4)));
}

TEST(ChannelNoiseTest, PredictHandsItsInputOn) {
  const DlArray x = Rand({3, 4, 5, 6}, DataType::kSingle, "SSCB");
  EXPECT_TRUE(IsEqual(AnyLayer(ChannelNoiseLayer()).Predict({x}).outputs[0], x));
}

TEST(ChannelNoiseTest, PassesCheckLayer) {
  const CheckReport report =
      CheckLayer(ChannelNoiseLayer(), {NetworkDataLayout({3, 3, 4, 5}, "SSCB")}, {.quiet = true});
  EXPECT_TRUE(report.ok()) << report;
}

}  // namespace
}  // namespace lamina
