// Derivatives: they can be taken, they arrive everywhere, and they are the numeric ones.
#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "checks/gradient_check.h"
#include "checks/gradient_diagnosis.h"
#include "checks/layer_test.h"

namespace lamina::checks {
namespace {

// Elements that may be computed for the single elements of one variable's derivative.
constexpr int64_t kBudget = int64_t{1} << 25;
constexpr int kMaxComponents = 12;
// Of the many values of large arrays, as many may differ as much as a single one may.
constexpr double kAllowedValues = 64;
// A layer whose values round by no more than this in small arrays is not measured in large ones:
// the step is the same, and what rounding does to slopes shows in their two estimates.
constexpr double kLittleNoise = 0x1p-45;

}  // namespace

std::string WhyNotComparable(const CheckContext& c, const GradientCheck& check) {
  const TrainingFunction& f = check.function();
  if (!check.finite()) {
    return "The outputs are NaN or infinite: see predictReturnsFiniteValues.";
  }
  if (!f.KeepsType()) {
    return "Outputs are not double for double inputs, so differences are too coarse: see "
           "predictIsConsistentInType.";
  }
  if (!c.IsRepeatable(f.subject(), c.training_function())) return kNotRepeatable;
  return "";
}

namespace {

void BackwardPropagationDoesNotError(const CheckContext& c, const Variant& v, TestPoint* point) {
  const TrainingFunction f(c, c.MakeSubject(v));
  try {
    f.Gradient({});
  } catch (const FunctionThrew& e) {
    if (e.function != Function::kBackward) throw;
    point->Fail({.expected = "Derivatives can be taken through the layer.",
                 .came = absl::StrCat("Taking them threw:\n", e.message),
                 .where = "",
                 .causes = {"A function without a derivative stands between inputs and outputs.",
                            "The gradient of an operation of your own is wrong."},
                 .fix = "Use functions that have a derivative, or write Backward."});
  }
}

// Derivatives arrive nowhere, though the outputs depend on the variable.
Diagnostic LostDiagnostic(const CheckContext& c, const Variable& variable) {
  Diagnostic d{
      .expected = absl::StrCat("The outputs depend on ", InWords(variable),
                               ", so derivatives arrive there."),
      .came = "All of them are exactly zero: it would never be trained, nor what lies before.",
      .where = InWords(variable),
      .causes = {"ExtractData, At, Scalar or Data took it out of the computation, or NoGradient "
                 "covers its use.",
                 "It was copied into another array once, and the copy is used."},
      .fix =
          "Use the property itself, in array functions, in each call. If it is meant to be a "
          "constant, make it a Property, or switch this test off by its name."};
  if (c.traits().has_backward) {
    d.causes = {"Backward returns zeros or nothing for it."};
    d.fix = "Compute it in Backward.";
  }
  return d;
}

// The outputs change along a way on which they nowhere have a slope.
bool MovesInSteps(const TrainingFunction& f, int i) {
  constexpr int kPlaces = 8;
  constexpr double kNearby = 0x1p-20;
  if (f.variables()[i].kind != VariableKind::kLearnable) return false;
  const Direction way = f.Dense(i, 70);
  Numbers values;
  for (int k = 0; k < kPlaces; ++k) {
    const double t = static_cast<double>(k) / kPlaces;
    values = f.Values(way, t);
    // A jump may lie right here: a slope shows on both sides.
    if (values != f.Values(way, t + kNearby) && values != f.Values(way, t - kNearby)) return false;
  }
  // Where large numbers cancel, what stays moves by their rounding.
  constexpr double kRounding = 1e-10;
  const Numbers start = f.Values(way, 0);
  double moved = 0, scale = 0;
  for (size_t k = 0; k < start.size(); ++k) {
    moved = std::max(moved, std::abs(values[k] - start[k]));
    scale = std::max(scale, std::abs(start[k]));
  }
  return moved > kRounding * scale;
}

void GradientsAreNotLost(const CheckContext& c, const Variant& v, TestPoint* point) {
  const GradientCheck check(c, c.MakeSmallSubject(v.observations));
  if (const std::string why = WhyNotComparable(c, check); !why.empty()) {
    return point->Incomplete(why);
  }
  const std::vector<Variable>& variables = check.function().variables();
  for (size_t k = 0; k < variables.size(); ++k) {
    const int i = static_cast<int>(k);
    const VariableFinding found = check.CheckVariable(i, 1, 0);
    if (!found.analytic_is_zero) continue;
    if (!found.numeric_is_zero) {
      point->Fail(LostDiagnostic(c, variables[k]));
    } else if (!c.traits().not_differentiable_at_points && MovesInSteps(check.function(), i)) {
      point->Fail(
          {.expected = absl::StrCat("The outputs depend smoothly on ", InWords(variables[k]), "."),
           .came = "They change in steps: all derivatives are zero.",
           .where = InWords(variables[k]),
           .causes = {"Round, Floor, Sign or a comparison stands between it and the "
                      "outputs."},
           .fix = "Replace the steps by something smooth, or write a Backward that passes "
                  "derivatives on. If it is meant so, derive the layer from "
                  "NotDifferentiableAtPoints too."});
    }
  }
}

// Derivatives that are zero where they should not be have a test of their own.
bool IsLost(const CheckContext& c, const VariableFinding& found) {
  return found.analytic_is_zero && !found.numeric_is_zero &&
         c.options().skip_tests.count("gradientsAreNotLost") == 0;
}

struct Tally {
  int64_t kinks = 0, moving = 0;
  void Add(const Comparison& one) {
    kinks += one.kinks;
    moving += one.moving;
  }
};

// The largest ratio of error to tolerance among a variable's comparisons.
Margin WorstOf(const Variable& variable, const VariableFinding& found) {
  Margin worst{variable.name, 0, 0};
  for (const std::vector<Comparison>* list : {&found.each, &found.directions}) {
    for (const Comparison& one : *list) {
      if (one.finite && (worst.tolerance == 0 || one.error() / one.tolerance > worst.ratio())) {
        worst.error = one.error();
        worst.tolerance = one.tolerance;
      }
    }
  }
  return worst;
}

bool AllOk(const VariableFinding& found) {
  const auto ok = [](const Comparison& one) { return one.ok(); };
  return std::all_of(found.each.begin(), found.each.end(), ok) &&
         std::all_of(found.directions.begin(), found.directions.end(), ok);
}

// Along one direction in all variables, with the sizes that were given; when it fails, variable by
// variable.
void CheckGivenSizes(const CheckContext& c, const Variant& v, double noise, double deviation,
                     Tally* tally, TestPoint* point) {
  const std::vector<NetworkDataLayout> layouts = c.Layouts(v.observations);
  const GradientCheck check(c, c.MakeSubject(layouts, DataType::kDouble),
                            {.values = kAllowedValues, .deviation = deviation},
                            noise <= kLittleNoise ? std::optional(noise) : std::nullopt);
  const Comparison all = check.CompareInAll(50);
  tally->Add(all);
  if (all.finite) point->margins.push_back({"all, given sizes", all.error(), all.tolerance});
  if (all.ok() || point->status == TestStatus::kFailed) return;
  const std::vector<Variable>& variables = check.function().variables();
  std::vector<VariableFinding> findings(variables.size());
  bool found = false;
  for (size_t i = 0; i < variables.size(); ++i) {
    findings[i] = check.CheckVariable(static_cast<int>(i), 1, 0);
    if (AllOk(findings[i])) continue;
    found = true;
    point->Fail(
        DiagnoseGradient(c, check, findings, static_cast<int>(i), NumObservations(c, layouts)));
  }
  if (found) return;
  point->Fail(
      {.expected = "The derivative along a direction in all variables is the numeric one.",
       .came = absl::StrCat("They are ", all.error(), " apart; allowed is ", all.tolerance, "."),
       .where = "All variables together; in each alone they agree.",
       .causes = {"The derivative of one variable is wrong where another has moved: a "
                  "branch on values."},
       .fix = "Choose elements with Where, not by a branch on values."});
}

void GradientsAreNumericallyCorrect(const CheckContext& c, const Variant& v, TestPoint* point) {
  const GradientCheck check(c, c.MakeSmallSubject(v.observations));
  if (const std::string why = WhyNotComparable(c, check); !why.empty())
    return point->Incomplete(why);
  if (c.traits().not_differentiable_at_points) {
    const Comparison all = check.CompareInAll(51);
    if (all.rough()) {
      point->message = absl::StrCat(all.kinks, " of ", all.moving, " values have a kink or a jump ",
                                    "however small the steps: nothing was compared.");
      return;
    }
  }
  const std::vector<Variable>& variables = check.function().variables();
  const Subject& subject = check.function().subject();
  int64_t work = static_cast<int64_t>(check.function().Values({}, 0).size());
  for (const Variable& variable : variables) work += variable.num_components();
  const int64_t affordable = kBudget / (6 * work * std::max<int64_t>(1, variables.size()));
  const int components = static_cast<int>(std::clamp<int64_t>(affordable, 2, kMaxComponents));
  std::vector<VariableFinding> findings;
  Tally tally;
  bool lost = false;
  double deviation = 0;
  for (size_t i = 0; i < variables.size(); ++i) {
    findings.push_back(
        check.CheckVariable(static_cast<int>(i), components > 4 ? 2 : 1, components));
    for (const Comparison& one : findings.back().directions) {
      tally.Add(one);
      if (one.ok()) deviation = std::max(deviation, one.deviation());
    }
    if (IsLost(c, findings.back())) {
      lost = true;
    } else {
      point->margins.push_back(WorstOf(variables[i], findings.back()));
    }
  }
  const int64_t observations = NumObservations(c, subject.layouts);
  for (size_t i = 0; i < variables.size(); ++i) {
    if (IsLost(c, findings[i]) || AllOk(findings[i])) continue;
    point->Fail(DiagnoseGradient(c, check, findings, static_cast<int>(i), observations));
  }
  if (lost && point->status == TestStatus::kPassed) {
    return point->Incomplete("Some derivatives are lost: see gradientsAreNotLost.");
  }
  if (!lost && !(subject.layouts == c.Layouts(v.observations))) {
    CheckGivenSizes(c, v, check.noise(), deviation, &tally, point);
  }
  if (tally.kinks > 0) {
    point->message = absl::StrCat(tally.kinks, " of ", tally.moving,
                                  " values had a kink within the steps and were left out.");
  }
  if (2 * tally.kinks > tally.moving && !c.traits().not_differentiable_at_points) {
    point->Fail({.expected = "The outputs are smooth at almost all points.",
                 .came = absl::StrCat(tally.kinks, " of ", tally.moving,
                                      " values have a kink or a jump nearby, however small the "
                                      "steps."),
                 .where = "At inputs drawn by chance",
                 .causes = {"A step function, rounding or a comparison decides about values.",
                            "The layer computes with few digits inside."},
                 .fix = "Replace steps by something smooth. If it is meant so, derive the layer "
                        "from NotDifferentiableAtPoints too."});
  }
}

bool HasNoBackward(const CheckContext& c) { return !c.traits().has_backward; }

constexpr LayerTest kTests[] = {
    {"backwardPropagationDoesNotError", Variants::kObservations, HasNoBackward,
     BackwardPropagationDoesNotError},
    {"gradientsAreNotLost", Variants::kOnce, Always, GradientsAreNotLost},
    {"gradientsAreNumericallyCorrect", Variants::kObservations, Always,
     GradientsAreNumericallyCorrect},
};

}  // namespace

std::span<const LayerTest> GradientTests() { return kTests; }

}  // namespace lamina::checks
