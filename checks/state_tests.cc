// States: returned whole, carried on, read, and set back.
#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "checks/layer_test.h"
#include "framework/ops/elementwise.h"

namespace lamina::checks {
namespace {

bool HasForwardAndStates(const CheckContext& c) { return c.traits().has_forward && c.has_states(); }
bool HasResetState(const CheckContext& c) { return c.traits().has_reset_state; }

std::vector<std::string> StateNames(const CheckContext& c) {
  std::vector<std::string> names;
  for (const ParameterName& p : CheckContext::ParameterNames(c.original())) {
    if (p.kind == PropertyKind::kState) names.push_back(p.name);
  }
  return names;
}
DlArrays StatesOf(const AnyLayer& layer) {
  DlArrays states;
  AnyLayer copy = layer;
  copy->ForEachState([&](DlArray& s) { states.push_back(s); });
  return states;
}

// Why `state` is no value of a state; "" when it is.
std::string WhyInvalid(const DlArray& state) {
  if (state.empty()) return "It is unset.";
  if (state.type() == DataType::kLogical) return "It is logical.";
  for (double v : Components(state)) {
    if (!std::isfinite(v)) return "It holds NaN or infinity.";
  }
  return "";
}

void ReturnsValidStates(const CheckContext& c, const Variant& v, Function function,
                        TestPoint* point) {
  Subject subject = c.MakeSubject(v);
  const std::vector<std::string> names = StateNames(c);
  const std::string function_name(ToString(function));
  const DlArrays first = c.Call(subject, function).states;
  for (size_t i = 0; i < first.size(); ++i) {
    const std::string why = WhyInvalid(first[i]);
    if (why.empty()) continue;
    point->Fail({.expected = absl::StrCat(function_name, " returns the new state ",
                                          Quoted(names[i]), " as an array of finite numbers."),
                 .came = why,
                 .where = absl::StrCat("State ", Quoted(names[i])),
                 .causes = {"Another array is returned in its place, or none."},
                 .fix = "Return each new state after the outputs, in the order of the State "
                        "properties."});
  }
  if (point->status == TestStatus::kFailed) return;
  // A state may grow from size 1 to that of the observations, and in no other way.
  const AnyLayer fresh = c.Initialized(subject.layouts);
  const DlArrays initial = StatesOf(fresh);
  const DlArrays returned = c.Call(fresh, subject.inputs, function).states;
  for (size_t i = 0; i < returned.size(); ++i) {
    const int rank = std::max(initial[i].rank(), returned[i].rank());
    for (int d = 0; d < rank && !initial[i].empty(); ++d) {
      if (initial[i].size(d) == returned[i].size(d) || initial[i].size(d) == 1) continue;
      point->Fail(
          {.expected = absl::StrCat("State ", Quoted(names[i]), " keeps the sizes that it ",
                                    "starts with, ", Shape(initial[i].spec()),
                                    "; dims of size 1 may be repeated."),
           .came = absl::StrCat(function_name, " returned ", Shape(returned[i].spec()), "."),
           .where = absl::StrCat("State ", Quoted(names[i])),
           .causes = {"The states are returned in another order.",
                      "A dim was dropped, added or reduced on the way."},
           .fix = "Return each new state in the order of the State properties."});
      break;
    }
  }
  if (point->status == TestStatus::kFailed) return;
  // The new states take the place of the old ones, and so on.
  subject.layer.SetStates(first);
  DlArrays second;
  try {
    second = c.Call(subject, function).states;
  } catch (const FunctionThrew& e) {
    Diagnostic d = ThrewDiagnostic(function, e.message);
    d.expected = absl::StrCat(function_name, " takes the states that it returned.");
    d.causes = {"The states are returned in another order.", "Their sizes or labels changed."};
    return point->Fail(std::move(d));
  }
  for (size_t i = 0; i < first.size(); ++i) {
    if (first[i].spec() == second[i].spec()) continue;
    point->Fail(
        {.expected = absl::StrCat("State ", Quoted(names[i]), " keeps its sizes, labels ",
                                  "and type from call to call: ", ToString(first[i].spec()), "."),
         .came = absl::StrCat("After the next call it is ", ToString(second[i].spec()), "."),
         .where = absl::StrCat("State ", Quoted(names[i])),
         .causes = {"The states are returned in another order.",
                    "Each call adds to a dim of the state."},
         .fix = "Return each new state like the one before, in the order of the State "
                "properties."});
  }
}

void PredictReturnsValidStates(const CheckContext& c, const Variant& v, TestPoint* point) {
  ReturnsValidStates(c, v, Function::kPredict, point);
}
void ForwardReturnsValidStates(const CheckContext& c, const Variant& v, TestPoint* point) {
  ReturnsValidStates(c, v, Function::kForward, point);
}

bool OutputsDiffer(const LayerResult& a, const LayerResult& b) {
  for (size_t i = 0; i < a.outputs.size() && i < b.outputs.size(); ++i) {
    if (!IsEqual(a.outputs[i], b.outputs[i])) return true;
  }
  return a.outputs.size() != b.outputs.size();
}

// Do outputs differ between two sets of states, at once or in later calls that get the states of
// those before? A state may reach the outputs through others only, one more in each call.
bool StatesReachOutputs(const CheckContext& c, AnyLayer a, AnyLayer b, const DlArrays& inputs) {
  for (int call = 0; call < a.NumStateArrays(); ++call) {
    if (OutputsDiffer(c.Call(a, inputs, Function::kPredict), c.Call(b, inputs, Function::kPredict)))
      return true;
    const LayerResult of_a = c.Call(a, inputs, c.training_function());
    const LayerResult of_b = c.Call(b, inputs, c.training_function());
    if (OutputsDiffer(of_a, of_b)) return true;
    a.SetStates(of_a.states);
    b.SetStates(of_b.states);
  }
  return false;
}

// A state that reaches no output, or that no call changes, is none.
void StatesAreUsed(const CheckContext& c, const Variant& v, TestPoint* point) {
  const Subject subject = c.MakeSubject(c.Reduced(c.Layouts(v.observations), 5, false), v.type);
  const std::vector<std::string> names = StateNames(c);
  const DlArrays states = StatesOf(subject.layer);
  for (size_t i = 0; i < states.size(); ++i) {
    if (!IsFloating(states[i].type()) || states[i].empty()) continue;
    bool changed = false;
    DlArrays others = states;
    std::vector<double> moved = Components(states[i]);
    for (size_t k = 0; k < moved.size(); ++k) moved[k] = moved[k] * 1.25 + (moved[k] == 0) * 0.25;
    others[i] = FromComponents(moved, states[i].spec());
    for (const Function function : {Function::kPredict, c.training_function()}) {
      changed = changed || !IsEqual(c.Call(subject, function).states[i], states[i]);
    }
    const auto reaches = [&](const Subject& at) {
      AnyLayer moved_layer = at.layer;
      moved_layer.SetStates(others);
      return StatesReachOutputs(c, at.layer, moved_layer, at.inputs);
    };
    if (!reaches(subject) && !c.HasEffectInSomeDraw(subject, v.type, reaches)) {
      point->Fail(
          {.expected = absl::StrCat("Outputs depend on the state ", Quoted(names[i]),
                                    ", at once or in later calls."),
           .came = "Another value of the state changes no output.",
           .where = absl::StrCat("State ", Quoted(names[i])),
           .causes = {"Each call starts from zeros instead of the state.",
                      "Another state is read in its place.",
                      "Predict uses statistics of its batch instead of those that the state "
                      "gathered."},
           .fix = "Use the State property: DlArray h = hidden_state; If it is only meant to "
                  "be looked at, switch this test off by its name."});
    }
    if (!changed) {
      point->Fail({.expected = absl::StrCat("Predict or Forward returns a new value of the state ",
                                            Quoted(names[i]), "."),
                   .came = "Both return the old one.",
                   .where = absl::StrCat("State ", Quoted(names[i])),
                   .causes = {"The property itself is returned instead of the new value."},
                   .fix = "Return the new value. If it never changes, make it a Property or a "
                          "Learnable."});
    }
  }
}

void ResetStateDoesNotError(const CheckContext& c, const Variant& v, TestPoint* point) {
  Subject subject = c.MakeSubject(v);
  try {
    Guarded(Function::kResetState, [&] { subject.layer.ResetState(); });
  } catch (const FunctionThrew& e) {
    return point->Fail(ThrewDiagnostic(Function::kResetState, e.message));
  }
  const std::vector<std::string> names = StateNames(c);
  const DlArrays states = StatesOf(subject.layer);
  for (size_t i = 0; i < states.size(); ++i) {
    const std::string why = WhyInvalid(states[i]);
    // An unset state may be sized by Initialize.
    if (why.empty() || (states[i].empty() && c.traits().has_initialize)) continue;
    point->Fail({.expected = absl::StrCat("ResetState leaves ", Quoted(names[i]), " as a state."),
                 .came = why,
                 .where = absl::StrCat("State ", Quoted(names[i])),
                 .causes = {"It was assigned an empty array, or computed from what is not finite."},
                 .fix = "Set it to the value that it starts with: ZerosLike(state)."});
  }
}

// How far two states are apart, where one may have more of what there is one of in the other.
double Apart(const DlArray& a, const DlArray& b) {
  double most = 0;
  for (double e : Components(a - b)) most = std::max(most, std::abs(e));
  return most;
}

// The states after ResetState, whatever they were before.
DlArrays StatesAfterReset(const CheckContext& c, AnyLayer layer) {
  RandomSource source{c.options().seed, 6, 0};
  const ScopedRandomSource scope(source);
  Guarded(Function::kResetState, [&] { layer.ResetState(); });
  return StatesOf(layer);
}

void ResetStateResetsAllStates(const CheckContext& c, const Variant& v, TestPoint* point) {
  const Subject subject = c.MakeSubject(v);
  const AnyLayer initial = c.Initialized(subject.layouts);
  const DlArrays before = StatesOf(subject.layer), fresh = StatesOf(initial),
                 after = StatesAfterReset(c, subject.layer),
                 expected = StatesAfterReset(c, initial);
  const std::vector<std::string> names = StateNames(c);
  for (size_t i = 0; i < after.size(); ++i) {
    if (after[i].empty() || expected[i].empty()) continue;
    const bool stays = IsEqual(before[i], after[i]);
    // It may not have moved from where it starts.
    if (stays && Components(before[i]) == Components(fresh[i])) continue;
    if (!stays && !(Apart(after[i], expected[i]) > 0)) continue;
    point->Fail({.expected = absl::StrCat("ResetState sets ", Quoted(names[i]), " back."),
                 .came = stays ? "It is as the last call left it."
                               : "What it is set to depends on what it was.",
                 .where = absl::StrCat("State ", Quoted(names[i])),
                 .causes = {stays ? "ResetState forgets it."
                                  : "It is computed from the old value: scaled, or divided."},
                 .fix = "Set every state. If this one is meant to outlast a reset (statistics of "
                        "the training data), switch this test off by its name."});
  }
}

constexpr LayerTest kTests[] = {
    {"predictReturnsValidStates", Variants::kObservations, HasStates, PredictReturnsValidStates},
    {"forwardReturnsValidStates", Variants::kObservations, HasForwardAndStates,
     ForwardReturnsValidStates},
    {"statesAreUsed", Variants::kOnce, HasStates, StatesAreUsed},
    {"resetStateDoesNotError", Variants::kOnce, HasResetState, ResetStateDoesNotError},
    {"resetStateResetsAllStates", Variants::kOnce,
     [](const CheckContext& c) { return HasResetState(c) && HasStates(c); },
     ResetStateResetsAllStates},
};

}  // namespace

std::span<const LayerTest> StateTests() { return kTests; }

}  // namespace lamina::checks
