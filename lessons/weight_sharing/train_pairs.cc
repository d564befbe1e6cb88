// Trains a siamese network to tell whether two pictures show the same digit, on pairs of the digits
// 0 to 6, and tries it on pictures that it has not seen: of these digits, and of 7 to 9, of which
// it has seen none at all.
//
//   bazel run //lessons/weight_sharing:train_pairs -- --out=pictures
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
#include "layers/siamese_pair/siamese_pair_layer.h"
#include "lessons/data/digits/split_digits.h"
#include "lessons/pixels.h"
#include "lessons/write_picture.h"

ABSL_FLAG(std::string, out, ".", "the folder for the pictures");
ABSL_FLAG(uint64_t, seed, 1, "all that is random comes from it");

namespace lamina {
namespace {

// [region network]
// What both pictures go through: 8 x 8 pixels become 32 features.
DlNetwork Features() {
  const ConvolutionOptions same = {.padding = "same"};
  return DlNetwork({Convolution2dLayer(3, 16, same), ReluLayer(),                            //
                    MaxPooling2dLayer(2, {.stride = {2}}), Convolution2dLayer(3, 32, same),  //
                    ReluLayer(), FullyConnectedLayer(32)});
}

// Two pictures, one number: the probability that they show the same digit.
DlNetwork PairNetwork() {
  return DlNetwork(
      {Named(SiamesePairLayer(Features()), "pair"), FullyConnectedLayer(1), SigmoidLayer()});
}
// [endregion]

// [region pairs]
// `count` pairs of pictures of the digits from `first` to `last`; by turns of the same digit and of
// different ones. Inputs: the left and the right pictures, 8(S) x 8(S) x 1(C) x count(B); targets:
// 1(C) x count(B), 1 for the same digit.
Dataset Pairs(const Dataset& digits, int first, int last, int64_t count) {
  std::vector<std::vector<int64_t>> of_digit(10);  // The numbers of the pictures that show it.
  const DlArray labels = ArgMax(digits.targets[0], 'C');
  for (int64_t n = 0; n < labels.numel(); ++n) {
    of_digit[static_cast<size_t>(labels.At(n))].push_back(n);
  }
  const DlArray chances = Rand({4, count}, DataType::kDouble);
  std::vector<int64_t> left, right;
  std::vector<float> same;
  const auto pick = [&](int digit, double chance) {
    const std::vector<int64_t>& all = of_digit[digit];
    return all[static_cast<size_t>(chance * static_cast<double>(all.size()))];
  };
  const int kinds = last - first + 1;
  for (int64_t n = 0; n < count; ++n) {
    const double* chance = chances.Data<double>() + 4 * n;
    const int a = static_cast<int>(chance[0] * kinds);
    const int other = (a + 1 + static_cast<int>(chance[1] * (kinds - 1))) % kinds;
    const int b = n % 2 == 0 ? a : other;
    left.push_back(pick(first + a, chance[2]));
    right.push_back(pick(first + b, chance[3]));
    same.push_back(a == b ? 1.0f : 0.0f);
  }
  const auto pictures = [&](const std::vector<int64_t>& numbers) {
    return Gather(digits.inputs[0], 'B', DlArray::FromVector(numbers, {count}));
  };
  return Dataset({pictures(left), pictures(right)}, {DlArray::FromVector(same, {1, count}, "CB")});
}
// [endregion]

// [region train]
TrainingResult Train(const Dataset& pairs, uint64_t seed) {
  DlNetwork network = PairNetwork();
  const NetworkDataLayout picture({8, 8, 1, kUnknown}, "SSCB");
  Rng(seed);
  network.Initialize({picture, picture});
  return TrainNet(pairs, network, "binary-crossentropy",
                  {.solver = "adam",
                   .initial_learn_rate = 0.003,
                   .learn_rate_schedule = "cosine",
                   .max_epochs = 8,
                   .mini_batch_size = 64,
                   .shuffle = Shuffle::kEveryEpoch,
                   .metrics = {"accuracy"},
                   .verbose_frequency = 250,
                   .seed = seed});
}
// [endregion]

double Accuracy(const DlNetwork& network, const Dataset& pairs) {
  return TestNet(network, pairs, {"accuracy"})[0];
}

// Left and right picture of each pair, a line between them; wrong decisions are marked.
void Draw(const DlNetwork& network, const Dataset& pairs, int64_t count, ImageGrid& grid) {
  const DlArray score = network.PredictAll(DlArrays{pairs.inputs[0], pairs.inputs[1]}).outputs[0];
  for (int64_t n = 0; n < count; ++n) {
    GridImage image;
    for (const DlArray& side : pairs.inputs) {
      const std::vector<double> pixels = Pixels(side, n);
      if (!image.values.empty()) image.values.insert(image.values.end(), 8, 0.0);
      image.values.insert(image.values.end(), pixels.begin(), pixels.end());
    }
    image.caption = absl::StrFormat("%.2f", score.At(n));
    image.marked = (score.At(n) >= 0.5) != (pairs.targets[0].At(n) == 1);
    grid.images.push_back(image);
  }
}

absl::Status Run() {
  const uint64_t seed = absl::GetFlag(FLAGS_seed);
  const absl::StatusOr<DigitsSplit> digits = SplitDigits({.seed = seed});
  if (!digits.ok()) return digits.status();
  Rng(seed + 100);
  const Dataset train = Pairs(digits->train, 0, 6, 8000);
  const Dataset seen = Pairs(digits->test, 0, 6, 1000);
  const Dataset unseen = Pairs(digits->test, 7, 9, 1000);
  const DlNetwork network = Train(train, seed).network;
  std::cout << absl::StreamFormat(
      "\naccuracy on 1000 pairs that it has not seen\n"
      "  of the digits 0 to 6   %.3f\n  of the digits 7 to 9   %.3f\n",
      Accuracy(network, seen), Accuracy(network, unseen));
  ImageGrid grid{.title = "Same digit? Above 0 to 6, below 7 to 9",
                 .rows = 8,
                 .columns = 17,
                 .images_per_line = 8,
                 .scale = 5};
  Draw(network, seen, 16, grid);
  Draw(network, unseen, 16, grid);
  return WritePicture(ImageGridSvg(grid), absl::GetFlag(FLAGS_out) + "/pairs.svg");
}

}  // namespace
}  // namespace lamina

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("Trains a network that tells whether two pictures show one digit.");
  absl::ParseCommandLine(argc, argv);
  const absl::Status status = lamina::Run();
  if (status.ok()) return 0;
  std::cerr << "train_pairs: " << status << "\n";
  return 1;
}
