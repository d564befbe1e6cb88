#include "framework/codegen/simplify_prediction.h"

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "framework/graph/rewriter.h"
#include "framework/ops/convolution_op.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/elementwise_op.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"

namespace lamina::internal {
namespace {

using cpu::ScalarFunction;

const ElementwiseOp* AsElementwise(const GraphStep& step) {
  return dynamic_cast<const ElementwiseOp*>(step.op.get());
}

// Who reads what, and what is known before the data.
class Reading {
 public:
  explicit Reading(const RecordedNetwork& network)
      : graph_(network.graph),
        readers_(graph_.values().size()),
        sources_(graph_.values().size()),
        is_known_(graph_.values().size(), false) {
    // An array of constants may have a number for each observation.
    for (size_t v = 0; v < is_known_.size(); ++v) {
      const DlArray& constant = graph_.values()[v].constant;
      is_known_[v] = !constant.empty() && constant.numel() == 1;
    }
    for (size_t i = 0; i < network.parameters.size(); ++i) {
      const int v = graph_.inputs()[network.input_names.size() + i];
      is_known_[v] = true;
      sources_[v] = {static_cast<int>(i)};
    }
    for (size_t s = 0; s < graph_.steps().size(); ++s) {
      const GraphStep& step = graph_.steps()[s];
      bool is_known = !step.op->IsRandom();
      std::set<int> sources;
      for (int v : step.inputs) {
        readers_[v].push_back(static_cast<int>(s));
        is_known = is_known && is_known_[v];
        sources.insert(sources_[v].begin(), sources_[v].end());
      }
      if (!is_known) continue;
      for (int v : step.outputs) {
        is_known_[v] = !sources.empty() || graph_.values()[v].spec.numel() == 1;
        sources_[v] = sources;
      }
    }
    for (int v : graph_.outputs()) readers_[v].push_back(-1);
  }

  // It depends on parameters and single numbers alone.
  bool IsKnown(int v) const { return is_known_[v]; }
  // The numbers of these parameters.
  const std::set<int>& SourcesOf(int v) const { return sources_[v]; }
  // Steps, -1 for the network's output; one that reads it twice is there twice.
  const std::vector<int>& ReadersOf(int v) const { return readers_[v]; }
  // The only step that reads the value.
  const GraphStep* OnlyReaderOf(int v) const {
    if (readers_[v].size() != 1 || readers_[v][0] < 0) return nullptr;
    return &graph_.steps()[readers_[v][0]];
  }

 private:
  const Graph& graph_;
  std::vector<std::vector<int>> readers_;
  std::vector<std::set<int>> sources_;
  std::vector<bool> is_known_;
};

// Writes the graph anew. `replaced` writes other steps in place of a step and adds the layers of
// these; where it returns false the step stays.
using Replaced = std::function<bool(int step, Rewriter& out, std::vector<std::string>* layers)>;

RecordedNetwork Rewritten(const RecordedNetwork& network, const Replaced& replaced) {
  RecordedNetwork result = network;
  result.layers.clear();
  Rewriter out(network.graph);
  for (size_t s = 0; s < network.graph.steps().size(); ++s) {
    if (!replaced(static_cast<int>(s), out, &result.layers)) {
      out.Copy(network.graph.steps()[s]);
      result.layers.push_back(network.layers[s]);
    }
    LAMINA_CHECK(result.layers.size() == out.num_steps());
  }
  result.graph = out.Finish();
  return result;
}

// What the outputs need, when the values that are `made` elsewhere are there.
struct Needed {
  std::vector<bool> values, steps;
};

Needed NeededFor(const Graph& graph, const std::function<bool(int v)>& is_made) {
  Needed needed{std::vector<bool>(graph.values().size(), false),
                std::vector<bool>(graph.steps().size(), false)};
  for (int v : graph.outputs()) needed.values[v] = true;
  for (size_t s = graph.steps().size(); s-- > 0;) {
    const GraphStep& step = graph.steps()[s];
    needed.steps[s] = std::any_of(step.outputs.begin(), step.outputs.end(),
                                  [&](int v) { return needed.values[v] && !is_made(v); });
    if (!needed.steps[s]) continue;
    for (int v : step.inputs) needed.values[v] = true;
  }
  return needed;
}

// Of the network's steps these.
RecordedNetwork WithSteps(const RecordedNetwork& network, const std::vector<bool>& kept) {
  RecordedNetwork result = network;
  result.layers.clear();
  Rewriter out(network.graph);
  for (size_t s = 0; s < kept.size(); ++s) {
    if (!kept[s]) continue;
    out.Copy(network.graph.steps()[s]);
    result.layers.push_back(network.layers[s]);
  }
  result.graph = out.Finish();
  return result;
}

// A step that no output needs would count as a reader.
RecordedNetwork WithoutDeadSteps(const RecordedNetwork& network) {
  return WithSteps(network, NeededFor(network.graph, [](int) { return false; }).steps);
}

// ReLU does not fall and hands NaN on, so that it and the maximum may change places.
RecordedNetwork PoolBeforeRelu(const RecordedNetwork& network) {
  const Graph& graph = network.graph;
  const Reading reading(network);
  const auto is_relu = [&](int s) {
    const ElementwiseOp* const op = AsElementwise(graph.steps()[s]);
    return op != nullptr && op->function() == ScalarFunction::kRelu;
  };
  // The step of the ReLU whose result a step pools, if nothing else reads that; -1.
  const auto pooled = [&](const GraphStep& step) {
    if (step.op->Name() != "maxpool" || !reading.ReadersOf(step.outputs[1]).empty()) return -1;
    const int x = step.inputs[0];
    if (reading.OnlyReaderOf(x) == nullptr) return -1;
    for (size_t s = 0; s < graph.steps().size(); ++s) {
      if (graph.steps()[s].outputs[0] == x && is_relu(static_cast<int>(s)))
        return static_cast<int>(s);
    }
    return -1;
  };
  return Rewritten(network, [&](int s, Rewriter& out, std::vector<std::string>* layers) {
    const GraphStep& step = graph.steps()[s];
    const int relu = pooled(step);
    if (relu < 0) return false;
    const int x = graph.steps()[relu].inputs[0];
    const int most = out.Append(step.op, {out.Map(x)})[0];
    out.Set(step.outputs[0], out.Append(graph.steps()[relu].op, {most})[0]);
    layers->insert(layers->end(), {network.layers[s], network.layers[relu]});
    return true;
  });
}

// A convolution, and the steps after it: some scale its channels or add to them, others only move
// elements (a convolution along time gives its result other labels).
struct ScaledConvolution {
  const GraphStep* convolution;
  std::vector<const GraphStep*> chain;
  std::vector<std::string> layers;
};

bool IsMovement(const GraphStep& step) {
  const std::string_view name = step.op->Name();
  return name == "relabel" || name == "permute" || name == "reshape";
}

// For each element the number of its channel.
DlArray ChannelNumbers(const ArraySpec& y) {
  const int c = y.format.Find('C');
  int64_t stride = 1;
  for (int d = 0; d < c; ++d) stride *= y.sizes[d];
  std::vector<double> numbers(y.numel());
  for (size_t i = 0; i < numbers.size(); ++i) {
    numbers[i] = static_cast<double>(static_cast<int64_t>(i) / stride % y.sizes[c]);
  }
  return DlArray::FromVector<double>(numbers, y.sizes, y.format.str());
}

class FilterScaling {
 public:
  explicit FilterScaling(const RecordedNetwork& network)
      : network_(network), graph_(network.graph), reading_(network) {
    for (size_t s = 0; s < graph_.steps().size(); ++s) Find(static_cast<int>(s));
  }

  RecordedNetwork Run() const {
    return Rewritten(network_, [this](int s, Rewriter& out, std::vector<std::string>* layers) {
      const GraphStep& step = graph_.steps()[s];
      const auto end = std::find_if(found_.begin(), found_.end(), [&step](const auto& scaled) {
        return scaled.chain.back() == &step;
      });
      if (end == found_.end()) return false;
      Write(*end, out);
      layers->resize(out.num_steps(), absl::StrJoin(end->layers, ", "));
      return true;
    });
  }

 private:
  const ArraySpec& SpecOf(int v) const { return graph_.values()[v].spec; }

  void Find(int s) {
    const GraphStep& step = graph_.steps()[s];
    if (dynamic_cast<const ConvOp*>(step.op.get()) == nullptr) return;
    const ArraySpec& y = SpecOf(step.outputs[0]);
    if (!IsRealFloating(y.type) || y.numel() == 0) return;
    for (size_t i = 1; i < step.inputs.size(); ++i) {
      if (!reading_.IsKnown(step.inputs[i]) || SpecOf(step.inputs[i]).type != y.type) return;
    }
    std::vector<const GraphStep*> chain;
    size_t length = 0;  // Up to the last step that is more than a movement.
    DlArray numbers;    // Where channels went; unset as long as nothing moved.
    int v = step.outputs[0];
    while (const GraphStep* next = reading_.OnlyReaderOf(v)) {
      chain.push_back(next);
      if (IsMovement(*next)) {
        numbers = Apply(next->op, {numbers.empty() ? ChannelNumbers(y) : numbers});
      } else if (IsOfChannels(*next, v) &&
                 (numbers.empty() || AreEqual(numbers, ChannelNumbers(SpecOf(v))))) {
        length = chain.size();
      } else {
        break;
      }
      v = next->outputs[0];
    }
    if (length == 0) return;
    chain.resize(length);
    ScaledConvolution found{&step, chain, {network_.layers[s]}};
    for (const GraphStep* next : chain) {
      const std::string& layer = network_.layers[next - graph_.steps().data()];
      if (layer != found.layers.back()) found.layers.push_back(layer);
    }
    found_.push_back(std::move(found));
  }

  static bool AreEqual(const DlArray& a, const DlArray& b) {
    return a.spec() == b.spec() &&
           std::equal(a.Data<double>(), a.Data<double>() + a.numel(), b.Data<double>());
  }

  // It adds a known number for each channel, or one for all, to v, or scales v by it.
  bool IsOfChannels(const GraphStep& step, int v) const {
    const ElementwiseOp* const op = AsElementwise(step);
    const ArraySpec& y = SpecOf(v);
    const int channels = y.format.Find('C');
    if (op == nullptr || channels < 0 || !(SpecOf(step.outputs[0]) == y)) return false;
    const ScalarFunction f = op->function();
    const bool may_change_sides = f == ScalarFunction::kPlus || f == ScalarFunction::kTimes;
    if (!may_change_sides && (f != ScalarFunction::kMinus || step.inputs[0] != v)) return false;
    const int other = OtherInput(step, v);
    const ArraySpec& k = SpecOf(other);
    if (!reading_.IsKnown(other) || k.type != y.type) return false;
    if (k.numel() == 1) return true;
    // All of its elements lie along C.
    const int c = k.format.Find('C');
    return c >= 0 && k.sizes[c] == y.sizes[channels] && k.numel() == k.sizes[c];
  }

  static int OtherInput(const GraphStep& step, int v) {
    return step.inputs[step.inputs[0] == v ? 1 : 0];
  }

  // The convolution with other filters and another bias, and what moves its elements.
  void Write(const ScaledConvolution& scaled, Rewriter& out) const {
    const GraphStep& step = *scaled.convolution;
    std::vector<int> arguments{out.Map(step.inputs[1])};
    if (step.inputs.size() > 2) arguments.push_back(out.Map(step.inputs[2]));
    const bool has_bias = arguments.size() > 1;
    std::vector<ScalarFunction> functions;
    std::vector<OpPtr> movements;
    for (int v = step.outputs[0]; const GraphStep* next : scaled.chain) {
      if (IsMovement(*next)) {
        movements.push_back(next->op);
      } else {
        arguments.push_back(out.Map(OtherInput(*next, v)));
        functions.push_back(AsElementwise(*next)->function());
      }
      v = next->outputs[0];
    }
    const ArraySpec& y = SpecOf(step.outputs[0]);
    const int64_t channels = y.sizes[y.format.Find('C')];
    const std::vector<int> scaled_arguments = out.Splice(
        [&](Arrays x) {
          const auto row = [](const DlArray& a) { return Reshape(a, {1, a.numel()}); };
          const DlArray& w = x[0];
          DlArray filters = Reshape(w, {w.numel() / channels, channels});
          DlArray bias = has_bias ? row(x[1]) : DlArray();
          for (size_t i = 0; i < functions.size(); ++i) {
            const DlArray k = row(x[1 + has_bias + i]);
            if (functions[i] == ScalarFunction::kTimes) filters = filters * k;
            if (!bias.empty()) {
              bias = Apply(ElementwiseOpOf(functions[i]), {bias, k});
            } else if (functions[i] != ScalarFunction::kTimes) {
              bias = BroadcastTo(functions[i] == ScalarFunction::kMinus ? -k : k,
                                 {y.type, {1, channels}, {}});
            }
          }
          DlArrays scaled{Reshape(filters, w.sizes(), w.format().str())};
          if (!bias.empty()) scaled.push_back(Reshape(bias, {channels}));
          return scaled;
        },
        arguments);
    std::vector<int> inputs{out.Map(step.inputs[0])};
    inputs.insert(inputs.end(), scaled_arguments.begin(), scaled_arguments.end());
    int result = out.Append(step.op, inputs)[0];
    for (const OpPtr& movement : movements) result = out.Append(movement, {result})[0];
    out.Set(scaled.chain.back()->outputs[0], result);
  }

  const RecordedNetwork& network_;
  const Graph& graph_;
  const Reading reading_;
  std::vector<ScaledConvolution> found_;
};

// Values that become parameters: what a step with data reads, what depends on parameters alone and
// takes no more memory than these. Other shapes of a parameter stay what they are, and so does what
// has a number for each observation.
class ParameterComputation {
 public:
  explicit ParameterComputation(const RecordedNetwork& network)
      : network_(network),
        graph_(network.graph),
        reading_(network),
        value_(graph_.values().size()),
        is_shape_(graph_.values().size(), false) {
    for (size_t v = 0; v < value_.size(); ++v) {
      if (reading_.IsKnown(static_cast<int>(v))) value_[v] = graph_.values()[v].constant;
    }
    for (size_t i = 0; i < network_.parameters.size(); ++i) {
      value_[InputOf(i)] = network_.parameters[i].value;
      is_shape_[InputOf(i)] = true;
    }
    for (const GraphStep& step : graph_.steps()) {
      const bool is_known = std::all_of(step.outputs.begin(), step.outputs.end(),
                                        [this](int v) { return reading_.IsKnown(v); });
      if (is_known) Compute(step);
    }
  }

  RecordedNetwork Run() const {
    const Needed needed = NeededFor(graph_, [this](int v) { return IsMade(v); });
    std::vector<std::pair<int, int>> chosen;  // Which parameter it is named after, value.
    for (size_t v = 0; v < value_.size(); ++v) {
      const auto value = static_cast<int>(v);
      const bool is_given = std::count(graph_.inputs().begin(), graph_.inputs().end(), value) > 0;
      if (needed.values[v] && IsOfParameters(value) && (is_given || IsMade(value))) {
        chosen.emplace_back(NamedAfter(value), value);
      }
    }
    std::sort(chosen.begin(), chosen.end());
    return With(chosen, needed.steps);
  }

 private:
  int InputOf(size_t parameter) const {
    return graph_.inputs()[network_.input_names.size() + parameter];
  }
  bool IsOfParameters(int v) const { return !value_[v].empty() && !reading_.SourcesOf(v).empty(); }
  // Computed, not given.
  bool IsMade(int v) const {
    if (!IsOfParameters(v) || is_shape_[v]) return false;
    int64_t given = 0;
    for (int source : reading_.SourcesOf(v)) given += network_.parameters[source].value.numel();
    const int observations = value_[v].format().Find('B');
    return value_[v].numel() <= given && (observations < 0 || value_[v].size(observations) == 1);
  }

  void Compute(const GraphStep& step) {
    DlArrays inputs;
    for (int v : step.inputs) inputs.push_back(value_[v]);
    const DlArrays outputs = ApplyAll(step.op, inputs);
    for (size_t k = 0; k < outputs.size(); ++k) {
      const int v = step.outputs[k];
      value_[v] = outputs[k];
      is_shape_[v] = step.inputs.size() == 1 && is_shape_[step.inputs[0]] &&
                     outputs[k].data()->bytes() == inputs[0].data()->bytes();
    }
  }

  // Of the parameters that it is computed from the first that has as many elements.
  int NamedAfter(int v) const {
    const std::set<int>& sources = reading_.SourcesOf(v);
    const auto found = std::find_if(sources.begin(), sources.end(), [&](int i) {
      return network_.parameters[i].value.numel() == value_[v].numel();
    });
    return found == sources.end() ? *sources.begin() : *found;
  }

  RecordedNetwork With(const std::vector<std::pair<int, int>>& chosen,
                       const std::vector<bool>& kept_steps) const {
    RecordedNetwork result = network_;
    result.parameters.clear();
    std::vector<int> inputs(graph_.inputs().begin(), graph_.inputs().begin() + NumInputs());
    for (const auto& [parameter, v] : chosen) {
      RecordedParameter made{network_.parameters[parameter].name, value_[v], {}};
      if (IsMade(v)) {
        for (int source : reading_.SourcesOf(v)) {
          made.computed_from.push_back(network_.parameters[source].name);
        }
      }
      result.parameters.push_back(std::move(made));
      inputs.push_back(v);
    }
    inputs.insert(inputs.end(), graph_.inputs().end() - static_cast<int>(network_.states.size()),
                  graph_.inputs().end());
    result.graph = Graph(graph_.values(), graph_.steps(), std::move(inputs), graph_.outputs());
    return WithSteps(result, kept_steps);
  }
  int NumInputs() const { return static_cast<int>(network_.input_names.size()); }

  const RecordedNetwork& network_;
  const Graph& graph_;
  const Reading reading_;
  DlArrays value_;              // Of what is known: its elements.
  std::vector<bool> is_shape_;  // Of a parameter: the same elements, in other sizes.
};

}  // namespace

RecordedNetwork SimplifyPrediction(const RecordedNetwork& network) {
  const RecordedNetwork pooled = PoolBeforeRelu(WithoutDeadSteps(network));
  const RecordedNetwork scaled = FilterScaling(pooled).Run();
  return ParameterComputation(scaled).Run();
}

}  // namespace lamina::internal
