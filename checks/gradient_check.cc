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
// The rounding of the analytic side, which adds up the same terms in another order.
constexpr double kSumming = 0x1p-42;

}  // namespace

std::vector<double> RandomWeights(size_t count, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<double> weights(count);
  for (double& w : weights) {
    const uint64_t bits = random();
    const double size = 0.5 + static_cast<double>(bits >> 12) * 0x1p-52;
    w = bits & 1 ? size : -size;
  }
  return weights;
}

Comparison CompareAlong(const LineFunction& values, const std::vector<double>& weights,
                        double noise, const Allowance& allowance,
                        const std::function<double(const std::vector<double>&)>& analytic) {
  const LineDerivative d = DeriveAlongLine(values, noise);
  Comparison c;
  c.step = d.step;
  c.finite = d.finite;
  if (!d.finite) return c;
  c.kinks = d.kinks;
  c.moving = d.moving;
  double errors = 0, terms = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (!d.smooth[i]) continue;
    const double term = weights[i] * d.slope[i], error = weights[i] * d.error[i];
    c.numeric += term;
    terms += term * term;
    errors += error * error;
  }
  if (d.kinks == 0) {
    c.analytic = analytic(weights);
  } else {
    std::vector<double> smooth = weights;
    for (size_t i = 0; i < smooth.size(); ++i) {
      if (!d.smooth[i]) smooth[i] = 0;
    }
    c.analytic = analytic(smooth);
  }
  c.terms = std::sqrt(terms);
  c.bound =
      kDeviations * std::sqrt(errors) + kSumming * c.terms + std::numeric_limits<double>::min();
  const double moving = static_cast<double>(std::max<int64_t>(1, d.moving));
  c.tolerance =
      c.bound + c.terms * (kRelative * std::min(1.0, std::sqrt(allowance.values / moving)) +
                           kDeviations * allowance.deviation);
  return c;
}

GradientCheck::GradientCheck(const CheckContext& context, Subject subject,
                             const Allowance& allowance)
    : context_(context), function_(context, std::move(subject)), allowance_(allowance) {
  const std::vector<double> values = function_.Values({}, 0);
  finite_ = std::all_of(values.begin(), values.end(), [](double v) { return std::isfinite(v); });
  weights_ = RandomWeights(values.size(), context.options().seed + 17);
  const Direction all = function_.DenseInAll(3);
  noise_ = RelativeNoise([&](double t) { return function_.Values(all, t); });
}

const DlArrays& GradientCheck::gradient() const {
  if (!gradient_.has_value()) gradient_ = function_.Gradient(weights_);
  return *gradient_;
}

Comparison GradientCheck::Compare(const Direction& direction) const {
  return CompareAlong(
      [&](double t) { return function_.Values(direction, t); }, weights_, noise_, allowance_,
      [&](const std::vector<double>& weights) {
        return InnerProduct(weights == weights_ ? gradient() : function_.Gradient(weights),
                            direction);
      });
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
    found.directions.push_back(note(Compare(function_.Dense(i, kDirectionStream + k))));
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
  while (end - begin > 1) {
    const int64_t middle = begin + (end - begin) / 2;
    // If it is not in the left half, it is in the right one: the caller tries what is found.
    (Compare(function_.Dense(i, stream, begin, middle)).ok() ? begin : end) = middle;
  }
  if (Compare(function_.AlongComponent(i, begin)).ok()) return std::nullopt;
  return begin;
}

}  // namespace lamina::checks
