// Trains a peephole LSTM to read digits column by column, shows what it believes after each column,
// and what padding does to it.
//
//   bazel run //lessons/recurrent_state:train_columns -- --out=pictures
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
#include "layers/peephole_lstm/peephole_lstm_layer.h"
#include "lessons/recurrent_state/digit_columns.h"
#include "lessons/write_picture.h"

ABSL_FLAG(std::string, out, ".", "the folder for the picture");

namespace lamina {
namespace {

// [region network]
DlNetwork Reader() {
  return DlNetwork({SequenceInputLayer(8), Named(PeepholeLstmLayer(32, "last"), "lstm"),
                    FullyConnectedLayer(10), SoftmaxLayer()});
}
// [endregion]

// [region train]
TrainingResult Train(const DigitColumns& digits, uint64_t seed, const SequenceLength& length,
                     PaddingDirection direction, bool verbose) {
  return TrainNet(digits.train.Data(), Reader(), "crossentropy",
                  {.solver = "adam",
                   .initial_learn_rate = 0.01,
                   .learn_rate_schedule = "cosine",
                   .max_epochs = 12,
                   .mini_batch_size = 32,
                   .shuffle = Shuffle::kEveryEpoch,
                   .sequence_length = length,
                   .sequence_padding_direction = direction,
                   .gradient_threshold = 1,
                   .validation_data = digits.validation.Data(),
                   .validation_frequency = 150,
                   .metrics = {"accuracy"},
                   .verbose = verbose,
                   .verbose_frequency = 150,
                   .seed = seed});
}
// [endregion]

// Each sequence alone, as it comes when the network is used.
double AccuracyAlone(const DlNetwork& network, const ColumnSequences& test) {
  return TestNet(network, test.Data(), {"accuracy"})[0];
}
// All padded to one array of eight columns.
double AccuracyPadded(const DlNetwork& network, const ColumnSequences& test,
                      PaddingDirection direction) {
  const DlArray x = PadSequences(test.x, {.length = 8, .direction = direction}).x;
  return TestNet(network, Dataset(x, test.t), {"accuracy"})[0];
}

std::string Percent(double part) { return absl::StrFormat("%.1f %%", 100 * part); }

// [region stream]
// The scores after each column: the network gets one column at a time, and its state goes on.
DlArrays ScoresAfterEachColumn(DlNetwork network, const DlArray& x) {
  network.ResetState();
  DlArrays scores;
  for (int64_t k = 0; k < Size(x, 'T'); ++k) {
    const NetworkOutput now = network.PredictAll(DlArrays{Slice(x, 'T', k, 1)});
    network.SetState(now.state);
    scores.push_back(now.outputs[0]);
  }
  return scores;
}
// [endregion]

// A line of pictures for some test digits: what was read so far, and the class that is most likely.
absl::Status Draw(const DlNetwork& network, const ColumnSequences& test) {
  constexpr int kDigits = 6, kSteps = 7;
  ImageGrid grid{.title = "What the network believes after each column (orange: wrong)",
                 .rows = 8,
                 .columns = 8,
                 .images_per_line = kSteps,
                 .scale = 10};
  const std::vector<double> blank(64, 0);
  int drawn = 0;
  std::vector<bool> seen(10, false);
  for (size_t i = 0; i < test.x.size() && drawn < kDigits; ++i) {
    const DlArray& x = test.x[i];
    const int64_t digit = OneHotDecode(Slice(test.t, 'B', static_cast<int64_t>(i), 1)).At(0);
    if (seen[digit] || Size(x, 'T') > kSteps) continue;
    seen[digit] = true;
    ++drawn;
    std::vector<double> ink = blank;
    const DlArrays scores = ScoresAfterEachColumn(network, x);
    for (int64_t k = 0; k < kSteps; ++k) {
      if (k >= Size(x, 'T')) {
        grid.images.push_back({.values = blank});
        continue;
      }
      for (int64_t row = 0; row < 8; ++row) ink[row + 8 * k] = x.At(row + 8 * k);
      const int64_t best = OneHotDecode(scores[k]).At(0);
      grid.images.push_back(
          {.values = ink,
           .caption = absl::StrFormat("%d: %.2f", best, MaxOver(scores[k]).Scalar()),
           .marked = best != digit});
    }
  }
  return WritePicture(ImageGridSvg(grid), absl::GetFlag(FLAGS_out) + "/reading.svg");
}

absl::Status Run() {
  std::string table =
      "seed  equal lengths  padded right: alone  padded  padded left: alone  padded\n";
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const absl::StatusOr<DigitColumns> digits = ReadDigitColumns(seed);
    if (!digits.ok()) return digits.status();
    const ColumnSequences& test = digits->test;
    if (seed == 1) {
      std::vector<int> count(9, 0);
      for (const DlArray& x : digits->train.x) ++count[Size(x, 'T')];
      std::cout << "Columns:          2     3     4     5     6     7     8\nDigits to learn:";
      for (int steps = 2; steps <= 8; ++steps) std::cout << absl::StrFormat("%6d", count[steps]);
      std::cout << "\n\n";
    }
    constexpr auto kRight = PaddingDirection::kRight, kLeft = PaddingDirection::kLeft;
    const DlNetwork equal = Train(*digits, seed, "auto", kRight, seed == 1).network,
                    right = Train(*digits, seed, "longest", kRight, false).network,
                    left = Train(*digits, seed, "longest", kLeft, false).network;
    if (seed == 1) {
      const absl::Status drawn = Draw(equal, test);
      if (!drawn.ok()) return drawn;
    }
    table += absl::StrFormat(
        "%4d  %13s  %19s  %6s  %18s  %6s\n", seed, Percent(AccuracyAlone(equal, test)),
        Percent(AccuracyAlone(right, test)), Percent(AccuracyPadded(right, test, kRight)),
        Percent(AccuracyAlone(left, test)), Percent(AccuracyPadded(left, test, kLeft)));
  }
  std::cout
      << "\nAccuracy on 360 test digits, trained with batches of equal lengths, or padded:\n\n"
      << table;
  return absl::OkStatus();
}

}  // namespace
}  // namespace lamina

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("Trains a peephole LSTM to read digits column by column.");
  absl::ParseCommandLine(argc, argv);
  const absl::Status status = lamina::Run();
  if (status.ok()) return 0;
  std::cerr << "train_columns: " << status << "\n";
  return 1;
}
