// Derivatives by differences against closed forms; kinks and jumps wherever they lie.
#include "checks/line_derivative.h"

#include <cmath>
#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lamina::checks {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

struct Smooth {
  const char* name;
  double (*f)(double);
  double slope;
};

TEST(LineDerivativeTest, IsExactToItsErrorForSmoothFunctions) {
  const Smooth cases[] = {
      {"line", [](double t) { return 3 + 2 * t; }, 2},
      {"square", [](double t) { return (1 + t) * (1 + t); }, 2},
      {"exp", [](double t) { return std::exp(3 * t); }, 3},
      {"sin", [](double t) { return std::sin(10 * t + 1); }, 10 * std::cos(1)},
      {"tanh", [](double t) { return std::tanh(0.5 + 4 * t); },
       4 * (1 - std::tanh(0.5) * std::tanh(0.5))},
      {"reciprocal", [](double t) { return 1 / (0.25 + t); }, -16},
      {"constant", [](double) { return 5.0; }, 0},
  };
  for (const Smooth& c : cases) {
    const LineDerivative d =
        DeriveAlongLine([&](double t) { return std::vector<double>{c.f(t)}; }, kEpsilon);
    EXPECT_TRUE(d.finite) << c.name;
    EXPECT_EQ(d.kinks, 0) << c.name;
    EXPECT_NEAR(d.slope[0], c.slope, d.error[0]) << c.name;
    EXPECT_LT(d.error[0], 1e-9 * (1 + std::abs(c.slope))) << c.name;
  }
}

constexpr double kFirstStep = 0x1p-16;

// Beside a smooth value stands one with a kink at `place` steps from the point.
LineDerivative WithKink(double place, double jump_of_slope, double jump) {
  const double at = place * kFirstStep;
  return DeriveAlongLine(
      [=](double t) {
        std::vector<double> y(9, std::sin(t));
        y.push_back(t + (t > at ? jump_of_slope * (t - at) + jump : 0));
        return y;
      },
      kEpsilon);
}

TEST(LineDerivativeTest, FindsKinksWhereverTheyLie) {
  for (double place = -1.975; place < 2; place += 0.05) {
    for (const double jump : {1.0, -0.25, 100.0}) {
      const LineDerivative d = WithKink(place, jump, 0);
      const double right = place < 0 ? 1 + jump : 1;
      const bool left_out = d.smooth[9] == 0;
      EXPECT_TRUE(left_out || std::abs(d.slope[9] - right) <= d.error[9] + 1e-4 * std::abs(jump))
          << "a kink of " << jump << " at " << place << " steps gives " << d.slope[9];
      EXPECT_EQ(d.smooth[0], 1);
    }
  }
  EXPECT_EQ(WithKink(0, 1, 0).smooth[9], 0);
}

TEST(LineDerivativeTest, FindsJumps) {
  for (double place = -1.975; place < 2; place += 0.05) {
    EXPECT_EQ(WithKink(place, 0, 0.5).smooth[9], 0) << place;
  }
}

TEST(LineDerivativeTest, LeavesKinksOutOfReachAlone) {
  const LineDerivative d = WithKink(2.25, 1, 0);
  EXPECT_EQ(d.kinks, 0);
  EXPECT_NEAR(d.slope[9], 1, d.error[9]);
}

TEST(LineDerivativeTest, TakesSmallerStepsWhereKinksAreDense) {
  // A kink at every 2^-15: no value is smooth at the first step.
  const LineDerivative d = DeriveAlongLine(
      [](double t) {
        const double x = t * 0x1.1p14 + 0.3;
        return std::vector<double>{std::abs(x - std::round(x))};
      },
      kEpsilon);
  EXPECT_EQ(d.kinks, 0);
  EXPECT_LT(d.step, kFirstStep);
  EXPECT_NEAR(d.slope[0], 0x1.1p14, 1e-3);
}

TEST(LineDerivativeTest, TakesSmallerStepsBesideTheEndOfADomain) {
  const LineDerivative d =
      DeriveAlongLine([](double t) { return std::vector<double>{std::sqrt(t + 1e-5)}; }, kEpsilon);
  EXPECT_TRUE(d.finite);
  EXPECT_NEAR(d.slope[0], 0.5 / std::sqrt(1e-5), d.error[0]);
}

// So many that sums are made in blocks.
TEST(LineDerivativeTest, TakesManyValues) {
  constexpr size_t kCount = 100'000, kBent = 70'001;
  const LineDerivative d = DeriveAlongLine(
      [](double t) {
        std::vector<double> y(kCount);
        for (size_t i = 0; i < kCount; ++i) y[i] = static_cast<double>(i % 7) * std::exp(t);
        y[kBent] = std::abs(t);
        return y;
      },
      kEpsilon);
  EXPECT_EQ(d.kinks, 1);
  EXPECT_EQ(d.moving, static_cast<int64_t>(kCount - (kCount + 6) / 7 + (kBent % 7 == 0)));
  for (size_t i = 0; i < kCount; ++i) {
    ASSERT_EQ(d.smooth[i], i != kBent) << i;
    if (i == kBent) continue;
    ASSERT_NEAR(d.slope[i], static_cast<double>(i % 7), d.error[i]) << i;
  }
}

TEST(LineDerivativeTest, TellsWhatIsNotFinite) {
  EXPECT_FALSE(
      DeriveAlongLine([](double t) { return std::vector<double>{std::log(t)}; }, kEpsilon).finite);
  // At the point itself all is well.
  EXPECT_FALSE(
      DeriveAlongLine([](double t) { return std::vector<double>{std::sqrt(t + 1e-7)}; }, kEpsilon)
          .finite);
}

TEST(RelativeNoiseTest, MeasuresRounding) {
  const auto values = [](auto round) {
    return [=](double t) {
      std::vector<double> y;
      for (int i = 1; i <= 1000; ++i) y.push_back(round(std::exp(0.001 * i) * (1 + t)));
      return y;
    };
  };
  const double fine = RelativeNoise(values([](double v) { return v; }));
  EXPECT_LE(fine, 4 * kEpsilon);
  const double single = RelativeNoise(values([](double v) {
    // Noise that looks random, of 1e-8.
    return v * (1 + 1e-8 * std::sin(v * 1e15));
  }));
  EXPECT_GT(single, 2e-9);
  EXPECT_LT(single, 3e-8);
}

}  // namespace
}  // namespace lamina::checks
