// Three cameras take the same pictures of digits, each with its own noise. Trains a network that
// adds the three with learned weights, compares the weights with those that are known to be best,
// and the network with others on test pictures, for several seeds. Draws what the cameras see.
//
//   bazel run //lessons/multiple_inputs:train_cameras -- --out=pictures
#include <cmath>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "framework/io/svg_plot.h"
#include "framework/layers/builtin_layers.h"
#include "framework/trainnet/train_net.h"
#include "layers/weighted_addition/weighted_addition_layer.h"
#include "lessons/data/digits/split_digits.h"
#include "lessons/write_picture.h"

ABSL_FLAG(std::string, out, ".", "the folder for the picture");

namespace lamina {
namespace {

// [region cameras]
// The standard deviation of each camera's noise; white is 0 and black is 1.
constexpr double kNoise[] = {0.3, 0.45, 0.9};

// What the three cameras see of the same digits: three inputs, one target.
Dataset Seen(const Dataset& digits) {
  Dataset seen;
  for (double noise : kNoise) {
    seen.inputs.push_back(digits.inputs[0] + noise * RandnLike(digits.inputs[0]));
  }
  seen.targets = digits.targets;
  return seen;
}
// [endregion]

// [region network]
//   camera1 ---+
//   camera2 ---+--- join --- convolution --- ... --- softmax
//   camera3 ---+
DlNetwork ThreeCameras(const WeightedAdditionLayer& join) {
  DlNetwork network;
  for (const char* camera : {"camera1", "camera2", "camera3"}) {
    network.AddLayers({Named(ImageInputLayer({8, 8, 1}), camera)});
  }
  network.AddLayers({Named(join, "join"), Convolution2dLayer(3, 12, {.padding = "same"}),
                     BatchNormalizationLayer(), ReluLayer(), MaxPooling2dLayer(2, {.stride = {2}}),
                     FullyConnectedLayer(10), SoftmaxLayer()});
  network.ConnectLayers("camera1", "join/in1");
  network.ConnectLayers("camera2", "join/in2");
  network.ConnectLayers("camera3", "join/in3");
  return network;
}
// [endregion]

// [region join]
// The weights learn twice as fast as those of a convolution, and nothing pulls them towards zero.
WeightedAdditionLayer Learned() {
  WeightedAdditionLayer layer(3);
  layer.SetLearnRateFactor("Weights", 2);
  layer.SetL2Factor("Weights", 0);
  return layer;
}
// These stay as they are.
WeightedAdditionLayer Fixed(const std::vector<double>& weights) {
  WeightedAdditionLayer layer(3);
  layer.weights = Single(DlArray::FromVector(weights, {3}));
  layer.SetLearnRateFactor("Weights", 0);
  return layer;
}
// [endregion]

// In proportion to 1 / variance of the noise, with the sum 1.
std::vector<double> BestWeights() {
  std::vector<double> w;
  double sum = 0;
  for (double noise : kNoise) sum += w.emplace_back(1 / (noise * noise));
  for (double& v : w) v /= sum;
  return w;
}

// What follows the join can take any factor. So weights are told as shares of their sum.
std::vector<double> Shares(const DlNetwork& network) {
  const DlArray& w = network.layer("join").As<WeightedAdditionLayer>()->weights;
  return Double(w / Sum(w)).ToVector<double>();
}

// [region train]
DlNetwork Train(const WeightedAdditionLayer& join, const Dataset& data, uint64_t seed) {
  return TrainNet(data, ThreeCameras(join), "crossentropy",
                  {.solver = "adam",
                   .initial_learn_rate = 0.005,
                   .learn_rate_schedule = "cosine",
                   .max_epochs = 15,
                   .mini_batch_size = 32,
                   .shuffle = Shuffle::kEveryEpoch,
                   .verbose = false,
                   .seed = seed})
      .network;
}
// [endregion]

double Accuracy(const DlNetwork& network, const Dataset& data) {
  return TestNet(network, data, {"accuracy"})[0];
}

// The first eight test pictures, line by line: what each camera sees, what is joined.
absl::Status Draw(const DlArray& digits, const std::vector<Observations>& seen,
                  const std::vector<double>& shares) {
  constexpr int kPictures = 8;
  const DlArray mean = (seen[0] + seen[1] + seen[2]) / 3;
  const DlArray joined = shares[0] * seen[0] + shares[1] * seen[1] + shares[2] * seen[2];
  const std::pair<const char*, DlArray> lines[] = {{"camera 1", seen[0]}, {"camera 2", seen[1]},
                                                   {"camera 3", seen[2]}, {"mean", mean},
                                                   {"learned", joined},   {"digit", digits}};
  ImageGrid grid{.title = "Three cameras, and what is made of them",
                 .rows = 8,
                 .columns = 8,
                 .images_per_line = kPictures,
                 .scale = 7};
  for (const auto& [name, pictures] : lines) {
    for (int i = 0; i < kPictures; ++i) {
      grid.images.push_back({.values = Double(Slice(pictures, 'B', i, 1)).ToVector<double>(),
                             .caption = i == 0 ? name : ""});
    }
  }
  return WritePicture(ImageGridSvg(grid), absl::GetFlag(FLAGS_out) + "/cameras.svg");
}

absl::Status Run() {
  constexpr uint64_t kSeeds = 3;
  const std::vector<double> best = BestWeights();
  std::string shares = "seed   in1    in2    in3\n";
  std::string accuracies = "seed  camera 1  mean    best    learned | learned, cameras swapped\n";
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const absl::StatusOr<DigitsSplit> digits = SplitDigits({.seed = seed});
    if (!digits.ok()) return digits.status();
    RandomSource source{.seed = seed};
    const ScopedRandomSource scope(source);
    const Dataset train = Seen(digits->train), test = Seen(digits->test);

    const DlNetwork learned = Train(Learned(), train, seed);
    const std::vector<double> w = Shares(learned);
    shares += absl::StrFormat("%4d  %5.3f  %5.3f  %5.3f\n", seed, w[0], w[1], w[2]);
    accuracies += absl::StrFormat("%4d ", seed);
    for (const std::vector<double>& fixed :
         {std::vector<double>{1, 0, 0}, std::vector<double>(3, 1.0 / 3), best}) {
      accuracies += absl::StrFormat("  %.4f", Accuracy(Train(Fixed(fixed), train, seed), test));
    }
    Dataset swapped = test;
    std::swap(swapped.inputs[0], swapped.inputs[2]);
    accuracies +=
        absl::StrFormat("  %.4f  | %.4f\n", Accuracy(learned, test), Accuracy(learned, swapped));
    if (seed == 1) {
      const absl::Status drawn = Draw(digits->test.inputs[0], test.inputs, w);
      if (!drawn.ok()) return drawn;
    }
  }
  shares += absl::StrFormat("best  %5.3f  %5.3f  %5.3f\n", best[0], best[1], best[2]);
  std::cout << "Learned weights, as shares of their sum:\n\n"
            << shares << "\nAccuracy on the 360 test pictures:\n\n"
            << accuracies;
  return absl::OkStatus();
}

}  // namespace
}  // namespace lamina

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("Trains a network that joins three cameras with learned weights.");
  absl::ParseCommandLine(argc, argv);
  const absl::Status status = lamina::Run();
  if (status.ok()) return 0;
  std::cerr << "train_cameras: " << status << "\n";
  return 1;
}
