// Inside of the passes over graphs.
#ifndef FRAMEWORK_GRAPH_REWRITER_H_
#define FRAMEWORK_GRAPH_REWRITER_H_

#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "framework/graph/graph.h"
#include "framework/ops/abstract_run.h"

namespace lamina::internal {

// Writes a new graph from an old one, step by step. `Map` says which new value stands for an old
// one.
class Rewriter {
 public:
  explicit Rewriter(const Graph& from) : from_(from), map_(from.values().size(), -1) {
    for (int v : from.inputs()) {
      map_[v] = New({from.values()[v].spec, DlArray()});
      inputs_.push_back(map_[v]);
    }
  }

  // The new value of an old one; constants are copied when they are first asked for.
  int Map(int v) {
    if (map_[v] < 0) {
      LAMINA_CHECK(from_.values()[v].is_constant());
      map_[v] = New(from_.values()[v]);
    }
    return map_[v];
  }
  void Set(int v, int new_value) { map_[v] = new_value; }
  std::vector<int> Map(const std::vector<int>& values) {
    std::vector<int> out;
    for (int v : values) out.push_back(Map(v));
    return out;
  }
  int New(GraphValue value) {
    values_.push_back(std::move(value));
    return static_cast<int>(values_.size()) - 1;
  }
  // The old step with new inputs.
  void Copy(const GraphStep& step) { Add(step, Map(step.inputs)); }
  void Add(const GraphStep& step, std::vector<int> inputs) {
    GraphStep copy{step.op, std::move(inputs), {}};
    for (int v : step.outputs) {
      map_[v] = New({from_.values()[v].spec, DlArray()});
      copy.outputs.push_back(map_[v]);
    }
    steps_.push_back(std::move(copy));
  }
  // A step on new values; its outputs.
  std::vector<int> Append(OpPtr op, const std::vector<int>& inputs) {
    DlArrays arrays;
    for (int v : inputs) arrays.push_back(AbstractArray(values_[v].spec));
    SpecList specs;
    op->Infer(Specs(arrays), &specs);
    GraphStep step{std::move(op), inputs, {}};
    for (const ArraySpec& spec : specs) step.outputs.push_back(New({spec, DlArray()}));
    steps_.push_back(step);
    return step.outputs;
  }
  // Another function of these new values; its outputs.
  std::vector<int> Splice(const std::function<DlArrays(Arrays)>& function,
                          const std::vector<int>& arguments) {
    std::vector<ArraySpec> specs;
    for (int v : arguments) specs.push_back(values_[v].spec);
    return Inline(RecordGraph(function, specs), arguments, nullptr);
  }
  // A graph whose inputs are these new values; its outputs. Arrays that are constants of several
  // graphs are one value, where `constants` holds those that are there by their elements.
  std::vector<int> Inline(const Graph& part, const std::vector<int>& arguments,
                          std::map<const void*, int>* constants) {
    std::vector<int> at(part.values().size(), -1);
    for (size_t i = 0; i < arguments.size(); ++i) at[part.inputs()[i]] = arguments[i];
    for (size_t v = 0; v < at.size(); ++v) {
      if (at[v] >= 0) continue;
      const GraphValue& value = part.values()[v];
      int* known = nullptr;
      if (constants != nullptr && value.is_constant()) {
        known = &constants->try_emplace(value.constant.data().get(), -1).first->second;
      }
      at[v] = known != nullptr && *known >= 0 ? *known : New(value);
      if (known != nullptr) *known = at[v];
    }
    const auto mapped = [&at](const std::vector<int>& values) {
      std::vector<int> out;
      for (int v : values) out.push_back(at[v]);
      return out;
    };
    for (const GraphStep& step : part.steps()) {
      steps_.push_back({step.op, mapped(step.inputs), mapped(step.outputs)});
    }
    return mapped(part.outputs());
  }
  size_t num_steps() const { return steps_.size(); }

  const std::vector<GraphValue>& values() const { return values_; }

  Graph Finish() {
    std::vector<int> outputs = Map(from_.outputs());
    return Graph(std::move(values_), std::move(steps_), std::move(inputs_), std::move(outputs));
  }

 private:
  const Graph& from_;
  std::vector<int> map_;
  std::vector<GraphValue> values_;
  std::vector<GraphStep> steps_;
  std::vector<int> inputs_;
};

}  // namespace lamina::internal

#endif  // FRAMEWORK_GRAPH_REWRITER_H_
