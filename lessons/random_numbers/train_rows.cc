// Digits from a scanner whose rows may fail after the training. Trains the same network without
// dropout, with dropout of pixels and with dropout of whole rows, for several seeds; compares them
// on test pictures with more and more dead rows; draws both.
//
//   bazel run //lessons/random_numbers:train_rows -- --out=pictures
#include <algorithm>
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
#include "layers/channel_dropout/channel_dropout_layer.h"
#include "lessons/data/digits/split_digits.h"
#include "lessons/random_numbers/broken/not_divided_layer.h"
#include "lessons/write_picture.h"

ABSL_FLAG(std::string, out, ".", "the folder for the pictures");

namespace lamina {
namespace {

constexpr int64_t kRows = 8, kMostDead = 5;
constexpr uint64_t kSeeds = 3;

// [region data]
// Each row of a picture is one channel: 8(S) x 8(S) x 1(C) x N(B) becomes 8(S) x 8(C) x N(B).
Dataset RowsAsChannels(const Dataset& digits) {
  const DlArray x = StripDims(digits.inputs[0]);  // rows x columns x 1 x pictures
  const DlArray columns_first = Permute(x, {1, 0, 2, 3});
  Dataset rows = digits;
  rows.inputs[0] = Reshape(columns_first, {kRows, kRows, x.size(3)}, "SCB");
  return rows;
}

// The same pictures, in each of which `dead` rows, drawn by chance, are white.
Dataset WithDeadRows(const Dataset& data, int64_t dead) {
  const int64_t n = data.inputs[0].size(2);
  const std::vector<float> drawn = Rand({kRows, n}).ToVector<float>();
  std::vector<float> alive(drawn.size());
  for (int64_t b = 0; b < n; ++b) {
    std::vector<float> sorted(&drawn[kRows * b], &drawn[kRows * b] + kRows);
    std::sort(sorted.begin(), sorted.end());
    for (int64_t c = 0; c < kRows; ++c) {
      alive[kRows * b + c] = dead == 0 || drawn[kRows * b + c] > sorted[dead - 1];
    }
  }
  Dataset result = data;
  result.inputs[0] = data.inputs[0] * DlArray::FromVector(alive, {kRows, n}, "CB");
  return result;
}
// [endregion]

// [region train]
DlNetwork Train(const AnyLayer& dropout, const Dataset& data, uint64_t seed) {
  const DlNetwork network({InputLayer({kRows, kRows, kUnknown}, "SCB"), dropout,
                           FullyConnectedLayer(64), ReluLayer(), FullyConnectedLayer(10),
                           SoftmaxLayer()});
  return TrainNet(data, network, "crossentropy",
                  {.solver = "adam",
                   .initial_learn_rate = 0.003,
                   .learn_rate_schedule = "cosine",
                   .max_epochs = 60,
                   .mini_batch_size = 64,
                   .shuffle = Shuffle::kEveryEpoch,
                   .verbose = false,
                   .seed = seed})
      .network;
}
// [endregion]

struct Kind {
  std::string name;
  AnyLayer dropout;
};
std::vector<Kind> Kinds() {
  return {{"no dropout", IdentityLayer()},
          {"dropout of pixels", DropoutLayer(0.25)},
          {"dropout of rows", ChannelDropoutLayer(0.25)},
          {"rows, not divided", NotDividedLayer(0.25)}};
}

std::string InFolder(const std::string& name) { return absl::GetFlag(FLAGS_out) + "/" + name; }

// The first eight test pictures, without and with dead rows.
absl::Status DrawPictures(const std::vector<Dataset>& tests) {
  constexpr int kPictures = 8;
  ImageGrid grid{.title = "Test pictures whose rows fail",
                 .rows = kRows,
                 .columns = kRows,
                 .images_per_line = kPictures,
                 .scale = 6};
  for (int64_t dead : {0, 1, 3, 5}) {
    const DlArray& rows = tests[dead].inputs[0];
    for (int i = 0; i < kPictures; ++i) {
      // Columns lie first in memory: back to rows first.
      const DlArray picture = Transpose(Reshape(Slice(rows, 'B', i, 1), {kRows, kRows}));
      grid.images.push_back({.values = Double(picture).ToVector<double>(),
                             .caption = i == 0 ? absl::StrCat(dead, " dead") : ""});
    }
  }
  return WritePicture(ImageGridSvg(grid), InFolder("dead_rows.svg"));
}

// The mean over the seeds; the fourth kind is for the table alone.
absl::Status DrawAccuracies(const std::vector<Kind>& kinds,
                            const std::vector<std::vector<double>>& accuracies) {
  std::vector<double> dead(kMostDead + 1);
  for (int64_t k = 0; k <= kMostDead; ++k) dead[k] = static_cast<double>(k);
  LineChart chart{.title = "Test pictures with dead rows",
                  .x = {"dead rows, of 8"},
                  .y = {.label = "accuracy", .low = 0.3, .high = 1}};
  for (size_t i = 0; i < 3; ++i) {
    chart.series.push_back({.name = kinds[i].name, .x = dead, .y = accuracies[i], .markers = true});
  }
  return WritePicture(LineChartSvg({chart}), InFolder("accuracy.svg"));
}

absl::Status Run() {
  const std::vector<Kind> kinds = Kinds();
  std::vector<std::vector<double>> mean(kinds.size(), std::vector<double>(kMostDead + 1, 0.0));
  std::cout << "Accuracy on the 360 test pictures, by the number of dead rows:\n\n"
            << "                          0       1       2       3       4       5\n";
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const absl::StatusOr<DigitsSplit> digits = SplitDigits({.seed = seed});
    if (!digits.ok()) return digits.status();
    Rng(seed);
    const Dataset train = RowsAsChannels(digits->train), whole = RowsAsChannels(digits->test);
    std::vector<Dataset> tests;
    for (int64_t k = 0; k <= kMostDead; ++k) tests.push_back(WithDeadRows(whole, k));
    std::cout << "seed " << seed << "\n";
    for (size_t i = 0; i < kinds.size(); ++i) {
      const DlNetwork trained = Train(kinds[i].dropout, train, seed);
      std::cout << absl::StrFormat("  %-18s", kinds[i].name);
      for (int64_t k = 0; k <= kMostDead; ++k) {
        const double accuracy = TestNet(trained, tests[k], {"accuracy"})[0];
        mean[i][k] += accuracy / kSeeds;
        std::cout << absl::StrFormat("  %.4f", accuracy);
      }
      std::cout << "\n";
    }
    if (seed == 1) {
      const absl::Status drawn = DrawPictures(tests);
      if (!drawn.ok()) return drawn;
    }
  }
  return DrawAccuracies(kinds, mean);
}

}  // namespace
}  // namespace lamina

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("Trains with and without dropout, and lets rows of pictures fail.");
  absl::ParseCommandLine(argc, argv);
  const absl::Status status = lamina::Run();
  if (status.ok()) return 0;
  std::cerr << "train_rows: " << status << "\n";
  return 1;
}
