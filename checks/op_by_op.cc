#include "checks/op_by_op.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "checks/result_bound.h"
#include "framework/dlarray/coordinates.h"
#include "framework/graph/optimize.h"
#include "framework/ops/moved.h"

namespace lamina::checks {

PredictAndForward::PredictAndForward(const Subject& subject)
    : predict_(subject, Function::kPredict),
      forward_(subject, Function::kForward),
      num_predicted_(subject.layer->NumOutputs() + subject.layer.NumStateArrays()) {}

DlArrays PredictAndForward::Arguments(const DlArrays& inputs) const {
  DlArrays both = predict_.Arguments(inputs);
  const DlArrays more = both;
  both.insert(both.end(), more.begin(), more.end());
  return both;
}

DlArrays PredictAndForward::operator()(Arrays arguments) const {
  const size_t half = arguments.size() / 2;
  DlArrays results = predict_(arguments.first(half));
  for (DlArray& y : forward_(arguments.subspan(half))) results.push_back(std::move(y));
  return results;
}

std::string PredictAndForward::ResultName(size_t result) const {
  return result < num_predicted_ ? predict_.ResultName(result)
                                 : forward_.ResultName(result - num_predicted_);
}

std::optional<Graph> OpByOp::RecordedRightly(TestPoint* point) const {
  const DlArrays arguments = function_.Arguments(subject_.inputs);
  const DlArrays plain = Plain(c_, function_, arguments, 0);
  Recorded recorded = Record(c_, function_, arguments);
  if (!recorded.graph.has_value()) {
    CannotRecord(c_, point);
    return std::nullopt;
  }
  if (Same(plain, Plain(c_, Evaluation(*recorded.graph), arguments, 0))) return recorded.graph;
  for (const Function f : {Function::kPredict, Function::kForward}) {
    if (c_.IsRepeatable(subject_, f)) continue;
    point->Incomplete(kNotRepeatable);
    return std::nullopt;
  }
  SeeOtherTest(c_, "tracesGiveTheSame", "The recording gives other results than the layer",
               "The layer's recording gives other results.", point);
  return std::nullopt;
}

std::optional<Diagnostic> OpByOp::Find(const Graph& graph, const ArrayFunction& other,
                                       const std::string& how) const {
  constexpr int kDraws = 3;
  constexpr uint64_t kFirstStream = 40;
  std::optional<Deviation> first;
  for (int draw = 0; draw < kDraws; ++draw) {
    const DlArrays inputs =
        draw == 0 ? subject_.inputs
                  : c_.MakeInputs(subject_.layouts, DataType::kSingle, kFirstStream + draw);
    DlArrays came;
    try {
      came = Plain(c_, other, function_.Arguments(inputs), 0);
    } catch (const FunctionThrew& e) {
      return Threw(how, e.message);
    }
    const std::optional<Deviation> found = FindWith(inputs, graph, came);
    if (!found.has_value()) return std::nullopt;
    if (draw == 0) first = found;
  }
  return Describe(*first, how);
}

std::optional<Diagnostic> OpByOp::Simplify(const Graph& graph,
                                           std::optional<Graph>* simplified) const {
  constexpr char kHow[] = "Recorded and simplified";
  try {
    *simplified = Optimize(graph);
  } catch (const std::exception& e) {
    return Threw(kHow, e.what());
  }
  return Find(graph, Evaluation(**simplified), kHow);
}

std::optional<OpByOp::Deviation> OpByOp::FindWith(const DlArrays& inputs, const Graph& graph,
                                                  const DlArrays& came) const {
  const DlArrays arguments = function_.Arguments(inputs);
  const auto plain = [&](const DlArrays& a) { return Plain(c_, function_, a, 0); };
  const DlArrays y = plain(arguments);
  if (Same(y, came)) return std::nullopt;
  // In double a layer that draws would draw other numbers.
  const bool draws = std::any_of(graph.steps().begin(), graph.steps().end(),
                                 [](const GraphStep& s) { return s.op->IsRandom(); });
  const DlArrays exact = draws ? y : plain(InType(arguments, DataType::kDouble)),
                 up = plain(Moved(arguments, kLastDigits)),
                 down = plain(Moved(arguments, -kLastDigits));
  std::optional<Deviation> worst;
  double most = 0;
  for (size_t k = 0; k < y.size(); ++k) {
    const ResultBound bound(y[k], exact[k], {up[k], down[k]});
    const int64_t i = bound.WorstBeyond(came[k]);
    if (i < 0) continue;
    const double value = Values(came[k])[i];
    const double beyond = std::abs(value - bound.value(i)) / bound.allowed(i);
    if (worst.has_value() && !(beyond > most)) continue;
    most = beyond;
    worst = {k, i, bound.value(i), bound.allowed(i), value, y[k].spec()};
  }
  return worst;
}

Diagnostic OpByOp::Describe(const Deviation& d, const std::string& how) const {
  const bool complex = IsComplex(d.spec.type);
  return {.expected = absl::StrCat(how, ", ", NameOf(c_, function_.FunctionOf(d.result)),
                                   " gives what it gives op by op: ", d.expected, " within ",
                                   d.allowed, "."),
          .came = absl::StrCat(d.came, "."),
          .where = absl::StrCat(function_.ResultName(d.result), " at ",
                                Coordinates(d.spec, complex ? d.value / 2 : d.value),
                                !complex           ? ""
                                : d.value % 2 == 0 ? ", the real part"
                                                   : ", the imaginary part",
                                ", for ", LayoutsOf(subject_)),
          .causes = {},
          .fix = ""};
}

Diagnostic OpByOp::Threw(const std::string& how, const std::string& message) const {
  return {.expected = absl::StrCat(how, ", the layer runs."),
          .came = absl::StrCat("It threw:\n", message),
          .where = absl::StrCat("For ", LayoutsOf(subject_)),
          .causes = {},
          .fix = ""};
}

}  // namespace lamina::checks
