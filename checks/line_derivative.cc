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

// Values at -4h, -2h, -h, h, 2h, 4h.
constexpr std::array<double, 6> kAt = {-4, -2, -1, 1, 2, 4};
struct Samples {
  std::array<Numbers, 6> y;
  Numbers center;
  double h;

  double Near(size_t i) const { return (8 * (y[3][i] - y[2][i]) - (y[4][i] - y[1][i])) / (12 * h); }
  double Far(size_t i) const { return (8 * (y[4][i] - y[1][i]) - (y[5][i] - y[0][i])) / (24 * h); }
  // How much the slope to the right is more than that to the left. A curve's doubles with the step,
  // a kink's does not.
  double Bend(int left, int right, double step, size_t i) const {
    return (y[right][i] - 2 * center[i] + y[left][i]) / step;
  }
  bool Moves(size_t i) const {
    return std::any_of(y.begin(), y.end(), [&](const Numbers& v) { return v[i] != center[i]; });
  }
};

struct Sums {
  double slopes = 0, values = 0;  // Of squares.
  int64_t moving = 0, kinks = 0;
  Sums& operator+=(const Sums& o) {
    slopes += o.slopes;
    values += o.values;
    moving += o.moving;
    kinks += o.kinks;
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
    if (at.y[k].size() != n || !AllFinite(at.y[k])) {
      d.finite = false;
      return d;
    }
  }
  Sums sums;
  d.slope = MakeNumbers(n, [&](double* slope) {
    sums = SumOfBlocks<Sums>(n, [&](size_t begin, size_t end) {
      Sums s;
      for (size_t i = begin; i < end; ++i) {
        slope[i] = at.Near(i);
        s.slopes += slope[i] * slope[i];
        s.values += center[i] * center[i];
        s.moving += at.Moves(i);
      }
      return s;
    });
  });
  d.moving = sums.moving;
  const double count = static_cast<double>(std::max<size_t>(1, n));
  const double slope_scale = std::sqrt(sums.slopes / count);
  const double value_scale = std::sqrt(sums.values / count);
  d.smooth.assign(n, 1);
  d.error = MakeNumbers(n, [&](double* error) {
    sums = SumOfBlocks<Sums>(n, [&](size_t begin, size_t end) {
      Sums s;
      for (size_t i = begin; i < end; ++i) {
        const double apart = std::abs(d.slope[i] - at.Far(i));
        const double s1 = at.Bend(2, 3, h, i), s2 = at.Bend(1, 4, 2 * h, i),
                     s4 = at.Bend(0, 5, 4 * h, i);
        const double kink = std::max({apart, std::abs(2 * s1 - s2), std::abs(2 * s2 - s4)});
        const double rounding = noise * (std::abs(center[i]) + value_scale) / h;
        if (kink > kKinkPart * (std::abs(d.slope[i]) + slope_scale) + 16 * rounding) {
          d.smooth[i] = 0;
          ++s.kinks;
        }
        error[i] = 2 * apart + 2 * rounding;
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
  // The step that makes the error h^4 of the formula as large as that of rounding, noise / h.
  double h = std::max(kFirstStep, 0x1p-3 * std::pow(noise, 0.2));
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
