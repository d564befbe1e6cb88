// The mistakes of the lesson do what the lesson says of them.

#include <gtest/gtest.h>

#include "framework/layers/builtin_layers.h"
#include "framework/trainnet/train_net.h"
#include "lessons/data/digits/split_digits.h"
#include "lessons/own_backward/broken/cached_masks_layer.h"
#include "lessons/own_backward/broken/no_chain_rule_layer.h"

namespace lamina {
namespace {

TEST(BrokenTest, WithoutTheChainRuleItTrainsAllTheSame) {
  const auto digits = SplitDigits();
  ASSERT_TRUE(digits.ok()) << digits.status();
  const DlNetwork network({ImageInputLayer({8, 8, 1}), Convolution2dLayer(3, 4), NoChainRuleLayer(),
                           FullyConnectedLayer(10), SoftmaxLayer()});
  const TrainingResult result =
      TrainNet(digits->train, network, "crossentropy",
               {.solver = "adam", .initial_learn_rate = 0.01, .max_epochs = 2, .verbose = false});
  EXPECT_LT(result.info.training_history.back().loss,
            0.6 * result.info.training_history.front().loss);
}

TEST(BrokenTest, CachedMasksAreThoseOfTheLastCall) {
  const DlArray x = DlArray::FromVector<float>({-1, 0.5, 3}, {1, 3}), dLdY = OnesLike(x);
  const auto slope = [&](auto layer, bool twice) {
    for (Learnable* p : {&layer.left_slope, &layer.right_slope, &layer.left_threshold}) {
      *p = Full({1}, 0.25);
    }
    layer.right_threshold = Ones({1});
    const AnyLayer any = layer;
    const internal::CallResult first = any.CallForward(DlArrays{x});
    if (twice) any.CallForward(DlArrays{-1 * x});
    return any.CallBackward(DlArrays{x, DlArray(), dLdY}, first.memory)[0];
  };
  EXPECT_TRUE(IsEqual(slope(CachedMasksLayer(), false), slope(SReluBackwardLayer(), false)));
  EXPECT_TRUE(IsEqual(slope(SReluBackwardLayer(), true), slope(SReluBackwardLayer(), false)));
  EXPECT_FALSE(IsEqual(slope(CachedMasksLayer(), true), slope(CachedMasksLayer(), false)));
}

}  // namespace
}  // namespace lamina
