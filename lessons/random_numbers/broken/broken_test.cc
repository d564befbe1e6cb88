// The mistakes of the lesson do what the lesson says of them.

#include <gtest/gtest.h>

#include "framework/layers/builtin_layers.h"
#include "framework/trainnet/train_net.h"
#include "lessons/data/digits/split_digits.h"
#include "lessons/random_numbers/broken/noisy_predict_layer.h"
#include "lessons/random_numbers/broken/not_divided_layer.h"
#include "lessons/random_numbers/broken/own_generator_layer.h"

namespace lamina {
namespace {

// The weights after one epoch that drops channels.
template <class Dropout>
DlNetwork Trained(const Dropout& dropout) {
  const absl::StatusOr<DigitsSplit> digits = SplitDigits();
  EXPECT_TRUE(digits.ok()) << digits.status();
  const DlNetwork network({ImageInputLayer({8, 8, 1}), Convolution2dLayer(3, 4), dropout,
                           FullyConnectedLayer(10), SoftmaxLayer()});
  return TrainNet(digits->train, network, "crossentropy",
                  {.max_epochs = 1, .verbose = false, .seed = 5})
      .network;
}

TEST(BrokenTest, WithTheCurrentSourceATrainingIsRepeated) {
  EXPECT_TRUE(IsEqual(Trained(ChannelDropoutLayer(0.25)), Trained(ChannelDropoutLayer(0.25))));
}

TEST(BrokenTest, WithAGeneratorOfItsOwnATrainingIsNotRepeated) {
  EXPECT_FALSE(IsEqual(Trained(OwnGeneratorLayer(0.25)), Trained(OwnGeneratorLayer(0.25))));
}

TEST(BrokenTest, ANoisyPredictionGivesTwoAnswersToOneQuestion) {
  const DlArray x = Ones({8, 8, 3, 2}, DataType::kSingle, "SSCB");
  const AnyLayer layer = NoisyPredictLayer();
  EXPECT_FALSE(IsEqual(layer.Predict({x}).outputs[0], layer.Predict({x}).outputs[0]));
}

TEST(BrokenTest, WithoutTheDivisionTheMeanOfTrainingIsNotThatOfPrediction) {
  const DlArray x = Ones({200, 500}, DataType::kSingle, "CB");
  EXPECT_NEAR(Mean(AnyLayer(NotDividedLayer(0.25)).Forward({x}).outputs[0]).Scalar(), 0.75, 0.01);
  EXPECT_NEAR(Mean(AnyLayer(ChannelDropoutLayer(0.25)).Forward({x}).outputs[0]).Scalar(), 1, 0.02);
}

}  // namespace
}  // namespace lamina
