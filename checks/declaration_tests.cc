// What a layer declares is true, and what it does not declare is not so: random numbers, points
// without a derivative. Joined observations: observation_tests.cc.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "checks/layer_test.h"
#include "checks/training_function.h"

namespace lamina::checks {
namespace {

// Is the random source another one after the call, and not the same further on?
bool BeginsSourceAnew(const CheckContext& c, const Subject& subject, Function function) {
  const RandomSource before{.seed = c.options().seed + 1, .subsequence = 1, .offset = 1 << 20};
  RandomSource source = before;
  const ScopedRandomSource scope(source);
  Guarded(function, [&] {
    return function == Function::kForward ? subject.layer.Forward(subject.inputs)
                                          : subject.layer.Predict(subject.inputs);
  });
  return source.seed != before.seed || source.subsequence != before.subsequence ||
         source.offset < before.offset;
}

void DrawsRandomNumbersAsDeclared(const CheckContext& c, const Variant& v, TestPoint* point) {
  const Subject subject = c.MakeSubject(c.Reduced(c.Layouts(v.observations), 5, false), v.type);
  for (const Function function : {Function::kPredict, Function::kForward}) {
    if (function == Function::kForward && !c.traits().has_forward) continue;
    if (!BeginsSourceAnew(c, subject, function)) continue;
    const std::string name(ToString(function));
    return point->Fail(
        {.expected = absl::StrCat(name,
                                  " leaves the current random source to go on: whoever draws "
                                  "next gets numbers that were not there before."),
         .came = absl::StrCat(name, " began it anew."),
         .where = name,
         .causes = {"Rng is called: all that is random in a network repeats itself from there on."},
         .fix = "Leave Rng to the program. Numbers of the layer's own come from a RandomSource of "
                "its own, within a ScopedRandomSource."});
  }
  const bool declared = c.traits().draws_random_numbers;
  const uint64_t seeds = declared ? 64 : 4;
  bool seen = false;
  for (const Function function : {Function::kPredict, Function::kForward}) {
    if (function == Function::kForward && !c.traits().has_forward) continue;
    if (!c.IsRepeatable(subject, function)) return point->Incomplete(kNotRepeatable);
    const LayerResult one = c.Call(subject, function);
    // What is drawn may matter seldom, as when few elements are dropped with a small probability.
    bool same = true;
    for (uint64_t random = 1; random <= seeds && same; ++random) {
      same = Same(one, c.Call(subject.layer, subject.inputs, function, random));
    }
    if (same) continue;
    seen = true;
    if (declared) continue;
    point->Fail({.expected = absl::StrCat("Results of ", std::string(ToString(function)),
                                          " do not depend on the current random source: the "
                                          "layer does not declare that it draws from it."),
                 .came = "With another seed it gave other results.",
                 .where = std::string(ToString(function)),
                 .causes = {"Rand, Randn or dropout is called, in the layer or in a network nested "
                            "in it."},
                 .fix = "Derive the layer from DrawsRandomNumbers too. If it is not meant to be "
                        "random, draw in Initialize and keep what was drawn in a property."});
  }
  if (seen || !declared) return;
  point->Fail({.expected = "The layer draws random numbers, as DrawsRandomNumbers declares.",
               .came = "Predict and Forward give the same results for every seed.",
               .where = "",
               .causes = {"The declaration was copied from another layer.",
                          "Random numbers come from elsewhere than Rand and Randn: they do not "
                          "follow the seed."},
               .fix = "Leave DrawsRandomNumbers out, or draw with Rand and Randn."});
}

// --- Kinks and jumps ----------------------------------------------------------------------------

// How sharply value `i` bends at `t`: for a smooth function in proportion to the step, at a kink
// the same for any.
double BendAt(const TrainingFunction& f, const Direction& way, size_t i, double t, double step) {
  const double y = f.Values(way, t)[i];
  return std::abs(f.Values(way, t + step)[i] - 2 * y + f.Values(way, t - step)[i]) / step;
}

// Value `i` bends most at `t` on a grid of this step: does that bend stay when the step goes down?
bool StaysBent(const TrainingFunction& f, const Direction& way, size_t i, double t, double step) {
  constexpr int kHalvings = 12;
  const double first = BendAt(f, way, i, t, step);
  double bend = first;
  for (int k = 0; k < kHalvings; ++k) {
    step /= 2;
    double best = t;
    bend = 0;
    for (const double at : {t - step, t, t + step}) {
      const double here = BendAt(f, way, i, at, step);
      if (!(here > bend)) continue;
      bend = here;
      best = at;
    }
    t = best;
  }
  return bend > 0.1 * first && first > 0;
}

bool HasKink(const TrainingFunction& f, uint64_t stream) {
  constexpr int kPlaces = 64, kCandidates = 4;
  constexpr double kStep = 2.0 / kPlaces;
  const Direction way = f.DenseInAll(stream);
  std::vector<Numbers> y;
  for (int k = 0; k <= kPlaces; ++k) y.push_back(f.Values(way, -1 + k * kStep));
  const size_t n = y[0].size();
  // Where each value bends most, and the values that bend most.
  std::vector<double> most(n, 0), at(n, 0);
  for (int k = 1; k < kPlaces; ++k) {
    for (size_t i = 0; i < n; ++i) {
      const double bend = std::abs(y[k + 1][i] - 2 * y[k][i] + y[k - 1][i]);
      if (!(bend > most[i])) continue;
      most[i] = bend;
      at[i] = -1 + k * kStep;
    }
  }
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  const size_t tried = std::min<size_t>(kCandidates, n);
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(tried), order.end(),
                    [&](size_t a, size_t b) { return most[a] > most[b]; });
  return std::any_of(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(tried),
                     [&](size_t i) { return StaysBent(f, way, i, at[i], kStep); });
}

void IsNotDifferentiableAsDeclared(const CheckContext& c, const Variant& v, TestPoint* point) {
  constexpr int kWays = 4;
  const TrainingFunction f(c, c.MakeSmallSubject(v.observations));
  if (!c.IsRepeatable(f.subject(), c.training_function())) return point->Incomplete(kNotRepeatable);
  for (int k = 0; k < kWays; ++k) {
    if (HasKink(f, 80 + k)) return;
  }
  point->Fail(
      {.expected = "The outputs have kinks or jumps, as NotDifferentiableAtPoints declares.",
       .came = absl::StrCat("None was met on ", kWays, " ways through the data and parameters."),
       .where = "",
       .causes = {"The declaration was copied from another layer.",
                  "The kinks lie outside the range of the inputs."},
       .fix = "Leave NotDifferentiableAtPoints out, or check with inputs that reach the kinks: "
              "input_low and input_high of CheckOptions."});
}

constexpr LayerTest kTests[] = {
    {"drawsRandomNumbersAsDeclared", Variants::kOnce, Always, DrawsRandomNumbersAsDeclared},
    {"isNotDifferentiableAsDeclared", Variants::kOnce,
     [](const CheckContext& c) { return c.traits().not_differentiable_at_points; },
     IsNotDifferentiableAsDeclared},
};

}  // namespace

std::span<const LayerTest> DeclarationTests() { return kTests; }

}  // namespace lamina::checks
