// Sizes and labels: Forward's are Predict's, derivatives' are those of what they belong to.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "checks/layer_test.h"

namespace lamina::checks {

std::string Shape(const ArraySpec& spec) {
  ArraySpec s = spec;
  s.type = DataType::kSingle;
  const std::string text = ToString(s);
  const std::string shape = text.substr(0, text.rfind(" single"));
  return shape == "scalar" ? "a scalar" : shape;
}

namespace {

bool SameShape(const DlArray& a, const DlArray& b) {
  return SameSizes(a.sizes(), b.sizes()) && a.format() == b.format();
}

void ForwardPredictAreConsistentInSize(const CheckContext& c, const Variant& v, TestPoint* point) {
  const Subject subject = c.MakeSubject(v);
  const LayerResult predict = c.Call(subject, Function::kPredict);
  const LayerResult forward = c.Call(subject, Function::kForward);
  const std::vector<std::string>& names = c.original()->OutputNames();
  for (size_t i = 0; i < predict.outputs.size(); ++i) {
    if (SameShape(predict.outputs[i], forward.outputs[i])) continue;
    point->Fail({.expected = absl::StrCat("Output ", Quoted(names[i]), " of Forward has the sizes ",
                                          "and labels of Predict's, ",
                                          Shape(predict.outputs[i].spec()), "."),
                 .came = absl::StrCat("Forward returned ", Shape(forward.outputs[i].spec()), "."),
                 .where = absl::StrCat("Output ", Quoted(names[i])),
                 .causes = {"Predict and Forward compute different things.",
                            "Forward reduces or adds a dim, or drops labels."},
                 .fix = "Let Forward differ from Predict in values only."});
  }
}

void BackwardIsConsistentInSize(const CheckContext& c, const Variant& v, TestPoint* point) {
  const Subject subject = c.MakeSubject(v);
  const internal::CallResult forward = c.CallRaw(subject, c.training_function());
  const DlArrays result = c.CallBackward(subject, forward, c.MakeDerivatives(forward));
  const std::vector<BackwardTarget> targets = c.BackwardTargets(subject);
  for (size_t i = 0; i < std::min(targets.size(), result.size()); ++i) {
    const auto& [name, value, is_input] = targets[i];
    if (value.sizes() == result[i].sizes() && value.format() == result[i].format()) continue;
    const bool unset = result[i].empty() && !value.empty();
    Diagnostic d{
        .expected = absl::StrCat("The derivative with respect to ", Quoted(name),
                                 " has its sizes and labels, ", Shape(value.spec()), "."),
        .came = unset ? "It is unset." : absl::StrCat("It is ", Shape(result[i].spec()), "."),
        .where = absl::StrCat("Result ", i + 1, " of Backward, ", Quoted(name)),
        .causes = {is_input ? "The derivatives are returned in another order."
                            : "A parameter that is used for many elements gets the sum of their "
                              "derivatives, and that sum is missing or runs over other dims.",
                   "A dim of size 1 was dropped or added."},
        .fix = is_input ? "Return dLdX first, one for each input, each like its input."
                        : "Sum over every dim along which the parameter was repeated: "
                          "SumTo(dLdW, weights.spec())."};
    if (unset) {
      d.causes = {"No derivative was computed for it."};
      d.fix = "Compute it. Where no output depends on it, return zeros: ZerosLike.";
    }
    point->Fail(std::move(d));
  }
}

constexpr LayerTest kTests[] = {
    {"forwardPredictAreConsistentInSize", Variants::kObservations, HasForward,
     ForwardPredictAreConsistentInSize},
    {"backwardIsConsistentInSize", Variants::kObservations, HasBackward,
     BackwardIsConsistentInSize},
};

}  // namespace

std::span<const LayerTest> SizeTests() { return kTests; }

}  // namespace lamina::checks
