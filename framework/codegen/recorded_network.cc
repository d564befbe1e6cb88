#include "framework/codegen/recorded_network.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/autodiff/dlgradient.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"

namespace lamina::internal {
namespace {

// A parameter or state array of a network, in the order of VisitParameters.
struct Slot {
  std::string name;
  bool is_state;
  DlArray* value;
};

std::vector<Slot> SlotsOf(DlNetwork& network) {
  std::vector<Slot> slots;
  network.VisitParameters("", [&](const ParameterRef& ref) {
    slots.push_back(
        {absl::StrCat(ref.layer, "/", ref.parameter), ref.kind == PropertyKind::kState, ref.value});
  });
  return slots;
}

// The layers that the network's outputs need.
std::set<int> NeededLayers(const DlNetwork& network) {
  std::set<int> needed;
  for (const std::string& name : network.OutputNames()) {
    for (int i = 0; i < network.NumLayers(); ++i) {
      const std::string& layer = network.layer(i)->Name();
      if (name == layer || name.rfind(layer + "/", 0) == 0) needed.insert(i);
    }
  }
  const std::vector<int>& order = network.ExecutionOrder();
  for (auto i = order.rbegin(); i != order.rend(); ++i) {
    if (needed.count(*i) == 0) continue;
    for (const Connection& c : network.connections()) {
      if (c.to == *i) needed.insert(c.from);
    }
  }
  return needed;
}

// One recording.
struct Recording {
  DlNetwork network;
  std::vector<Slot> slots;
  std::vector<ArraySpec> specs;  // Data, then slots.
  size_t num_inputs;

  // The states follow the outputs that are asked for.
  Graph Record(const std::vector<std::string>& outputs) {
    const NoGradient pause;
    return RecordGraph(
        [&](Arrays x) {
          for (size_t i = 0; i < slots.size(); ++i) *slots[i].value = x[num_inputs + i];
          NetworkOutput out = network.PredictAll(x.first(num_inputs), outputs);
          DlArrays all = std::move(out.outputs);
          const DlArrays& states = out.state.values();
          all.insert(all.end(), states.begin(), states.end());
          return all;
        },
        specs);
  }
};

[[noreturn]] void ThrowReadsValues(const Error& error) {
  throw Error("codegen:ReadsValues",
              "A layer that is generated computes with array functions alone, whatever the values.",
              absl::StrCat("A value was read while the code was generated: ", error.what()),
              "Write the choice as Where, or take it out of Predict.");
}

// The layer of each step, from a graph whose outputs are those of all layers and the states.
std::vector<std::string> LayersOfSteps(const DlNetwork& network, const Graph& graph,
                                       const std::vector<std::pair<int, int>>& outputs_of,
                                       const std::vector<int>& layer_of_state) {
  std::vector<int> made_by(graph.values().size(), -1);
  for (size_t s = 0; s < graph.steps().size(); ++s) {
    for (int v : graph.steps()[s].outputs) made_by[v] = static_cast<int>(s);
  }
  std::vector<int> last(network.NumLayers(), -1);
  size_t next = 0;
  for (const auto& [layer, count] : outputs_of) {
    for (int k = 0; k < count; ++k, ++next) {
      last[layer] = std::max(last[layer], made_by[graph.outputs()[next]]);
    }
  }
  for (int layer : layer_of_state) {
    last[layer] = std::max(last[layer], made_by[graph.outputs()[next++]]);
  }
  std::vector<std::string> layers(graph.steps().size());
  size_t step = 0;
  for (int i : network.ExecutionOrder()) {
    for (; static_cast<int>(step) <= last[i]; ++step) layers[step] = network.layer(i)->Name();
  }
  return layers;
}

// `value` as an array of `spec`, repeated where it is smaller; a value without elements is zero.
DlArray Grown(const DlArray& value, const ArraySpec& spec) {
  const NoGradient pause;
  if (value.numel() == 0) return BroadcastTo(Cast(0.0, spec.type), spec);
  if (value.numel() == spec.numel()) {
    return Cast(Reshape(value, spec.sizes, spec.format.str()), spec.type);
  }
  return Cast(BroadcastTo(value, spec), spec.type);
}

}  // namespace

RecordedNetwork RecordNetwork(const DlNetwork& original, std::span<const NetworkDataLayout> layouts,
                              DataType type) {
  if (original.NumLayers() == 0) {
    throw Error("codegen:NoOutputs", "Code is generated from a network that computes something.",
                "A network without layers came.", "Add layers to it.");
  }
  if (!original.IsInitialized()) {
    throw Error("codegen:NotInitialized", "Code is generated from a network with all its values.",
                "This network is not initialised.", "Call Initialize, or train it first.");
  }
  Recording r{original, {}, {}, layouts.size()};
  DlNetwork reset = original;
  reset.ResetState();
  DlNetwork before = original;
  r.slots = SlotsOf(r.network);
  const std::vector<Slot> values = SlotsOf(before), resets = SlotsOf(reset);
  for (const NetworkDataLayout& layout : layouts) {
    if (layout.has_unknown()) {
      throw Error("codegen:UnknownSize", "Code is generated for sizes that are known.",
                  absl::StrCat("The layout ", ToString(layout), " came."),
                  "Give the sizes that the code is meant for; NaN stands for an unknown one.");
    }
    r.specs.push_back({type, layout.sizes(), layout.format()});
  }
  for (const Slot& slot : values) r.specs.push_back(slot.value->spec());

  RecordedNetwork result;
  result.input_names = original.InputNames();
  result.output_names = original.OutputNames();
  std::vector<size_t> states;  // Slots that are states, in the order of the graph's outputs.
  for (size_t i = 0; i < r.slots.size(); ++i) {
    if (r.slots[i].is_state) states.push_back(i);
  }
  // The outputs of all layers, to learn which step belongs to which layer.
  std::vector<std::string> ports;
  std::vector<std::pair<int, int>> outputs_of;
  for (int i : NeededLayers(original)) {
    const Layer& layer = original.layer(i).layer();
    outputs_of.emplace_back(i, layer.NumOutputs());
    for (const std::string& port : layer.OutputNames()) {
      ports.push_back(layer.NumOutputs() == 1 ? layer.Name()
                                              : absl::StrCat(layer.Name(), "/", port));
    }
  }
  std::vector<int> layer_of_state;
  for (int i = 0; i < original.NumLayers(); ++i) {
    layer_of_state.insert(layer_of_state.end(), original.layer(i).NumStateArrays(), i);
  }
  try {
    // A state may grow in the first call, to one column for each observation.
    for (int attempt = 0;; ++attempt) {
      result.graph = r.Record(ports);
      bool settled = true;
      for (size_t k = 0; k < states.size(); ++k) {
        const ArraySpec& now = result.graph.values()[result.graph.outputs()[ports.size() + k]].spec;
        ArraySpec& then = r.specs[r.num_inputs + states[k]];
        settled = settled && now == then;
        then = now;
      }
      if (settled) break;
      if (attempt < 3) continue;
      throw Error("codegen:StateSize", "A state keeps its size from call to call.",
                  "A state is of another size after each call.",
                  "Return each new state in the size of the old one.");
    }
  } catch (const Error& e) {
    if (e.identifier() == "dlarray:NoValues") ThrowReadsValues(e);
    throw;
  }

  result.layers = LayersOfSteps(original, result.graph, outputs_of, layer_of_state);

  // What prediction hands on unchanged is a parameter.
  std::vector<bool> changes(r.slots.size());
  std::vector<int> new_value(r.slots.size(), -1);
  for (size_t k = 0; k < states.size(); ++k) {
    new_value[states[k]] = result.graph.outputs()[ports.size() + k];
    changes[states[k]] = new_value[states[k]] != result.graph.inputs()[r.num_inputs + states[k]];
  }
  std::vector<int> inputs(result.graph.inputs().begin(),
                          result.graph.inputs().begin() + static_cast<int>(r.num_inputs));
  std::vector<int> outputs;
  for (const std::string& name : result.output_names) {
    const auto port = std::find(ports.begin(), ports.end(), name);
    LAMINA_CHECK(port != ports.end());
    outputs.push_back(result.graph.outputs()[port - ports.begin()]);
  }
  for (const bool wanted : {false, true}) {
    for (size_t i = 0; i < r.slots.size(); ++i) {
      if (changes[i] != wanted) continue;
      inputs.push_back(result.graph.inputs()[r.num_inputs + i]);
      const ArraySpec& spec = r.specs[r.num_inputs + i];
      if (wanted) {
        outputs.push_back(new_value[i]);
        result.states.push_back(
            {r.slots[i].name, Grown(*values[i].value, spec), Grown(*resets[i].value, spec)});
      } else {
        result.parameters.push_back({r.slots[i].name, *values[i].value});
      }
    }
  }
  result.graph.SetInterface(std::move(inputs), std::move(outputs));
  return result;
}

}  // namespace lamina::internal
