#include "framework/io/plot_scale.h"

#include <cmath>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace lamina {
namespace {

std::vector<std::string> Labels(const PlotScale& scale) {
  std::vector<std::string> labels;
  for (const PlotTick& tick : scale.ticks()) labels.push_back(tick.label);
  return labels;
}

using Texts = std::vector<std::string>;

TEST(PlotScaleTest, RoundNumbers) {
  EXPECT_EQ(Labels(*PlotScale::Make({0.013, 0.97}, false, 5)),
            (Texts{"0", "0.2", "0.4", "0.6", "0.8", "1.0"}));
  EXPECT_EQ(Labels(*PlotScale::Make({-3, 42}, false, 5)),
            (Texts{"−10", "0", "10", "20", "30", "40", "50"}));
  EXPECT_EQ(Labels(*PlotScale::Make({0, 4e6}, false, 4)),
            (Texts{"0", "10⁶", "2·10⁶", "3·10⁶", "4·10⁶"}));
  EXPECT_EQ(Labels(*PlotScale::Make({-2e-5, 2e-5}, false, 2)), (Texts{"−2·10⁻⁵", "0", "2·10⁻⁵"}));
  EXPECT_EQ(Labels(*PlotScale::MakeExact({1, 240}, 5)), (Texts{"50", "100", "150", "200"}));
}

TEST(PlotScaleTest, WholeNumbersHaveNothingBetweenThem) {
  EXPECT_EQ(Labels(*PlotScale::MakeExact({1, 3}, 5)), (Texts{"1.0", "1.5", "2.0", "2.5", "3.0"}));
  EXPECT_EQ(Labels(*PlotScale::MakeExact({1, 3}, 5, TickKind::kWhole)), (Texts{"1", "2", "3"}));
  EXPECT_EQ(Labels(*PlotScale::MakeExact({7, 7}, 5, TickKind::kWhole)), (Texts{"7"}));
  EXPECT_EQ(Labels(*PlotScale::MakeExact({1, 240}, 5, TickKind::kWhole)),
            (Texts{"50", "100", "150", "200"}));
  EXPECT_EQ(Labels(*PlotScale::Make({0, 2}, false, 8, TickKind::kWhole)), (Texts{"0", "1", "2"}));
}

TEST(PlotScaleTest, LogarithmicNumbers) {
  EXPECT_EQ(Labels(*PlotScale::Make({0.02, 30}, true, 6)),
            (Texts{"0.01", "0.1", "1", "10", "100"}));
  EXPECT_EQ(Labels(*PlotScale::Make({3, 40}, true, 6)), (Texts{"2", "5", "10", "20", "50"}));
  const PlotScale far = *PlotScale::Make({1e-12, 1e8}, true, 5);
  EXPECT_EQ(Labels(far).front(), "10⁻¹²");
  EXPECT_LE(far.ticks().size(), 7u);
}

TEST(PlotScaleTest, Positions) {
  const PlotScale linear = *PlotScale::Make({0, 10}, false, 5);
  EXPECT_EQ(linear.Position(0), 0);
  EXPECT_EQ(linear.Position(2.5), 0.25);
  EXPECT_EQ(linear.Position(10), 1);
  const PlotScale log = *PlotScale::Make({0.001, 1000}, true, 5);
  EXPECT_NEAR(log.Position(1), 0.5, 1e-12);
  EXPECT_NEAR(log.Position(10), 4.0 / 6, 1e-12);
}

TEST(PlotScaleTest, EveryRangeHasAScaleThatHoldsIt) {
  for (double low : {-1e300, -1e9, -1.0, -1e-300, 0.0, 1e-300, 1e-9, 1.0, 1 + 1e-15, 1e15}) {
    for (double width : {0.0, 1e-300, 1e-12, 1.0, 1e6, 1e299}) {
      const double high = low + width;
      const auto scale = PlotScale::Make({low, high}, false, 5);
      ASSERT_TRUE(scale.ok()) << low << " " << high << " " << scale.status();
      EXPECT_LE(scale->low(), low + 1e-6 * width);
      EXPECT_GE(scale->high(), high - 1e-6 * width);
      EXPECT_LT(scale->low(), scale->high());
      EXPECT_GE(scale->ticks().size(), 2u) << low << " " << high;
      EXPECT_LE(scale->ticks().size(), 12u);
      if (low <= 0) continue;
      const auto log = PlotScale::Make({low, high}, true, 5);
      ASSERT_TRUE(log.ok()) << low << " " << high;
      EXPECT_LE(log->low(), low * (1 + 1e-9) + 1e-289);
      EXPECT_GE(log->high(), high * (1 - 1e-6));
      EXPECT_LT(log->low(), log->high());
      EXPECT_GE(log->ticks().size(), 1u) << low << " " << high;
    }
  }
}

TEST(PlotScaleTest, RefusesWhatHasNoScale) {
  const double nan = std::nan("");
  for (const ValueRange& range :
       {ValueRange{nan, 1}, {0, nan}, {0, HUGE_VAL}, {2, 1}, {-1e308, 1e308}}) {
    EXPECT_EQ(PlotScale::Make(range, false, 5).status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_FALSE(PlotScale::MakeExact(range, 5).ok());
  }
  EXPECT_FALSE(PlotScale::Make({0, 1}, true, 5).ok());
  EXPECT_FALSE(PlotScale::Make({-1, 1}, true, 5).ok());
}

}  // namespace
}  // namespace lamina
