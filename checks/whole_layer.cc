#include "checks/whole_layer.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "checks/gradient_check.h"
#include "checks/size_sweep.h"
#include "checks/training_function.h"
#include "framework/dlarray/refused_reads.h"

namespace lamina::checks {
namespace {

// Remembers the last op, to tell what computed the value that was read.
class LastOp : public Listener {
 public:
  void Applied(const OpPtr& op, Arrays, std::span<DlArray> outputs) override {
    if (internal::RefusedReads::First() != nullptr) return;
    text_ = absl::StrCat(std::string(op->Name()), ", which gave ", ToString(outputs[0].spec()));
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_ = "nothing yet";
};

RandomSource SourceOf(const CheckContext& c, uint64_t seed) {
  return {c.options().seed + seed, 2, 0};
}

}  // namespace

DlArrays WholeLayer::Arguments(const DlArrays& inputs) const {
  DlArrays arguments = inputs;
  for (const DlArray& p : ParametersOf(subject_.layer)) {
    if (!p.empty()) arguments.push_back(p);
  }
  return arguments;
}

DlArrays WholeLayer::operator()(Arrays arguments) const {
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
  for (DlArray& g : Guarded(Function::kBackward, [&] { return tape.Gradient(sum, watched, {}); })) {
    out.push_back(std::move(g));
  }
  return out;
}

DlArrays WholeLayer::Call(Arrays arguments) const {
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

std::string WholeLayer::ResultName(size_t index) const {
  const AnyLayer& layer = subject_.layer;
  const std::vector<std::string>& outputs = layer->OutputNames();
  if (index < outputs.size()) return absl::StrCat("Output ", Quoted(outputs[index]));
  index -= outputs.size();
  const size_t states = layer.NumStateArrays();
  if (index < states) return absl::StrCat("New state ", index + 1);
  index -= states;
  const std::vector<std::string>& inputs = layer->InputNames();
  if (index < inputs.size()) return absl::StrCat("Derivative of ", Quoted(inputs[index]));
  index -= inputs.size();
  const std::vector<ParameterName> names = CheckContext::ParameterNames(layer);
  return index < names.size() ? absl::StrCat("Derivative of ", Quoted(names[index].name))
                              : "A result";
}

std::string NameOf(const CheckContext& c, Function function) {
  if (function == Function::kPredict) return "Predict";
  return c.traits().has_forward ? "Forward and its derivative" : "Predict and its derivative";
}

bool IsAcceleratable(const CheckContext& c) { return c.traits().is_acceleratable; }

std::vector<Subject> SubjectsOfSeveralSizes(const CheckContext& c, const Variant& v) {
  std::vector<Subject> subjects = {
      c.MakeSubject(c.Reduced(c.Layouts(v.observations), 5, false), v.type)};
  for (const SizeCase& one : OtherSizes(c)) {
    std::optional<Subject> other = SubjectUnlessRefused(c, one.layouts, v.type);
    if (other.has_value()) subjects.push_back(*std::move(other));
  }
  return subjects;
}

std::string LayoutsOf(const Subject& subject) {
  return absl::StrJoin(subject.layouts, ", ", [](std::string* out, const NetworkDataLayout& l) {
    out->append(lamina::ToString(l));
  });
}

DlArrays Plain(const CheckContext& c, const ArrayFunction& function, const DlArrays& arguments,
               uint64_t seed) {
  RandomSource source = SourceOf(c, seed);
  const ScopedRandomSource scope(source);
  return Guarded(Function::kForward, [&] { return function(arguments); });
}

Recorded Record(const CheckContext& c, const ArrayFunction& function, const DlArrays& arguments) {
  RandomSource source = SourceOf(c, 0);
  const ScopedRandomSource scope(source);
  std::vector<ArraySpec> specs;
  for (const DlArray& x : arguments) specs.push_back(x.spec());
  Recorded out;
  LastOp last;
  const ScopedListener listening(&last);
  try {
    out.graph = RecordGraph(function, specs);
  } catch (const FunctionThrew& e) {
    out.why = e.message;
    out.last_op = last.text();
  } catch (const std::exception& e) {
    out.why = e.what();
    out.last_op = last.text();
  }
  return out;
}

void SeeOtherTest(const CheckContext& c, const char* test, const std::string& why,
                  const std::string& in_words, TestPoint* point) {
  if (c.options().skip_tests.count(test) > 0) {
    return point->Skip(absl::StrCat("Skipping ", point->name, ". ", in_words));
  }
  point->Incomplete(absl::StrCat(why, ": see ", test, "."));
}

void CannotRecord(const CheckContext& c, TestPoint* point) {
  SeeOtherTest(c, "tracesReadNoValues", "The layer cannot be recorded",
               "The layer cannot be recorded.", point);
}

}  // namespace lamina::checks
