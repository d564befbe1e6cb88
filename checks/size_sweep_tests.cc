// The layer is right for other sizes than those that it was checked with: 1 and odd ones.
#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "checks/gradient_check.h"
#include "checks/gradient_diagnosis.h"
#include "checks/layer_test.h"
#include "checks/observation_split.h"
#include "checks/size_sweep.h"
#include "framework/ops/shape.h"

namespace lamina::checks {
namespace {

std::string InWords(const SizeCase& one) {
  std::string out;
  for (const NetworkDataLayout& l : one.layouts) {
    absl::StrAppend(&out, out.empty() ? "Inputs of " : ", ", lamina::ToString(l));
  }
  return out;
}

bool AllFinite(const LayerResult& result) {
  return std::all_of(result.outputs.begin(), result.outputs.end(), [](const DlArray& y) {
    const std::vector<double> values = Components(y);
    return std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); });
  });
}

void FindNonFinite(const CheckContext& c, const SizeCase& one, const Subject& subject,
                   TestPoint* point) {
  for (const Function function : {Function::kPredict, Function::kForward}) {
    if (function == Function::kForward && !c.traits().has_forward) continue;
    if (AllFinite(c.Call(subject, function))) continue;
    point->Fail({.expected = "Outputs are finite for other sizes too, or the layer refuses them.",
                 .came = absl::StrCat(std::string(ToString(function)),
                                      " returned NaN or infinity; for the given sizes it does "
                                      "not."),
                 .where = InWords(one),
                 .causes = {"A statistic divides by n - 1, which is 0 for a dim of size 1.",
                            "The standard deviation of a single element is 0."},
                 .fix = "Add a small constant before dividing, divide by n, or throw an Error that "
                        "says which sizes are meant."});
    return;
  }
}

// Derivatives along one random direction.
void CompareDerivatives(const CheckContext& c, const SizeCase& one, const Subject& subject,
                        TestPoint* point) {
  const GradientCheck check(c, subject);
  if (!WhyNotComparable(c, check).empty()) return;
  const Comparison along = check.Compare(check.function().DenseInAll(90));
  if (!along.finite || along.ok()) return;
  if (c.traits().not_differentiable_at_points && along.rough()) return;
  const bool finite = std::isfinite(along.analytic);
  point->Fail(
      {.expected = absl::StrFormat("The derivative along a random direction is the numeric one, "
                                   "%.8g, for other sizes too.",
                                   along.numeric),
       .came = finite
                   ? absl::StrFormat("Training gets %.8g: %.3g off.", along.analytic, along.error())
                   : kGetsNotFinite,
       .where = InWords(one),
       .causes = finite ? std::vector<std::string>{"A loop or a sum of Backward ends too early, or "
                                                   "counts with sizes of the first call."}
                        : CausesOfNotFinite([&] { check.function().Gradient({}); }),
       .fix = finite ? "Take sizes from the arrays of each call."
                     : "Let the derivative stay finite for these sizes, or throw an Error that "
                       "says which sizes are meant."});
}

// The first observation alone gives what it gives among others.
void CompareFirstAlone(const CheckContext& c, const SizeCase& one, const Subject& subject,
                       TestPoint* point) {
  constexpr double kRounding = 1e-10;
  const int64_t observations = NumObservations(c, one.layouts);
  if (one.label != 'B' || observations == 1 || c.has_states() || c.traits().joins_observations) {
    return;
  }
  DlArrays alone;
  for (size_t i = 0; i < subject.inputs.size(); ++i) {
    const int dim = c.observation_dim(static_cast<int>(i));
    alone.push_back(dim < 0 ? subject.inputs[i] : Slice(subject.inputs[i], dim, 0, 1));
  }
  if (!Same(c.Call(subject, Function::kPredict),
            c.Call(subject.layer, subject.inputs, Function::kPredict, 1))) {
    return;  // It draws random numbers, in another order for fewer observations.
  }
  if (!ObservationsAreApart(c, subject, Function::kPredict)) return;
  const LayerResult among = c.Call(subject, Function::kPredict);
  LayerResult single;
  try {
    single = c.Call(subject.layer, alone, Function::kPredict);
  } catch (const FunctionThrew& e) {
    if (!e.is_error) throw;
    return;  // predictDoesNotError tells.
  }
  for (size_t i = 0; i < among.outputs.size(); ++i) {
    const int dim = ObservationDimOf(c, among.outputs[i], observations);
    if (dim < 0) continue;
    const std::vector<double> a = SplitObservations(among.outputs[i], dim).first,
                              b = Components(single.outputs[i]);
    if (a.size() != b.size()) continue;  // initializeIgnoresObservations tells.
    double worst = 0, scale = 0;
    for (size_t e = 0; e < a.size(); ++e) {
      worst = std::max(worst, std::abs(a[e] - b[e]));
      scale = std::max(scale, std::abs(b[e]));
    }
    if (worst <= kRounding * scale) continue;
    point->Fail(
        {.expected = "An observation gives the same output alone and among others.",
         .came = absl::StrCat("The first of ", observations, " gives other values, by up to ",
                              worst, "."),
         .where = absl::StrCat(InWords(one), ", output ", Quoted(subject.layer->OutputNames()[i])),
         .causes = {"The number of observations is part of the computation: a loop runs in "
                    "steps of several, a sum is divided by their number."},
         .fix = "Compute each observation by itself. If the layer is meant to join "
                "observations, derive it from JoinsObservations too."});
  }
}

// Specs of the outputs for the sizes 1, 3 and 7 along one label, where the layer takes them.
struct Swept {
  char label;
  std::array<std::vector<ArraySpec>, 3> outputs{};
};

// With size 1 no dim may be lost: those that do not follow from that size stay as they are.
void FindLostDims(const CheckContext& c, const Swept& s, TestPoint* point) {
  const auto& [one, small, large] = s.outputs;
  for (size_t i = 0; i < one.size() && i < small.size() && i < large.size(); ++i) {
    std::string lost;
    if (one[i].format != small[i].format) lost = "the labels differ";
    for (int d = 0; d < small[i].rank() && lost.empty(); ++d) {
      const bool varied = small[i].format.empty() ? small[i].size(d) != large[i].size(d)
                                                  : small[i].format[d] == s.label;
      if (varied || small[i].size(d) != large[i].size(d)) continue;
      if (one[i].size(d) != small[i].size(d)) lost = absl::StrCat("dim ", d, " differs");
    }
    if (lost.empty()) continue;
    point->Fail(
        {.expected = absl::StrCat("With size 1 along ", std::string(1, s.label), " output ",
                                  Quoted(c.original()->OutputNames()[i]),
                                  " keeps its other dims: ", Shape(small[i]), " with size 3."),
         .came = absl::StrCat("It is ", Shape(one[i]), ": ", lost, "."),
         .where = absl::StrCat("Output ", Quoted(c.original()->OutputNames()[i])),
         .causes = {"Squeeze drops every dim of size 1, also one that has this size by chance."},
         .fix = "Reshape to the dims that are meant, or squeeze by label."});
  }
}

void OtherSizesWork(const CheckContext& c, const Variant&, TestPoint* point) {
  const std::vector<SizeCase> cases = OtherSizes(c);
  const Subject given =
      c.MakeSmallSubject(c.has_observations() ? Observations::kSeveral : Observations::kAsGiven);
  if (!c.IsRepeatable(given, c.training_function())) return point->Incomplete(kNotRepeatable);
  if (!AllFinite(c.Call(given, Function::kForward))) {
    return point->Incomplete("The outputs are NaN or infinite: see predictReturnsFiniteValues.");
  }
  const GradientCheck check(c, given);
  // Who switches the numeric comparison off means another derivative. For a few small values both
  // can agree by chance.
  const bool derivatives = c.options().skip_tests.count("gradientsAreNumericallyCorrect") == 0 &&
                           WhyNotComparable(c, check).empty() &&
                           check.Compare(check.function().DenseInAll(90)).ok();
  std::vector<Swept> swept;
  int taken = 0;
  for (const SizeCase& one : cases) {
    if (swept.empty() || swept.back().label != one.label) swept.push_back({one.label});
    std::optional<Subject> subject;
    try {
      subject = SubjectUnlessRefused(c, one.layouts, DataType::kDouble);
    } catch (const FunctionThrew& e) {
      point->Fail({.expected = "The layer takes other sizes, or refuses them by an Error.",
                   .came = absl::StrCat(std::string(ToString(e.function)), " threw:\n", e.message),
                   .where = InWords(one),
                   .causes = {"An index or a count is taken from a size without asking whether it "
                              "fits."},
                   .fix = "Throw an Error that says which sizes are meant, or make it work."});
      continue;
    }
    if (!subject.has_value()) continue;
    ++taken;
    auto& outputs = swept.back().outputs[one.size == 1 ? 0 : one.size == 3 ? 1 : 2];
    for (const DlArray& y : c.Call(*subject, Function::kPredict).outputs) {
      outputs.push_back(y.spec());
    }
    FindNonFinite(c, one, *subject, point);
    CompareFirstAlone(c, one, *subject, point);
    if (derivatives && point->status == TestStatus::kPassed) {
      CompareDerivatives(c, one, *subject, point);
    }
  }
  for (const Swept& s : swept) FindLostDims(c, s, point);
  // The same fault shows for many sizes: two places are enough.
  if (point->diagnostics.size() > 2) point->diagnostics.resize(2);
  if (taken < static_cast<int>(cases.size()) && point->status == TestStatus::kPassed) {
    point->message = absl::StrCat("The layer took ", taken, " of ", cases.size(), " other sizes.");
  }
}

constexpr LayerTest kTests[] = {
    {"otherSizesWork", Variants::kOnce, Always, OtherSizesWork},
};

}  // namespace

std::span<const LayerTest> SizeSweepTests() { return kTests; }

}  // namespace lamina::checks
