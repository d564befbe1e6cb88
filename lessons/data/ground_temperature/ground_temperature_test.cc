#include "lessons/data/ground_temperature/ground_temperature.h"

#include <cmath>

#include "gtest/gtest.h"

namespace lamina {
namespace {

TEST(GroundTemperatureTest, IsWhatTheFileSays) {
  const auto day = LoadGroundTemperature();
  ASSERT_TRUE(day.ok()) << day.status();
  for (const DlArray* x : {&day->sun, &day->sky, &day->air, &day->ground}) {
    EXPECT_EQ(ToString(x->spec()), "1(C) x 1(B) x 720(T) single DlArray");
  }
  ASSERT_EQ(day->hours.size(), 720u);
  EXPECT_NEAR(day->hours.front(), 17 + 1.0 / 60, 1e-12);
  EXPECT_NEAR(day->hours.back(), 41 - 1.0 / 60, 1e-12);
  // The first two lines: 0,-1.8,-0.8,186.3,276.0,-7.6 and 1,-1.8,-0.8,186.3,276.1,-7.7.
  EXPECT_EQ(day->sun.At(0), 0);
  EXPECT_NEAR(day->sky.At(0), 186.3, 1e-4);
  EXPECT_NEAR(day->air.At(0), -7.65, 1e-5);
  const double t = day->ground.At(0) + kZeroCelsius;
  EXPECT_NEAR(kStefanBoltzmann * t * t * t * t, 276.05, 1e-3);
  // At noon, line 1140 (19:00 UTC): 579.1 down, 101.1 back.
  EXPECT_NEAR(day->sun.At(570), 478, 3);
}

}  // namespace
}  // namespace lamina
