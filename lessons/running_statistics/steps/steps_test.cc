// The first step of the lesson compiles, and does in all calls what the real layer does in
// training.

#include <gtest/gtest.h>

#include "layers/running_norm/running_norm_layer.h"
#include "lessons/running_statistics/steps/batch_norm_layer.h"

namespace lamina {
namespace {

TEST(StepsTest, BatchStatisticsAreWhatTrainingUses) {
  const DlArray x = Randn({4, 4, 3, 5}, DataType::kSingle, "SSCB");
  AnyLayer whole = RunningNormLayer();
  whole.Initialize({NetworkDataLayout::Of(x)});
  EXPECT_TRUE(
      IsEqual(AnyLayer(batch::NormLayer()).Predict({x}).outputs[0], whole.Forward({x}).outputs[0]));
}

TEST(StepsTest, OfOneFeatureVectorNothingIsLeft) {
  const DlArray x = Randn({6, 1}, DataType::kSingle, "CB");
  const DlArray y = AnyLayer(batch::NormLayer()).Predict({x}).outputs[0];
  EXPECT_TRUE(IsEqual(y, ZerosLike(x)));
}

}  // namespace
}  // namespace lamina
