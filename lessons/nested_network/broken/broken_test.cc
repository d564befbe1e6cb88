// The mistake of the lesson does what the lesson says of it: its states stay as they began, and its
// batches are not normalized.
#include <gtest/gtest.h>

#include "lessons/nested_network/broken/predict_in_forward_layer.h"

namespace lamina {
namespace {

template <class Block>
AnyLayer Initialized() {
  AnyLayer block = Block(3);
  Rng(4);
  block.Initialize({NetworkDataLayout({6, 6, 3, kUnknown}, "SSCB")});
  return block;
}

// The states of the layer and those that Forward returns are equal.
bool KeepsStates(AnyLayer block, const DlArray& x) {
  const DlArrays states = block.Forward({x}).states;
  bool same = true;
  size_t i = 0;
  block->ForEachState([&](DlArray& s) { same = same && IsEqual(s, states[i++]); });
  return same;
}

TEST(BrokenTest, PredictInForwardNeverLearnsTheStates) {
  const DlArray x = Randn({6, 6, 3, 8}, DataType::kSingle, "SSCB");
  EXPECT_TRUE(KeepsStates(Initialized<PredictInForwardLayer>(), x));
  EXPECT_FALSE(KeepsStates(Initialized<BatchNormResidualBlockLayer>(), x));
}

TEST(BrokenTest, PredictInForwardDoesNotNormalizeTheBatch) {
  const DlArray x = Randn({6, 6, 3, 8}, DataType::kSingle, "SSCB");
  const AnyLayer wrong = Initialized<PredictInForwardLayer>();
  EXPECT_TRUE(IsEqual(wrong.Forward({x}).outputs[0], wrong.Predict({x}).outputs[0]));
}

}  // namespace
}  // namespace lamina
