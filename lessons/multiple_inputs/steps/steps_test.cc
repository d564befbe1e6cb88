// The steps of the lesson compile, compute what the prose says, and end at the real layer.

#include <gtest/gtest.h>

#include "layers/weighted_addition/weighted_addition_layer.h"
#include "lessons/multiple_inputs/steps/learned_layer.h"
#include "lessons/multiple_inputs/steps/two_inputs_layer.h"

namespace lamina {
namespace {

const DlArray kA = DlArray::FromVector<float>({1, 2, 3, 4}, {2, 2}, "CB");
const DlArray kB = DlArray::FromVector<float>({-3, 8, 5, 0}, {2, 2}, "CB");

DlArray JoinOf(const AnyLayer& layer) { return layer.Predict({kA, kB}).outputs[0]; }

TEST(StepsTest, TwoInputsGiveTheMean) {
  EXPECT_TRUE(IsEqual(JoinOf(two_inputs::WeightedAdditionLayer()),
                      DlArray::FromVector<float>({-1, 5, 4, 2}, {2, 2}, "CB")));
}

TEST(StepsTest, LearnedNumbersBeginAsTheSame) {
  EXPECT_TRUE(IsEqual(JoinOf(learned::WeightedAdditionLayer()),
                      JoinOf(two_inputs::WeightedAdditionLayer())));
  EXPECT_TRUE(IsEqual(JoinOf(WeightedAdditionLayer(2)), JoinOf(learned::WeightedAdditionLayer())));
}

TEST(StepsTest, TheWholeLayerComputesWhatTheSecondStepDoes) {
  learned::WeightedAdditionLayer two;
  WeightedAdditionLayer any(2);
  two.weights = DlArray::FromVector<float>({0.25, -2}, {2});
  any.weights = two.weights;
  EXPECT_TRUE(IsEqual(JoinOf(any), JoinOf(two)));
}

}  // namespace
}  // namespace lamina
