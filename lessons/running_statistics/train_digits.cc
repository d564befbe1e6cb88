// Trains a small network on the UCI digits without normalization and with RunningNormLayer, and
// asks the trained network with more and fewer pictures in a call: with the layer as it is, and
// with one that goes by the batch at prediction time too. Several seeds.
//
//   bazel run //lessons/running_statistics:train_digits -- --out=pictures
#include <iostream>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "framework/io/svg_plot.h"
#include "framework/layers/builtin_layers.h"
#include "framework/trainnet/train_net.h"
#include "layers/running_norm/running_norm_layer.h"
#include "lessons/data/digits/split_digits.h"
#include "lessons/running_statistics/broken/batch_predict_layer.h"
#include "lessons/write_picture.h"

ABSL_FLAG(std::string, out, ".", "the folder for the pictures");

namespace lamina {
namespace {

constexpr uint64_t kSeeds = 3;
const std::vector<int64_t> kPicturesInACall = {1, 2, 4, 8, 16, 64, 360};

// [region train]
TrainingResult Train(const AnyLayer& norm, const DigitsSplit& digits, uint64_t seed) {
  const DlNetwork network({ImageInputLayer({8, 8, 1}), FullyConnectedLayer(64), norm, ReluLayer(),
                           FullyConnectedLayer(64), norm, ReluLayer(), FullyConnectedLayer(10),
                           SoftmaxLayer()});
  return TrainNet(digits.train, network, "crossentropy",
                  {.solver = "sgdm",
                   .initial_learn_rate = 0.05,
                   .max_epochs = 10,
                   .mini_batch_size = 64,
                   .shuffle = Shuffle::kEveryEpoch,
                   .validation_data = digits.validation,
                   .validation_frequency = 10,
                   .output_network = OutputNetwork::kLastIteration,
                   .verbose = false,
                   .seed = seed});
}
// [endregion]

// [region ask]
// The accuracy on the test pictures, when so many of them go through the network in one call.
double Accuracy(const DlNetwork& network, const DigitsSplit& digits, int64_t pictures_in_a_call) {
  return TestNet(network, digits.test, {"accuracy"}, {.mini_batch_size = pictures_in_a_call})[0];
}
// [endregion]

std::string InFolder(const std::string& name) { return absl::GetFlag(FLAGS_out) + "/" + name; }

// The mean over the seeds.
absl::Status DrawAccuracies(const std::vector<double>& states, const std::vector<double>& batch) {
  const std::vector<double> x(kPicturesInACall.begin(), kPicturesInACall.end());
  return WritePicture(LineChartSvg({{.title = "One trained network, asked in two ways",
                                     .x = {.label = "pictures in a call", .logarithmic = true},
                                     .y = {.label = "accuracy", .low = 0, .high = 1},
                                     .series = {{"by the states", x, states, false, true},
                                                {"by the batch", x, batch, false, true}}}}),
                      InFolder("accuracy.svg"));
}

absl::Status DrawLosses(const TrainingInfo& plain, const TrainingInfo& normalized) {
  LineChart chart{.title = "With and without normalization (seed 1)",
                  .x = {"iteration"},
                  .y = {.label = "validation loss", .logarithmic = true}};
  for (const auto& [name, info] :
       {std::pair("no normalization", &plain), std::pair("RunningNormLayer", &normalized)}) {
    Series series{.name = name};
    for (const ValidationRecord& record : info->validation_history) {
      series.x.push_back(static_cast<double>(record.iteration));
      series.y.push_back(record.loss);
    }
    chart.series.push_back(series);
  }
  return WritePicture(LineChartSvg({chart}), InFolder("loss.svg"));
}

absl::Status Run() {
  std::vector<double> by_states(kPicturesInACall.size(), 0.0), by_batch = by_states;
  std::string trainings = "seed  loss, 20 iterations: none  norm    accuracy, 200: none    norm\n";
  std::string calls = "pictures in a call:    1       2       4       8      16      64     360\n";
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const absl::StatusOr<DigitsSplit> digits = SplitDigits({.seed = seed});
    if (!digits.ok()) return digits.status();
    const TrainingResult none = Train(IdentityLayer(), *digits, seed);
    const TrainingResult norm = Train(RunningNormLayer(), *digits, seed);
    // Forward is the same, so this is the same training.
    const TrainingResult batch = Train(BatchPredictLayer(), *digits, seed);
    trainings +=
        absl::StrFormat("%4d %26.3f  %.3f %23.4f  %.4f\n", seed,
                        none.info.validation_history[1].loss, norm.info.validation_history[1].loss,
                        Accuracy(none.network, *digits, 360), Accuracy(norm.network, *digits, 360));
    calls += absl::StrFormat("seed %d, by the states", seed);
    std::string second = "        by the batch ";
    for (size_t i = 0; i < kPicturesInACall.size(); ++i) {
      const double a = Accuracy(norm.network, *digits, kPicturesInACall[i]);
      const double b = Accuracy(batch.network, *digits, kPicturesInACall[i]);
      by_states[i] += a / kSeeds;
      by_batch[i] += b / kSeeds;
      calls += absl::StrFormat("  %.4f", a);
      second += absl::StrFormat("  %.4f", b);
    }
    calls += "\n" + second + "\n";
    if (seed == 1) {
      const absl::Status drawn = DrawLosses(none.info, norm.info);
      if (!drawn.ok()) return drawn;
    }
  }
  std::cout << "Training, with and without normalization:\n\n"
            << trainings << "\nAccuracy on the 360 test pictures:\n\n"
            << calls;
  return DrawAccuracies(by_states, by_batch);
}

}  // namespace
}  // namespace lamina

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "Trains with RunningNormLayer, and asks with batches of many sizes.");
  absl::ParseCommandLine(argc, argv);
  const absl::Status status = lamina::Run();
  if (status.ok()) return 0;
  std::cerr << "train_digits: " << status << "\n";
  return 1;
}
