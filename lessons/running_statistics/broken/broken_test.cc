// The mistakes of the lesson do what the lesson says of them.

#include <gtest/gtest.h>

#include "framework/layers/builtin_layers.h"
#include "framework/trainnet/train_net.h"
#include "lessons/data/digits/split_digits.h"
#include "lessons/running_statistics/broken/batch_predict_layer.h"
#include "lessons/running_statistics/broken/mutable_statistics_layer.h"

namespace lamina {
namespace {

template <class Norm>
DlNetwork Trained(const Norm& norm) {
  const absl::StatusOr<DigitsSplit> digits = SplitDigits();
  EXPECT_TRUE(digits.ok()) << digits.status();
  const DlNetwork network({ImageInputLayer({8, 8, 1}), FullyConnectedLayer(32), Named(norm, "norm"),
                           ReluLayer(), FullyConnectedLayer(10), SoftmaxLayer()});
  return TrainNet(digits->train, network, "crossentropy", {.max_epochs = 2, .verbose = false})
      .network;
}

TEST(BrokenTest, BatchStatisticsTrainLikeTheRightLayer) {
  const DlNetwork right = Trained(RunningNormLayer()), wrong = Trained(BatchPredictLayer());
  const std::vector<ParameterRow> a = right.Learnables(), b = wrong.Learnables();
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(IsEqual(a[i].value, b[i].value));
}

TEST(BrokenTest, BatchStatisticsLeaveNothingOfOnePicture) {
  const DlNetwork wrong = Trained(BatchPredictLayer());
  const DlArray a = Rand({8, 8, 1, 1}, DataType::kSingle, "SSCB");
  EXPECT_TRUE(IsEqual(wrong.Predict(a), wrong.Predict(RandLike(a))));
}

TEST(BrokenTest, MutableStatisticsAreNoStates) {
  const DlNetwork network = Trained(MutableStatisticsLayer());
  EXPECT_TRUE(network.StateTable().empty());  // So no file has them.
  // A call of Forward, whoever makes it, changes what Predict says.
  const DlArray x = Rand({8, 8, 1, 4}, DataType::kSingle, "SSCB");
  const DlArray before = network.Predict(x);
  network.Forward(x);
  EXPECT_FALSE(IsEqual(network.Predict(x), before));
}

}  // namespace
}  // namespace lamina
