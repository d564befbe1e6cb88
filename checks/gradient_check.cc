#include "checks/gradient_check.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <utility>

namespace lamina::checks {
namespace {

// Layers are trained in single: what is below its rounding unit cannot matter. Sixteen units leave
// room for constants that a layer's own derivative has in single.
constexpr double kRelative = 16 * static_cast<double>(std::numeric_limits<float>::epsilon());
// Hoeffding: a sum of independent terms of mean 0, each at most |e|, exceeds 6 times the root of
// the sum of their squares with a probability below 4e-8.
constexpr double kDeviations = 6;

}  // namespace

GradientCheck::GradientCheck(const CheckContext& context, Subject subject)
    : context_(context), function_(context, std::move(subject)) {
  const std::vector<double> values = function_.Values({}, 0);
  finite_ = std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
  std::mt19937_64 random(context.options().seed + 17);
  weights_.resize(values.size());
  for (double& w : weights_) {
    const uint64_t bits = random();
    const double size = 0.5 + static_cast<double>(bits >> 12) * 0x1p-52;
    w = bits & 1 ? size : -size;
  }
  const Direction all = function_.DenseInAll(3);
  noise_ = RelativeNoise([&](double t) { return function_.Values(all, t); });
}

const DlArrays& GradientCheck::gradient() const {
  if (!gradient_.has_value()) gradient_ = function_.Gradient(weights_);
  return *gradient_;
}

Comparison GradientCheck::Compare(const Direction& direction) const {
  const LineDerivative d =
      DeriveAlongLine([&](double t) { return function_.Values(direction, t); }, noise_);
  Comparison c;
  c.step = d.step;
  c.finite = d.finite;
  if (!d.finite) return c;
  c.kinks = d.kinks;
  c.moving = d.moving;
  double errors = 0, terms = 0;
  for (size_t i = 0; i < weights_.size(); ++i) {
    if (!d.smooth[i]) continue;
    const double term = weights_[i] * d.slope[i], error = weights_[i] * d.error[i];
    c.numeric += term;
    terms += term * term;
    errors += error * error;
  }
  if (d.kinks == 0) {
    c.analytic = InnerProduct(gradient(), direction);
  } else {
    std::vector<double> weights = weights_;
    for (size_t i = 0; i < weights.size(); ++i) {
      if (!d.smooth[i]) weights[i] = 0;
    }
    c.analytic = InnerProduct(function_.Gradient(weights), direction);
  }
  c.tolerance = kDeviations * std::sqrt(errors) + kRelative * std::sqrt(terms) +
                std::numeric_limits<double>::min();
  return c;
}

VariableFinding GradientCheck::CheckVariable(int i, int num_directions, int max_components) const {
  const Variable& v = function_.variables()[i];
  VariableFinding found;
  const std::vector<double> g = Components(gradient()[i]);
  found.analytic_is_zero = std::all_of(g.begin(), g.end(), [](double x) { return x == 0; });
  const auto note = [&](const Comparison& c) {
    // Beyond what rounding does to something that stays.
    if (std::abs(c.numeric) > c.tolerance) found.numeric_is_zero = false;
    return c;
  };
  for (int k = 0; k < num_directions; ++k) {
    found.directions.push_back(note(Compare(function_.Dense(i, 40 + k))));
  }
  const int64_t n = v.num_components();
  // The same elements in variables of equal sizes: swapped derivatives can then be told.
  std::mt19937_64 random(context_.options().seed + 29);
  for (int64_t k = 0, count = std::min<int64_t>(n, max_components); k < count; ++k) {
    const int64_t begin = n * k / count, end = n * (k + 1) / count;
    const int64_t component = begin + static_cast<int64_t>(random() % (end - begin));
    found.components.push_back(component);
    found.each.push_back(note(Compare(function_.AlongComponent(i, component))));
  }
  return found;
}

std::optional<int64_t> GradientCheck::FindWrongComponent(int i, uint64_t stream) const {
  int64_t begin = 0, end = function_.variables()[i].num_components();
  const auto misfit = [&](int64_t from, int64_t to) {
    const Comparison c = Compare(function_.Dense(i, stream, from, to));
    return c.ok() ? 0.0 : c.error() / c.tolerance;
  };
  while (end - begin > 1) {
    const int64_t middle = begin + (end - begin) / 2;
    const double left = misfit(begin, middle), right = misfit(middle, end);
    if (left == 0 && right == 0) return std::nullopt;
    (left >= right ? end : begin) = middle;
  }
  return begin;
}

}  // namespace lamina::checks
