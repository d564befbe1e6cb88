#include "framework/graph/graph.h"

#include <atomic>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "framework/dlarray/counted.h"
#include "framework/dlarray/refused_reads.h"
#include "framework/ops/abstract_run.h"

namespace lamina {
namespace {

constinit thread_local int num_recordings = 0;  // One within another counts too.

}  // namespace

// Writes down each op that gets an array without values.
class GraphRecorder : public Listener {
 public:
  GraphRecorder() { ++num_recordings; }
  ~GraphRecorder() override { --num_recordings; }

  DlArray Input(const ArraySpec& spec) {
    const DlArray x = NewValue(spec);
    graph_.inputs_.push_back(x.data()->trace_mark.index);
    return x;
  }

  bool Defer(const OpPtr& op, Arrays inputs, const SpecList& specs, DlArrays* outputs) override {
    // An op on constants alone is run at once, unless that would make a large constant of a small
    // one.
    bool record = op->IsRandom();
    int64_t elements_in = 0, elements_out = 0;
    for (const DlArray& x : inputs) {
      record = record || !x.has_values();
      elements_in += x.numel();
    }
    for (const ArraySpec& spec : specs) elements_out += spec.numel();
    if (!record && elements_out <= elements_in) return false;
    GraphStep step;
    step.op = op;
    for (const DlArray& x : inputs) step.inputs.push_back(IndexOf(x, op->Name()));
    for (const ArraySpec& spec : specs) {
      outputs->push_back(NewValue(spec));
      step.outputs.push_back(outputs->back().data()->trace_mark.index);
    }
    graph_.steps_.push_back(std::move(step));
    return true;
  }

  Graph Finish(Arrays outputs) {
    for (const DlArray& y : outputs) graph_.outputs_.push_back(IndexOf(y, "return"));
    return std::move(graph_);
  }

 private:
  DlArray NewValue(const ArraySpec& spec) {
    DlArray x = AbstractArray(spec);
    x.data()->trace_mark = {id_, static_cast<int32_t>(graph_.values_.size())};
    graph_.values_.push_back({spec, DlArray()});
    return x;
  }

  int IndexOf(const DlArray& x, std::string_view reader) {
    if (x.data()->trace_mark.owner == id_) return x.data()->trace_mark.index;
    if (!x.has_values() && !x.on_device()) {
      throw Error("dlarray:NoValues",
                  absl::StrCat(std::string(reader), " reads arrays of this graph, or constants."),
                  absl::StrCat("A ", ToString(x.spec()), " came that is neither."),
                  "A gradient must save what it reads; an array of a graph must not leave it.");
    }
    const int index = static_cast<int>(graph_.values_.size());
    GraphValue value{x.spec(), Gather(x)};
    // An unset array that is used as one without elements.
    if (!value.is_constant()) {
      value.constant = DlArray(internal::ArrayData::Alias(*x.data(), x.spec()));
    }
    graph_.values_.push_back(std::move(value));
    return index;
  }

  static uint64_t NewId() {
    static std::atomic<uint64_t> next{1};
    return next.fetch_add(1, std::memory_order_relaxed);
  }

  const uint64_t id_ = NewId();
  const internal::RefusedReads refused_{id_};
  Graph graph_;
};

bool IsRecording() { return num_recordings > 0; }

Graph RecordGraph(const std::function<DlArrays(Arrays)>& function,
                  std::span<const ArraySpec> inputs) {
  GraphRecorder recorder;
  const ScopedListener listening(&recorder);
  DlArrays x;
  for (const ArraySpec& spec : inputs) x.push_back(recorder.Input(spec));
  const DlArrays y = function(x);
  internal::RefusedReads::Rethrow();  // The function may have caught it, and taken another way.
  return recorder.Finish(y);
}

DlArrays Graph::Evaluate(Arrays inputs) const {
  if (inputs.size() != inputs_.size()) {
    throw Error("graph:InputCount",
                absl::StrCat("The graph has ", internal::Counted(inputs_.size(), "input"), "."),
                absl::StrCat(internal::Counted(inputs.size(), "array"), " came."), "");
  }
  DlArrays at(values_.size());
  for (size_t i = 0; i < values_.size(); ++i) at[i] = values_[i].constant;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const ArraySpec& spec = values_[inputs_[i]].spec;
    if (!(inputs[i].spec() == spec)) {
      throw Error("graph:InputSpec",
                  absl::StrCat("Input ", i, " was recorded as ", ToString(spec), "."),
                  absl::StrCat("A ", ToString(inputs[i].spec()), " came."),
                  "Record the function again for these sizes.");
    }
    at[inputs_[i]] = inputs[i];
  }
  for (const GraphStep& step : steps_) {
    DlArrays x;
    for (int i : step.inputs) x.push_back(at[i]);
    DlArrays y = ApplyAll(step.op, x);
    for (size_t k = 0; k < y.size(); ++k) at[step.outputs[k]] = std::move(y[k]);
  }
  DlArrays outputs;
  for (int i : outputs_) outputs.push_back(at[i]);
  return outputs;
}

namespace {

std::string Names(const Graph& graph, const std::vector<int>& indices) {
  std::vector<std::string> names;
  for (int i : indices) {
    const DlArray& constant = graph.values()[i].constant;
    if (constant.numel() == 1 && !IsComplex(constant.type())) {
      names.push_back(absl::StrFormat("%.6g", constant.At(0)));
    } else {
      names.push_back(absl::StrCat("%", i));
    }
  }
  return absl::StrJoin(names, ", ");
}

}  // namespace

std::string ToString(const Graph& graph) {
  std::string text = "inputs\n";
  for (int i : graph.inputs()) {
    absl::StrAppend(&text, "  %", i, "  ", ToString(graph.values()[i].spec), "\n");
  }
  bool any = false;
  for (size_t i = 0; i < graph.values().size(); ++i) {
    const GraphValue& v = graph.values()[i];
    if (v.constant.numel() <= 1) continue;
    if (!any) text += "constants\n";
    any = true;
    absl::StrAppend(&text, "  %", i, "  ", ToString(v.spec), "\n");
  }
  text += "steps\n";
  for (const GraphStep& step : graph.steps()) {
    std::string call =
        absl::StrCat("  ", Names(graph, step.outputs), " = ", std::string(step.op->Name()), "(",
                     Names(graph, step.inputs), ")");
    const std::string attributes = step.op->Attributes();
    if (!attributes.empty()) absl::StrAppend(&call, " {", attributes, "}");
    absl::StrAppend(&text, absl::StrFormat("%-48s  ", call),
                    ToString(graph.values()[step.outputs[0]].spec), "\n");
  }
  absl::StrAppend(&text, "return ", Names(graph, graph.outputs()), "\n");
  return text;
}

}  // namespace lamina
