// The same call gives the same result, copies are independent, results are finite and depend on
// what the layer learns.
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "checks/layer_test.h"
#include "framework/dlarray/coordinates.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/finite_check.h"

namespace lamina::checks {
namespace {

Subject SmallSubject(const CheckContext& c, const Variant& v, uint64_t stream = 0) {
  return c.MakeSubject(c.Reduced(c.Layouts(v.observations), 5, false), v.type, stream);
}

const std::vector<std::string>& HiddenCauses() {
  static const auto* const kCauses =
      new std::vector<std::string>{"A mutable member or a static variable remembers earlier calls.",
                                   "Random numbers come from elsewhere than Rand and Randn.",
                                   "Memory is read that was never written."};
  return *kCauses;
}
constexpr std::string_view kHiddenFix =
    "Keep what is to be carried on in a State and return it; hand to Backward what it needs as "
    "Memory; draw with Rand or Randn.";

void IsRepeatable(const CheckContext& c, const Variant& v, Function function, TestPoint* point) {
  const std::string name(ToString(function));
  const Subject made = SmallSubject(c, v), subject = made, uncalled = made;
  const LayerResult first = c.Call(subject, function);
  const bool again = Same(first, c.Call(subject, function));
  // What the first call leaves behind may be right for it alone.
  const DlArrays others = c.MakeInputs(subject.layouts, v.type, 9);
  const bool forgets =
      Same(c.Call(subject.layer, others, function), c.Call(uncalled.layer, others, function));
  const bool after_others = again && forgets && Same(first, c.Call(subject, function));
  // The other function leaves nothing behind either.
  const Function other = function == Function::kPredict ? Function::kForward : Function::kPredict;
  if (after_others) c.Call(subject, other);
  if (after_others && Same(first, c.Call(subject, function))) return;
  point->Fail({.expected = absl::StrCat(name, " with the same inputs, states and random numbers ",
                                        "gives the same results, bit for bit."),
               .came = after_others ? absl::StrCat("Results differ after a call of ",
                                                   std::string(ToString(other)), ".")
                       : again      ? "Results differ after a call with other inputs."
                                    : "The second call gave other results than the first.",
               .where = name,
               .causes = HiddenCauses(),
               .fix = std::string(kHiddenFix)});
}

void PredictIsRepeatable(const CheckContext& c, const Variant& v, TestPoint* point) {
  IsRepeatable(c, v, Function::kPredict, point);
}
void ForwardIsRepeatable(const CheckContext& c, const Variant& v, TestPoint* point) {
  IsRepeatable(c, v, Function::kForward, point);
}

// How Backward repeats itself: at once, and after Forward was called with other inputs.
struct BackwardRepeats {
  bool again = true, after_others = true;
};
BackwardRepeats RepeatBackward(const CheckContext& c, const Subject& subject) {
  const Subject before = subject;  // Its Backward was never called.
  const internal::CallResult forward = c.CallRaw(subject, c.training_function());
  const DlArrays derivatives = c.MakeDerivatives(forward);
  const DlArrays first = c.CallBackward(subject, forward, derivatives);
  BackwardRepeats repeats;
  repeats.again = Same(first, c.CallBackward(subject, forward, derivatives));
  // On the very same object: what it remembers is overwritten.
  DlArrays others = c.MakeInputs(subject.layouts, DataType::kDouble, 9);
  for (size_t i = 0; i < others.size(); ++i) others[i] = Cast(others[i], subject.inputs[i].type());
  const Subject other{subject.layer, subject.layouts, others},
      unused{before.layer, subject.layouts, others};
  const internal::CallResult next = c.CallRaw(subject.layer, c.Raw(others), c.training_function());
  repeats.after_others =
      Same(first, c.CallBackward(subject, forward, derivatives)) &&
      Same(c.CallBackward(other, next, derivatives), c.CallBackward(unused, next, derivatives));
  return repeats;
}

}  // namespace

bool BackwardFollowsFromItsArguments(const CheckContext& c, const Subject& subject) {
  if (!c.traits().has_backward) return true;
  const BackwardRepeats repeats = RepeatBackward(c, subject);
  return repeats.again && repeats.after_others;
}

namespace {

// Backward follows from its arguments: calls of Forward in between change nothing.
void BackwardIsRepeatable(const CheckContext& c, const Variant& v, TestPoint* point) {
  const auto [again, after_others] = RepeatBackward(c, SmallSubject(c, v));
  if (again && after_others) return;
  point->Fail(
      {.expected = "Backward with the same arguments and memory gives the same derivatives.",
       .came = again ? "They differ after Forward was called with other inputs."
                     : "The second call gave other derivatives than the first.",
       .where = "Backward",
       .causes = {"Forward leaves in a mutable member what Backward reads: with two calls "
                  "under way it is that of the wrong one.",
                  "A static variable remembers earlier calls."},
       .fix = "Return from Forward as Memory what Backward needs: it belongs to the call."});
}

void PredictReturnsFiniteValues(const CheckContext& c, const Variant& v, TestPoint* point) {
  const Subject subject = c.MakeSubject(v);
  for (const Function function : {Function::kPredict, Function::kForward}) {
    if (function == Function::kForward && !c.traits().has_forward) continue;
    const LayerResult result = c.Call(subject, function);
    for (size_t i = 0; i < result.outputs.size(); ++i) {
      const DlArray& y = result.outputs[i];
      const std::vector<double> values = Components(y);
      for (size_t k = 0; k < values.size(); ++k) {
        if (std::isfinite(values[k])) continue;
        const int64_t element = static_cast<int64_t>(k) / (IsComplex(y.type()) ? 2 : 1);
        std::vector<std::string> causes;
        const std::string op =
            WhatIsNotFinite([&] { c.Call(subject, function); }, {.functions = false});
        if (!op.empty()) causes.push_back(op);
        causes.emplace_back(
            "A division by zero, a logarithm or a root of what may be negative, an exponential "
            "that "
            "overflows.");
        point->Fail(
            {.expected = absl::StrCat("The outputs are finite for inputs in [",
                                      c.options().input_low, ", ", c.options().input_high, ")."),
             .came = absl::StrCat(std::string(ToString(function)), " returned ",
                                  std::isnan(values[k]) ? "NaN." : "infinity."),
             .where = absl::StrCat(Quoted(subject.layer->OutputNames()[i]), " at ",
                                   Coordinates(y.spec(), element)),
             .causes = causes,
             .fix = "Guard it. If the layer is meant for other inputs only, say which: "
                    "input_low and input_high of CheckOptions."});
        return;
      }
    }
  }
}

// Does another value of learnable `i` change results, with these inputs and other learnables?
bool Matters(const CheckContext& c, const Subject& subject, size_t i, uint64_t stream) {
  DlArrays values = ParametersOf(subject.layer);
  values[i] = c.MakeArray(values[i].spec(), -2, 2, stream);
  AnyLayer other = subject.layer;
  SetParameters(other, values);
  for (const Function function : {Function::kPredict, c.training_function()}) {
    if (!Same(c.Call(subject, function), c.Call(other, subject.inputs, function))) return true;
  }
  return false;
}

void LearnablesAreUsed(const CheckContext& c, const Variant& v, TestPoint* point) {
  // A learnable may matter for some inputs only, beyond a threshold that is learned too: so other
  // inputs and other values of the learnables are tried.
  constexpr int kTrials = 24;
  const Subject subject = SmallSubject(c, v);
  for (const Function function : {Function::kPredict, c.training_function()}) {
    if (!c.IsRepeatable(subject, function)) return point->Incomplete(kNotRepeatable);
  }
  const std::vector<ParameterName> names = CheckContext::ParameterNames(subject.layer);
  const DlArrays values = ParametersOf(subject.layer);
  for (size_t i = 0; i < values.size(); ++i) {
    if (names[i].kind != PropertyKind::kLearnable || values[i].empty()) continue;
    if (!IsFloating(values[i].type())) {
      point->Fail({.expected = absl::StrCat("The learnable ", Quoted(names[i].name),
                                            " has a floating type: training moves it by small "
                                            "steps."),
                   .came = absl::StrCat("It is ", std::string(Name(values[i].type())), "."),
                   .where = absl::StrCat("Learnable ", Quoted(names[i].name)),
                   .causes = {"It was made from whole numbers or by a comparison.",
                              "It is not meant to be trained."},
                   .fix = "Make it from float or double, or make it a Property or a State."});
      continue;
    }
    bool used = false;
    for (int trial = 0; trial < kTrials && !used; ++trial) {
      Subject here = subject;
      const uint64_t stream = 1000 * trial + i;
      if (trial > 0) here.inputs = c.MakeInputs(subject.layouts, v.type, 20 + trial);
      if (trial % 2 == 1) {
        DlArrays moved = values;
        for (size_t k = 0; k < moved.size(); ++k) {
          if (names[k].kind != PropertyKind::kLearnable || moved[k].empty()) continue;
          if (!IsFloating(moved[k].type())) continue;
          moved[k] = c.MakeArray(moved[k].spec(), -1, 1, 500000 + 100 * stream + k);
        }
        SetParameters(here.layer, moved);
      }
      used = Matters(c, here, i, 300000 + stream);
    }
    if (used) continue;
    point->Fail(
        {.expected = absl::StrCat("Outputs depend on the learnable ", Quoted(names[i].name), "."),
         .came = absl::StrCat("Other values of it change nothing, at ", kTrials, " places."),
         .where = absl::StrCat("Learnable ", Quoted(names[i].name)),
         .causes = {"Another property is used in its place.",
                    "A copy that was made once is used instead of the property."},
         .fix = "Use it in Predict, or remove it."});
  }
}

void CopiesAreIndependent(const CheckContext& c, const Variant& v, TestPoint* point) {
  Subject subject = c.MakeSubjectAnew(c.Reduced(c.Layouts(v.observations), 5, false), v.type);
  if (!c.IsRepeatable(subject, Function::kPredict)) return point->Incomplete(kNotRepeatable);
  const LayerResult before = c.Call(subject, Function::kPredict);
  DlArrays moved = ParametersOf(subject.layer);
  for (size_t i = 0; i < moved.size(); ++i) {
    if (!IsFloating(moved[i].type()) || moved[i].empty()) continue;
    moved[i] = c.MakeArray(moved[i].spec(), 1, 2, 400 + i);
  }
  AnyLayer copy = subject.layer;
  SetParameters(copy, moved);
  const LayerResult of_copy = c.Call(copy, subject.inputs, Function::kPredict);
  const bool stays = Same(before, c.Call(subject, Function::kPredict));
  // The layer itself with the copy's parameters must give what the copy gave.
  SetParameters(subject.layer, moved);
  if (stays && Same(of_copy, c.Call(subject, Function::kPredict))) return;
  point->Fail(
      {.expected = "A copy of the layer is a layer of its own, and like it.",
       .came = stays ? "A copy gives other results than the layer with the same parameters."
                     : "New parameters of a copy changed the results of the original.",
       .where = "The copy constructor, or a member that points to something shared",
       .causes = {"A copy constructor of the layer's own forgets a member.",
                  "A member is a shared pointer, a reference, or points into the layer that "
                  "was copied."},
       .fix = "Hold members by value, and leave copying to the compiler."});
}

constexpr LayerTest kTests[] = {
    {"predictReturnsFiniteValues", Variants::kObservations, Always, PredictReturnsFiniteValues},
    {"predictIsRepeatable", Variants::kOnce, Always, PredictIsRepeatable},
    {"forwardIsRepeatable", Variants::kOnce, HasForward, ForwardIsRepeatable},
    {"backwardIsRepeatable", Variants::kOnce, HasBackward, BackwardIsRepeatable},
    {"learnablesAreUsed", Variants::kOnce, [](const CheckContext& c) { return c.has_learnables(); },
     LearnablesAreUsed},
    {"copiesAreIndependent", Variants::kOnce, Always, CopiesAreIndependent},
};

}  // namespace

std::span<const LayerTest> PurityTests() { return kTests; }

}  // namespace lamina::checks
