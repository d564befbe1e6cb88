// What the exercise asks for. It goes by the names of the outputs, so it compiles before there are
// three. The solution passes the same test.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "checks/check_layer.h"
#include "layers/split_level/split_level_layer.h"
#include HEADER_UNDER_TEST

namespace lamina {
namespace {

const DlArray kX = DlArray::FromVector<double>({1, 3, 2, 5, 5, 5}, {3, 2, 1}, "SCB");

TEST(SplitRangeTest, Step1NamesItsOutputs) {
  EXPECT_THAT(SplitRangeLayer().OutputNames(), testing::ElementsAre("shape", "low", "range"))
      << "SetOutputNames in the constructor";
}

TEST(SplitRangeTest, Step2ReturnsTheThree) {
  ASSERT_EQ(SplitRangeLayer().NumOutputs(), 3) << "first step 1";
  const DlArrays y = AnyLayer(SplitRangeLayer()).Predict({kX}).outputs;
  EXPECT_EQ(y[0].spec(), kX.spec());
  for (int i : {1, 2}) EXPECT_EQ(ToString(y[i].spec()), "2(C) x 1(B) double DlArray");
  EXPECT_THAT(y[1].ToVector<double>(), testing::ElementsAre(1, 5));
  EXPECT_THAT(y[2].ToVector<double>(), testing::ElementsAre(2 + 1e-5, 1e-5));
  EXPECT_THAT(y[0].ToVector<double>(),
              testing::Pointwise(testing::DoubleNear(1e-5), {0., 1., 0.5, 0., 0., 0.}));
}

TEST(SplitRangeTest, TheThreeJoinToTheInput) {
  ASSERT_EQ(SplitRangeLayer().NumOutputs(), 3) << "first step 1";
  const DlArrays y = AnyLayer(SplitRangeLayer()).Predict({kX}).outputs;
  const DlArray x = AnyLayer(JoinLevelLayer()).Predict(y).outputs[0];
  for (int i = 0; i < 6; ++i) EXPECT_NEAR(x.At(i), kX.At(i), 1e-14);
}

TEST(SplitRangeTest, PassesCheckLayer) {
  const CheckReport report =
      CheckLayer(SplitRangeLayer(), {NetworkDataLayout({12, 2, 4}, "SCB")}, {.quiet = true});
  EXPECT_TRUE(report.ok()) << report;
}

}  // namespace
}  // namespace lamina
