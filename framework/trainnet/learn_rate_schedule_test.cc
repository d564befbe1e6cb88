#include "framework/trainnet/learn_rate_schedule.h"

#include <cmath>
#include <string>
#include <vector>

#include "framework/ops/testing/recorded_case.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

constexpr double kPi = 3.14159265358979323846;

// The factors of the epochs of a training, at their first iteration.
std::vector<double> ByEpoch(const LearnRateSchedules& s, int64_t max_epochs,
                            int64_t per_epoch = 4) {
  std::vector<double> factors;
  for (int64_t e = 1; e <= max_epochs; ++e) {
    factors.push_back(s.Factor({e, (e - 1) * per_epoch + 1, per_epoch, max_epochs}));
  }
  return factors;
}

std::vector<double> ByIteration(const LearnRateSchedules& s, int64_t max_epochs,
                                int64_t per_epoch) {
  std::vector<double> factors;
  for (int64_t i = 1; i <= max_epochs * per_epoch; ++i) {
    factors.push_back(s.Factor({(i - 1) / per_epoch + 1, i, per_epoch, max_epochs}));
  }
  return factors;
}

void ExpectNear(const std::vector<double>& actual, const std::vector<double>& expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) EXPECT_NEAR(actual[i], expected[i], 1e-14) << i;
}

TEST(LearnRateScheduleTest, None) {
  ExpectNear(ByEpoch({}, 3), {1, 1, 1});
  ExpectNear(ByEpoch("none", 3), {1, 1, 1});
}

TEST(LearnRateScheduleTest, Piecewise) {
  ExpectNear(ByEpoch(PiecewiseLearnRate({.drop_factor = 0.5, .period = 2}), 6),
             {1, 1, 0.5, 0.5, 0.25, 0.25});
  const std::vector<double> by_name = ByEpoch("piecewise", 21);
  EXPECT_EQ(by_name[9], 1);
  EXPECT_NEAR(by_name[10], 0.1, 1e-15);
  EXPECT_NEAR(by_name[20], 0.01, 1e-15);
}

TEST(LearnRateScheduleTest, Warmup) {
  ExpectNear(ByEpoch(WarmupLearnRate({.initial_factor = 0.2, .num_steps = 4}), 6),
             {0.2, 0.4, 0.6, 0.8, 1, 1});
}

TEST(LearnRateScheduleTest, Polynomial) {
  ExpectNear(ByEpoch("polynomial", 4), {1, 0.75, 0.5, 0.25});
  ExpectNear(ByEpoch(PolynomialLearnRate({.power = 2, .final_factor = 0.1, .num_steps = 2}), 4),
             {1, 0.1 + 0.9 * 0.25, 0.1, 0.1});
}

TEST(LearnRateScheduleTest, Exponential) {
  const std::vector<double> factors =
      ByEpoch(ExponentialLearnRate({.drop_factor = 0.3, .period = 4}), 9);
  for (int s = 0; s < 9; ++s) EXPECT_NEAR(factors[s], std::pow(0.3, s / 4.0), 1e-15);
}

TEST(LearnRateScheduleTest, Cosine) {
  const std::vector<double> whole = ByEpoch("cosine", 8);
  for (int s = 0; s < 8; ++s) EXPECT_NEAR(whole[s], (1 + std::cos(kPi * s / 8)) / 2, 1e-15);
  // Periods of 2 and 4 steps, between 1 and 0.2.
  const double mid = 0.6, quarter = 0.2 + 0.8 * (1 + std::sqrt(0.5)) / 2;
  ExpectNear(ByEpoch(CosineLearnRate({.min_factor = 0.2, .period = 2}), 7),
             {1, mid, 1, quarter, mid, 0.2 + 0.8 * (1 - std::sqrt(0.5)) / 2, 1});
  ExpectNear(ByEpoch(CosineLearnRate({.period = 2, .period_growth_factor = 1}), 5),
             {1, 0.5, 1, 0.5, 1});
}

TEST(LearnRateScheduleTest, Cyclical) {
  ExpectNear(ByEpoch(CyclicalLearnRate({.base_factor = 0.2, .period = 4}), 9),
             {0.2, 0.6, 1, 0.6, 0.2, 0.6, 1, 0.6, 0.2});
  ExpectNear(
      ByEpoch(CyclicalLearnRate({.base_factor = 0, .period = 4, .step_up_fraction = 0.25}), 5),
      {0, 1, 2.0 / 3, 1.0 / 3, 0});
}

TEST(LearnRateScheduleTest, CustomFunctionsSeeTheIteration) {
  const LearnRateSchedules s =
      CustomLearnRate([](const SchedulePosition& p) { return 1.0 / p.iteration; });
  ExpectNear(ByIteration(s, 2, 2), {1, 1.0 / 2, 1.0 / 3, 1.0 / 4});
}

TEST(LearnRateScheduleTest, UnitsOfIterations) {
  ExpectNear(ByIteration(PiecewiseLearnRate(
                             {.drop_factor = 0.5, .period = 3, .unit = ScheduleUnit::kIteration}),
                         2, 4),
             {1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25});
  ExpectNear(ByIteration(PolynomialLearnRate({.unit = ScheduleUnit::kIteration}), 2, 2),
             {1, 0.75, 0.5, 0.25});
}

TEST(LearnRateScheduleTest, SchedulesFollowOneAnother) {
  ExpectNear(ByEpoch({WarmupLearnRate({.initial_factor = 0.5, .num_steps = 2}),
                      PiecewiseLearnRate({.drop_factor = 0.1, .period = 2, .num_steps = 3}),
                      PolynomialLearnRate()},
                     8),
             {0.5, 0.75, 1, 1, 0.1, 1, 2.0 / 3, 1.0 / 3});
  // Warm-up over 3 iterations, then epochs: the begun epoch is step 0.
  ExpectNear(
      ByIteration(
          {WarmupLearnRate({.initial_factor = 0, .unit = ScheduleUnit::kIteration, .num_steps = 3}),
           ExponentialLearnRate({.drop_factor = 0.5, .period = 1})},
          3, 2),
      {0, 1.0 / 3, 2.0 / 3, 1, 1, 1});
}

TEST(LearnRateScheduleTest, AfterItsEndTheLastFactorStays) {
  ExpectNear(ByEpoch(PiecewiseLearnRate({.drop_factor = 0.1, .period = 1, .num_steps = 2}), 4),
             {1, 0.1, 0.1, 0.1});
  ExpectNear(ByEpoch(CyclicalLearnRate({.base_factor = 0, .period = 4, .num_steps = 3}), 5),
             {0, 0.5, 1, 1, 1});
}

TEST(LearnRateScheduleTest, WrongOptionsAreErrors) {
  const std::string invalid = "trainnet:InvalidOption";
  EXPECT_TRUE(Throws(invalid, [] { LearnRateSchedules("linear"); }));
  EXPECT_TRUE(Throws(invalid, [] { PiecewiseLearnRate({.period = 0}); }));
  EXPECT_TRUE(Throws(invalid, [] { PiecewiseLearnRate({.drop_factor = -1}); }));
  EXPECT_TRUE(Throws(invalid, [] { WarmupLearnRate({.num_steps = -2}); }));
  EXPECT_TRUE(Throws(invalid, [] { PolynomialLearnRate({.power = 0}); }));
  EXPECT_TRUE(Throws(invalid, [] { CosineLearnRate({.period_growth_factor = 0.5}); }));
  EXPECT_TRUE(Throws(invalid, [] { CyclicalLearnRate({.period = 1}); }));
  EXPECT_TRUE(Throws(invalid, [] { CyclicalLearnRate({.step_up_fraction = 1}); }));
  EXPECT_TRUE(Throws(invalid, [] { CustomLearnRate(nullptr); }));
  EXPECT_TRUE(Throws(invalid, [] {
    LearnRateSchedules({PiecewiseLearnRate(), WarmupLearnRate()});
  })) << "the first has no end";
  const LearnRateSchedules negative = CustomLearnRate([](const SchedulePosition&) { return -1.0; });
  EXPECT_TRUE(Throws(invalid, [&] { negative.Factor({}); }));
}

}  // namespace
}  // namespace lamina
