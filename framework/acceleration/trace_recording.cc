#include "framework/acceleration/trace_recording.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "framework/acceleration/recomputation.h"
#include "framework/dlarray/refused_reads.h"
#include "framework/ops/abstract_run.h"

namespace lamina::internal {
namespace {

// Stands in a recording for the derivative of an output, before it is known. It claims to be
// random so that it is recorded although it reads nothing.
class OutputGradient : public Op {
 public:
  OutputGradient(size_t output, ArraySpec spec) : output_(output), spec_(std::move(spec)) {}
  std::string_view Name() const override { return "output gradient"; }
  void Infer(const Specs&, SpecList* out) const override { out->push_back(spec_); }
  void Run(Arrays, Results) const override { LAMINA_CHECK(false); }
  bool IsRandom() const override { return true; }
  bool IsDifferentiable() const override { return false; }
  size_t output() const { return output_; }

 private:
  size_t output_;
  ArraySpec spec_;
};

// The rule of an array made of several outputs, whose derivatives are given.
class GivenGradients : public GradientRule {
 public:
  explicit GivenGradients(DlArrays gradients) : gradients_(std::move(gradients)) {}
  std::string_view Name() const override { return "given gradients"; }
  DlArrays Gradient(const GradientCall&) const override { return gradients_; }
  SaveMask SavedInputs() const override { return kSaveNone; }
  SaveMask SavedOutputs() const override { return kSaveNone; }

 private:
  DlArrays gradients_;
};

std::vector<ArraySpec> SpecsOf(Arrays arrays) {
  std::vector<ArraySpec> specs;
  for (const DlArray& x : arrays) specs.push_back(x.spec());
  return specs;
}

// Looks over the shoulder of a recording for what a graph cannot tell.
class Overseer : public Listener {
 public:
  explicit Overseer(const Tape* outer)
      : outer_(outer), source_(&CurrentRandomSource()), source_before_(*source_) {}

  bool Defer(const OpPtr& op, Arrays inputs, const SpecList&, DlArrays*) override {
    own_source_ = own_source_ || (op->IsRandom() && &CurrentRandomSource() != source_);
    for (const DlArray& x : inputs) captured_ = captured_ || (outer_ && outer_->IsWatched(x));
    return false;
  }
  void Applied(const OpPtr& op, Arrays inputs, std::span<DlArray> outputs) override {
    if (RefusedReads::First() != nullptr) return;  // What came after says nothing of the place.
    // Two are enough to recognise the place: a sum is a reduction and a reshape.
    if (last_.size() == 2) last_.erase(last_.begin());
    last_.push_back({op, SpecsOf(inputs)});
    if (!outputs.empty()) last_output_ = outputs[0].spec();
  }

  /// What keeps the function from being traced; empty when nothing does.
  std::string Objection(const Graph& graph) const {
    bool captured = captured_;
    for (const int v : graph.outputs()) {
      captured = captured || (outer_ && outer_->IsWatched(graph.values()[v].constant));
    }
    if (captured) {
      return "It reads an array that is watched and not among its arguments, so derivatives with "
             "respect to it would be lost. Pass it as an argument.";
    }
    const RandomSource now = CurrentRandomSource();
    if (own_source_ || now.seed != source_before_.seed || now.offset != source_before_.offset) {
      return "It chooses its random numbers by itself (Rng or ScopedRandomSource inside), which a "
             "trace cannot repeat. Choose them around the call.";
    }
    return "";
  }
  /// " This was after sum(3(C) x 4(B) double DlArray), reshape(1(C) x 1(B) double DlArray), which
  /// gave a scalar double DlArray."
  std::string AfterWhat() const {
    if (last_.empty()) return " This was before the first op.";
    const auto spec_text = [](std::string* text, const ArraySpec& spec) {
      text->append(ToString(spec));
    };
    std::string text = " This was after ";
    for (const auto& [op, inputs] : last_) {
      absl::StrAppend(&text, std::string(op->Name()), "(", absl::StrJoin(inputs, ", ", spec_text),
                      "), ");
    }
    return absl::StrCat(text, "which gave a ", ToString(last_output_), ".");
  }

 private:
  const Tape* outer_;
  const RandomSource* source_;
  const RandomSource source_before_;
  bool own_source_ = false, captured_ = false;
  std::vector<std::pair<OpPtr, std::vector<ArraySpec>>> last_;  // Ops and what they got.
  ArraySpec last_output_;
};

bool Wants(const WantedGradients* wanted, std::vector<bool> WantedGradients::*which, size_t i) {
  return wanted == nullptr || (wanted->*which)[i];
}

// Which values the outputs `roots` need, of steps [first, last); random steps are needed always.
// The steps, in order.
std::vector<size_t> NeededSteps(const Graph& graph, size_t first, size_t last,
                                const std::vector<int>& roots) {
  std::vector<bool> needed(graph.values().size());
  for (const int v : roots) needed[v] = true;
  std::vector<size_t> steps;
  for (size_t s = last; s-- > first;) {
    const GraphStep& step = graph.steps()[s];
    bool any = step.op->IsRandom();
    for (const int v : step.outputs) any = any || needed[v];
    if (!any) continue;
    for (const int v : step.inputs) needed[v] = true;
    steps.push_back(s);
  }
  std::reverse(steps.begin(), steps.end());
  return steps;
}

// These steps as a graph from `inputs` to `outputs`.
Graph PartOf(const Graph& graph, const std::vector<size_t>& steps, const std::vector<int>& inputs,
             const std::vector<int>& outputs) {
  std::vector<ArraySpec> specs;
  for (const int v : inputs) specs.push_back(graph.values()[v].spec);
  return RecordGraph(
      [&](Arrays x) {
        DlArrays at;
        for (const GraphValue& v : graph.values()) at.push_back(v.constant);
        for (size_t i = 0; i < inputs.size(); ++i) at[inputs[i]] = x[i];
        for (const size_t s : steps) {
          const GraphStep& step = graph.steps()[s];
          DlArrays in;
          for (const int v : step.inputs) in.push_back(at[v]);
          const DlArrays out = ApplyAll(step.op, in);
          for (size_t k = 0; k < out.size(); ++k) at[step.outputs[k]] = out[k];
        }
        DlArrays y;
        for (const int v : outputs) y.push_back(at[v]);
        return y;
      },
      specs);
}

}  // namespace

DlArrays VectorJacobianOfAll(Tape& tape, const DlArrays& outputs, const DlArrays& weights,
                             const DlArrays& variables, const GradientOptions& options) {
  // An array that depends on all outputs. It has no values, and its own derivative is never read.
  const DlArray joined = tape.Record(std::make_shared<GivenGradients>(weights), outputs,
                                     {AbstractArray(outputs[0].spec())})[0];
  return tape.VectorJacobian(joined, DlArray(1.0f), variables, options);
}

std::unique_ptr<JointRecording> RecordJoint(const TracedFunction& function,
                                            const std::vector<ArraySpec>& specs,
                                            const std::vector<bool>& watched,
                                            const WantedGradients* wanted, NotTraced* why) {
  auto joint = std::make_unique<JointRecording>();
  Overseer overseer(Tape::Current());
  bool with_gradient = std::count(watched.begin(), watched.end(), true) > 0, in_gradient = false;
  const auto record = [&](Arrays x) {
    *joint = JointRecording();
    const ScopedListener overseeing(&overseer);
    if (!with_gradient) {
      DlArrays y = function(x);
      joint->num_outputs = y.size();
      joint->depends.assign(y.size(), false);
      return y;
    }
    Tape tape;
    const ScopedTape listening(&tape);
    DlArrays arguments(x.begin(), x.end()), variables;
    for (size_t i = 0; i < x.size(); ++i) {
      if (!watched[i]) continue;
      arguments[i] = tape.Watch(x[i]);
      if (!IsFloating(x[i].type()) || !Wants(wanted, &WantedGradients::inputs, i)) continue;
      variables.push_back(arguments[i]);
      joint->gradient_of.push_back(static_cast<int>(i));
    }
    DlArrays out = function(arguments), differentiated, weights;
    joint->num_outputs = out.size();
    in_gradient = true;
    for (size_t k = 0; k < out.size(); ++k) {
      joint->depends.push_back(tape.IsWatched(out[k]) && IsFloating(out[k].type()));
      if (!joint->depends[k] || !Wants(wanted, &WantedGradients::outputs, k)) continue;
      weights.push_back(Apply(std::make_shared<OutputGradient>(k, out[k].spec()), Arrays()));
      differentiated.push_back(out[k]);
    }
    if (differentiated.empty()) {
      joint->gradient_of.clear();
      return out;
    }
    const DlArrays found = VectorJacobianOfAll(tape, differentiated, weights, variables, {});
    out.insert(out.end(), found.begin(), found.end());
    return out;
  };
  try {
    const NoGradient pause;
    try {
      joint->graph = RecordGraph(record, specs);
    } catch (const Error&) {
      // The function may be differentiable all the same, op by op; or not, and nobody may ask.
      if (!in_gradient) throw;
      const std::vector<bool> depends = joint->depends;
      with_gradient = false;
      joint->graph = RecordGraph(record, specs);
      joint->depends = depends;
    }
  } catch (const Error& e) {
    const bool reads = e.identifier() == "dlarray:NoValues";
    *why = {absl::StrCat(e.what(), reads ? overseer.AfterWhat() : ""), reads};
    return nullptr;
  } catch (const std::exception& e) {
    // With values the function may return all the same.
    *why = {absl::StrCat("It threw when arrays had no values: ", e.what()), false};
    return nullptr;
  } catch (...) {
    *why = {"It threw something that is no std::exception when arrays had no values.", false};
    return nullptr;
  }
  if (std::string objection = overseer.Objection(joint->graph); !objection.empty()) {
    *why = {std::move(objection), true};
    return nullptr;
  }
  const std::vector<GraphStep>& steps = joint->graph.steps();
  joint->num_forward_steps = steps.size();
  joint->derivative_inputs.assign(joint->num_outputs, -1);
  for (size_t s = steps.size(); s-- > 0;) {
    const auto* const gradient = dynamic_cast<const OutputGradient*>(steps[s].op.get());
    if (gradient == nullptr) continue;
    joint->num_forward_steps = s;
    joint->derivative_inputs[gradient->output()] = steps[s].outputs[0];
  }
  return joint;
}

std::unique_ptr<TraceVariant> Split(const JointRecording& joint,
                                    const std::shared_ptr<GraphDevice>& device) {
  const NoGradient pause;
  const Graph& graph = joint.graph;
  const size_t boundary = joint.num_forward_steps, end = graph.steps().size();
  auto variant = std::make_unique<TraceVariant>();
  variant->depends = joint.depends;
  std::vector<int> outputs(graph.outputs().begin(),
                           graph.outputs().begin() + static_cast<int64_t>(joint.num_outputs));

  // What depends on the derivatives of the outputs; a derivative that does not is zero.
  std::vector<bool> depends(graph.values().size());
  std::vector<int> given;
  for (const int v : joint.derivative_inputs) {
    if (v < 0) continue;
    depends[v] = true;
    given.push_back(v);
  }
  for (size_t s = boundary; s < end; ++s) {
    bool any = false;
    for (const int v : graph.steps()[s].inputs) any = any || depends[v];
    for (const int v : graph.steps()[s].outputs) depends[v] = depends[v] || any;
  }
  std::vector<int> gradients;
  for (size_t g = 0; g < joint.gradient_of.size(); ++g) {
    const int v = graph.outputs()[joint.num_outputs + g];
    if (!depends[v]) continue;
    gradients.push_back(v);
    variant->gradient_of.push_back(joint.gradient_of[g]);
  }

  if (!given.empty()) {
    std::vector<size_t> derivative;
    std::set<int> read;
    for (const size_t s : NeededSteps(graph, boundary, end, gradients)) {
      if (dynamic_cast<const OutputGradient*>(graph.steps()[s].op.get()) != nullptr) continue;
      derivative.push_back(s);
      read.insert(graph.steps()[s].inputs.begin(), graph.steps()[s].inputs.end());
    }
    const Recomputation recomputation(graph, boundary, read);
    variant->saved = recomputation.Kept();
    std::vector<size_t> steps = recomputation.Steps();
    for (const size_t s : steps) {
      read.insert(graph.steps()[s].inputs.begin(), graph.steps()[s].inputs.end());
    }
    steps.insert(steps.end(), derivative.begin(), derivative.end());
    std::vector<int> inputs;
    for (size_t i = 0; i < graph.inputs().size(); ++i) {
      if (read.count(graph.inputs()[i]) == 0) continue;
      variant->read_inputs.push_back(static_cast<int>(i));
      inputs.push_back(graph.inputs()[i]);
    }
    inputs.insert(inputs.end(), variant->saved.begin(), variant->saved.end());
    inputs.insert(inputs.end(), given.begin(), given.end());
    variant->backward =
        std::make_unique<TracePart>(PartOf(graph, steps, inputs, gradients), device);
  }
  outputs.insert(outputs.end(), variant->saved.begin(), variant->saved.end());
  variant->forward = std::make_unique<TracePart>(
      PartOf(graph, NeededSteps(graph, 0, boundary, outputs), graph.inputs(), outputs), device);
  return variant;
}

std::vector<std::string> ForwardSteps(const JointRecording& joint) {
  std::vector<std::string> steps;
  for (size_t s = 0; s < joint.num_forward_steps; ++s) {
    const GraphStep& step = joint.graph.steps()[s];
    steps.push_back(absl::StrCat(std::string(step.op->Name()), "(", absl::StrJoin(step.inputs, ","),
                                 ") -> ", absl::StrJoin(step.outputs, ",")));
  }
  return steps;
}

}  // namespace lamina::internal
