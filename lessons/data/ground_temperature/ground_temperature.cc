#include "lessons/data/ground_temperature/ground_temperature.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "framework/io/csv.h"
#include "framework/io/runfiles.h"

namespace lamina {

absl::StatusOr<GroundTemperature> LoadGroundTemperature() {
  const std::string path = RunfilePath("lessons/data/ground_temperature/ground_temperature.csv");
  const absl::StatusOr<CsvTable> table = ReadCsv(path, {.header = true});
  if (!table.ok()) return table.status();
  const std::vector<std::string> names = {"minute",        "sun_down",    "sun_up",
                                          "infrared_down", "infrared_up", "air"};
  if (table->names != names || table->rows % 2 != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": expected the columns of README.md and an even number of minutes"));
  }
  const int64_t steps = table->rows / 2;
  // The mean of two minutes, step by step.
  const auto series = [&](const auto& value) {
    std::vector<float> means;
    for (int64_t k = 0; k < steps; ++k) {
      means.push_back(static_cast<float>((value(2 * k) + value(2 * k + 1)) / 2));
    }
    return DlArray::FromVector(means, {1, 1, steps}, "CBT");
  };
  GroundTemperature day;
  for (int64_t k = 0; k < steps; ++k) {
    day.hours.push_back(17 + (2 * static_cast<double>(k) + 1) / 60);
  }
  day.sun = series([&](int64_t i) { return std::max(table->At(i, 1) - table->At(i, 2), 0.0); });
  day.sky = series([&](int64_t i) { return table->At(i, 3); });
  day.air = series([&](int64_t i) { return table->At(i, 5); });
  day.ground = series(
      [&](int64_t i) { return std::pow(table->At(i, 4) / kStefanBoltzmann, 0.25) - kZeroCelsius; });
  return day;
}

}  // namespace lamina
