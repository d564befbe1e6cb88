// Trains the thermal cell on 512 steps of ground temperature, from three beginnings, and tests it
// on the 208 steps that follow.
//
//   bazel run //lessons/physical_cell:train_ground -- --out=pictures
#include <algorithm>
#include <chrono>
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
#include "framework/trainnet/updates.h"
#include "layers/thermal_cell/thermal_cell_layer.h"
#include "lessons/data/ground_temperature/ground_temperature.h"
#include "lessons/write_picture.h"

ABSL_FLAG(std::string, out, ".", "the folder for the pictures");

namespace lamina {
namespace {

constexpr int64_t kTrain = 512, kTest = 208;  // Steps of two minutes.
constexpr int kIterations = 600;

// [region input]
// What the cell gets: 2(C) x 1(B) x 720(T). The ground loses sigma T^4. The part of that which
// belongs to a ground as warm as the air is taken off here; the rest grows nearly in proportion to
// the difference between ground and air, and is in the conductance that is learned.
DlArray CellInput(const GroundTemperature& day) {
  const DlArray loss = kStefanBoltzmann * Square(Square(day.air + kZeroCelsius));
  return Cat('C', {day.sun + day.sky - loss, day.air});
}
// [endregion]

// [region network]
DlNetwork Ground(const ThermalValues& begin) {
  ThermalCellLayer cell(begin);
  cell.SetLearnRateFactor("InitialTemperatures", 2);
  return DlNetwork({SequenceInputLayer(2), Named(cell, "cell")});
}
// [endregion]

// Values in units that people use, of the cell as it is now.
struct Values {
  double surface_capacity, body_capacity;    // kJ/(m^2 K)
  double air_conductance, body_conductance;  // W/(m^2 K)
  double body_temperature;                   // Celsius
};
Values ValuesOf(const DlNetwork& network) {
  const auto& cell = *network.layer("cell").As<ThermalCellLayer>();
  const DlArray c = Exp(cell.log_capacities), g = Exp(cell.log_conductances);
  return {c.At(0) / 1000, c.At(1) / 1000, g.At(0), g.At(1), cell.initial_temperatures.At(1)};
}

struct Training {
  DlNetwork network;
  std::vector<Values> course;        // Before each iteration, and at the end.
  std::vector<double> milliseconds;  // Of each iteration.
};

// [region train]
Training Train(DlNetwork network, const DlArray& x, const DlArray& ground) {
  Training training;
  AdamState state;
  for (int i = 0; i < kIterations; ++i) {
    training.course.push_back(ValuesOf(network));
    const auto begin = std::chrono::steady_clock::now();
    auto [loss, gradients] = DlFeval(
        [&](const DlNetwork& net) {
          const DlArray surface = Slice(net.Forward(x), 'C', 0, 1);
          const DlArray loss = Mse(surface, ground);
          return std::pair(loss, DlGradient(loss, net.LearnableValues()));
        },
        network);
    const double left = 1 - static_cast<double>(i) / kIterations;
    AdamUpdate(network, gradients, state, {.learn_rate = 0.1 * left});
    const std::chrono::duration<double, std::milli> passed =
        std::chrono::steady_clock::now() - begin;
    training.milliseconds.push_back(passed.count());
  }
  training.course.push_back(ValuesOf(network));
  training.network = std::move(network);
  return training;
}
// [endregion]

// The root of the mean squared difference over some steps.
double Rmse(const DlArray& y, const DlArray& t, int64_t start, int64_t count) {
  const DlArray difference = Slice(y, 'T', start, count) - Slice(t, 'T', start, count);
  return std::sqrt(Mean(Square(difference)).Scalar());
}

DlArray Simulate(const DlNetwork& network, const DlArray& x) {
  return Slice(network.Predict(x), 'C', 0, 1);
}

// [region baselines]
// The last ground temperature of the training, for ever.
DlArray Persistence(const GroundTemperature& day) {
  const DlArray last = Slice(day.ground, 'T', kTrain - 1, 1);
  return BroadcastTo(last, day.ground.spec());
}
// The least-squares fit of the same measurements, without any memory: T = a . [sun, sky, air, 1],
// by gradient descent on centred and scaled columns until nothing changes.
DlArray Regression(const GroundTemperature& day) {
  DlArrays columns;
  for (const DlArray& x : {day.sun, day.sky, day.air}) {
    const DlArray seen = Slice(x, 'T', 0, kTrain);
    columns.push_back((x - Mean(seen)) / Sqrt(Variance(seen)));
  }
  columns.push_back(OnesLike(day.air));
  const DlArray x = Reshape(StripDims(Cat('C', columns)), {4, kTrain + kTest});
  const DlArray seen = Slice(x, 1, 0, kTrain),
                t = Reshape(Slice(day.ground, 'T', 0, kTrain), {1, kTrain});
  DlArray a = Zeros({1, 4});
  for (int i = 0; i < 5000; ++i)
    a = a - 0.5 * MatMul(MatMul(a, seen) - t, seen, false, true) / kTrain;
  return Reshape(MatMul(a, x), {1, 1, kTrain + kTest}, "CBT");
}
// [endregion]

absl::Status Draw(const std::string& name, const std::vector<LineChart>& panels, int columns,
                  int width, int height) {
  return WritePicture(LineChartSvg(panels, columns, width, height),
                      absl::GetFlag(FLAGS_out) + "/" + name);
}

Series Line(const std::string& name, const std::vector<double>& x, const DlArray& y,
            bool dashed = false) {
  return {.name = name, .x = x, .y = Double(y).ToVector<double>(), .dashed = dashed};
}

absl::Status DrawDay(const GroundTemperature& day, const DlArray& before, const DlArray& after) {
  const double split = 17 + 2.0 * kTrain / 60;
  return Draw(
      "ground.svg",
      {{.title = "Ground temperature on 1 January 2016, Alamosa, Colorado",
        .x = {"local time (h); 24 is midnight, 36 is noon"},
        .y = {"temperature (Celsius)"},
        .series = {Line("air, measured", day.hours, day.air, true),
                   Line("cell as it began", day.hours, before, true),
                   Line("ground, measured", day.hours, day.ground),
                   Line("cell after training", day.hours, after),
                   {.name = "end of the training data", .x = {split, split}, .y = {-25, 6}}}}},
      1, 860, 460);
}

absl::Status DrawCourse(const std::vector<Training>& all) {
  const auto panel = [&](const std::string& title, double Values::*value) {
    LineChart chart{.title = title, .x = {"iteration"}, .y = {.logarithmic = true}};
    for (size_t k = 0; k < all.size(); ++k) {
      Series line{.name = absl::StrFormat("beginning %d", k + 1)};
      for (size_t i = 0; i < all[k].course.size(); ++i) {
        line.x.push_back(static_cast<double>(i));
        line.y.push_back(all[k].course[i].*value);
      }
      chart.series.push_back(line);
    }
    return chart;
  };
  return Draw("values.svg",
              {panel("capacity of the surface (kJ/K per m²)", &Values::surface_capacity),
               panel("capacity of the body (kJ/K per m²)", &Values::body_capacity),
               panel("conductance to the air (W/K per m²)", &Values::air_conductance),
               panel("conductance to the body (W/K per m²)", &Values::body_conductance)},
              2, 440, 300);
}

absl::Status Run() {
  const absl::StatusOr<GroundTemperature> loaded = LoadGroundTemperature();
  if (!loaded.ok()) return loaded.status();
  const GroundTemperature& day = *loaded;
  const DlArray x = CellInput(day), seen = Slice(x, 'T', 0, kTrain),
                ground = Slice(day.ground, 'T', 0, kTrain);
  // [region begin]
  // Dry soil weighs about 1.3 tons a cubic metre and takes 0.8 kJ/(kg K): 10 kJ/K for each
  // centimetre. Three guesses.
  const double first = day.ground.At(0);
  const std::vector<ThermalValues> begins = {{120, 2e4, 2e5, 10, 10, first, -8},
                                             {120, 1e4, 1e5, 5, 20, first, -8},
                                             {120, 3e4, 5e5, 20, 5, first, -8}};
  // [endregion]
  std::vector<Training> all;
  for (const ThermalValues& begin : begins) all.push_back(Train(Ground(begin), seen, ground));

  std::cout
      << "Learned from 512 steps of two minutes, 17:00 to 10:04:\n\n"
      << "                                          begin 1   end 1   begin 2   end 2   begin 3   "
         "end 3\n";
  const auto row = [&](const std::string& name, double Values::*value) {
    std::cout << absl::StrFormat("%-39s", name);
    for (const Training& t : all) {
      std::cout << absl::StrFormat("  %8.1f%8.1f", t.course.front().*value, t.course.back().*value);
    }
    std::cout << "\n";
  };
  row("capacity of the surface      kJ/(m^2 K)", &Values::surface_capacity);
  row("capacity of the body         kJ/(m^2 K)", &Values::body_capacity);
  row("conductance to the air       W/(m^2 K)", &Values::air_conductance);
  row("conductance to the body      W/(m^2 K)", &Values::body_conductance);
  row("body, at the beginning       Celsius", &Values::body_temperature);

  std::cout << "\nRoot of the mean squared error, in kelvin:\n\n"
            << "                                512 steps learned   208 steps after\n";
  const auto errors = [&](const std::string& name, const DlArray& y) {
    std::cout << absl::StrFormat("%-32s%17.2f%18.2f\n", name, Rmse(y, day.ground, 0, kTrain),
                                 Rmse(y, day.ground, kTrain, kTest));
  };
  for (size_t i = 0; i < all.size(); ++i) {
    errors(absl::StrFormat("the cell, from beginning %d", i + 1), Simulate(all[i].network, x));
  }
  errors("the cell as it began (1)", Simulate(Ground(begins[0]), x));
  errors("sun, sky and air, fitted", Regression(day));
  errors("as warm as the air", day.air);
  std::cout << absl::StrFormat("%-32s%17s%18.2f\n", "as at 10:04, for ever", "",
                               Rmse(Persistence(day), day.ground, kTrain, kTest));

  std::vector<double> later(all[0].milliseconds.begin() + 1, all[0].milliseconds.end());
  std::sort(later.begin(), later.end());
  std::cout << absl::StrFormat(
      "\n512 steps forward and backward, and the update: %.1f ms the first time, %.1f ms later "
      "(median).\n",
      all[0].milliseconds[0], later[later.size() / 2]);

  const absl::Status drawn =
      DrawDay(day, Simulate(Ground(begins[0]), x), Simulate(all[0].network, x));
  return drawn.ok() ? DrawCourse(all) : drawn;
}

}  // namespace
}  // namespace lamina

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("Trains a thermal cell on a day of ground temperature.");
  absl::ParseCommandLine(argc, argv);
  const absl::Status status = lamina::Run();
  if (status.ok()) return 0;
  std::cerr << "train_ground: " << status << "\n";
  return 1;
}
