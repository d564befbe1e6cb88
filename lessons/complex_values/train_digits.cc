// Trains the same network three times on the Fourier coefficients of the UCI digits: on the complex
// numbers, on their real parts, and on their lengths. Draws what the complex one has learned, and
// shows each network pictures that were turned by half a turn.
//
//   bazel run //lessons/complex_values:train_digits -- --out=pictures
#include <algorithm>
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
#include "framework/network/network_file.h"
#include "framework/trainnet/train_net.h"
#include "layers/complex_fully_connected/complex_fully_connected_layer.h"
#include "lessons/complex_values/fourier_layers.h"
#include "lessons/complex_values/turned_pictures.h"
#include "lessons/data/digits/split_digits.h"
#include "lessons/write_picture.h"

ABSL_FLAG(std::string, out, ".", "the folder for the picture and the network");

namespace lamina {
namespace {

// [region network]
// `part` says what of the Fourier coefficients goes on: all, or real numbers made of them.
DlNetwork DigitsNetwork(const AnyLayer& part) {
  return DlNetwork({ImageInputLayer({8, 8, 1}), FourierLayer(), part,
                    Named(ComplexFullyConnectedLayer(32), "complex"), MagnitudeLayer(),
                    FullyConnectedLayer(10), SoftmaxLayer()});
}
// [endregion]

// [region train]
TrainingResult Train(const AnyLayer& part, const DigitsSplit& digits, uint64_t seed, bool verbose) {
  return TrainNet(digits.train, DigitsNetwork(part), "crossentropy",
                  {.solver = "adam",
                   .initial_learn_rate = 0.01,
                   .learn_rate_schedule = "cosine",
                   .max_epochs = 15,
                   .mini_batch_size = 32,
                   .shuffle = Shuffle::kEveryEpoch,
                   .validation_data = digits.validation,
                   .validation_frequency = 200,
                   .metrics = {"accuracy"},
                   .verbose = verbose,
                   .verbose_frequency = 200,
                   .seed = seed});
}
// [endregion]

// Of so many pictures, how many get the same answer when they are turned.
int64_t SameWhenTurned(const DlNetwork& network, const DlArray& pictures) {
  const DlArray y = ArgMax(network.Predict(pictures), 'C');
  const DlArray turned = ArgMax(network.Predict(HalfTurn(pictures)), 'C');
  return static_cast<int64_t>(Sum(Single(Equal(y, turned))).Scalar());
}

std::string InFolder(const std::string& name) { return absl::GetFlag(FLAGS_out) + "/" + name; }

// [region filters]
// Output z = sum of Weights F(x) is also z = sum of P x, where the pattern P is the transform of
// the weights: the real part of P makes that of z, the imaginary part that of z.
absl::StatusOr<std::string> PatternsSvg(const DlNetwork& trained, int count) {
  const DlArray weights = trained.layer("complex").As<ComplexFullyConnectedLayer>()->weights;
  std::vector<DlArray> patterns;
  for (int i = 0; i < count; ++i) {
    patterns.push_back(Fft(Reshape(Slice(weights, 0, i, 1), {8, 8}), {0, 1}));
  }
  ImageGrid grid{.title = "Real part of each pattern, and below it the imaginary part",
                 .rows = 8,
                 .columns = 8,
                 .images_per_line = count};
  double largest = 0;
  for (const auto part : {Real, Imag}) {
    for (const DlArray& pattern : patterns) {
      const DlArray p = part(pattern);
      largest = std::max(largest, MaxOver(Abs(p)).Scalar());
      grid.images.push_back({.values = Double(p).ToVector<double>()});
    }
  }
  grid.white = -largest;
  grid.black = largest;
  return ImageGridSvg(grid);
}
// [endregion]

// The first test picture of each digit, and below it the same turned by half a turn, with the
// answers of the complex network and of the one that sees real parts.
absl::StatusOr<std::string> AnswersSvg(const DlNetwork& complex, const DlNetwork& real,
                                       const Dataset& test) {
  const std::vector<int64_t> digits = ArgMax(test.targets[0], 'C').ToVector<int64_t>();
  std::vector<int64_t> first;
  for (int64_t digit = 0; digit < 10; ++digit) {
    first.push_back(std::find(digits.begin(), digits.end(), digit) - digits.begin());
  }
  ImageGrid grid{.title = "Answers: of complex numbers | of real parts", .rows = 8, .columns = 8};
  const DlArray upright = Gather(test.inputs[0], 'B', DlArray::FromVector<int64_t>(first, {10}));
  for (const DlArray& pictures : {upright, HalfTurn(upright)}) {
    const DlArray a = ArgMax(complex.Predict(pictures), 'C'),
                  b = ArgMax(real.Predict(pictures), 'C');
    for (int64_t i = 0; i < 10; ++i) {
      grid.images.push_back({.values = Double(Slice(pictures, 'B', i, 1)).ToVector<double>(),
                             .caption = absl::StrFormat("%d | %d", static_cast<int>(a.At(i)),
                                                        static_cast<int>(b.At(i)))});
    }
  }
  return ImageGridSvg(grid);
}

absl::Status Write(const std::string& name, const absl::StatusOr<std::string>& svg) {
  return WritePicture(svg, InFolder(name));
}

// [region save]
absl::Status SaveAndLoad(const DlNetwork& trained, const std::string& path) {
  if (absl::Status saved = SaveNetwork(trained, path); !saved.ok()) return saved;
  const absl::StatusOr<DlNetwork> loaded =
      LoadNetwork<FourierLayer, ComplexFullyConnectedLayer, MagnitudeLayer>(path);
  if (!loaded.ok()) return loaded.status();
  std::cout << "\nSaved and loaded: " << ToString(loaded->LearnableValues()[0].spec())
            << (IsEqual(trained, *loaded) ? ", equal bit for bit.\n" : ", which differs!\n");
  return absl::OkStatus();
}
// [endregion]

absl::Status Run() {
  constexpr uint64_t kSeeds = 3;
  std::string accuracy = "seed  complex  real part  length\n";
  std::string turned = accuracy;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const absl::StatusOr<DigitsSplit> digits = SplitDigits({.seed = seed});
    if (!digits.ok()) return digits.status();
    std::vector<DlNetwork> trained;
    std::vector<double> right;
    std::vector<int64_t> same;
    for (const AnyLayer& part :
         std::vector<AnyLayer>{IdentityLayer(), RealPartLayer(), MagnitudeLayer()}) {
      const bool verbose = seed == 1 && trained.empty();
      trained.push_back(Train(part, *digits, seed, verbose).network);
      right.push_back(TestNet(trained.back(), digits->test, {"accuracy"})[0]);
      same.push_back(SameWhenTurned(trained.back(), digits->test.inputs[0]));
    }
    absl::StrAppendFormat(&accuracy, "%4d  %7.4f  %9.4f  %6.4f\n", seed, right[0], right[1],
                          right[2]);
    absl::StrAppendFormat(&turned, "%4d  %7d  %9d  %6d\n", seed, same[0], same[1], same[2]);
    if (seed > 1) continue;
    absl::Status status = Write("answers.svg", AnswersSvg(trained[0], trained[1], digits->test));
    if (status.ok()) status = Write("patterns.svg", PatternsSvg(trained[0], 8));
    if (status.ok()) status = SaveAndLoad(trained[0], OutputPath(InFolder("complex.safetensors")));
    if (!status.ok()) return status;
  }
  std::cout << "\nAccuracy on the 360 test pictures:\n\n" << accuracy;
  std::cout << "\nOf the 360, so many get the same answer when they are turned by half a turn:\n\n"
            << turned;
  return absl::OkStatus();
}

}  // namespace
}  // namespace lamina

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("Trains on Fourier coefficients: complex, real parts, lengths.");
  absl::ParseCommandLine(argc, argv);
  const absl::Status status = lamina::Run();
  if (status.ok()) return 0;
  std::cerr << "train_digits: " << status << "\n";
  return 1;
}
