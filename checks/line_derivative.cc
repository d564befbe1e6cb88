#include "checks/line_derivative.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace lamina::checks {
namespace {

constexpr double kEpsilon = std::numeric_limits<double>::epsilon();
constexpr double kFirstStep = 0x1p-16;
constexpr double kStepFactor = 0x1p-4;
constexpr int kSteps = 3;
// Two estimates that differ by more than this part of the slope are not those of a smooth function.
// For one whose derivatives are of the size of its slope they differ by h^2 / 2 = 1e-10.
constexpr double kKinkPart = 1e-5;

// Values at -2h, -h, h, 2h.
constexpr std::array<double, 4> kAt = {-2, -1, 1, 2};
struct Samples {
  std::array<Numbers, 4> y;
  Numbers center;
  double h;

  double Near(size_t i) const { return (y[2][i] - y[1][i]) / (2 * h); }
  double Far(size_t i) const { return (y[3][i] - y[0][i]) / (4 * h); }
  // Of both the combination whose error is of fourth order.
  double Slope(size_t i) const { return (4 * Near(i) - Far(i)) / 3; }
  // How much the slope to the right is more than that to the left. A curve's doubles with the step,
  // a kink's does not.
  double Bend(int left, int right, double step, size_t i) const {
    return (y[right][i] - 2 * center[i] + y[left][i]) / step;
  }
  bool Moves(size_t i) const {
    return y[0][i] != center[i] || y[1][i] != center[i] || y[2][i] != center[i] ||
           y[3][i] != center[i];
  }
  bool Finite(size_t i) const {
    return std::isfinite(y[0][i]) && std::isfinite(y[1][i]) && std::isfinite(y[2][i]) &&
           std::isfinite(y[3][i]);
  }
};

struct Sums {
  double slopes = 0, values = 0;  // Of squares.
  int64_t moving = 0, kinks = 0, infinite = 0;
  Sums& operator+=(const Sums& o) {
    slopes += o.slopes;
    values += o.values;
    moving += o.moving;
    kinks += o.kinks;
    infinite += o.infinite;
    return *this;
  }
};

LineDerivative Derive(const LineFunction& f, const Numbers& center, double noise, double h) {
  Samples at{.y = {}, .center = center, .h = h};
  LineDerivative d;
  d.step = h;
  const size_t n = center.size();
  for (size_t k = 0; k < kAt.size(); ++k) {
    at.y[k] = f(kAt[k] * h);
    if (at.y[k].size() != n) {
      d.finite = false;
      return d;
    }
  }
  Sums sums;
  d.slope = MakeNumbers(n, [&](double* slope) {
    sums = SumOfBlocks<Sums>(n, [&](size_t begin, size_t end) {
      Sums s;
      for (size_t i = begin; i < end; ++i) {
        slope[i] = at.Slope(i);
        s.slopes += slope[i] * slope[i];
        s.values += center[i] * center[i];
        s.moving += at.Moves(i);
        s.infinite += !at.Finite(i);
      }
      return s;
    });
  });
  if (sums.infinite > 0) {
    d.finite = false;
    return d;
  }
  d.moving = sums.moving;
  const double count = static_cast<double>(std::max<size_t>(1, n));
  const double slope_scale = std::sqrt(sums.slopes / count);
  const double value_scale = std::sqrt(sums.values / count);
  d.smooth.assign(n, 1);
  d.error = MakeNumbers(n, [&](double* error) {
    sums = SumOfBlocks<Sums>(n, [&](size_t begin, size_t end) {
      Sums s;
      for (size_t i = begin; i < end; ++i) {
        const double apart = std::abs(at.Near(i) - at.Far(i));
        const double bends = std::abs(2 * at.Bend(1, 2, h, i) - at.Bend(0, 3, 2 * h, i));
        const double kink = std::max(apart, bends);
        const double rounding = noise * (std::abs(center[i]) + value_scale) / h;
        if (kink > kKinkPart * (std::abs(d.slope[i]) + slope_scale) + 16 * rounding) {
          d.smooth[i] = 0;
          ++s.kinks;
        }
        error[i] = apart / 16 + bends / 2 + 2 * rounding;
      }
      return s;
    });
  });
  d.kinks = sums.kinks;
  return d;
}

}  // namespace

LineDerivative DeriveAlongLine(const LineFunction& f, double noise) {
  const Numbers center = f(0);
  LineDerivative d;
  if (!AllFinite(center)) {
    d.finite = false;
    return d;
  }
  // The step at which the difference of the estimates, of the size h^2, is that of rounding,
  // noise / h.
  double h = std::max(kFirstStep, std::cbrt(noise));
  for (int k = 0; k < kSteps; ++k, h *= kStepFactor) {
    d = Derive(f, center, noise, h);
    if (d.finite && 4 * d.kinks <= d.moving) break;
  }
  return d;
}

bool AllFinite(const Numbers& values) {
  return SumOfBlocks<size_t>(values.size(), [&](size_t begin, size_t end) {
           size_t infinite = 0;
           for (size_t i = begin; i < end; ++i) infinite += !std::isfinite(values[i]);
           return infinite;
         }) == 0;
}

double RelativeNoise(const LineFunction& f) {
  constexpr double kTinyStep = 0x1p-30;
  const Numbers left = f(-kTinyStep), center = f(0), right = f(kTinyStep);
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
