// The steps of the lesson compile, compute what the prose says, and end at the real layer.
#include <gtest/gtest.h>

#include "framework/dlarray/testing/thrown_error.h"
#include "layers/split_level/split_level_layer.h"
#include "lessons/multiple_outputs/steps/two_outputs_layer.h"
#include "lessons/multiple_outputs/steps/unnamed_layer.h"

namespace lamina {
namespace {

TEST(StepsTest, TwoOutputsAddUpToTheInput) {
  const DlArray x = Randn({24, 1, 5}, DataType::kDouble, "SCB");
  const AnyLayer layer = TwoOutputsLayer();
  EXPECT_EQ(layer->NumOutputs(), 2);
  const DlArrays y = layer.Predict({x}).outputs;
  EXPECT_EQ(ToString(y[1].spec()), "1(S) x 1(C) x 5(B) double DlArray");
  EXPECT_LT(MaxOver(Abs(y[0] + y[1] - x)).Scalar(), 1e-15);
}

TEST(StepsTest, TheWholeLayerHasTheSameLevel) {
  const DlArray x = Randn({24, 1, 5}, DataType::kDouble, "SCB");
  const DlArray two = AnyLayer(TwoOutputsLayer()).Predict({x}).outputs[1];
  const DlArray whole = AnyLayer(SplitLevelLayer()).Predict({x}).outputs[1];
  EXPECT_EQ(two.ToVector<double>(), whole.ToVector<double>());
}

// The message that the lesson quotes.
TEST(StepsTest, WithoutNamesTheNumbersDoNotFit) {
  EXPECT_EQ(MessageOf([] { AnyLayer layer{UnnamedLayer()}; }),
            "UnnamedLayer: Predict returns 1 output and 0 states, 1 in all. It returns 2. Call "
            "SetNumOutputs in the constructor. [layer:ResultCount]");
}

}  // namespace
}  // namespace lamina
