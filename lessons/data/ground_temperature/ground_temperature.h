// A day of ground temperature, as arrays. What it is and where it comes from: README.md.
//
//   absl::StatusOr<GroundTemperature> day = LoadGroundTemperature();
//   day->ground;                                     // 1(C) x 1(B) x 720(T)
//
// Threads: pure functions and plain values.
#ifndef LESSONS_DATA_GROUND_TEMPERATURE_GROUND_TEMPERATURE_H_
#define LESSONS_DATA_GROUND_TEMPERATURE_GROUND_TEMPERATURE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "framework/dlarray/dlarray.h"

namespace lamina {

/// Means of two minutes each. The arrays are 1(C) x 1(B) x 720(T), single.
struct GroundTemperature {
  std::vector<double> hours;  ///< Local time of the middle of each step, from 17 on, up to 41.
  DlArray sun;                ///< Sunlight that the ground keeps, W/m^2; at night 0.
  DlArray sky;                ///< Infrared that comes down, W/m^2.
  DlArray air;                ///< Celsius.
  DlArray ground;             ///< The ground's surface, Celsius: the T of infrared_up = sigma T^4.
};

/// sigma of Stefan and Boltzmann, W/(m^2 K^4): what a black surface of T kelvin sends out is
/// sigma T^4.
inline constexpr double kStefanBoltzmann = 5.670374419e-8;
inline constexpr double kZeroCelsius = 273.15;  ///< In kelvin.

/// Errors: those of ReadCsv; kInvalidArgument unless the table is as README.md says.
absl::StatusOr<GroundTemperature> LoadGroundTemperature();

}  // namespace lamina

#endif  // LESSONS_DATA_GROUND_TEMPERATURE_GROUND_TEMPERATURE_H_
