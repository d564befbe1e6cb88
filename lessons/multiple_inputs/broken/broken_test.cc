// The mistakes of the lesson do what the lesson says of them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "framework/dlarray/testing/thrown_error.h"
#include "framework/layers/builtin_layers.h"
#include "framework/trainnet/train_net.h"
#include "lessons/data/digits/split_digits.h"
#include "lessons/multiple_inputs/broken/forgotten_count_layer.h"
#include "lessons/multiple_inputs/broken/read_weights_layer.h"

namespace lamina {
namespace {

TEST(BrokenTest, WeightsThatAreReadGiveTheSameOutputs) {
  const DlArray a = Randn({4, 4, 3, 5}, DataType::kSingle, "SSCB"), b = RandnLike(a);
  EXPECT_TRUE(IsEqual(AnyLayer(ReadWeightsLayer(2)).Predict({a, b}).outputs[0],
                      AnyLayer(WeightedAdditionLayer(2)).Predict({a, b}).outputs[0]));
}

TEST(BrokenTest, WeightsThatAreReadAreNeverLearned) {
  const auto digits = SplitDigits();
  ASSERT_TRUE(digits.ok()) << digits.status();
  DlNetwork network({Named(ReadWeightsLayer(2), "join"), FullyConnectedLayer(10), SoftmaxLayer()});
  network.AddLayers({Named(ImageInputLayer({8, 8, 1}), "left")});
  network.AddLayers({Named(ImageInputLayer({8, 8, 1}), "right")});
  network.ConnectLayers("left", "join/in1");
  network.ConnectLayers("right", "join/in2");
  Dataset data = digits->train;
  data.inputs.push_back(RandnLike(data.inputs[0]));
  const TrainingResult result = TrainNet(data, network, "crossentropy",
                                         {.solver = "adam",
                                          .initial_learn_rate = 0.01,
                                          .max_epochs = 10,
                                          .l2_regularization = 0,
                                          .verbose = false});
  EXPECT_LT(result.info.training_history.back().loss,
            0.8 * result.info.training_history.front().loss);
  EXPECT_TRUE(IsEqual(result.network.layer("join").As<ReadWeightsLayer>()->weights,
                      ReadWeightsLayer(2).weights));
}

TEST(BrokenTest, AForgottenCountIsNoticedWhenTheLayerIsUsed) {
  EXPECT_EQ(
      MessageOf([] { AnyLayer layer = ForgottenCountLayer(); }),
      "ForgottenCountLayer: Predict takes as many arrays as the layer has inputs. It takes 2; "
      "NumInputs is 1. Call SetNumInputs(2) in the constructor, or take the inputs as one "
      "DlArrays. [layer:InputCount]");
}

TEST(BrokenTest, AnInputThatIsConnectedToNothingIsOneOfTheNetwork) {
  DlNetwork network({Named(WeightedAdditionLayer(3), "join"), SoftmaxLayer()});
  network.AddLayers({Named(ImageInputLayer({8, 8, 1}), "camera1")});
  network.AddLayers({Named(ImageInputLayer({8, 8, 1}), "camera2")});
  network.ConnectLayers("camera1", "join/in1");
  network.ConnectLayers("camera2", "join/in2");
  EXPECT_THAT(network.InputNames(), testing::ElementsAre("join/in3", "camera1", "camera2"));
  EXPECT_EQ(
      MessageOf([&] { network.Initialize(); }),
      "A network is initialised from the layouts of its inputs. Input \"join/in3\" belongs to a "
      "layer that does not know its size. Begin with an input layer, or call Initialize with "
      "a NetworkDataLayout. [network:LayoutNeeded]");
}

}  // namespace
}  // namespace lamina
