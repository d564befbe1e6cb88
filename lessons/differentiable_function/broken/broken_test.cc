// The mistake of the lesson does what the lesson says of it: the same outputs, a training that goes
// on, and layers that never learn.

#include <gtest/gtest.h>

#include "framework/layers/builtin_layers.h"
#include "framework/trainnet/train_net.h"
#include "lessons/data/digits/split_digits.h"
#include "lessons/differentiable_function/broken/plain_rounding_layer.h"

namespace lamina {
namespace {

TEST(BrokenTest, PlainRoundingGivesTheSameOutputs) {
  const DlArray x = Randn({4, 4, 3, 5}, DataType::kSingle, "SSCB");
  EXPECT_TRUE(IsEqual(AnyLayer(QuantizeLayer()).Predict({x}).outputs[0],
                      AnyLayer(PlainRoundingLayer()).Predict({x}).outputs[0]));
}

TEST(BrokenTest, BelowPlainRoundingNothingLearns) {
  const auto digits = SplitDigits();
  ASSERT_TRUE(digits.ok()) << digits.status();
  DlNetwork network({ImageInputLayer({8, 8, 1}), Named(FullyConnectedLayer(16), "below"),
                     PlainRoundingLayer(), Named(FullyConnectedLayer(10), "above"),
                     SoftmaxLayer()});
  network.Initialize();
  const TrainingResult result = TrainNet(digits->train, network, "crossentropy",
                                         {.solver = "adam",
                                          .initial_learn_rate = 0.01,
                                          .max_epochs = 2,
                                          .l2_regularization = 0,
                                          .verbose = false});
  EXPECT_LT(result.info.training_history.back().loss,
            0.9 * result.info.training_history.front().loss);
  const auto weights = [](const DlNetwork& n, const char* name) {
    return n.layer(name).As<FullyConnectedLayer>()->weights;
  };
  EXPECT_TRUE(IsEqual(weights(network, "below"), weights(result.network, "below")));
  EXPECT_FALSE(IsEqual(weights(network, "above"), weights(result.network, "above")));
}

}  // namespace
}  // namespace lamina
