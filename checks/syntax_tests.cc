// The functions have the arguments and results of the contract, and do not throw.
#include <utility>

#include "absl/strings/str_cat.h"
#include "checks/layer_test.h"
#include "framework/dlarray/counted.h"

namespace lamina::checks {

bool Always(const CheckContext&) { return true; }
bool HasForward(const CheckContext& c) { return c.traits().has_forward; }
bool HasBackward(const CheckContext& c) { return c.traits().has_backward; }
bool HasStates(const CheckContext& c) { return c.has_states(); }

Diagnostic ThrewDiagnostic(Function function, const std::string& message) {
  const std::string name(ToString(function));
  Diagnostic d{
      .expected = absl::StrCat(name, " returns without an error."),
      .came = absl::StrCat(name, " threw:\n", message),
      .where = "",
      .causes = {},
      .fix = absl::StrCat("Mend what the message says, or the data: are the layouts those ",
                          "that the layer is meant for?")};
  if (function == Function::kBackward) {
    d.fix =
        "Mend what the message says. Is Predict made of array functions alone? Then leave "
        "Backward out: the derivative is taken automatically.";
  }
  return d;
}

namespace {

using internal::Counted;

// What the compiler sees was checked when the AnyLayer was made; here are the results that are
// counted at run time.
void FunctionSyntaxesAreCorrect(const CheckContext& c, const Variant& v, TestPoint* point) {
  const AnyLayer& layer = c.original();
  const Subject subject = c.MakeSubject(v);
  const int outputs = layer->NumOutputs(), states = layer.NumStateArrays();
  const auto check = [&](Function function) {
    const internal::CallResult result = c.CallRaw(subject, function);
    const int came = static_cast<int>(result.values.size());
    if (came == outputs + states) return true;
    const bool lacks_states = came < outputs + states && came >= outputs;
    const std::string name(ToString(function));
    point->Fail({.expected = absl::StrCat(name, " returns ", Counted(outputs, "output"), " and ",
                                          Counted(states, "state array"), ": ", outputs + states,
                                          " in all."),
                 .came = absl::StrCat("It returned ", Counted(came, "array"), "."),
                 .where = "",
                 .causes = {lacks_states ? "New states are not returned."
                                         : "NumOutputs does not say how many outputs there are."},
                 .fix = absl::StrCat("Return each output, then each new state in the order of the ",
                                     "State properties; call SetNumOutputs in the constructor.")});
    return false;
  };
  bool ok = check(Function::kPredict);
  if (c.traits().has_forward) ok = check(Function::kForward) && ok;
  if (!ok || !c.traits().has_backward) return;
  const internal::CallResult forward = c.CallRaw(subject, c.training_function());
  const int came =
      static_cast<int>(c.CallBackward(subject, forward, c.MakeDerivatives(forward)).size());
  int learnables = 0;
  for (const ParameterName& p : CheckContext::ParameterNames(layer)) {
    learnables += p.kind == PropertyKind::kLearnable;
  }
  const int expected = layer->NumInputs() + learnables;
  if (came == expected + (c.backward_takes_states() ? states : 0)) return;
  point->Fail(
      {.expected = absl::StrCat(
           "Backward returns ", Counted(layer->NumInputs(), "derivative"), " of inputs, ",
           learnables, " of learnables",
           c.backward_takes_states() ? absl::StrCat(" and ", states, " of states.") : "."),
       .came = absl::StrCat("It returned ", Counted(came, "array"), "."),
       .where = "",
       .causes = {"A learnable has no derivative, or one was returned twice."},
       .fix = "Return one derivative for each input, each learnable, and (if it takes those of new "
              "states) each state, in the order in which they are named."});
}

bool WorksForSeveral(const CheckContext& c, Function function) {
  try {
    c.Call(c.MakeSubject({Observations::kSeveral, DataType::kSingle}), function);
    return true;
  } catch (const FunctionThrew&) {
    return false;
  }
}

void DoesNotError(const CheckContext& c, const Variant& v, Function function, TestPoint* point) {
  const Subject subject = c.MakeSubject(v);
  try {
    c.Call(subject, function);
  } catch (const FunctionThrew& e) {
    Diagnostic d = ThrewDiagnostic(function, e.message);
    if (v.observations == Observations::kOne && c.has_observations() &&
        WorksForSeveral(c, function)) {
      d.came = absl::StrCat("With several observations it works; with one ", d.came);
      d.causes.push_back(
          "Trailing dims of size 1 are part of an array's sizes, and a statistic "
          "over one observation may not exist.");
    }
    point->Fail(std::move(d));
  }
}

void PredictDoesNotError(const CheckContext& c, const Variant& v, TestPoint* point) {
  DoesNotError(c, v, Function::kPredict, point);
}
void ForwardDoesNotError(const CheckContext& c, const Variant& v, TestPoint* point) {
  DoesNotError(c, v, Function::kForward, point);
}

void BackwardDoesNotError(const CheckContext& c, const Variant& v, TestPoint* point) {
  const Subject subject = c.MakeSubject(v);
  const internal::CallResult forward = c.CallRaw(subject, c.training_function());
  try {
    c.CallBackward(subject, forward, c.MakeDerivatives(forward));
  } catch (const FunctionThrew& e) {
    point->Fail(ThrewDiagnostic(Function::kBackward, e.message));
  }
}

constexpr LayerTest kTests[] = {
    {"functionSyntaxesAreCorrect", Variants::kOnce, Always, FunctionSyntaxesAreCorrect},
    {"predictDoesNotError", Variants::kObservations, Always, PredictDoesNotError},
    {"forwardDoesNotError", Variants::kObservations, HasForward, ForwardDoesNotError},
    {"backwardDoesNotError", Variants::kObservations, HasBackward, BackwardDoesNotError},
};

}  // namespace

std::span<const LayerTest> SyntaxTests() { return kTests; }

}  // namespace lamina::checks
