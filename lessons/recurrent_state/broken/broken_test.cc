// The mistakes of the lesson do what the lesson says of them: nothing shows in the first outputs.

#include <gtest/gtest.h>

#include "framework/layers/builtin_layers.h"
#include "framework/trainnet/train_net.h"
#include "lessons/recurrent_state/broken/detached_state_layer.h"
#include "lessons/recurrent_state/broken/half_reset_layer.h"
#include "lessons/recurrent_state/digit_columns.h"

namespace lamina {
namespace {

const NetworkDataLayout kLayout({3, kUnknown, kUnknown}, "CBT");

template <class T>
AnyLayer Initialized() {
  Rng(4);
  AnyLayer layer = T(5);
  layer.Initialize({kLayout});
  return layer;
}

DlArray X() { return Sin(3 * Reshape(Rand({24}), {3, 2, 4}, "CBT")); }

TEST(BrokenTest, ADetachedStateGivesTheSameOutputs) {
  const DlArray x = X();
  EXPECT_TRUE(IsEqual(Initialized<PeepholeLstmLayer>().Predict({x}).outputs[0],
                      Initialized<DetachedStateLayer>().Predict({x}).outputs[0]));
}

// The derivative of the last step's output with respect to the first step's input.
double FirstStepCounts(const AnyLayer& layer) {
  Tape tape;
  const ScopedTape listening(&tape);
  const DlArray x = tape.Watch(X());
  const DlArray y = layer.Forward({x}).outputs[0];
  const DlArray gradient = DlGradient(Sum(Slice(y, 'T', 3, 1)), DlArrays{x})[0];
  return Sum(Abs(Slice(gradient, 'T', 0, 1))).Scalar();
}

TEST(BrokenTest, ADetachedStateLearnsNothingOfEarlierSteps) {
  EXPECT_GT(FirstStepCounts(Initialized<PeepholeLstmLayer>()), 1e-4);
  EXPECT_EQ(FirstStepCounts(Initialized<DetachedStateLayer>()), 0);
}

TEST(BrokenTest, ADetachedStateTrains) {
  const auto digits = ReadDigitColumns(1);
  ASSERT_TRUE(digits.ok()) << digits.status();
  const DlNetwork network({SequenceInputLayer(8), DetachedStateLayer(16, "last"),
                           FullyConnectedLayer(10), SoftmaxLayer()});
  const TrainingResult result =
      TrainNet(digits->validation.Data(), network, "crossentropy",
               {.solver = "adam", .initial_learn_rate = 0.02, .max_epochs = 10, .verbose = false});
  EXPECT_LT(result.info.training_history.back().loss,
            0.6 * result.info.training_history.front().loss);
}

TEST(BrokenTest, AHalfResetRemembersTheSequenceBefore) {
  AnyLayer layer = Initialized<HalfResetLayer>();
  const DlArray x = X(), fresh = layer.Predict({x}).outputs[0];
  layer.SetStates(layer.Predict({x}).states);
  layer.ResetState();
  EXPECT_FALSE(IsEqual(layer.Predict({x}).outputs[0], fresh));
}

}  // namespace
}  // namespace lamina
