// Types: a layer computes in the type of its inputs.
#include "absl/strings/str_cat.h"
#include "checks/layer_test.h"

namespace lamina::checks {
namespace {

bool Fits(DataType type, DataType expected) { return ToReal(type) == expected; }

std::vector<std::string> CausesOf(DataType expected, DataType came) {
  if (expected == DataType::kDouble && ToReal(came) == DataType::kSingle) {
    return {
        "An array made without a type (Zeros, Rand) or a float constant, 0.1f, is single, and "
        "single with double gives single.",
        "The result is converted by Single or Cast."};
  }
  if (came == DataType::kLogical) return {"A comparison is returned as it is."};
  return {"The result is converted by Double or Cast, or made anew in a fixed type."};
}

constexpr std::string_view kFix =
    "Make arrays like those that came: ZerosLike(x), Zeros(sizes, x.type()); write constants as "
    "0.1; "
    "Cast(y, x.type()) where a conversion is needed.";

void Check(const CheckContext& c, const Variant& v, Function function, TestPoint* point) {
  const Subject subject = c.MakeSubject(v);
  const LayerResult result = c.Call(subject, function);
  const auto fail = [&](const std::string& what, DataType came) {
    point->Fail(
        {.expected = absl::StrCat(what, " of ", std::string(ToString(function)),
                                  " has the type of the inputs, ", std::string(Name(v.type)), "."),
         .came = absl::StrCat("It is ", std::string(Name(came)), "."),
         .where = what,
         .causes = CausesOf(v.type, came),
         .fix = std::string(kFix)});
  };
  for (size_t i = 0; i < result.outputs.size(); ++i) {
    const DataType type = result.outputs[i].type();
    if (!Fits(type, v.type)) {
      fail(absl::StrCat("Output ", Quoted(subject.layer->OutputNames()[i])), type);
    }
  }
  // States came in the type of the inputs too, but for counts, which stay what they are.
  std::vector<DlArray> states;
  AnyLayer copy = subject.layer;
  copy->ForEachState([&](DlArray& s) { states.push_back(s); });
  for (size_t i = 0; i < result.states.size() && i < states.size(); ++i) {
    const DataType was = states[i].type(), is = result.states[i].type();
    // An unset state is a matter of predictReturnsValidStates.
    const bool both_set = !states[i].empty() && !result.states[i].empty();
    if (IsFloating(was) && both_set && !Fits(is, v.type)) {
      fail(absl::StrCat("New state ", i + 1), is);
    }
  }
}

void PredictIsConsistentInType(const CheckContext& c, const Variant& v, TestPoint* point) {
  Check(c, v, Function::kPredict, point);
}
void ForwardIsConsistentInType(const CheckContext& c, const Variant& v, TestPoint* point) {
  Check(c, v, Function::kForward, point);
}

void BackwardIsConsistentInType(const CheckContext& c, const Variant& v, TestPoint* point) {
  const Subject subject = c.MakeSubject(v);
  const internal::CallResult forward = c.CallRaw(subject, c.training_function());
  const DlArrays result = c.CallBackward(subject, forward, c.MakeDerivatives(forward));
  const std::vector<BackwardTarget> targets = c.BackwardTargets(subject);
  for (size_t i = 0; i < std::min(targets.size(), result.size()); ++i) {
    const DataType type = targets[i].value.type();
    // An unset derivative is a matter of backwardIsConsistentInSize.
    if (result[i].empty() || result[i].type() == type) continue;
    point->Fail(
        {.expected = absl::StrCat("The derivative with respect to ", Quoted(targets[i].name),
                                  " has its type, ", std::string(Name(type)), "."),
         .came = absl::StrCat("It is ", std::string(Name(result[i].type())), "."),
         .where = absl::StrCat("Result ", i + 1, " of Backward, ", Quoted(targets[i].name)),
         .causes = CausesOf(type, result[i].type()),
         .fix = std::string(kFix)});
  }
}

constexpr LayerTest kTests[] = {
    {"predictIsConsistentInType", Variants::kObservationsAndTypes, Always,
     PredictIsConsistentInType},
    {"forwardIsConsistentInType", Variants::kObservationsAndTypes, HasForward,
     ForwardIsConsistentInType},
    {"backwardIsConsistentInType", Variants::kObservationsAndTypes, HasBackward,
     BackwardIsConsistentInType},
};

}  // namespace

std::span<const LayerTest> TypeTests() { return kTests; }

}  // namespace lamina::checks
