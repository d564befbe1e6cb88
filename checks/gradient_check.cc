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

struct Terms {
  double sum = 0, squares = 0;
  double errors = 0;  // Squares of the errors.
  Terms& operator+=(const Terms& o) {
    sum += o.sum;
    squares += o.squares;
    errors += o.errors;
    return *this;
  }
};

}  // namespace

Numbers RandomWeights(size_t count, uint64_t seed) {
  const RandomFactors factors(seed);
  return MakeNumbers(count, [&](double* weights) {
    cpu::ParallelFor(static_cast<int64_t>(count), cpu::kElementwiseGrain,
                     [&](int64_t begin, int64_t end) {
                       for (int64_t k = begin; k < end; ++k) weights[k] = factors[k];
                     });
  });
}

Comparison CompareAlong(const LineFunction& values, const Numbers& weights, double noise,
                        const Allowance& allowance,
                        const std::function<double(const Numbers&)>& analytic) {
  const LineDerivative d = DeriveAlongLine(values, noise);
  Comparison c;
  c.step = d.step;
  c.finite = d.finite;
  if (!d.finite) return c;
  c.kinks = d.kinks;
  c.moving = d.moving;
  const Terms sums = SumOfBlocks<Terms>(weights.size(), [&](size_t begin, size_t end) {
    Terms s;
    for (size_t i = begin; i < end; ++i) {
      if (!d.smooth[i]) continue;
      const double term = weights[i] * d.slope[i], error = weights[i] * d.error[i];
      s.sum += term;
      s.squares += term * term;
      s.errors += error * error;
    }
    return s;
  });
  c.numeric = sums.sum;
  c.analytic = analytic(d.kinks == 0 ? weights : MakeNumbers(weights.size(), [&](double* smooth) {
    for (size_t i = 0; i < weights.size(); ++i) smooth[i] = d.smooth[i] ? weights[i] : 0;
  }));
  c.terms = std::sqrt(sums.squares);
  c.bound = kDeviations * std::sqrt(sums.errors) + kSumming * c.terms +
            std::numeric_limits<double>::min();
  const double moving = static_cast<double>(std::max<int64_t>(1, d.moving));
  c.tolerance =
      c.bound + c.terms * (kRelative * std::min(1.0, std::sqrt(allowance.values / moving)) +
                           kDeviations * allowance.deviation);
  return c;
}

GradientCheck::GradientCheck(const CheckContext& context, Subject subject,
                             const Allowance& allowance, std::optional<double> noise)
    : context_(context), function_(context, std::move(subject)), allowance_(allowance) {
  const Numbers values = function_.Values({}, 0);
  finite_ = AllFinite(values);
  if (noise.has_value()) {
    noise_ = *noise;
    return;
  }
  const Direction all = function_.DenseInAll(3);
  noise_ = RelativeNoise([&](double t) { return function_.Values(all, t); });
}

const Numbers& GradientCheck::weights() const {
  if (weights_.empty()) {
    weights_ = RandomWeights(function_.Values({}, 0).size(), context_.options().seed + 17);
  }
  return weights_;
}

const DlArrays& GradientCheck::gradient() const {
  if (!gradient_.has_value()) gradient_ = function_.Gradient(weights());
  return *gradient_;
}

Comparison GradientCheck::Compare(const Direction& direction) const {
  return CompareAlong(
      [&](double t) { return function_.Values(direction, t); }, weights(), noise_, allowance_,
      [&](const Numbers& weights) {
        return InnerProduct(weights == weights_ ? gradient() : function_.Gradient(weights),
                            direction);
      });
}

Comparison GradientCheck::CompareInAll(uint64_t stream) const {
  return Compare(function_.DenseInAll(stream));
}

VariableFinding GradientCheck::CheckVariable(int i, int num_directions, int max_components) const {
  const Variable& v = function_.variables()[i];
  VariableFinding found;
  const Numbers g = NumbersOf({&gradient()[i], 1});
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
