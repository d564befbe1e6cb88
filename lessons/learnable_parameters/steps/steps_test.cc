// The steps of the lesson compile, compute what the prose says, and end at the real layer.

#include <gtest/gtest.h>

#include "layers/srelu/srelu_layer.h"
#include "lessons/learnable_parameters/steps/fixed_srelu_layer.h"
#include "lessons/learnable_parameters/steps/unsized_srelu_layer.h"

namespace lamina {
namespace {

const DlArray kX = DlArray::FromVector<float>({-2, 0, 0.25, 1, 3, 5}, {1, 2, 1, 3}, "SSCB");

TEST(StepsTest, FixedIsTheFunctionOfItsNumbers) {
  const DlArray y = AnyLayer(fixed::SReluLayer()).Predict({kX}).outputs[0];
  EXPECT_EQ(Dims(y), "SSCB");
  const std::vector<double> expected = {-0.2, 0, 0.25, 1, 1.2, 1.4};
  for (int i = 0; i < 6; ++i) EXPECT_NEAR(y.At(i), expected[i], 1e-6);
}

template <class T>
T WithNumbers() {
  T layer;
  layer.left_slope = 0.1;
  layer.right_slope = 0.1;
  layer.left_threshold = 0;
  layer.right_threshold = 1;
  return layer;
}

TEST(StepsTest, LearnableNumbersComputeTheSame) {
  const DlArray y = AnyLayer(fixed::SReluLayer()).Predict({kX}).outputs[0];
  const AnyLayer unsized = WithNumbers<unsized::SReluLayer>(), whole = WithNumbers<SReluLayer>();
  EXPECT_TRUE(IsEqual(unsized.Predict({kX}).outputs[0], y));
  EXPECT_TRUE(IsEqual(whole.Predict({kX}).outputs[0], y));
}

TEST(StepsTest, OnlyTheWholeLayerGetsItsSizesByItself) {
  AnyLayer unsized = unsized::SReluLayer(), whole = SReluLayer();
  unsized.Initialize({NetworkDataLayout::Of(kX)});
  whole.Initialize({NetworkDataLayout::Of(kX)});
  EXPECT_FALSE(unsized.IsInitialized());
  EXPECT_TRUE(whole.IsInitialized());
}

}  // namespace
}  // namespace lamina
