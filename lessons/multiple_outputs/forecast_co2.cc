// Forecasts the CO2 of the coming year from the two years before, with and without the level taken
// out: trained on the months before 1970, tried on 1971 to 2001. Draws a window in its parts, and
// the forecasts.
//
//   bazel run //lessons/multiple_outputs:forecast_co2 -- --out=pictures
#include <cmath>
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
#include "layers/split_level/split_level_layer.h"
#include "lessons/multiple_outputs/co2_windows.h"
#include "lessons/write_picture.h"

ABSL_FLAG(std::string, out, ".", "the folder for the pictures");

namespace lamina {
namespace {

// [region plain]
std::vector<AnyLayer> Forecast() {
  return {Named(FullyConnectedLayer(32), "hidden"), ReluLayer(),
          Named(FullyConnectedLayer(kFuture), "forecast")};
}

DlNetwork PlainNetwork() {
  DlNetwork net({Named(InputLayer({kPast, 1, kUnknown}, "SCB"), "months")});
  net.AddLayers(Forecast());
  net.ConnectLayers("months", "hidden");
  return net;
}
// [endregion]

// [region split]
DlNetwork SplitNetwork() {
  DlNetwork net({Named(InputLayer({kPast, 1, kUnknown}, "SCB"), "months"),
                 Named(SplitLevelLayer(), "split")});
  net.AddLayers(Forecast());
  net.AddLayers({Named(JoinLevelLayer(), "join")});
  net.ConnectLayers("split/shape", "hidden");
  net.ConnectLayers("forecast", "join/shape");
  net.ConnectLayers("split/level", "join/level");
  net.ConnectLayers("split/spread", "join/spread");
  return net;
}
// [endregion]

// [region train]
DlNetwork Train(const DlNetwork& network, const Dataset& data, uint64_t seed, bool verbose) {
  return TrainNet(data, network, "mse",
                  {.solver = "adam",
                   .initial_learn_rate = 0.01,
                   .learn_rate_schedule = "cosine",
                   .max_epochs = 100,
                   .mini_batch_size = 32,
                   .shuffle = Shuffle::kEveryEpoch,
                   .verbose = verbose,
                   .verbose_frequency = 100,
                   .seed = seed})
      .network;
}
// [endregion]

// Root of the mean squared error, in ppm.
double Error(const Co2Series& series, const DlArray& forecast, const DlArray& target) {
  const DlArray e = forecast - target;
  return series.deviation * std::sqrt(Mean(e * e).Scalar());
}

absl::Status Draw(const std::string& name, const std::vector<LineChart>& charts, int columns,
                  int width, int height) {
  return WritePicture(LineChartSvg(charts, columns, width, height),
                      absl::GetFlag(FLAGS_out) + "/" + name);
}

// One window, its level and spread, and beside it its shape.
absl::Status DrawParts(const Co2Series& series) {
  const int64_t at = series.MonthOf(1985);
  std::vector<float> ppm;
  std::vector<double> months;
  for (int64_t i = at - kPast; i < at; ++i) {
    ppm.push_back(static_cast<float>(series.ppm[i]));
    months.push_back(series.year[i]);
  }
  const DlArrays parts =
      AnyLayer(SplitLevelLayer()).Predict({DlArray::FromVector(ppm, {kPast, 1, 1}, "SCB")}).outputs;
  const double level = parts[1].At(0), spread = parts[2].At(0);
  const auto line = [&](const std::string& name, double height) {
    return Series{
        .name = name, .x = {months.front(), months.back()}, .y = {height, height}, .dashed = true};
  };
  std::cout << absl::StrFormat("1983 and 1984: level %.2f ppm, spread %.2f ppm\n", level, spread);
  return Draw("parts.svg",
              {{.title = "Two years, their level and spread",
                .x = {.label = "year"},
                .y = {.label = "CO2 (ppm)"},
                .series = {{"months", months, std::vector<double>(ppm.begin(), ppm.end())},
                           line("level", level),
                           line("level + spread", level + spread),
                           line("level - spread", level - spread)}},
               {.title = "Their shape",
                .x = {.label = "year"},
                .y = {.label = "shape"},
                .series = {{"shape", months, Double(parts[0]).ToVector<double>()}}}},
              2, 440, 320);
}

// The forecasts of each year, as a line that is interrupted between years.
Series Line(const std::string& name, const Co2Series& series, const DlArray& forecast) {
  Series line{.name = name};
  const int64_t first = series.MonthOf(1971);
  for (int64_t i = 0; i < forecast.numel(); ++i) {
    if (i % kFuture == 0 && i > 0) {
      line.x.push_back(series.year[first + i]);
      line.y.push_back(std::nan(""));
    }
    line.x.push_back(series.year[first + i]);
    line.y.push_back(series.mean + series.deviation * forecast.At(i));
  }
  return line;
}

absl::Status Run() {
  const absl::StatusOr<Co2Series> series = LoadCo2();
  if (!series.ok()) return series.status();
  if (absl::Status s = DrawParts(*series); !s.ok()) return s;
  const int64_t end = static_cast<int64_t>(series->ppm.size());
  const Dataset early = Windows(*series, 0, series->MonthOf(1970));
  const Dataset late = Windows(*series, series->MonthOf(1971), end, kFuture);
  std::cout << Size(early.inputs[0], 'B') << " windows to train with, before 1970; "
            << Size(late.inputs[0], 'B') << " years to forecast, 1971 to 2001.\n\n";

  std::string table = "                          before 1970  1971 to 2001\n";
  const auto row = [&](const std::string& name, const DlArray& a, const DlArray& b) {
    absl::StrAppendFormat(&table, "%-24s  %11.2f  %12.2f\n", name,
                          Error(*series, a, early.targets[0]), Error(*series, b, late.targets[0]));
  };
  const auto last_year = [](const Dataset& data) {
    const DlArray months = Slice(data.inputs[0], 'S', kPast - kFuture, kFuture);
    return Reshape(months, {kFuture, Size(months, 'B')}, "CB");
  };
  row("as in the year before", last_year(early), last_year(late));
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    const DlNetwork plain = Train(PlainNetwork(), early, seed, /*verbose=*/false);
    const DlNetwork split = Train(SplitNetwork(), early, seed, /*verbose=*/seed == 1);
    const DlArray plain_late = plain.Predict(late.inputs[0]);
    const DlArray split_late = split.Predict(late.inputs[0]);
    row(absl::StrFormat("plain network, seed %d", seed), plain.Predict(early.inputs[0]),
        plain_late);
    row(absl::StrFormat("split and join, seed %d", seed), split.Predict(early.inputs[0]),
        split_late);
    if (seed > 1) continue;
    absl::Status drawn = Draw(
        "forecasts.svg",
        {{.title = "Forecasts of each year from the two before; trained on the years before 1970",
          .x = {.label = "year"},
          .y = {.label = "CO2 (ppm)"},
          .series = {{"measured", series->year, series->ppm},
                     Line("plain network", *series, plain_late),
                     Line("split and join", *series, split_late)}}},
        1, 880, 420);
    if (!drawn.ok()) return drawn;
  }
  std::cout << "\nRoot of the mean squared error of the forecasts, in ppm:\n\n" << table;
  return absl::OkStatus();
}

}  // namespace
}  // namespace lamina

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("Forecasts CO2 with and without its level taken out.");
  absl::ParseCommandLine(argc, argv);
  const absl::Status status = lamina::Run();
  if (status.ok()) return 0;
  std::cerr << "forecast_co2: " << status << "\n";
  return 1;
}
