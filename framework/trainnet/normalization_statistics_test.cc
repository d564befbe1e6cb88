#include "framework/trainnet/normalization_statistics.h"

#include <cmath>
#include <string>
#include <vector>

#include "framework/layers/builtin_layers.h"
#include "framework/network/nested_network.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"
#include "framework/ops/testing/recorded_case.h"
#include "framework/trainnet/train_net.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

// Channel c of 3 has mean 10 c and spread c + 1, roughly.
Dataset Images(int n) {
  RandomSource source{.seed = 8};
  const ScopedRandomSource scope(source);
  const DlArray c = DlArray::FromVector<float>({0, 1, 2}, {1, 1, 3}, "SSC");
  const DlArray x = (c + 1) * Randn({4, 5, 3, n}, DataType::kSingle, "SSCB") + 10 * c;
  return {x, Randn({1, n}, DataType::kSingle, "CB")};
}

// Mean and mean squared distance of channel c over all observations, the slow way.
std::pair<double, double> Slow(const DlArray& x, int64_t c) {
  double sum = 0, squares = 0, n = 0;
  const auto each = [&](auto&& f) {
    for (int64_t i = 0; i < x.numel(); ++i) {
      if (i / 20 % 3 == c) f(x.At(i));
    }
  };
  each([&](double v) { sum += v, n += 1; });
  each([&](double v) { squares += std::pow(v - sum / n, 2); });
  return {sum / n, squares / n};
}

TrainingOptions OneEpoch(BatchNormalizationStatistics statistics) {
  return {.max_epochs = 1,
          .mini_batch_size = 4,
          .batch_normalization_statistics = statistics,
          .verbose = false};
}

DlNetwork BatchNormFirst() {
  return {ImageInputLayer({4, 5, 3}), Named(BatchNormalizationLayer(), "bn"),
          FullyConnectedLayer(1)};
}

void ExpectPopulation(const DlArray& mean, const DlArray& variance, const DlArray& x) {
  for (int64_t c = 0; c < 3; ++c) {
    const auto [m, v] = Slow(x, c);
    EXPECT_NEAR(mean.At(c), m, 1e-5 * (1 + std::abs(m)));
    EXPECT_NEAR(variance.At(c), v, 1e-4 * v);
  }
}

// 10 observations in batches of 4, 4 and 2.
TEST(NormalizationStatisticsTest, PopulationIsThatOfAllData) {
  const Dataset data = Images(10);
  const DlNetwork trained =
      TrainNet(data, BatchNormFirst(), "mse", OneEpoch(BatchNormalizationStatistics::kPopulation))
          .network;
  const auto* bn = trained.layer("bn").As<BatchNormalizationLayer>();
  ExpectPopulation(bn->trained_mean, bn->trained_variance, data.inputs[0]);
  EXPECT_EQ(bn->mean_decay, 0.1) << "settings are put back";
  EXPECT_EQ(bn->variance_decay, 0.1);
  EXPECT_EQ(bn->trained_mean.type(), DataType::kSingle);
}

// After three batches with a decay of 0.1 the average is still near the zeros where it began.
TEST(NormalizationStatisticsTest, MovingIsTheRunningAverage) {
  const Dataset data = Images(10);
  for (auto mode : {BatchNormalizationStatistics::kMoving, BatchNormalizationStatistics::kAuto}) {
    const DlNetwork trained = TrainNet(data, BatchNormFirst(), "mse", OneEpoch(mode)).network;
    const auto* bn = trained.layer("bn").As<BatchNormalizationLayer>();
    EXPECT_NEAR(bn->trained_mean.At(2), 20 * (1 - std::pow(0.9, 3)), 0.5);
  }
}

struct OuterLayer : Layer, Formattable {
  LearnableStateNetwork network{*this, "Network"};
  OuterLayer() { network = DlNetwork({BatchNormalizationLayer()}); }
  void Initialize(const NetworkDataLayout& layout) { network.Initialize(layout); }
  std::pair<DlArray, NetworkState> Predict(const DlArray& x) const {
    return network.PredictWithState(x);
  }
  std::pair<DlArray, NetworkState> Forward(const DlArray& x) const {
    return network.ForwardWithState(x);
  }
};

TEST(NormalizationStatisticsTest, NestedLayersGetThemToo) {
  const Dataset data = Images(7);
  const DlNetwork trained =
      TrainNet(data, {ImageInputLayer({4, 5, 3}), OuterLayer(), FullyConnectedLayer(1)}, "mse",
               OneEpoch(BatchNormalizationStatistics::kPopulation))
          .network;
  const std::vector<ParameterRow> states = trained.StateTable();
  ASSERT_EQ(states.size(), 2u);
  ExpectPopulation(states[0].value, states[1].value, data.inputs[0]);
}

TEST(NormalizationStatisticsTest, InputLayersAreSetFromTheData) {
  const Dataset data = Images(10);
  const auto trained = [&](InputOptions input, bool reset, std::vector<double> mean = {}) {
    ImageInputLayer layer({4, 5, 3}, input);
    layer.mean = mean;
    TrainingOptions options = OneEpoch(BatchNormalizationStatistics::kAuto);
    options.reset_input_normalization = reset;
    options.initial_learn_rate = 1e-6;
    return TrainNet(data, {Named(layer, "in"), FullyConnectedLayer(1)}, "mse", options).network;
  };
  const DlNetwork zscore = trained({.normalization = "zscore"}, true);
  const auto* in = zscore.layer("in").As<ImageInputLayer>();
  for (int64_t c = 0; c < 3; ++c) {
    const auto [m, v] = Slow(data.inputs[0], c);
    EXPECT_NEAR(in->mean.get()[c], m, 1e-5 * (1 + std::abs(m)));
    EXPECT_NEAR(in->standard_deviation.get()[c], std::sqrt(v), 1e-5);
  }
  // Statistics that were set: taken anew, or kept.
  const InputOptions zerocenter{.normalization = "zerocenter"};
  EXPECT_NEAR(trained(zerocenter, true, {1, 2, 3}).layer("in").As<ImageInputLayer>()->mean.get()[2],
              20, 1);
  EXPECT_EQ(trained(zerocenter, false, {1, 2, 3}).layer("in").As<ImageInputLayer>()->mean.get(),
            (std::vector<double>{1, 2, 3}));
  EXPECT_NEAR(trained(zerocenter, false).layer("in").As<ImageInputLayer>()->mean.get()[2], 20, 1)
      << "without any they are taken in either case";
}

}  // namespace
}  // namespace lamina
