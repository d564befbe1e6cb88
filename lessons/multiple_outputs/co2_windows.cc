#include "lessons/multiple_outputs/co2_windows.h"

#include <algorithm>
#include <cmath>

#include "framework/io/csv.h"
#include "framework/io/runfiles.h"

namespace lamina {

int64_t Co2Series::MonthOf(double first_of_year) const {
  return std::lower_bound(year.begin(), year.end(), first_of_year - 0.01) - year.begin();
}

absl::StatusOr<Co2Series> LoadCo2() {
  const absl::StatusOr<CsvTable> table =
      ReadCsv(RunfilePath("lessons/data/co2/monthly.csv"), {.header = true});
  if (!table.ok()) return table.status();
  Co2Series series;
  for (int64_t row = 0; row < table->rows; ++row) {
    series.year.push_back(table->At(row, 0) + (table->At(row, 1) - 1) / 12);
    series.ppm.push_back(table->At(row, 2));
  }
  const int64_t n = series.MonthOf(1970);
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < n; ++i) sum += series.ppm[i];
  series.mean = sum / static_cast<double>(n);
  for (int64_t i = 0; i < n; ++i) squares += std::pow(series.ppm[i] - series.mean, 2);
  series.deviation = std::sqrt(squares / static_cast<double>(n));
  return series;
}

Dataset Windows(const Co2Series& series, int64_t first, int64_t end, int64_t step) {
  std::vector<float> x, t;
  int64_t count = 0;
  const auto scaled = [&](int64_t i) {
    return static_cast<float>((series.ppm[i] - series.mean) / series.deviation);
  };
  for (int64_t at = std::max(first, kPast); at + kFuture <= end; at += step, ++count) {
    for (int64_t i = at - kPast; i < at; ++i) x.push_back(scaled(i));
    for (int64_t i = at; i < at + kFuture; ++i) t.push_back(scaled(i));
  }
  return {DlArray::FromVector(x, {kPast, 1, count}, "SCB"),
          DlArray::FromVector(t, {kFuture, count}, "CB")};
}

}  // namespace lamina
