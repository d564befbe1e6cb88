// The mistakes of the lesson do what the lesson says of them.
#include <gtest/gtest.h>

#include "checks/check_layer.h"
#include "lessons/multiple_outputs/broken/frozen_level_layer.h"
#include "lessons/multiple_outputs/broken/swapped_layer.h"

namespace lamina {
namespace {

const DlArray kX = DlArray::FromVector<double>({1, 2, 3, 7}, {4, 1, 1}, "SCB");

TEST(BrokenTest, AFrozenLevelGivesTheSameOutputs) {
  const DlArrays right = AnyLayer(SplitLevelLayer()).Predict({kX}).outputs;
  const DlArrays wrong = AnyLayer(FrozenLevelLayer()).Predict({kX}).outputs;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(IsEqual(right[i], wrong[i]));
}

// The shape does not change when all values grow by one: its derivative in that direction is 0.
TEST(BrokenTest, AFrozenLevelGivesADerivativeWhereThereIsNone) {
  const auto along_the_level = [](const AnyLayer& layer) {
    return Sum(DlFeval(
                   [&](const DlArray& x) {
                     return DlGradient(Sum(Slice(layer.Forward({x}).outputs[0], 'S', 0, 1)), x);
                   },
                   kX))
        .Scalar();
  };
  EXPECT_NEAR(along_the_level(SplitLevelLayer()), 0, 1e-15);
  EXPECT_GT(along_the_level(FrozenLevelLayer()), 0.4);
}

TEST(BrokenTest, NoCheckKnowsWhichOutputIsWhich) {
  EXPECT_TRUE(
      CheckLayer(SwappedLayer(), {NetworkDataLayout({12, 2, 4}, "SCB")}, {.quiet = true}).ok());
}

}  // namespace
}  // namespace lamina
