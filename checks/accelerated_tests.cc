// The layer accelerated gives what it gives op by op: its recording after it was simplified, and
// compiled to kernels.
//
// In single, as layers run. Predict, and Forward with its derivative, are recorded as one function,
// each with arguments of its own, so that they share nothing and the compiler starts once. The
// kernels are compiled with little optimisation: that more of it keeps the meaning of C is the
// compiler's matter.
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "checks/layer_test.h"
#include "checks/result_bound.h"
#include "checks/whole_layer.h"
#include "framework/acceleration/executable.h"
#include "framework/emit/c_compiler.h"
#include "framework/graph/optimize.h"

namespace lamina::checks {
namespace {

// Predict, and Forward with its derivative, as one function: the arguments of both and the results
// of both in a row.
class PredictAndForward {
 public:
  explicit PredictAndForward(const Subject& subject)
      : predict_(subject, Function::kPredict),
        forward_(subject, Function::kForward),
        num_predicted_(subject.layer->NumOutputs() + subject.layer.NumStateArrays()) {}

  DlArrays Arguments(const DlArrays& inputs) const {
    DlArrays both = predict_.Arguments(inputs);
    const DlArrays more = both;
    both.insert(both.end(), more.begin(), more.end());
    return both;
  }
  DlArrays operator()(Arrays arguments) const {
    const size_t half = arguments.size() / 2;
    DlArrays results = predict_(arguments.first(half));
    for (DlArray& y : forward_(arguments.subspan(half))) results.push_back(std::move(y));
    return results;
  }
  Function FunctionOf(size_t result) const {
    return result < num_predicted_ ? Function::kPredict : Function::kForward;
  }
  std::string ResultName(size_t result) const {
    return result < num_predicted_ ? predict_.ResultName(result)
                                   : forward_.ResultName(result - num_predicted_);
  }

 private:
  WholeLayer predict_, forward_;
  size_t num_predicted_;
};

// A value that came otherwise than allowed.
struct Deviation {
  size_t result;
  int64_t value;
  double expected, allowed, came;
  ArraySpec spec;
};

class OpByOp {
 public:
  // `subject` outlives it.
  OpByOp(const CheckContext& c, const Subject& subject)
      : c_(c), subject_(subject), function_(subject) {}

  // The recording, when it gives what the layer gives. Otherwise another test knows why, and the
  // point says which.
  std::optional<Graph> RecordedRightly(TestPoint* point) const {
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

  // What is wrong with `accelerated`, a form of `graph`, if anything. A value at a jump may fall on
  // either side, so a difference counts when it shows with other inputs too.
  std::optional<Diagnostic> Find(const Graph& graph, const ArrayFunction& accelerated,
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
        came = Plain(c_, accelerated, function_.Arguments(inputs), 0);
      } catch (const FunctionThrew& e) {
        return Threw(how, e.message);
      }
      const std::optional<Deviation> found = FindWith(inputs, graph, came);
      if (!found.has_value()) return std::nullopt;
      if (draw == 0) first = found;
    }
    return Describe(*first, how);
  }

  // `graph` simplified, and what is wrong with it.
  std::optional<Diagnostic> Simplify(const Graph& graph, std::optional<Graph>* simplified) const {
    constexpr char kHow[] = "Recorded and simplified";
    try {
      *simplified = Optimize(graph);
    } catch (const std::exception& e) {
      return Threw(kHow, e.what());
    }
    return Find(graph, Evaluation(**simplified), kHow);
  }

 private:
  std::optional<Deviation> FindWith(const DlArrays& inputs, const Graph& graph,
                                    const DlArrays& came) const {
    const DlArrays arguments = function_.Arguments(inputs);
    const auto plain = [&](const DlArrays& a) { return Plain(c_, function_, a, 0); };
    const DlArrays y = plain(arguments);
    if (Same(y, came)) return std::nullopt;
    // In double a layer that draws would draw other numbers.
    const bool draws = std::any_of(graph.steps().begin(), graph.steps().end(),
                                   [](const GraphStep& s) { return s.op->IsRandom(); });
    const DlArrays exact = draws ? y : plain(InType(arguments, DataType::kDouble)),
                   up = plain(Moved(arguments, 1)), down = plain(Moved(arguments, -1));
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

  Diagnostic Describe(const Deviation& d, const std::string& how) const {
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

  Diagnostic Threw(const std::string& how, const std::string& message) const {
    return {.expected = absl::StrCat(how, ", the layer runs."),
            .came = absl::StrCat("It threw:\n", message),
            .where = absl::StrCat("For ", LayoutsOf(subject_)),
            .causes = {},
            .fix = ""};
  }

  const CheckContext& c_;
  const Subject& subject_;
  PredictAndForward function_;
};

constexpr char kQuickly[] = " -O1";
constexpr char kNotOfTheLayer[] = "Otherwise this is a fault of Lamina, not of the layer.";
constexpr char kReport[] =
    "Otherwise please report it, with the layer; until it is mended, leave Acceleratable out.";

void AcceleratedGivesTheSame(const CheckContext& c, const Variant& v, TestPoint* point) {
  for (const Subject& subject : SubjectsOfSeveralSizes(c, v)) {
    const OpByOp op_by_op(c, subject);
    const std::optional<Graph> graph = op_by_op.RecordedRightly(point);
    if (!graph.has_value()) return;
    std::optional<Graph> simplified;
    std::optional<Diagnostic> found = op_by_op.Simplify(*graph, &simplified);
    if (!found.has_value()) continue;
    found->causes = {
        "An operation of your own (an Op) does not tell all: two that have the same "
        "Name and Attributes are taken for one.",
        kNotOfTheLayer};
    found->fix = absl::StrCat("Let Attributes say all in which two operations differ. ", kReport);
    return point->Fail(*std::move(found));
  }
}

void KernelsGiveTheSame(const CheckContext& c, const Variant& v, TestPoint* point) {
  const auto skip = [&](absl::string_view why) {
    point->Skip(absl::StrCat("Skipping ", point->name, ". ", why));
  };
  if (FindCompiler().empty()) {
    return skip(
        "There is no C compiler: install one (cc), or name it in the environment variable CC.");
  }
  const Subject subject = c.MakeSubject(c.Reduced(c.Layouts(v.observations), 5, false), v.type);
  const OpByOp op_by_op(c, subject);
  const std::optional<Graph> graph = op_by_op.RecordedRightly(point);
  if (!graph.has_value()) return;
  std::optional<Graph> simplified;
  if (op_by_op.Simplify(*graph, &simplified).has_value()) {
    return SeeOtherTest(c, "acceleratedGivesTheSame",
                        "The simplified recording does not give what the layer gives",
                        "The layer's simplified recording gives other results.", point);
  }
  Executable executable(*std::move(simplified), WriteKernels);
  CompilerSettings settings = CompilerSettings::FromEnvironment();
  settings.flags += kQuickly;
  executable.Compile(settings);
  const absl::Status status = executable.Wait();
  if (absl::IsUnavailable(status))
    return skip(absl::StrCat("Kernels cannot be kept: ", status.message(), "."));
  if (!status.ok()) {
    return point->Fail(
        {.expected = "The layer compiles to kernels.",
         .came = std::string(status.message()),
         .where = absl::StrCat("For ", LayoutsOf(subject)),
         .causes = {"The compiler that CC names does not take GNU C: kernels are written for gcc "
                    "and clang.",
                    kNotOfTheLayer},
         .fix = "Name another compiler in CC. Otherwise please report it, with the layer; without "
                "kernels it runs op by op."});
  }
  std::optional<Diagnostic> found = op_by_op.Find(
      *graph, [&](Arrays arguments) { return executable.Run(arguments); }, "As compiled kernels");
  if (!found.has_value()) return;
  found->causes = {"An operation of your own (a WrittenOp) writes something else than it runs.",
                   kNotOfTheLayer};
  found->fix = absl::StrCat("Let Write say what Run computes. ", kReport);
  point->Fail(*std::move(found));
}

constexpr LayerTest kTests[] = {
    {"acceleratedGivesTheSame", Variants::kOnce, IsAcceleratable, AcceleratedGivesTheSame},
    {"kernelsGiveTheSame", Variants::kOnce, IsAcceleratable, KernelsGiveTheSame},
};

}  // namespace

std::span<const LayerTest> AcceleratedTests() { return kTests; }

}  // namespace lamina::checks
