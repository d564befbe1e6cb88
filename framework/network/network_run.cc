// Running a network: on values, and on sizes alone.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "framework/network/describe.h"
#include "framework/network/network.h"
#include "framework/ops/abstract_run.h"
#include "framework/ops/creation.h"

namespace lamina {
namespace {

// Sizes that stand for unknown ones in turn: where results differ, the size depends on them. Large
// and even, so that windows fit and strides divide.
constexpr int64_t kProbe = 64, kSecondProbe = 96;

ArraySpec SpecOf(const NetworkDataLayout& layout, int64_t unknown) {
  const NetworkDataLayout known = layout.WithUnknown(unknown);
  return {DataType::kSingle, known.sizes(), known.format()};
}

// What two lanes agree on; sizes in which they differ are unknown.
std::vector<NetworkDataLayout> Merge(Arrays a, Arrays b) {
  std::vector<NetworkDataLayout> layouts;
  for (size_t i = 0; i < a.size(); ++i) {
    Sizes sizes = a[i].sizes();
    for (size_t d = 0; d < sizes.size(); ++d) {
      if (sizes[d] != b[i].size(static_cast<int>(d))) sizes[d] = kUnknown;
    }
    layouts.emplace_back(sizes, a[i].format().str());
  }
  return layouts;
}

}  // namespace

LayerResult DlNetwork::CallLayer(int i, Arrays inputs, bool training) const {
  try {
    return training ? layers_[i].Forward(inputs) : layers_[i].Predict(inputs);
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

DlArrays DlNetwork::AbstractOutputs(int i, const DlArrays& inputs) const {
  try {
    const AbstractRun run;
    return CallLayer(i, inputs, false).outputs;
  } catch (const Error& e) {
    if (e.identifier() != "dlarray:NoValues") throw;
    // The layer reads values: it gets some.
    DlArrays values;
    for (const DlArray& x : inputs) values.push_back(Zeros(x.sizes(), x.type(), x.format().str()));
    return CallLayer(i, values, false).outputs;
  }
}

std::vector<std::vector<NetworkDataLayout>> DlNetwork::Walk(
    std::span<const NetworkDataLayout> layouts, const BeforeLayer& before,
    const NoteError& note) const {
  const std::vector<Port> ports = InputPorts();
  if (layouts.size() != ports.size()) {
    throw Error("network:InputCount",
                absl::StrCat("The network has ", ports.size(), " inputs, [",
                             absl::StrJoin(InputNames(), ", "), "]."),
                absl::StrCat(layouts.size(), " layouts came."), "Give one for each input.");
  }
  // Two lanes, each with another size in place of the unknown ones.
  const int64_t unknown[] = {kProbe, kSecondProbe};
  std::vector<DlArrays> inputs[2], outputs[2];
  for (int lane = 0; lane < 2; ++lane) {
    inputs[lane].resize(NumLayers());
    outputs[lane].resize(NumLayers());
    for (int i = 0; i < NumLayers(); ++i) inputs[lane][i].resize(layers_[i]->NumInputs());
    for (size_t k = 0; k < ports.size(); ++k) {
      inputs[lane][ports[k].layer][ports[k].index] =
          AbstractArray(SpecOf(layouts[k], unknown[lane]));
    }
  }
  std::vector<std::vector<NetworkDataLayout>> result(NumLayers());
  for (int i : order_) {
    for (const Connection& c : connections_) {
      if (c.to != i || outputs[0][c.from].empty()) continue;
      for (int lane = 0; lane < 2; ++lane)
        inputs[lane][i][c.input] = outputs[lane][c.from][c.output];
    }
    const bool fed = std::all_of(inputs[0][i].begin(), inputs[0][i].end(),
                                 [](const DlArray& x) { return !x.empty(); });
    if (note && !fed) continue;
    try {
      if (before) before(i, Merge(inputs[0][i], inputs[1][i]));
      for (int lane = 0; lane < 2; ++lane) {
        outputs[lane][i] = AbstractOutputs(i, inputs[lane][i]);
      }
      result[i] = Merge(outputs[0][i], outputs[1][i]);
    } catch (const Error& e) {
      if (!note) throw;
      note(i, e);
      // Unset arrays: whoever needs them is passed over.
      for (int lane = 0; lane < 2; ++lane) outputs[lane][i].assign(layers_[i]->NumOutputs(), {});
    }
  }
  return result;
}

std::vector<NetworkDataLayout> DlNetwork::DeclaredLayouts() const {
  std::vector<NetworkDataLayout> layouts;
  for (const Port& port : InputPorts()) {
    const std::optional<NetworkDataLayout> layout = layers_[port.layer].InputLayout();
    if (!layout.has_value()) {
      throw Error("network:LayoutNeeded",
                  "A network is initialised from the layouts of its inputs.",
                  absl::StrCat("Input \"", PortName(port, false),
                               "\" belongs to a layer that does not know its size."),
                  "Begin with an input layer, or call Initialize with a NetworkDataLayout.");
    }
    layouts.push_back(*layout);
  }
  return layouts;
}

void DlNetwork::InitializeLayer(int i, const std::vector<NetworkDataLayout>& inputs) {
  try {
    layers_[i].Initialize(inputs);
  } catch (Error& e) {
    std::vector<std::string> sources;
    for (size_t k = 0; k < inputs.size(); ++k) {
      sources.push_back(
          absl::StrCat(ToString(inputs[k]), " from ", SourceOf(i, static_cast<int>(k))));
    }
    e.AddPlace(
        absl::StrCat("Layer ", Quoted(layers_[i]), " gets ", absl::StrJoin(sources, " and ")));
    throw;
  }
}

void DlNetwork::Initialize() { Initialize(DeclaredLayouts()); }

void DlNetwork::Initialize(std::span<const NetworkDataLayout> layouts) {
  DlNetwork initialised = *this;
  initialised.InitializeEach(layouts, nullptr, nullptr);
  *this = std::move(initialised);
}

void DlNetwork::InitializeEach(std::span<const NetworkDataLayout> layouts,
                               std::vector<std::vector<NetworkDataLayout>>* outputs,
                               const NoteError& note) {
  const NoGradient pause;
  auto result = Walk(
      layouts,
      [&](int i, const std::vector<NetworkDataLayout>& inputs) { InitializeLayer(i, inputs); },
      note);
  if (outputs != nullptr) *outputs = std::move(result);
  input_layouts_.assign(layouts.begin(), layouts.end());
}

std::vector<std::vector<NetworkDataLayout>> DlNetwork::PropagateLayouts(
    std::span<const NetworkDataLayout> layouts) const {
  const NoGradient pause;
  return Walk(layouts, nullptr, nullptr);
}

bool DlNetwork::IsInitialized() const {
  return std::all_of(layers_.begin(), layers_.end(),
                     [](const AnyLayer& layer) { return layer.IsInitialized(); });
}

DlArrays DlNetwork::LabelledInputs(Arrays inputs) const {
  const std::vector<Port> ports = InputPorts();
  if (inputs.size() != ports.size()) {
    throw Error("network:InputCount",
                absl::StrCat("The network has ", ports.size(), " inputs, [",
                             absl::StrJoin(InputNames(), ", "), "]."),
                absl::StrCat(inputs.size(), " arrays came."), "Give one for each input.");
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

NetworkOutput DlNetwork::Run(Arrays inputs, const std::vector<std::string>& names,
                             bool training) const {
  for (const AnyLayer& layer : layers_) {
    if (layer.IsInitialized()) continue;
    throw Error("network:NotInitialized", "A network is initialised before it is called.",
                absl::StrCat("Layer ", Quoted(layer), " has unset parameters."),
                "Call Initialize with the layouts of the inputs.");
  }
  const DlArrays labelled = LabelledInputs(inputs);
  std::vector<Port> wanted;
  for (const std::string& name : names) wanted.push_back(ParsePort(name, true));
  if (names.empty()) wanted = OutputPorts();
  // Only what leads to the wanted outputs is run; a value goes when its last reader has run.
  std::vector<int> readers(NumLayers(), 0);
  for (const Port& port : wanted) ++readers[port.layer];
  for (auto i = order_.rbegin(); i != order_.rend(); ++i) {
    if (readers[*i] == 0) continue;
    for (const Connection& c : connections_) {
      if (c.to == *i) ++readers[c.from];
    }
  }
  const std::vector<Port> ports = InputPorts();
  std::vector<DlArrays> outputs(NumLayers()), states(NumLayers());
  for (int i : order_) {
    if (readers[i] == 0) continue;
    DlArrays x(layers_[i]->NumInputs());
    for (size_t k = 0; k < ports.size(); ++k) {
      if (ports[k].layer == i) x[ports[k].index] = labelled[k];
    }
    for (const Connection& c : connections_) {
      if (c.to == i) x[c.input] = outputs[c.from][c.output];
    }
    for (const Connection& c : connections_) {
      if (c.to == i && --readers[c.from] == 0) outputs[c.from].clear();
    }
    LayerResult result = CallLayer(i, x, training);
    outputs[i] = std::move(result.outputs);
    states[i] = std::move(result.states);
  }
  NetworkOutput out;
  for (const Port& port : wanted) out.outputs.push_back(outputs[port.layer][port.index]);
  DlArrays all_states;
  for (int i = 0; i < NumLayers(); ++i) {
    const bool ran = !outputs[i].empty() || !states[i].empty();
    if (ran) {
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

DlArray DlNetwork::Predict(const DlArray& x) const { return Single(Run(Arrays(&x, 1), {}, false)); }
DlArray DlNetwork::Forward(const DlArray& x) const { return Single(Run(Arrays(&x, 1), {}, true)); }
std::pair<DlArray, NetworkState> DlNetwork::PredictWithState(const DlArray& x) const {
  NetworkOutput out = Run(Arrays(&x, 1), {}, false);
  NetworkState state = std::move(out.state);
  return {Single(std::move(out)), std::move(state)};
}
std::pair<DlArray, NetworkState> DlNetwork::ForwardWithState(const DlArray& x) const {
  NetworkOutput out = Run(Arrays(&x, 1), {}, true);
  NetworkState state = std::move(out.state);
  return {Single(std::move(out)), std::move(state)};
}
NetworkOutput DlNetwork::PredictAll(Arrays inputs, const std::vector<std::string>& outputs) const {
  return Run(inputs, outputs, false);
}
NetworkOutput DlNetwork::ForwardAll(Arrays inputs, const std::vector<std::string>& outputs) const {
  return Run(inputs, outputs, true);
}

}  // namespace lamina
