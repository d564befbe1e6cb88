// Observations of a batch are independent of one another, unless the layer declares that it joins
// them.
#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "checks/layer_test.h"
#include "checks/observation_split.h"
#include "framework/ops/elementwise.h"

namespace lamina::checks {
namespace {

// Kernels may add in another order when other observations change, never more: this many rounding
// units of the largest output.
constexpr double kRoundingUnits = 4096;

// What new values of the first observation do to an output.
struct Influence {
  std::string output;
  std::string shape;
  bool has_observations = true;  // As many as the inputs.
  double worst = 0;              // The largest change of an output of others.
  double tolerance = 0;
};

std::vector<Influence> InfluenceOfFirst(const CheckContext& c, const Subject& subject,
                                        Function function) {
  const LayerResult before = c.Call(subject, function);
  DlArrays others = c.MakeInputs(subject.layouts, DataType::kDouble, 7);
  for (size_t i = 0; i < others.size(); ++i) others[i] = Cast(others[i], subject.inputs[i].type());
  const DlArrays changed = WithFirstObservation(c, subject.inputs, others);
  const LayerResult after = c.Call(subject.layer, changed, function);
  const int64_t observations = NumObservations(c, subject.layouts);
  std::vector<Influence> out;
  for (size_t i = 0; i < before.outputs.size(); ++i) {
    const DlArray& y = before.outputs[i];
    Influence one{subject.layer->OutputNames()[i], Shape(y.spec())};
    const int dim = ObservationDimOf(c, y, observations);
    if (dim < 0 || !SameSizes(y.sizes(), after.outputs[i].sizes())) {
      one.has_observations = false;
      out.push_back(one);
      continue;
    }
    const std::vector<double> was = SplitObservations(y, dim).others;
    const std::vector<double> is = SplitObservations(after.outputs[i], dim).others;
    double scale = 0;
    for (size_t e = 0; e < was.size(); ++e) {
      scale = std::max(scale, std::abs(was[e]));
      one.worst = std::max(one.worst, std::abs(was[e] - is[e]));
    }
    one.tolerance =
        scale * kRoundingUnits * (ToReal(y.type()) == DataType::kDouble ? 0x1p-52 : 0x1p-23);
    out.push_back(one);
  }
  return out;
}

bool IsJoined(const Influence& one) { return !one.has_observations || one.worst > one.tolerance; }

}  // namespace

bool ObservationsAreApart(const CheckContext& c, const Subject& subject, Function function) {
  if (NumObservations(c, subject.layouts) < 2) return true;
  const std::vector<Influence> all = InfluenceOfFirst(c, subject, function);
  return std::none_of(all.begin(), all.end(), IsJoined);
}

namespace {

Subject SubjectFor(const CheckContext& c, const Variant& v) {
  return c.MakeSubject(c.Reduced(c.Layouts(v.observations), 3, false), DataType::kDouble);
}

void KeepsObservationsApart(const CheckContext& c, const Variant& v, Function function,
                            TestPoint* point) {
  const Subject subject = SubjectFor(c, v);
  if (!c.IsRepeatable(subject, function)) return point->Incomplete(kNotRepeatable);
  const std::string name(ToString(function));
  for (const Influence& one : InfluenceOfFirst(c, subject, function)) {
    const std::string where = absl::StrCat("Output ", Quoted(one.output));
    if (!one.has_observations) {
      point->Fail(
          {.expected = absl::StrCat("Each output has as many observations as the inputs, ",
                                    NumObservations(c, subject.layouts), "."),
           .came = absl::StrCat(name, " returned ", one.shape, "."),
           .where = where,
           .causes = {"A reduction or a reshape ran over the observations too."},
           .fix = "Name the dims that a reduction runs over: Sum(x, \"SC\"), not Sum(x). If the "
                  "layer is meant to join observations, derive it from JoinsObservations too."});
      continue;
    }
    point->margins.push_back({one.output, one.worst, one.tolerance});
    if (!IsJoined(one)) continue;
    point->Fail(
        {.expected = "The output of an observation follows from that observation alone.",
         .came = absl::StrCat("New values for the first observation changed the outputs of others ",
                              "by up to ", one.worst, ", in ", name, "."),
         .where = where,
         .causes = {"A reduction (mean, norm, softmax) runs over the observations too.",
                    "Elements are reshaped or multiplied across observations."},
         .fix = "Name the dims: Mean(x, \"SC\"), not Mean(x). If the layer is meant to compare "
                "observations, derive it from JoinsObservations too."});
  }
}

void PredictKeepsObservationsApart(const CheckContext& c, const Variant& v, TestPoint* point) {
  KeepsObservationsApart(c, v, Function::kPredict, point);
}
void ForwardKeepsObservationsApart(const CheckContext& c, const Variant& v, TestPoint* point) {
  KeepsObservationsApart(c, v, Function::kForward, point);
}

void JoinsObservationsAsDeclared(const CheckContext& c, const Variant& v, TestPoint* point) {
  const Subject subject = SubjectFor(c, v);
  for (const Function function : {Function::kPredict, Function::kForward}) {
    if (!c.IsRepeatable(subject, function)) return point->Incomplete(kNotRepeatable);
    const std::vector<Influence> all = InfluenceOfFirst(c, subject, function);
    if (std::any_of(all.begin(), all.end(), IsJoined)) return;
  }
  if (c.HasEffectInSomeDraw(subject, DataType::kDouble, [&](const Subject& other) {
        for (const Function function : {Function::kPredict, Function::kForward}) {
          const std::vector<Influence> all = InfluenceOfFirst(c, other, function);
          if (std::any_of(all.begin(), all.end(), IsJoined)) return true;
        }
        return false;
      })) {
    return;
  }
  point->Fail({.expected = "The layer joins observations, as JoinsObservations declares.",
               .came = "In Predict and in Forward each output follows from its observation alone.",
               .where = "",
               .causes = {"The declaration was copied from another layer.",
                          "The dims that it runs over do not include the observations."},
               .fix = "Leave JoinsObservations out, or let the computation run over \"B\" too."});
}

bool IsApart(const CheckContext& c) { return !c.traits().joins_observations; }

constexpr LayerTest kTests[] = {
    {"predictKeepsObservationsApart", Variants::kOnceSeveral, IsApart,
     PredictKeepsObservationsApart},
    {"forwardKeepsObservationsApart", Variants::kOnceSeveral,
     [](const CheckContext& c) { return IsApart(c) && HasForward(c); },
     ForwardKeepsObservationsApart},
    {"joinsObservationsAsDeclared", Variants::kOnceSeveral,
     [](const CheckContext& c) { return !IsApart(c); }, JoinsObservationsAsDeclared},
};

}  // namespace

std::span<const LayerTest> ObservationTests() { return kTests; }

}  // namespace lamina::checks
