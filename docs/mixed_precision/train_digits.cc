// Trains a convolutional network on the UCI digits in single and in mixed precision, and draws the
// two courses of the loss.
//
//   bazel run //docs/mixed_precision:train_digits -- FILE.svg
#include <algorithm>
#include <cmath>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "framework/io/file.h"
#include "framework/io/svg_plot.h"
#include "framework/layers/builtin_layers.h"
#include "framework/trainnet/train_net.h"
#include "lessons/data/digits/split_digits.h"

namespace lamina {
namespace {

constexpr int64_t kEpochs = 10;

DlNetwork DigitsNetwork() {
  return DlNetwork({ImageInputLayer({8, 8, 1}),  //
                    Convolution2dLayer({3, 3}, 16, {.padding = "same"}), BatchNormalizationLayer(),
                    ReluLayer(), MaxPooling2dLayer({2, 2}, {.stride = {2, 2}}),  //
                    Convolution2dLayer({3, 3}, 32, {.padding = "same"}), BatchNormalizationLayer(),
                    ReluLayer(), FullyConnectedLayer(10), SoftmaxLayer()});
}

TrainingResult Train(const DigitsSplit& digits, uint64_t seed, ProductPrecision precision) {
  return TrainNet(digits.train, DigitsNetwork(), "crossentropy",
                  {.solver = "adam",
                   .initial_learn_rate = 0.003,
                   .max_epochs = kEpochs,
                   .mini_batch_size = 32,
                   .shuffle = Shuffle::kEveryEpoch,
                   .product_precision = precision,
                   .verbose = false,
                   .seed = seed});
}

// The mean of the losses of an epoch's steps.
std::vector<double> MeanLosses(const TrainingInfo& info) {
  std::vector<double> sums(kEpochs), counts(kEpochs);
  for (const TrainingRecord& record : info.training_history) {
    sums[record.epoch - 1] += record.loss;
    ++counts[record.epoch - 1];
  }
  for (int64_t i = 0; i < kEpochs; ++i) sums[i] /= counts[i];
  return sums;
}

Series Course(const std::string& name, const TrainingInfo& info, bool dashed) {
  Series series{.name = name, .dashed = dashed};
  for (const TrainingRecord& record : info.training_history) {
    series.x.push_back(static_cast<double>(record.iteration));
    series.y.push_back(record.loss);
  }
  return series;
}

// The largest difference of two losses of one step, in the first epoch.
double LargestDifference(const TrainingInfo& a, const TrainingInfo& b) {
  double largest = 0;
  for (size_t i = 0; i < a.training_history.size() && a.training_history[i].epoch == 1; ++i) {
    largest = std::max(largest, std::abs(a.training_history[i].loss - b.training_history[i].loss));
  }
  return largest;
}

absl::Status Run(const std::string& path) {
  LineChart chart{.title = "A convolutional network on the UCI digits",
                  .x = {.label = "iteration"},
                  .y = {.label = "loss of the mini-batch", .logarithmic = true}};
  std::string accuracies;
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const absl::StatusOr<DigitsSplit> digits = SplitDigits({.seed = seed});
    if (!digits.ok()) return digits.status();
    const TrainingResult single = Train(*digits, seed, ProductPrecision::kSingle),
                         mixed = Train(*digits, seed, ProductPrecision::kBfloat16);
    const auto accuracy = [&](const TrainingResult& trained) {
      return TestNet(trained.network, digits->test, {"accuracy"})[0];
    };
    accuracies += absl::StrFormat("%4d  %.4f  %.4f\n", seed, accuracy(single), accuracy(mixed));
    if (seed > 1) continue;
    chart.series = {Course("single", single.info, false), Course("mixed", mixed.info, true)};
    const std::vector<double> losses = MeanLosses(single.info), of_mixed = MeanLosses(mixed.info);
    std::cout << "Mean loss of an epoch's steps, seed 1:\n\nepoch  single   mixed\n";
    for (int64_t i = 0; i < kEpochs; ++i) {
      std::cout << absl::StrFormat("%5d  %.5f  %.5f\n", i + 1, losses[i], of_mixed[i]);
    }
    std::cout << absl::StrFormat("\nLargest difference in a step of the first epoch: %.3f\n",
                                 LargestDifference(single.info, mixed.info));
  }
  std::cout << "\nAccuracy on the 360 test pictures, predicted in single:\n\nseed  single  mixed\n"
            << accuracies;
  const absl::StatusOr<std::string> svg = LineChartSvg({chart}, 1, 640, 400);
  return svg.ok() ? WriteFileAtomically(path, *svg) : svg.status();
}

}  // namespace
}  // namespace lamina

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: train_digits FILE.svg\n";
    return 2;
  }
  const absl::Status status = lamina::Run(argv[1]);
  if (status.ok()) return 0;
  std::cerr << "train_digits: " << status << "\n";
  return 1;
}
