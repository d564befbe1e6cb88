// Trains a small network on the UCI digits whose hidden layers pass values of a few bits, with the
// stated and with the automatic derivative, beside one with ReLU in single precision.
//
//   bazel run //lessons/differentiable_function:train_digits -- FILE.svg
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "framework/io/file.h"
#include "framework/io/svg_plot.h"
#include "framework/layers/builtin_layers.h"
#include "framework/trainnet/train_net.h"
#include "layers/quantize/quantize_layer.h"
#include "lessons/data/digits/split_digits.h"
#include "lessons/differentiable_function/broken/plain_rounding_layer.h"

namespace lamina {
namespace {

// [region network]
// Two hidden layers of 16 units; what goes from one to the next has passed `activation`.
DlNetwork DigitsNetwork(const AnyLayer& activation) {
  return DlNetwork({ImageInputLayer({8, 8, 1}),                                      //
                    FullyConnectedLayer(16), BatchNormalizationLayer(), activation,  //
                    FullyConnectedLayer(16), BatchNormalizationLayer(), activation,  //
                    FullyConnectedLayer(10), SoftmaxLayer()});
}
// [endregion]

TrainingResult Train(const AnyLayer& activation, const DigitsSplit& digits, uint64_t seed) {
  return TrainNet(digits.train, DigitsNetwork(activation), "crossentropy",
                  {.solver = "adam",
                   .initial_learn_rate = 0.01,
                   .learn_rate_schedule = "cosine",
                   .max_epochs = 15,
                   .mini_batch_size = 32,
                   .shuffle = Shuffle::kEveryEpoch,
                   .l2_regularization = 0,
                   .validation_data = digits.validation,
                   .validation_frequency = 20,
                   .metrics = {"accuracy"},
                   .verbose = false,
                   .seed = seed});
}

double TestAccuracy(const TrainingResult& trained, const DigitsSplit& digits) {
  return TestNet(trained.network, digits.test, {"accuracy"})[0];
}

Series Course(const std::string& name, const TrainingResult& trained) {
  Series series{.name = name};
  for (const ValidationRecord& record : trained.info.validation_history) {
    series.x.push_back(static_cast<double>(record.iteration));
    series.y.push_back(record.metrics[0]);
  }
  return series;
}

absl::Status Run(const std::string& path) {
  LineChart chart{.title = "Two hidden layers that pass 2 bits",
                  .x = {.label = "iteration"},
                  .y = {.label = "validation accuracy", .low = 0, .high = 1}};
  std::cout << "Accuracy on the 360 test pictures:\n\n"
            << "seed  ReLU    4 bits  2 bits  1 bit   2 bits, plain rounding\n";
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const absl::StatusOr<DigitsSplit> digits = SplitDigits({.seed = seed});
    if (!digits.ok()) return digits.status();
    std::string line = absl::StrFormat("%4d", seed);
    const auto train = [&](const std::string& name, const AnyLayer& activation, bool drawn) {
      const TrainingResult trained = Train(activation, *digits, seed);
      if (drawn && seed == 1) chart.series.push_back(Course(name, trained));
      line += absl::StrFormat("  %.4f", TestAccuracy(trained, *digits));
    };
    train("ReLU, single precision", ReluLayer(), true);
    train("", QuantizeLayer(4), false);
    train("straight through", QuantizeLayer(2), true);
    train("", QuantizeLayer(1), false);
    train("plain rounding", PlainRoundingLayer(2), true);
    std::cout << line << "\n";
  }
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
