// Running a network on values: op by op, or by what was recorded of it.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "framework/dlarray/counted.h"
#include "framework/dlarray/refused_reads.h"
#include "framework/network/describe.h"
#include "framework/network/network_plan.h"
#include "framework/ops/abstract_run.h"

namespace lamina {

using internal::NetworkPlan;
using internal::NetworkSegment;
using internal::NetworkTraces;
using internal::PlannedCall;

LayerResult DlNetwork::CallLayer(int i, Arrays inputs, bool training) const {
  try {
    LayerResult result = training ? layers_[i].Forward(inputs) : layers_[i].Predict(inputs);
    internal::RefusedReads::Rethrow();  // The layer may have caught it. Here its name is known.
    return result;
  } catch (Error& e) {
    std::vector<std::string> sources;
    for (size_t k = 0; k < inputs.size(); ++k) {
      sources.push_back(
          absl::StrCat(ToString(inputs[k].spec()), " from ", SourceOf(i, static_cast<int>(k))));
    }
    e.AddPlace(
        absl::StrCat("Layer ", Quoted(layers_[i]), " got ", absl::StrJoin(sources, " and ")));
    throw;
  }
}

DlArrays DlNetwork::LabelledInputs(Arrays inputs) const {
  const std::vector<Port> ports = InputPorts();
  if (inputs.size() != ports.size()) {
    throw Error("network:InputCount",
                absl::StrCat("The network has ", internal::Counted(ports.size(), "input"), ", [",
                             absl::StrJoin(InputNames(), ", "), "]."),
                absl::StrCat(internal::Counted(inputs.size(), "array"), " came."),
                "Give one for each input.");
  }
  DlArrays labelled(inputs.begin(), inputs.end());
  for (size_t k = 0; k < inputs.size(); ++k) {
    DlArray& x = labelled[k];
    if (x.empty()) {
      throw Error(
          "network:EmptyInput", "An input has one element at least.",
          absl::StrCat("A ", ToString(x.spec()), " came for \"", PortName(ports[k], false), "\"."),
          "Leave empty batches out.");
    }
    if (!x.format().empty() || k >= input_layouts_.size()) continue;
    const std::string& format = input_layouts_[k].format().str();
    if (format.empty()) continue;
    if (x.rank() > static_cast<int>(format.size())) {
      throw Error("network:UnlabelledInput",
                  absl::StrCat("Input \"", PortName(ports[k], false), "\" expects ",
                               ToString(input_layouts_[k]), "."),
                  absl::StrCat("A ", ToString(x.spec()), " without labels came."),
                  absl::StrCat("Label the array: DlArray(x, \"", format, "\")."));
    }
    x = DlArray(x, format);
  }
  return labelled;
}

DlArrays DlNetwork::RunSegment(const NetworkSegment& segment, Arrays in) const {
  DlArrays values(segment.num_slots), results, states;
  for (size_t k = 0; k < segment.inputs.size(); ++k) values[segment.inputs[k]] = in[k];
  for (const PlannedCall& call : segment.calls) {
    DlArrays x;
    for (const int slot : call.inputs) x.push_back(values[slot]);
    // A value goes when its last reader has run.
    for (const int slot : call.last_read) values[slot] = DlArray();
    LayerResult result = CallLayer(call.layer, x, segment.training);
    for (size_t k = 0; k < call.outputs.size(); ++k) {
      values[call.outputs[k]] = std::move(result.outputs[k]);
    }
    states.insert(states.end(), result.states.begin(), result.states.end());
  }
  for (const int slot : segment.outputs) results.push_back(std::move(values[slot]));
  results.insert(results.end(), states.begin(), states.end());
  return results;
}

std::function<DlArrays(Arrays)> DlNetwork::SegmentFunction(
    std::shared_ptr<const NetworkSegment> segment) const {
  // Layers and settings as they are now, without the memory of the parameters.
  auto layers = std::make_shared<DlNetwork>(*this);
  layers->shared_ = {};
  const auto forget = [](DlArray& w) { w = AbstractArray(w.spec()); };
  layers->ForEachLearnable(forget);
  layers->ForEachState(forget);
  return [layers, segment](Arrays in) {
    const ScopedAcceleration plain(Acceleration::kNone);
    DlNetwork network = *layers;
    size_t next = segment->inputs.size();
    const auto take = [&](DlArray& w) { w = in[next++]; };
    for (const PlannedCall& call : segment->calls) {
      network.layers_[call.layer]->ForEachLearnable(take);
      network.layers_[call.layer]->ForEachState(take);
    }
    return network.RunSegment(*segment, in.first(segment->inputs.size()));
  };
}

NetworkOutput DlNetwork::Run(Arrays inputs, const std::vector<std::string>& names, bool training,
                             Acceleration acceleration) const {
  for (const AnyLayer& layer : layers_) {
    if (layer.IsInitialized()) continue;
    throw Error("network:NotInitialized", "A network is initialised before it is called.",
                absl::StrCat("Layer ", Quoted(layer), " has unset parameters."),
                "Call Initialize with the layouts of the inputs.");
  }
  const DlArrays labelled = LabelledInputs(inputs);
  const ScopedAcceleration scope(acceleration);
  const bool accelerates = ScopedAcceleration::Current() == Acceleration::kAuto;
  const std::shared_ptr<NetworkPlan> plan = shared_.traces->Find(
      {Fingerprint(), training, names}, [&] { return MakePlan(names, training); });
  DlArrays values(plan->num_slots);
  for (size_t k = 0; k < labelled.size(); ++k) values[plan->inputs[k]] = labelled[k];
  std::vector<DlArrays> states(layers_.size());
  std::vector<bool> ran(layers_.size());
  for (const NetworkPlan::Part& part : plan->parts) {
    const NetworkSegment& segment = *part.segment;
    DlArrays in;
    for (const int slot : segment.inputs) in.push_back(values[slot]);
    for (const PlannedCall& call : segment.calls) {
      for (const int slot : call.last_read) values[slot] = DlArray();
    }
    const auto plain = [&](Arrays x) { return RunSegment(segment, x); };
    DlArrays results;
    if (accelerates && part.accelerated != nullptr) {
      const auto add = [&](DlArray& w) { in.push_back(w); };
      for (const PlannedCall& call : segment.calls) {
        Layer& layer = const_cast<AnyLayer&>(layers_[call.layer]).layer();
        layer.ForEachLearnable(add);  // Changes nothing.
        layer.ForEachState(add);
      }
      results = (*part.accelerated)(in, plain, [&] { return SegmentFunction(part.segment); });
    } else {
      results = plain(in);
    }
    auto next = results.begin();
    for (const int slot : segment.outputs) values[slot] = std::move(*next++);
    for (const PlannedCall& call : segment.calls) {
      const auto end = next + static_cast<int64_t>(call.num_states);
      states[call.layer].assign(next, end);
      ran[call.layer] = true;
      next = end;
    }
  }
  NetworkOutput out;
  for (const int slot : plan->outputs) out.outputs.push_back(values[slot]);
  DlArrays all_states;
  for (int i = 0; i < NumLayers(); ++i) {
    if (ran[i]) {
      all_states.insert(all_states.end(), states[i].begin(), states[i].end());
    } else {
      const_cast<AnyLayer&>(layers_[i])->ForEachState([&](DlArray& s) { all_states.push_back(s); });
    }
  }
  out.state = NetworkState(std::move(all_states));
  return out;
}

DlArray DlNetwork::Single(NetworkOutput output) const {
  if (output.outputs.size() != 1) {
    throw Error("network:OutputCount", "Predict and Forward return the one output of a network.",
                absl::StrCat("The network has ", output.outputs.size(), ", [",
                             absl::StrJoin(OutputNames(), ", "), "]."),
                "Call PredictAll or ForwardAll, or choose one with SetOutputNames.");
  }
  return std::move(output.outputs[0]);
}

DlArray DlNetwork::Predict(const DlArray& x, Acceleration acceleration) const {
  return Single(Run(Arrays(&x, 1), {}, false, acceleration));
}
DlArray DlNetwork::Forward(const DlArray& x, Acceleration acceleration) const {
  return Single(Run(Arrays(&x, 1), {}, true, acceleration));
}
std::pair<DlArray, NetworkState> DlNetwork::PredictWithState(const DlArray& x,
                                                             Acceleration acceleration) const {
  NetworkOutput out = Run(Arrays(&x, 1), {}, false, acceleration);
  NetworkState state = std::move(out.state);
  return {Single(std::move(out)), std::move(state)};
}
std::pair<DlArray, NetworkState> DlNetwork::ForwardWithState(const DlArray& x,
                                                             Acceleration acceleration) const {
  NetworkOutput out = Run(Arrays(&x, 1), {}, true, acceleration);
  NetworkState state = std::move(out.state);
  return {Single(std::move(out)), std::move(state)};
}
NetworkOutput DlNetwork::PredictAll(Arrays inputs, const std::vector<std::string>& outputs,
                                    Acceleration acceleration) const {
  return Run(inputs, outputs, false, acceleration);
}
NetworkOutput DlNetwork::ForwardAll(Arrays inputs, const std::vector<std::string>& outputs,
                                    Acceleration acceleration) const {
  return Run(inputs, outputs, true, acceleration);
}

}  // namespace lamina
