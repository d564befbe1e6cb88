// The mistakes of the lesson do what the lesson says of them: nothing shows in outputs and loss.

#include <gtest/gtest.h>

#include "framework/layers/builtin_layers.h"
#include "framework/trainnet/train_net.h"
#include "lessons/data/digits/split_digits.h"
#include "lessons/learnable_parameters/broken/lost_gradient_layer.h"
#include "lessons/learnable_parameters/broken/whole_size_layer.h"

namespace lamina {
namespace {

TEST(BrokenTest, ALostGradientGivesTheSameOutputs) {
  AnyLayer right = SReluLayer(), wrong = LostGradientLayer();
  const DlArray x = Randn({4, 4, 3, 5}, DataType::kSingle, "SSCB");
  for (AnyLayer* layer : {&right, &wrong}) {
    Rng(3);
    layer->Initialize({NetworkDataLayout::Of(x)});
  }
  EXPECT_TRUE(IsEqual(right.Predict({x}).outputs[0], wrong.Predict({x}).outputs[0]));
}

TEST(BrokenTest, ALostGradientTrainsWithoutEverLearningTheThresholds) {
  const auto digits = SplitDigits();
  ASSERT_TRUE(digits.ok()) << digits.status();
  DlNetwork network({ImageInputLayer({8, 8, 1}), Convolution2dLayer(3, 4),
                     Named(LostGradientLayer(), "wrong"), FullyConnectedLayer(10), SoftmaxLayer()});
  network.Initialize();
  const TrainingResult result = TrainNet(digits->train, network, "crossentropy",
                                         {.solver = "adam",
                                          .initial_learn_rate = 0.01,
                                          .max_epochs = 2,
                                          .l2_regularization = 0,
                                          .verbose = false});
  EXPECT_LT(result.info.training_history.back().loss,
            0.6 * result.info.training_history.front().loss);
  const auto& before = *network.layer("wrong").As<LostGradientLayer>();
  const auto& after = *result.network.layer("wrong").As<LostGradientLayer>();
  EXPECT_TRUE(IsEqual(before.left_threshold, after.left_threshold));
  EXPECT_TRUE(IsEqual(before.right_threshold, after.right_threshold));
  EXPECT_FALSE(IsEqual(before.left_slope, after.left_slope));
  EXPECT_FALSE(IsEqual(before.right_slope, after.right_slope));
}

TEST(BrokenTest, AWholeSizeWorksForOneNumberOfObservationsAlone) {
  AnyLayer layer = WholeSizeLayer();
  layer.Initialize({NetworkDataLayout({4, 4, 3, 5}, "SSCB")});
  EXPECT_NO_THROW(layer.Predict({Randn({4, 4, 3, 5}, DataType::kSingle, "SSCB")}));
  EXPECT_THROW(layer.Predict({Randn({4, 4, 3, 2}, DataType::kSingle, "SSCB")}), Error);
}

}  // namespace
}  // namespace lamina
