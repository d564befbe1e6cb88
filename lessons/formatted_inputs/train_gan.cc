// Trains a small generative adversarial network on the UCI digits: a generator that makes pictures
// of noise, and a discriminator that tells them from real ones. Draws pictures at several stages,
// and measures the last ones.
//
//   bazel run //lessons/formatted_inputs:train_gan -- --out=pictures
#include <algorithm>
#include <cmath>
#include <iostream>
#include <limits>
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
#include "framework/trainnet/updates.h"
#include "layers/project_and_reshape/project_and_reshape_layer.h"
#include "lessons/data/digits/split_digits.h"
#include "lessons/pixels.h"
#include "lessons/write_picture.h"

ABSL_FLAG(std::string, out, ".", "the folder for the pictures");
ABSL_FLAG(uint64_t, seed, 1, "all that is random comes from it");

namespace lamina {
namespace {

constexpr int64_t kNoise = 32, kBatch = 64;
constexpr int kIterations = 1200;

// [region networks]
const ConvolutionOptions kSame = {.padding = "same"};

// Noise 32(C) x N(B) to pictures 8(S) x 8(S) x 1(C) x N(B), 0 is white and 1 is black.
DlNetwork Generator() {
  return DlNetwork({
      ProjectAndReshapeLayer({8, 8, 16}), BatchNormalizationLayer(), ReluLayer(),  //
      Convolution2dLayer(3, 16, kSame), BatchNormalizationLayer(), ReluLayer(),    //
      Convolution2dLayer(3, 1, kSame), SigmoidLayer()                              //
  });
}

// Pictures to one number each: the larger, the more it takes them for real.
DlNetwork Discriminator() {
  return DlNetwork({
      Convolution2dLayer(3, 32, kSame), LeakyReluLayer(0.2),                               //
      Convolution2dLayer(3, 64, {.stride = {2}, .padding = "same"}), LeakyReluLayer(0.2),  //
      DropoutLayer(0.4), FullyConnectedLayer(1)                                            //
  });
}
// [endregion]

// [region step]
struct Gan {
  DlNetwork generator = Generator(), discriminator = Discriminator();
  AdamState generator_adam, discriminator_adam;
};

DlArray Noise(int64_t count) { return Randn({kNoise, count}, DataType::kSingle, "CB"); }

// One step of each: first the discriminator learns to tell `real` from what the generator makes,
// then the generator learns to be taken for real.
std::pair<double, double> Step(const DlArray& real, Gan& gan) {
  const DlArray fake = gan.generator.Forward(Noise(kBatch));
  const auto [d_loss, d_gradients] = DlFeval(
      [&](const DlNetwork& discriminator) {
        // softplus(-s) = -log(sigmoid(s)): the cross-entropy of a score s and "real".
        const DlArray loss = Mean(Softplus(-discriminator.Forward(real))) +
                             Mean(Softplus(discriminator.Forward(fake)));
        return std::pair(loss, DlGradient(loss, discriminator.LearnableValues()));
      },
      gan.discriminator);
  AdamUpdate(gan.discriminator, d_gradients, gan.discriminator_adam,
             {.learn_rate = 0.0015, .gradient_decay_factor = 0.5});

  NetworkState state;  // Of the generator's batch normalization.
  const DlArray noise = Noise(kBatch);
  const auto [g_loss, g_gradients] = DlFeval(
      [&](const DlNetwork& generator) {
        const auto [made, new_state] = generator.ForwardWithState(noise);
        state = new_state;
        const DlArray loss = Mean(Softplus(-gan.discriminator.Forward(made)));
        return std::pair(loss, DlGradient(loss, generator.LearnableValues()));
      },
      gan.generator);
  AdamUpdate(gan.generator, g_gradients, gan.generator_adam,
             {.learn_rate = 0.003, .gradient_decay_factor = 0.5});
  gan.generator.SetState(state);
  return {d_loss.Scalar(), g_loss.Scalar()};
}
// [endregion]

// A network that tells digits apart: the judge of what was made. It never sees a made picture.
DlNetwork TrainJudge(const DigitsSplit& digits, uint64_t seed) {
  const DlNetwork network(
      {ImageInputLayer({8, 8, 1}), Convolution2dLayer(3, 16, kSame), BatchNormalizationLayer(),
       ReluLayer(), MaxPooling2dLayer(2, {.stride = {2}}), Convolution2dLayer(3, 32, kSame),
       BatchNormalizationLayer(), ReluLayer(), FullyConnectedLayer(10), SoftmaxLayer()});
  return TrainNet(digits.train, network, "crossentropy",
                  {.solver = "adam",
                   .initial_learn_rate = 0.005,
                   .learn_rate_schedule = "cosine",
                   .max_epochs = 8,
                   .mini_batch_size = 32,
                   .shuffle = Shuffle::kEveryEpoch,
                   .verbose = false,
                   .seed = seed})
      .network;
}

// [region nearest]
// The number of the picture in `among` that is nearest to picture n, and its distance: the root of
// the summed squares of pixel differences.
std::pair<int64_t, double> Nearest(const DlArray& pictures, int64_t n, const DlArray& among) {
  const std::vector<double> a = Pixels(pictures, n);
  std::pair<int64_t, double> nearest = {-1, std::numeric_limits<double>::infinity()};
  for (int64_t m = 0; m < Size(among, 'B'); ++m) {
    const float* b = among.Data<float>() + static_cast<int64_t>(a.size()) * m;
    double squares = 0;
    for (size_t i = 0; i < a.size(); ++i) squares += (a[i] - b[i]) * (a[i] - b[i]);
    if (std::sqrt(squares) < nearest.second) nearest = {m, std::sqrt(squares)};
  }
  return nearest;
}
// [endregion]

// One line of the table: how sure the judge is, which digits it sees, how far the nearest picture
// of the training set is.
std::string Measure(const std::string& what, const DlArray& pictures, const DlNetwork& judge,
                    const DlArray& train) {
  const DlArray p = judge.Predict(pictures);
  const DlArray best = MaxOver(p, 'C'), digit = ArgMax(p, 'C');
  std::vector<int> counts(10, 0);
  std::vector<double> sure, distances;
  for (int64_t n = 0; n < Size(pictures, 'B'); ++n) {
    ++counts.at(static_cast<size_t>(digit.At(n)));
    sure.push_back(best.At(n));
    distances.push_back(Nearest(pictures, n, train).second);
  }
  const auto median = [](std::vector<double> v) {
    std::nth_element(v.begin(), v.begin() + v.size() / 2, v.end());
    return v[v.size() / 2];
  };
  std::string line = absl::StrFormat("%-16s %6.2f %8.2f  ", what, median(sure), median(distances));
  for (const int c : counts) absl::StrAppendFormat(&line, " %3d", c);
  return line + "\n";
}

// Pictures one after another, the first of them with a caption.
void Append(const DlArray& pictures, int64_t count, const std::string& caption, ImageGrid& grid) {
  for (int64_t n = 0; n < count; ++n) {
    grid.images.push_back({.values = Pixels(pictures, n), .caption = n == 0 ? caption : ""});
  }
}

// Trains the two networks; what becomes of the same ten noises at four stages goes to `stages`.
Gan Train(const Dataset& digits, ImageGrid& stages) {
  Gan gan;
  gan.generator.Initialize(NetworkDataLayout({kNoise, kUnknown}, "CB"));
  gan.discriminator.Initialize(NetworkDataLayout({8, 8, 1, kUnknown}, "SSCB"));
  MiniBatchQueue queue(
      digits, {.mini_batch_size = kBatch, .partial_mini_batch = PartialMiniBatch::kDiscard});
  const DlArray noise = Noise(10);
  std::cout << "iteration  discriminator's loss  generator's loss\n";
  for (int i = 0; i < kIterations; ++i) {
    if (i == 0 || i == kIterations / 16 || i == kIterations / 4) {
      Append(gan.generator.Predict(noise), 10, absl::StrCat(i), stages);
    }
    if (!queue.HasData() || i == 0) queue.Shuffle();
    const auto [d_loss, g_loss] = Step(queue.Next().inputs[0], gan);
    if (i % (kIterations / 4) == 0) {
      std::cout << absl::StreamFormat("%9d  %20.2f  %16.2f\n", i, d_loss, g_loss);
    }
  }
  Append(gan.generator.Predict(noise), 10, absl::StrCat(kIterations), stages);
  return gan;
}

absl::Status Run() {
  const uint64_t seed = absl::GetFlag(FLAGS_seed);
  const std::string out = absl::GetFlag(FLAGS_out);
  const absl::StatusOr<DigitsSplit> digits = SplitDigits({.seed = seed});
  if (!digits.ok()) return digits.status();
  const DlArray &real = digits->train.inputs[0], &unseen = digits->test.inputs[0];

  Rng(seed);
  ImageGrid stages{
      .title = "What ten noises become, after so many steps", .rows = 8, .columns = 8, .scale = 6};
  const Gan gan = Train(digits->train, stages);
  absl::Status drawn = WritePicture(ImageGridSvg(stages), out + "/stages.svg");
  if (!drawn.ok()) return drawn;

  const DlArray made = gan.generator.Predict(Noise(Size(unseen, 'B')));
  ImageGrid grid{
      .title = "Made: the first fifty, none chosen", .rows = 8, .columns = 8, .scale = 6};
  Append(made, 50, "", grid);
  drawn = WritePicture(ImageGridSvg(grid), out + "/made.svg");
  if (!drawn.ok()) return drawn;

  ImageGrid pairs{.title = "Made, and the nearest of 1,257 pictures that it was trained with",
                  .rows = 8,
                  .columns = 8,
                  .scale = 6};
  Append(made, 10, "made", pairs);
  for (int64_t n = 0; n < 10; ++n) {
    const auto [number, distance] = Nearest(made, n, real);
    pairs.images.push_back(
        {.values = Pixels(real, number), .caption = absl::StrFormat("%.1f", distance)});
  }
  drawn = WritePicture(ImageGridSvg(pairs), out + "/nearest.svg");
  if (!drawn.ok()) return drawn;

  const DlNetwork judge = TrainJudge(*digits, seed);
  const DlArray noise = Rand(unseen.sizes(), DataType::kSingle, "SSCB");
  std::cout << "\n360 pictures       sure  nearest     0   1   2   3   4   5   6   7   8   9\n"
            << Measure("real, not seen", unseen, judge, real) << Measure("made", made, judge, real)
            << Measure("noise", noise, judge, real);
  return absl::OkStatus();
}

}  // namespace
}  // namespace lamina

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("Trains a generator of digits, draws and measures what it makes.");
  absl::ParseCommandLine(argc, argv);
  const absl::Status status = lamina::Run();
  if (status.ok()) return 0;
  std::cerr << "train_gan: " << status << "\n";
  return 1;
}
