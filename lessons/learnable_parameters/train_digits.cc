// Trains the same network twice on the UCI digits, with ReLU and with SReLU, draws what the SReLU
// layers have learned, and compares the two on test pictures for several seeds.
//
//   bazel run //lessons/learnable_parameters:train_digits -- --out=pictures
#include <iostream>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "framework/layers/builtin_layers.h"
#include "framework/trainnet/train_net.h"
#include "layers/srelu/srelu_layer.h"
#include "lessons/data/digits/split_digits.h"
#include "lessons/quickstart/srelu_shapes.h"
#include "lessons/write_picture.h"

ABSL_FLAG(std::string, out, ".", "the folder for the pictures");

namespace lamina {
namespace {

// [region start]
// A leaky ReLU to begin with: what is set stays when the network is initialised. The four learn
// five times as fast as weights do, and nothing pulls them towards zero.
SReluLayer LeakyAtFirst(int64_t channels) {
  const Sizes each = {1, 1, channels};
  SReluLayer layer;
  layer.left_slope = Full(each, 0.2);
  layer.left_threshold = Zeros(each);
  layer.right_threshold = Ones(each);
  layer.right_slope = Ones(each);
  for (const char* name : {"LeftSlope", "RightSlope", "LeftThreshold", "RightThreshold"}) {
    layer.SetLearnRateFactor(name, 5);
    layer.SetL2Factor(name, 0);
  }
  return layer;
}
// [endregion]

// [region network]
// `activation` makes the layer after each convolution, for so many channels.
template <class Activation>
DlNetwork DigitsNetwork(Activation activation) {
  const ConvolutionOptions same = {.padding = "same"};
  return DlNetwork({
      ImageInputLayer({8, 8, 1}),                                                  //
      Convolution2dLayer(3, 16, same), BatchNormalizationLayer(), activation(16),  //
      MaxPooling2dLayer(2, {.stride = {2}}),                                       //
      Convolution2dLayer(3, 32, same), BatchNormalizationLayer(), activation(32),  //
      DropoutLayer(0.5), FullyConnectedLayer(10), SoftmaxLayer()                   //
  });
}
// [endregion]

// [region train]
TrainingResult Train(const DlNetwork& network, const DigitsSplit& digits, uint64_t seed,
                     bool verbose) {
  return TrainNet(digits.train, network, "crossentropy",
                  {.solver = "adam",
                   .initial_learn_rate = 0.005,
                   .learn_rate_schedule = "cosine",
                   .max_epochs = 15,
                   .mini_batch_size = 32,
                   .shuffle = Shuffle::kEveryEpoch,
                   .validation_data = digits.validation,
                   .validation_frequency = 100,
                   .metrics = {"accuracy"},
                   .verbose = verbose,
                   .verbose_frequency = 100,
                   .seed = seed});
}
// [endregion]

DlNetwork WithRelu() {
  return DigitsNetwork([](int64_t) { return ReluLayer(); });
}
DlNetwork WithSRelu() { return DigitsNetwork(LeakyAtFirst); }

absl::Status DrawShapes(const DlNetwork& trained, const std::string& layer,
                        const std::string& name) {
  return WritePicture(SReluShapesSvg(WithSRelu(), trained, layer, 8),
                      absl::GetFlag(FLAGS_out) + "/" + name);
}

absl::Status Run() {
  constexpr uint64_t kSeeds = 3;
  std::string comparison = "seed  ReLU    SReLU\n";
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const absl::StatusOr<DigitsSplit> digits = SplitDigits({.seed = seed});
    if (!digits.ok()) return digits.status();
    const TrainingResult relu = Train(WithRelu(), *digits, seed, /*verbose=*/false);
    const TrainingResult srelu = Train(WithSRelu(), *digits, seed, /*verbose=*/seed == 1);
    if (seed == 1) {
      const absl::Status drawn = DrawShapes(srelu.network, "srelu", "learned_shapes.svg");
      if (!drawn.ok()) return drawn;
    }
    comparison += absl::StrFormat("%4d  %.4f  %.4f\n", seed,
                                  TestNet(relu.network, digits->test, {"accuracy"})[0],
                                  TestNet(srelu.network, digits->test, {"accuracy"})[0]);
  }
  std::cout << "\nAccuracy on the 360 test pictures:\n\n" << comparison;
  return absl::OkStatus();
}

}  // namespace
}  // namespace lamina

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("Trains with ReLU and with SReLU, draws what SReLU learned.");
  absl::ParseCommandLine(argc, argv);
  const absl::Status status = lamina::Run();
  if (status.ok()) return 0;
  std::cerr << "train_digits: " << status << "\n";
  return 1;
}
