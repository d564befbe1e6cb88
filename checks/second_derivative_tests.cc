// Derivatives of derivatives, for penalties on gradients and the like: they are those that
// differences of the first ones give, for layers with and without a Backward of their own.
#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "checks/gradient_check.h"
#include "checks/gradient_diagnosis.h"
#include "checks/layer_test.h"

namespace lamina::checks {
namespace {

// The derivatives g = BentGradientAt(weights) as values, and the derivatives of those.
class SecondCheck {
 public:
  SecondCheck(const TrainingFunction& f, const Numbers& weights, uint64_t seed)
      : f_(f), weights_(weights), factors_(RandomWeights(At({}, 0).size(), seed + 31)) {
    const Direction all = f_.DenseInAll(61);
    noise_ = RelativeNoise([&](double t) { return At(all, t); });
  }

  Comparison Compare(const Direction& direction) const {
    return CompareAlong([&](double t) { return At(direction, t); }, factors_, noise_, {},
                        [&](const Numbers& factors) {
                          return InnerProduct(f_.SecondGradient(weights_, factors), direction);
                        });
  }

 private:
  Numbers At(const Direction& direction, double t) const {
    return NumbersOf(f_.BentGradientAt(direction, t, weights_));
  }

  const TrainingFunction& f_;
  const Numbers& weights_;
  Numbers factors_;
  double noise_ = 0;
};

Diagnostic Differs(const CheckContext& c, const GradientCheck& first, const std::string& where,
                   const Comparison& one) {
  Diagnostic d{
      .expected = absl::StrFormat("The derivative of the derivatives along a random direction is "
                                  "that by differences, %.8g, to within %.1g.",
                                  one.numeric, one.tolerance),
      .came = absl::StrFormat("Differentiating twice gives %.8g: %.3g off (step %.1e).",
                              one.analytic, one.error(), one.step),
      .where = where,
      .causes = {"The gradient of an operation of your own reads values, or works under "
                 "NoGradient: its own derivative is lost."},
      .fix =
          "Write gradients in array functions. If second derivatives are of no use to this "
          "layer, switch this test off by its name."};
  if (c.traits().has_backward) {
    d.causes = {
        "Backward reads values (Data, At, Scalar, ExtractData), or works under NoGradient: "
        "its own derivative is lost.",
        "Backward uses something that Forward kept elsewhere than in its memory, inputs "
        "and outputs."};
    d.fix =
        "Write Backward in array functions of its arguments. If second derivatives are of no "
        "use to this layer, switch this test off by its name.";
  }
  if (!std::isfinite(one.analytic)) {
    d.came = "Differentiating twice gives NaN or infinity.";
    const std::vector<std::string> more = CausesOfNotFinite(
        [&] { first.function().SecondGradient(first.weights(), first.weights()); });
    d.causes.insert(d.causes.begin(), more.begin(), more.end());
  }
  return d;
}

// Differentiating twice threw: by design, or not.
void Threw(const CheckContext& c, const FunctionThrew& e, TestPoint* point) {
  for (const char* id : {"[autodiff:NoSecondDerivative]", "[autodiff:NoGradient]"}) {
    if (e.message.find(id) == std::string::npos) continue;
    return point->Skip(absl::StrCat(
        "Skipping secondDerivativesAreNumericallyCorrect. The layer's derivative has none by "
        "design:\n",
        e.message));
  }
  point->Fail({.expected = "Derivatives can be differentiated again.",
               .came = absl::StrCat("Taking second derivatives threw:\n", e.message),
               .where = "",
               .causes = {c.traits().has_backward
                              ? "An operation in Backward has no derivative, or a wrong one."
                              : "The gradient of an operation of your own cannot be "
                                "differentiated."},
               .fix = "Write gradients in array functions. If second derivatives are of no use to "
                      "this layer, switch this test off by its name."});
}

void SecondDerivativesAreNumericallyCorrect(const CheckContext& c, const Variant& v,
                                            TestPoint* point) {
  const GradientCheck first(c, c.MakeSmallSubject(v.observations));
  if (const std::string why = WhyNotComparable(c, first); !why.empty()) {
    return point->Incomplete(why);
  }
  const TrainingFunction& f = first.function();
  if (!BackwardFollowsFromItsArguments(c, f.subject())) {
    return point->Incomplete(kBackwardNotRepeatable);
  }
  const Direction all = f.DenseInAll(60);
  if (!first.Compare(all).ok()) {
    if (c.options().skip_tests.count("gradientsAreNumericallyCorrect") > 0) {
      return point->Skip(
          "Skipping secondDerivativesAreNumericallyCorrect. The first derivatives are not the "
          "numeric ones, which gradientsAreNumericallyCorrect would tell.");
    }
    return point->Incomplete(
        "The first derivatives are wrong: see gradientsAreNumericallyCorrect.");
  }
  try {
    const SecondCheck second(f, first.weights(), c.options().seed);
    const Comparison one = second.Compare(all);
    if (!one.finite) {
      return point->Incomplete("The derivatives are NaN or infinite nearby.");
    }
    point->margins.push_back({"all, twice", one.error(), one.tolerance});
    if (one.kinks > 0) {
      point->message = absl::StrCat(one.kinks, " of ", one.moving,
                                    " derivatives had a kink within the steps and were left out.");
    }
    if (one.ok() || (c.traits().not_differentiable_at_points && one.rough())) return;
    bool found = false;
    for (size_t i = 0; i < f.variables().size(); ++i) {
      const Comparison mine = second.Compare(f.Dense(static_cast<int>(i), 60));
      if (mine.ok()) continue;
      found = true;
      point->Fail(Differs(c, first, absl::StrCat("Along ", InWords(f.variables()[i])), mine));
    }
    if (!found) point->Fail(Differs(c, first, "Along all variables together", one));
  } catch (const FunctionThrew& e) {
    if (e.function != Function::kBackward) throw;
    Threw(c, e, point);
  }
}

constexpr LayerTest kTests[] = {
    {"secondDerivativesAreNumericallyCorrect", Variants::kOnce, Always,
     SecondDerivativesAreNumericallyCorrect},
};

}  // namespace

std::span<const LayerTest> SecondDerivativeTests() { return kTests; }

}  // namespace lamina::checks
