// A small convolutional network learns to read real handwritten digits.
#include <string>
#include <vector>

#include "framework/io/digits.h"
#include "framework/io/runfiles.h"
#include "framework/layers/builtin_layers.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/shape.h"
#include "framework/trainnet/train_net.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

TEST(TrainDigitsTest, ReadsDigitsThatItHasNotSeen) {
  const absl::StatusOr<Digits> digits = LoadDigits(RunfilePath(kDigitsPath));
  ASSERT_TRUE(digits.ok()) << digits.status();
  const int64_t n = digits->count, train = n * 4 / 5;
  const DlArray x = DlArray::FromVector(digits->images, {8, 8, 1, n}, "SSCB") / 16;
  const DlArray t = DlArray::FromVector(digits->labels, {n}, "B");
  const Dataset seen(Slice(x, 'B', 0, train), Slice(t, 'B', 0, train));
  const Dataset unseen(Slice(x, 'B', train, n - train), Slice(t, 'B', train, n - train));
  const DlNetwork network{ImageInputLayer({8, 8, 1}, {.normalization = "zerocenter"}),
                          Convolution2dLayer({3, 3}, 16, {.padding = "same"}),
                          BatchNormalizationLayer(),
                          ReluLayer(),
                          MaxPooling2dLayer({2, 2}, {.stride = {2, 2}}),
                          Convolution2dLayer({3, 3}, 32, {.padding = "same"}),
                          BatchNormalizationLayer(),
                          ReluLayer(),
                          FullyConnectedLayer(10),
                          SoftmaxLayer()};
  for (auto statistics :
       {BatchNormalizationStatistics::kMoving, BatchNormalizationStatistics::kPopulation}) {
    const TrainingResult result = TrainNet(seen, network, "crossentropy",
                                           {.solver = "adam",
                                            .initial_learn_rate = 0.01,
                                            .learn_rate_schedule = "cosine",
                                            .max_epochs = 8,
                                            .mini_batch_size = 64,
                                            .shuffle = Shuffle::kEveryEpoch,
                                            .metrics = {"accuracy"},
                                            .batch_normalization_statistics = statistics});
    // The last fifth of the file was written by other people: it is harder than a random part.
    EXPECT_GE(TestNet(result.network, unseen, {"accuracy"})[0], 0.95);
    EXPECT_GE(TestNet(result.network, seen, {"accuracy"})[0], 0.995);
  }
}

}  // namespace
}  // namespace lamina
