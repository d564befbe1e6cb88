#include "lessons/multiple_outputs/co2_windows.h"

#include <gtest/gtest.h>

namespace lamina {
namespace {

TEST(Co2WindowsTest, ReadsTheSeries) {
  const auto series = LoadCo2();
  ASSERT_TRUE(series.ok()) << series.status();
  EXPECT_EQ(series->ppm.size(), 526u);
  EXPECT_NEAR(series->year[0], 1958 + 2.0 / 12, 1e-9);
  EXPECT_EQ(series->ppm[0], 316.10);
  EXPECT_EQ(series->ppm.back(), 371.02);
  EXPECT_EQ(series->MonthOf(1959), 10);
}

TEST(Co2WindowsTest, TheYearFollowsTheMonths) {
  const auto series = LoadCo2();
  ASSERT_TRUE(series.ok()) << series.status();
  const Dataset all = Windows(*series, 0, 526);
  EXPECT_EQ(ToString(all.inputs[0].spec()), "24(S) x 1(C) x 491(B) single DlArray");
  EXPECT_EQ(ToString(all.targets[0].spec()), "12(C) x 491(B) single DlArray");
  const auto ppm = [&](const DlArray& x, int64_t i) {
    return series->mean + series->deviation * x.At(i);
  };
  EXPECT_NEAR(ppm(all.inputs[0], 0), series->ppm[0], 1e-4);
  EXPECT_NEAR(ppm(all.inputs[0], 24 * 7 + 23), series->ppm[7 + 23], 1e-4);
  EXPECT_NEAR(ppm(all.targets[0], 12 * 7), series->ppm[7 + 24], 1e-4);
  EXPECT_NEAR(ppm(all.targets[0], 12 * 490 + 11), series->ppm[525], 1e-4);
}

TEST(Co2WindowsTest, EarlyAndLateYearsShareNoForecast) {
  const auto series = LoadCo2();
  ASSERT_TRUE(series.ok()) << series.status();
  const Dataset early = Windows(*series, 0, series->MonthOf(1970));
  const Dataset late = Windows(*series, series->MonthOf(1971), 526, 12);
  EXPECT_EQ(Size(early.inputs[0], 'B'), 142 - 24 - 12 + 1);
  EXPECT_EQ(Size(late.inputs[0], 'B'), 31);  // 1971 to 2001
}

}  // namespace
}  // namespace lamina
