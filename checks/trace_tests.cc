// What acceleration does to a layer, before it is accelerated: the computation is recorded once
// without values, as a graph (framework/graph), and run from there. It must give the same.
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "checks/gradient_check.h"
#include "checks/layer_test.h"
#include "checks/size_sweep.h"
#include "checks/training_function.h"
#include "framework/graph/graph.h"

namespace lamina::checks {
namespace {

// The layer as a function of all its arrays: inputs, then parameters. Unset ones stay out.
class WholeLayer {
 public:
  WholeLayer(const Subject& subject, Function function) : subject_(subject), function_(function) {}

  DlArrays Arguments() const {
    DlArrays arguments = subject_.inputs;
    for (const DlArray& p : ParametersOf(subject_.layer)) {
      if (!p.empty()) arguments.push_back(p);
    }
    return arguments;
  }

  // Predict: outputs and new states. Forward: these, and the derivatives of a sum of them with
  // respect to all arguments, as training takes them.
  DlArrays operator()(Arrays arguments) const {
    if (function_ == Function::kPredict) return Call(arguments);
    Tape tape;
    const ScopedTape listening(&tape);
    DlArrays watched;
    for (const DlArray& x : arguments) {
      watched.push_back(IsFloating(x.type()) ? tape.Watch(x) : x);
    }
    const DlArrays results = Call(watched);
    DlArrays floating;
    size_t n = 0;
    for (const DlArray& y : results) {
      if (!IsFloating(y.type())) continue;
      floating.push_back(y);
      n += y.numel() * (IsComplex(y.type()) ? 2 : 1);
    }
    const DlArray sum = WeightedElements(floating, RandomWeights(n, 7));
    DlArrays out = results;
    for (DlArray& g :
         Guarded(Function::kBackward, [&] { return tape.Gradient(sum, watched, {}); })) {
      out.push_back(std::move(g));
    }
    return out;
  }

 private:
  DlArrays Call(Arrays arguments) const {
    AnyLayer layer = subject_.layer;
    const DlArrays inputs(arguments.begin(), arguments.begin() + subject_.inputs.size());
    size_t next = inputs.size();
    layer->VisitParameters("", [&](const ParameterRef& p) {
      if (!p.value->empty()) *p.value = arguments[next++];
    });
    LayerResult result =
        function_ == Function::kForward ? layer.Forward(inputs) : layer.Predict(inputs);
    DlArrays out = std::move(result.outputs);
    for (DlArray& s : result.states) out.push_back(std::move(s));
    return out;
  }

  const Subject& subject_;
  Function function_;
};

// Remembers the last op, to tell what computed the value that was read.
class LastOp : public Listener {
 public:
  void Applied(const OpPtr& op, Arrays, std::span<DlArray> outputs) override {
    text_ = absl::StrCat(std::string(op->Name()), ", which gave ", ToString(outputs[0].spec()));
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_ = "nothing yet";
};

struct Recorded {
  std::optional<Graph> graph;
  std::string why;      // The error, when there is no graph.
  std::string last_op;  // What was computed before it.
};

RandomSource SourceOf(const CheckContext& c, uint64_t seed) {
  return {c.options().seed + seed, 2, 0};
}

Recorded Record(const CheckContext& c, const WholeLayer& whole) {
  RandomSource source = SourceOf(c, 0);
  const ScopedRandomSource scope(source);
  std::vector<ArraySpec> specs;
  for (const DlArray& x : whole.Arguments()) specs.push_back(x.spec());
  Recorded out;
  LastOp last;
  const ScopedListener listening(&last);
  try {
    out.graph = RecordGraph(whole, specs);
  } catch (const FunctionThrew& e) {
    out.why = e.message;
    out.last_op = last.text();
  } catch (const std::exception& e) {
    out.why = e.what();
    out.last_op = last.text();
  }
  return out;
}

DlArrays Plain(const CheckContext& c, const WholeLayer& whole, uint64_t seed) {
  RandomSource source = SourceOf(c, seed);
  const ScopedRandomSource scope(source);
  return Guarded(Function::kForward, [&] { return whole(whole.Arguments()); });
}

constexpr Function kFunctions[] = {Function::kPredict, Function::kForward};

std::string NameOf(const CheckContext& c, Function function) {
  if (function == Function::kPredict) return "Predict";
  return c.traits().has_forward ? "Forward and its derivative" : "Predict and its derivative";
}

void TracesReadNoValues(const CheckContext& c, const Variant& v, TestPoint* point) {
  const Subject subject = c.MakeSubject(c.Reduced(c.Layouts(v.observations), 5, false), v.type);
  for (const Function function : kFunctions) {
    const WholeLayer whole(subject, function);
    Plain(c, whole, 0);
    const Recorded recorded = Record(c, whole);
    if (recorded.graph.has_value()) continue;
    const bool read = recorded.why.find("[dlarray:NoValues]") != std::string::npos;
    return point->Fail(
        {.expected = absl::StrCat("An Acceleratable layer computes without looking at values: ",
                                  NameOf(c, function), " can be recorded once and run again."),
         .came = absl::StrCat("Recording threw:\n", recorded.why),
         .where = absl::StrCat("After ", recorded.last_op),
         .causes = {read ? "An array's value is asked for, by a branch, a loop or a detour: "
                           "if (x.At(0) > 0), Scalar, Data, ExtractData."
                         : "An operation of your own needs values to know its sizes."},
         .fix = "Choose with Where instead of if, count loops by sizes instead of values; or leave "
                "Acceleratable out."});
  }
}

void CannotRecord(const CheckContext& c, TestPoint* point) {
  if (c.options().skip_tests.count("tracesReadNoValues") > 0) {
    return point->Skip(absl::StrCat("Skipping ", point->name, ". The layer cannot be recorded."));
  }
  point->Incomplete("The layer cannot be recorded: see tracesReadNoValues.");
}

// The first array in which the two differ.
size_t FirstDifference(const DlArrays& a, const DlArrays& b) {
  size_t i = 0;
  while (i < a.size() && i < b.size() && IsEqual(a[i], b[i])) ++i;
  return i;
}

std::string ResultName(const CheckContext& c, size_t index) {
  const std::vector<std::string>& outputs = c.original()->OutputNames();
  if (index < outputs.size()) return absl::StrCat("Output ", Quoted(outputs[index]));
  index -= outputs.size();
  const size_t states = c.original().NumStateArrays();
  if (index < states) return absl::StrCat("New state ", index + 1);
  index -= states;
  const std::vector<std::string>& inputs = c.original()->InputNames();
  if (index < inputs.size()) return absl::StrCat("Derivative of ", Quoted(inputs[index]));
  index -= inputs.size();
  const std::vector<ParameterName> names = CheckContext::ParameterNames(c.original());
  return index < names.size() ? absl::StrCat("Derivative of ", Quoted(names[index].name))
                              : "A result";
}

void TracesGiveTheSame(const CheckContext& c, const Variant& v, TestPoint* point) {
  std::vector<Subject> subjects = {
      c.MakeSubject(c.Reduced(c.Layouts(v.observations), 5, false), v.type)};
  for (const SizeCase& one : OtherSizes(c)) {
    std::optional<Subject> other = SubjectUnlessRefused(c, one.layouts);
    if (other.has_value()) subjects.push_back(*std::move(other));
  }
  for (const Subject& subject : subjects) {
    for (const Function function : kFunctions) {
      if (!c.IsRepeatable(subject, function)) return point->Incomplete(kNotRepeatable);
      const WholeLayer whole(subject, function);
      const DlArrays plain = Plain(c, whole, 0);
      const Recorded recorded = Record(c, whole);
      if (!recorded.graph.has_value()) {
        return CannotRecord(c, point);
      }
      RandomSource source = SourceOf(c, 0);
      const ScopedRandomSource scope(source);
      const DlArrays traced =
          Guarded(Function::kForward, [&] { return recorded.graph->Evaluate(whole.Arguments()); });
      if (Same(plain, traced)) continue;
      std::string layouts;
      for (const NetworkDataLayout& l : subject.layouts) {
        absl::StrAppend(&layouts, layouts.empty() ? "" : ", ", lamina::ToString(l));
      }
      return point->Fail(
          {.expected = absl::StrCat("Recorded once and run again, ", NameOf(c, function),
                                    " gives the same results, bit for bit."),
           .came = "The results differ.",
           .where = absl::StrCat(ResultName(c, FirstDifference(plain, traced)), " for ", layouts),
           .causes = {"What was computed outside of array functions while recording is a constant "
                      "of the graph: random numbers of one's own, a cached array, a clock."},
           .fix = "Compute with array functions alone, draw with Rand and Randn; or leave "
                  "Acceleratable out."});
    }
  }
}

void TracesDrawAfresh(const CheckContext& c, const Variant& v, TestPoint* point) {
  const Subject subject = c.MakeSubject(c.Reduced(c.Layouts(v.observations), 5, false), v.type);
  for (const Function function : kFunctions) {
    if (!c.IsRepeatable(subject, function)) return point->Incomplete(kNotRepeatable);
    const WholeLayer whole(subject, function);
    const Recorded recorded = Record(c, whole);
    if (!recorded.graph.has_value()) {
      return CannotRecord(c, point);
    }
    for (const uint64_t seed : {1, 2}) {
      RandomSource source = SourceOf(c, seed);
      const ScopedRandomSource scope(source);
      const DlArrays traced = recorded.graph->Evaluate(whole.Arguments());
      if (Same(traced, Plain(c, whole, seed))) continue;
      return point->Fail(
          {.expected = absl::StrCat("Each run of a recorded ", NameOf(c, function),
                                    " draws afresh, what the plain call would have drawn."),
           .came = "With another seed the two differ.",
           .where = NameOf(c, function),
           .causes = {"Random numbers are made outside of array functions: while recording they "
                      "become constants, and every run has the same."},
           .fix = "Draw with Rand, Randn, RandLike or RandnLike."});
    }
  }
}

bool IsAcceleratable(const CheckContext& c) { return c.traits().is_acceleratable; }

constexpr LayerTest kTests[] = {
    {"tracesReadNoValues", Variants::kOnce, IsAcceleratable, TracesReadNoValues},
    {"tracesGiveTheSame", Variants::kOnce, IsAcceleratable, TracesGiveTheSame},
    {"tracesDrawAfresh", Variants::kOnce,
     [](const CheckContext& c) { return IsAcceleratable(c) && c.traits().draws_random_numbers; },
     TracesDrawAfresh},
};

}  // namespace

std::span<const LayerTest> TraceTests() { return kTests; }

}  // namespace lamina::checks
