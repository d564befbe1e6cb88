// Sizes and labels: Forward's are Predict's, derivatives' are those of what they belong to.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "checks/layer_test.h"

namespace lamina::checks {
namespace {

// Sizes and labels, without the type: that has tests of its own.
std::string Shape(const ArraySpec& spec) {
  ArraySpec s = spec;
  s.type = DataType::kSingle;
  const std::string text = ToString(s);
  const size_t type = text.rfind("single");
  return type == 0 ? "a scalar" : text.substr(0, type - 1);
}
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
    point->Fail(
        {.expected = absl::StrCat("The derivative with respect to ", Quoted(name),
                                  " has its sizes and labels, ", Shape(value.spec()), "."),
         .came = unset ? "It is unset." : absl::StrCat("It is ", Shape(result[i].spec()), "."),
         .where = absl::StrCat("Result ", i + 1, " of Backward, ", Quoted(name)),
         .causes = {unset      ? "No derivative was computed for it."
                    : is_input ? "The derivatives are returned in another order."
                               : "A parameter that is used for many elements gets the sum of their "
                                 "derivatives, and that sum is missing or runs over other dims.",
                    "A dim of size 1 was dropped or added."},
         .fix = is_input ? "Return dLdX first, one for each input, each like its input."
                         : "Sum over every dim along which the parameter was repeated: "
                           "SumTo(dLdW, weights.spec())."});
  }
}

void PredictKeepsObservationsApart(const CheckContext& c, const Variant& v, TestPoint* point);

constexpr LayerTest kTests[] = {
    {"forwardPredictAreConsistentInSize", Variants::kObservations, HasForward,
     ForwardPredictAreConsistentInSize},
    {"backwardIsConsistentInSize", Variants::kObservations, HasBackward,
     BackwardIsConsistentInSize},
    {"predictReturnsLabels", Variants::kOnce,
     [](const CheckContext& c) {
       return c.traits().is_formattable && !c.given()[0].format().empty();
     },
     [](const CheckContext& c, const Variant& v, TestPoint* point) {
       const Subject subject = c.MakeSubject(v);
       for (const Function function : {Function::kPredict, Function::kForward}) {
         if (function == Function::kForward && !c.traits().has_forward) continue;
         const internal::CallResult result = c.CallRaw(subject, function);
         const size_t outputs = subject.layer->OutputNames().size();
         for (size_t i = 0; i < std::min(outputs, result.values.size()); ++i) {
           const DlArray& y = result.values[i];
           if (y.rank() == 0 || !y.format().empty()) continue;
           point->Fail(
               {.expected = "A Formattable layer that gets labelled arrays returns labelled ones.",
                .came = absl::StrCat(std::string(ToString(function)), " returned ", Shape(y.spec()),
                                     " without labels."),
                .where = absl::StrCat("Output ", Quoted(subject.layer->OutputNames()[i])),
                .causes = {"Reshape, StripDims or ExtractData dropped the labels."},
                .fix = "Label what is returned: DlArray(y, \"SSCB\"), or leave Formattable out."});
         }
       }
     }},
    {"predictKeepsObservationsApart", Variants::kOnceSeveral, Always,
     PredictKeepsObservationsApart},
};

// An array's elements of one observation, and of all others.
struct Split {
  std::vector<double> first, others;
};
Split SplitObservations(const DlArray& y, int dim) {
  Split out;
  const std::vector<double> all = Components(y);
  const int64_t parts = IsComplex(y.type()) ? 2 : 1;
  int64_t stride = parts;
  for (int d = 0; d < dim; ++d) stride *= y.size(d);
  const int64_t count = y.size(dim);
  for (size_t i = 0; i < all.size(); ++i) {
    const int64_t b = static_cast<int64_t>(i) / stride % count;
    (b == 0 ? out.first : out.others).push_back(all[i]);
  }
  return out;
}

void PredictKeepsObservationsApart(const CheckContext& c, const Variant& v, TestPoint* point) {
  const std::vector<NetworkDataLayout> layouts = c.Reduced(c.Layouts(v.observations), 3, false);
  const Subject subject = c.MakeSubject(layouts, DataType::kDouble);
  if (!c.IsRepeatable(subject, Function::kPredict)) return point->Incomplete(kNotRepeatable);
  const LayerResult before = c.Call(subject, Function::kPredict);
  // New values for the first observation of each input.
  DlArrays changed = subject.inputs;
  const DlArrays other = c.MakeInputs(layouts, DataType::kDouble, 7);
  int64_t observations = 1;
  int input_dim = -1;
  for (size_t i = 0; i < changed.size(); ++i) {
    const int dim = c.observation_dim(static_cast<int>(i));
    if (dim < 0) continue;
    input_dim = dim;
    observations = changed[i].size(dim);
    std::vector<double> values = Components(changed[i]);
    const std::vector<double> fresh = Components(other[i]);
    int64_t stride = 1;
    for (int d = 0; d < dim; ++d) stride *= changed[i].size(d);
    for (size_t e = 0; e < values.size(); ++e) {
      if (static_cast<int64_t>(e) / stride % observations == 0) values[e] = fresh[e];
    }
    changed[i] = FromComponents(values, changed[i].spec());
  }
  const LayerResult after = c.Call(subject.layer, changed, Function::kPredict);
  for (size_t i = 0; i < before.outputs.size(); ++i) {
    const DlArray& y = before.outputs[i];
    const int dim = y.format().empty() ? input_dim : FindDim(y, 'B');
    const std::string where = absl::StrCat("Output ", Quoted(subject.layer->OutputNames()[i]));
    if (dim < 0 || y.size(dim) != observations) {
      point->Fail(
          {.expected = absl::StrCat("Each output has as many observations as the inputs, ",
                                    observations, "."),
           .came = absl::StrCat("Predict returned ", Shape(y.spec()), "."),
           .where = where,
           .causes = {"A reduction or a reshape ran over the observations too."},
           .fix = "Name the dims that a reduction runs over: Sum(x, \"SC\"), not Sum(x). If the "
                  "layer is meant to join observations, switch this test off by its name."});
      continue;
    }
    const Split was = SplitObservations(y, dim), is = SplitObservations(after.outputs[i], dim);
    double scale = 0, worst = 0;
    for (double e : was.others) scale = std::max(scale, std::abs(e));
    for (size_t e = 0; e < was.others.size() && e < is.others.size(); ++e) {
      worst = std::max(worst, std::abs(was.others[e] - is.others[e]));
    }
    // Kernels may add in another order when other observations change, never more.
    const double tolerance = 1e-12 * scale;
    point->margins.push_back({subject.layer->OutputNames()[i], worst, tolerance});
    if (worst <= tolerance) continue;
    point->Fail(
        {.expected = "The output of an observation follows from that observation alone.",
         .came = absl::StrCat("New values for the first observation changed the outputs of ",
                              "others by up to ", worst, "."),
         .where = where,
         .causes = {"A reduction (mean, norm, softmax) runs over the observations too.",
                    "Elements are reshaped or multiplied across observations."},
         .fix = "Name the dims: Mean(x, \"SC\"), not Mean(x). If the layer is meant to "
                "compare observations, switch this test off by its name."});
  }
}

}  // namespace

std::span<const LayerTest> SizeTests() { return kTests; }

}  // namespace lamina::checks
