// The series of CO2 cut into pieces to forecast: so many months, and the year that follows.
//
//   absl::StatusOr<Co2Series> series = LoadCo2();
//   Dataset early = Windows(*series, 0, series->MonthOf(1970));
//
// Threads: pure functions and plain values.
#ifndef LESSONS_MULTIPLE_OUTPUTS_CO2_WINDOWS_H_
#define LESSONS_MULTIPLE_OUTPUTS_CO2_WINDOWS_H_

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "framework/trainnet/data.h"

namespace lamina {

inline constexpr int64_t kPast = 24, kFuture = 12;  ///< Months.

struct Co2Series {
  std::vector<double> year;  ///< With the month as a fraction: 1958.17 is March 1958.
  std::vector<double> ppm;

  /// The number of the first month of a year.
  int64_t MonthOf(double first_of_year) const;
  /// As the networks get it: about the mean of the months before 1970, in their standard
  /// deviations. Scaled back: ppm = mean + deviation x.
  double mean = 0, deviation = 1;
};

/// Errors: those of ReadCsv.
absl::StatusOr<Co2Series> LoadCo2();

/// All windows whose forecast lies in the months from `first` on, below `end`: inputs
/// 24(S) x 1(C) x N(B), targets 12(C) x N(B). `step` months lie between two windows.
Dataset Windows(const Co2Series& series, int64_t first, int64_t end, int64_t step = 1);

}  // namespace lamina

#endif  // LESSONS_MULTIPLE_OUTPUTS_CO2_WINDOWS_H_
