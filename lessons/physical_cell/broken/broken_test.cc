// The mistake of the lesson does what the lesson says of it: nothing shows while steps are short.
#include "checks/check_layer.h"
#include "gtest/gtest.h"
#include "lessons/physical_cell/broken/forward_euler_layer.h"

namespace lamina {
namespace {

// Half of the time 200 W, half of it nothing.
DlArray Pulse(int64_t steps) {
  return Cat('C', {Cat('T', {Full({1, 1, steps / 2}, 200, DataType::kSingle, "CBT"),
                             Zeros({1, 1, steps / 2}, DataType::kSingle, "CBT")}),
                   Zeros({1, 1, steps}, DataType::kSingle, "CBT")});
}

ThermalValues Ground(double time_step) {
  return {.time_step = time_step,
          .surface_capacity = 2100,
          .body_capacity = 2.8e5,
          .air_conductance = 17,
          .body_conductance = 12};
}

TEST(BrokenTest, ShortStepsAgree) {
  const DlArray x = Pulse(512);
  const DlArray wrong = AnyLayer(ForwardEulerLayer(Ground(1))).Predict({x}).outputs[0];
  const DlArray right = AnyLayer(ThermalCellLayer(Ground(1))).Predict({x}).outputs[0];
  EXPECT_GT(MaxOver(right).Scalar(), 5);
  EXPECT_LT(MaxOver(Abs(wrong - right)).Scalar(), 0.1);
}

TEST(BrokenTest, StepsOfTenMinutesGrowWithoutEnd) {
  const DlArray x = Pulse(512);
  const DlArray wrong = AnyLayer(ForwardEulerLayer(Ground(600))).Predict({x}).outputs[0];
  const DlArray right = AnyLayer(ThermalCellLayer(Ground(600))).Predict({x}).outputs[0];
  EXPECT_LT(MaxOver(Abs(right)).Scalar(), 12.5);
  EXPECT_TRUE(Any(IsNan(wrong)).Scalar() != 0 || MaxOver(Abs(wrong)).Scalar() > 1e30);
}

// The derivatives of an unstable step are right, and with short steps nothing else is wrong.
TEST(BrokenTest, PassesACheckWithShortSteps) {
  const CheckReport report =
      CheckLayer(ForwardEulerLayer({.time_step = 0.5, .body_capacity = 2, .body_temperature = 1}),
                 {NetworkDataLayout({2, kUnknown, 6}, "CBT")}, {.quiet = true});
  EXPECT_TRUE(report.ok()) << report;
}

}  // namespace
}  // namespace lamina
