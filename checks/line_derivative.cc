#include "checks/line_derivative.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace lamina::checks {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
constexpr double kFirstStep = 0x1p-12;
constexpr double kStepFactor = 0x1p-4;
constexpr int kSteps = 3;
// Two estimates that differ by more than this part of the slope are not those of a smooth function.
// For one whose derivatives are of the size of its slope they differ by h^4 = 4e-15.
constexpr double kKinkPart = 1e-5;

double RootMeanSquare(const std::vector<double>& v) {
  double sum = 0;
  for (double x : v) sum += x * x;
  return v.empty() ? 0 : std::sqrt(sum / static_cast<double>(v.size()));
}

bool AllFinite(const std::vector<double>& v) {
  return std::all_of(v.begin(), v.end(), [](double x) { return std::isfinite(x); });
}

LineDerivative Derive(const LineFunction& f, const std::vector<double>& center, double noise,
                      double h) {
  // Values at -4h, -2h, -h, h, 2h, 4h.
  constexpr std::array<double, 6> kAt = {-4, -2, -1, 1, 2, 4};
  std::array<std::vector<double>, 6> y;
  LineDerivative d;
  d.step = h;
  for (size_t k = 0; k < kAt.size(); ++k) {
    y[k] = f(kAt[k] * h);
    if (y[k].size() != center.size() || !AllFinite(y[k])) {
      d.finite = false;
      return d;
    }
  }
  const size_t n = center.size();
  d.slope.resize(n);
  d.error.resize(n);
  d.smooth.assign(n, 1);
  std::vector<double> kink(n);
  for (size_t i = 0; i < n; ++i) {
    const double near = (8 * (y[3][i] - y[2][i]) - (y[4][i] - y[1][i])) / (12 * h);
    const double far = (8 * (y[4][i] - y[1][i]) - (y[5][i] - y[0][i])) / (24 * h);
    // Jumps of the slope: a curve's second difference doubles with the step, a kink's does not.
    const double s1 = (y[3][i] - 2 * center[i] + y[2][i]) / h;
    const double s2 = (y[4][i] - 2 * center[i] + y[1][i]) / (2 * h);
    const double s4 = (y[5][i] - 2 * center[i] + y[0][i]) / (4 * h);
    d.slope[i] = near;
    d.error[i] = 2 * std::abs(near - far);
    kink[i] = std::max({std::abs(near - far), std::abs(2 * s1 - s2), std::abs(2 * s2 - s4)});
    const bool moves = std::any_of(y.begin(), y.end(),
                                   [&](const std::vector<double>& v) { return v[i] != center[i]; });
    d.moving += moves;
  }
  const double slope_scale = RootMeanSquare(d.slope), value_scale = RootMeanSquare(center);
  for (size_t i = 0; i < n; ++i) {
    const double rounding = noise * (std::abs(center[i]) + value_scale) / h;
    if (kink[i] > kKinkPart * (std::abs(d.slope[i]) + slope_scale) + 16 * rounding) {
      d.smooth[i] = 0;
      ++d.kinks;
    }
    d.error[i] += 2 * rounding;
  }
  return d;
}

}  // namespace

LineDerivative DeriveAlongLine(const LineFunction& f, double noise) {
  const std::vector<double> center = f(0);
  LineDerivative d;
  if (!AllFinite(center)) {
    d.finite = false;
    return d;
  }
  // The step that makes the error h^4 of the formula as large as that of rounding, noise / h.
  double h = std::max(kFirstStep, 0x1p-3 * std::pow(noise, 0.2));
  for (int k = 0; k < kSteps; ++k, h *= kStepFactor) {
    d = Derive(f, center, noise, h);
    if (d.finite && 4 * d.kinks <= d.moving) break;
  }
  return d;
}

double RelativeNoise(const LineFunction& f) {
  constexpr double kTinyStep = 0x1p-30;
  const std::vector<double> left = f(-kTinyStep), center = f(0), right = f(kTinyStep);
  double sum = 0, values = 0;
  for (size_t i = 0; i < center.size(); ++i) {
    const double second = left[i] - 2 * center[i] + right[i];
    // What a kink or a jump does at such a step is rare and larger than rounding: left out.
    if (!std::isfinite(second) || std::abs(second) > 1e-3 * std::abs(center[i])) continue;
    sum += second * second / 6;
    values += center[i] * center[i];
  }
  return std::max(kEpsilon, values > 0 ? std::sqrt(sum / values) : 0);
}

}  // namespace lamina::checks
