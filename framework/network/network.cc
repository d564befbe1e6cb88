#include "framework/network/network.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "framework/ops/abstract_run.h"
#include "framework/ops/creation.h"
#include "framework/ops/random.h"

namespace lamina {
namespace {

// Sizes that stand for unknown ones in turn: where results differ, the size depends on them. Large
// and even, so that windows fit and strides divide.
constexpr int64_t kProbe = 64, kSecondProbe = 96;

std::string WithoutSuffix(std::string type) {
  constexpr std::string_view kSuffix = "Layer";
  if (type.size() > kSuffix.size() && type.ends_with(kSuffix)) {
    type.resize(type.size() - kSuffix.size());
  }
  for (char& c : type) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return type;
}

std::string Quoted(const AnyLayer& layer) {
  return absl::StrCat("\"", layer->Name(), "\" (", layer->Type(), ")");
}

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

void DlNetwork::AddLayers(std::vector<AnyLayer> layers) {
  const size_t first = layers_.size();
  for (AnyLayer& layer : layers) layers_.push_back(std::move(layer));
  for (size_t i = first + 1; i < layers_.size(); ++i) {
    if (layers_[i]->NumInputs() != 1 || layers_[i - 1]->NumOutputs() != 1) {
      const std::string a = Quoted(layers_[i - 1]), b = Quoted(layers_[i]);
      const int outputs = layers_[i - 1]->NumOutputs(), inputs = layers_[i]->NumInputs();
      layers_.erase(layers_.begin() + first, layers_.end());
      throw Error("network:ChainMismatch",
                  "Layers of a list are connected one after another, one output to one input.",
                  absl::StrCat("Layer ", a, " has ", outputs, " outputs, layer ", b, " has ",
                               inputs, " inputs."),
                  "Add them apart with AddLayers and connect them by name with ConnectLayers.");
    }
  }
  try {
    NameLayers();
  } catch (...) {
    layers_.erase(layers_.begin() + first, layers_.end());
    throw;
  }
  for (size_t i = first + 1; i < layers_.size(); ++i) {
    connections_.push_back({static_cast<int>(i) - 1, 0, static_cast<int>(i), 0});
  }
  SortLayers();
}

void DlNetwork::NameLayers() {
  std::set<std::string> used;
  for (const AnyLayer& layer : layers_) {
    const std::string& name = layer->Name();
    if (name.empty()) continue;
    if (name.find('/') != std::string::npos) {
      throw Error("network:InvalidName", "The name of a layer has no '/': it separates paths.",
                  absl::StrCat("\"", name, "\" came."), "Rename the layer.");
    }
    if (!used.insert(name).second) {
      throw Error("network:DuplicateName", "Each layer of a network has a name of its own.",
                  absl::StrCat("\"", name, "\" came twice."),
                  "Rename one of them, or leave the name empty.");
    }
  }
  for (AnyLayer& layer : layers_) {
    if (!layer->Name().empty()) continue;
    const std::string stem = WithoutSuffix(layer->Type());
    std::string name = stem;
    for (int n = 2; !used.insert(name).second; ++n) name = absl::StrCat(stem, "_", n);
    layer->SetName(name);
  }
}

void DlNetwork::SortLayers() {
  std::vector<int> waits(layers_.size(), 0);
  for (const Connection& c : connections_) ++waits[c.to];
  std::set<int> ready;
  for (int i = 0; i < NumLayers(); ++i) {
    if (waits[i] == 0) ready.insert(i);
  }
  std::vector<int> order;
  while (!ready.empty()) {
    const int i = *ready.begin();
    ready.erase(ready.begin());
    order.push_back(i);
    for (const Connection& c : connections_) {
      if (c.from == i && --waits[c.to] == 0) ready.insert(c.to);
    }
  }
  if (static_cast<int>(order.size()) < NumLayers()) {
    std::vector<std::string> names;
    for (int i = 0; i < NumLayers(); ++i) {
      if (waits[i] > 0) names.push_back(layers_[i]->Name());
    }
    throw Error("network:Cycle", "The layers of a network can be put in an order.",
                absl::StrCat("[", absl::StrJoin(names, ", "), "] depend on one another."),
                "Remove a connection; loops belong inside a layer.");
  }
  order_ = std::move(order);
}

int DlNetwork::LayerIndex(std::string_view name) const {
  std::vector<std::string> names;
  for (int i = 0; i < NumLayers(); ++i) {
    if (layers_[i]->Name() == name) return i;
    names.push_back(layers_[i]->Name());
  }
  throw Error("network:NoSuchLayer",
              absl::StrCat("A layer \"", std::string(name), "\" was asked for."),
              absl::StrCat("The network has [", absl::StrJoin(names, ", "), "]."), "");
}

DlNetwork::Port DlNetwork::ParsePort(std::string_view text, bool output) const {
  const size_t slash = text.find('/');
  const int layer = LayerIndex(text.substr(0, slash));
  const std::vector<std::string>& names =
      output ? layers_[layer]->OutputNames() : layers_[layer]->InputNames();
  if (slash == std::string_view::npos) {
    if (names.size() == 1) return {layer, 0};
  } else {
    const auto at = std::find(names.begin(), names.end(), text.substr(slash + 1));
    if (at != names.end()) return {layer, static_cast<int>(at - names.begin())};
  }
  throw Error(
      "network:NoSuchPort",
      absl::StrCat(output ? "An output" : "An input", " \"", std::string(text),
                   "\" was asked for."),
      absl::StrCat("Layer ", Quoted(layers_[layer]), " has [", absl::StrJoin(names, ", "), "]."),
      absl::StrCat("Write \"", layers_[layer]->Name(), "/", names[0], "\"."));
}

std::string DlNetwork::PortName(const Port& port, bool output) const {
  const AnyLayer& layer = layers_[port.layer];
  const std::vector<std::string>& names = output ? layer->OutputNames() : layer->InputNames();
  return names.size() == 1 ? layer->Name() : absl::StrCat(layer->Name(), "/", names[port.index]);
}

void DlNetwork::ConnectLayers(std::string_view from, std::string_view to) {
  const Port source = ParsePort(from, true), sink = ParsePort(to, false);
  for (const Connection& c : connections_) {
    if (c.to == sink.layer && c.input == sink.index) {
      throw Error("network:AlreadyConnected", "An input has one connection.",
                  absl::StrCat("\"", std::string(to), "\" is connected to \"",
                               PortName({c.from, c.output}, true), "\" already."),
                  "Combine the two with an addition or concatenation layer.");
    }
  }
  connections_.push_back({source.layer, source.index, sink.layer, sink.index});
  try {
    SortLayers();
  } catch (...) {
    connections_.pop_back();
    throw;
  }
}

void DlNetwork::SetOutputNames(const std::vector<std::string>& names) {
  for (const std::string& name : names) ParsePort(name, true);
  output_names_ = names;
}

std::vector<DlNetwork::Port> DlNetwork::InputPorts() const {
  std::vector<Port> ports;
  for (int i = 0; i < NumLayers(); ++i) {
    for (int k = 0; k < layers_[i]->NumInputs(); ++k) {
      const bool connected =
          std::any_of(connections_.begin(), connections_.end(),
                      [&](const Connection& c) { return c.to == i && c.input == k; });
      if (!connected) ports.push_back({i, k});
    }
  }
  return ports;
}

std::vector<DlNetwork::Port> DlNetwork::OutputPorts() const {
  std::vector<Port> ports;
  if (!output_names_.empty()) {
    for (const std::string& name : output_names_) ports.push_back(ParsePort(name, true));
    return ports;
  }
  for (int i = 0; i < NumLayers(); ++i) {
    for (int k = 0; k < layers_[i]->NumOutputs(); ++k) {
      const bool connected =
          std::any_of(connections_.begin(), connections_.end(),
                      [&](const Connection& c) { return c.from == i && c.output == k; });
      if (!connected) ports.push_back({i, k});
    }
  }
  return ports;
}

std::vector<std::string> DlNetwork::InputNames() const {
  std::vector<std::string> names;
  for (const Port& port : InputPorts()) names.push_back(PortName(port, false));
  return names;
}
std::vector<std::string> DlNetwork::OutputNames() const {
  std::vector<std::string> names;
  for (const Port& port : OutputPorts()) names.push_back(PortName(port, true));
  return names;
}

std::string DlNetwork::SourceOf(int layer, int input) const {
  for (const Connection& c : connections_) {
    if (c.to == layer && c.input == input) {
      return absl::StrCat("layer ", Quoted(layers_[c.from]));
    }
  }
  return "the network's input";
}

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
    std::span<const NetworkDataLayout> layouts, const BeforeLayer& before) const {
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
      if (c.to != i) continue;
      for (int lane = 0; lane < 2; ++lane)
        inputs[lane][i][c.input] = outputs[lane][c.from][c.output];
    }
    if (before) before(i, Merge(inputs[0][i], inputs[1][i]));
    for (int lane = 0; lane < 2; ++lane) outputs[lane][i] = AbstractOutputs(i, inputs[lane][i]);
    result[i] = Merge(outputs[0][i], outputs[1][i]);
  }
  return result;
}

void DlNetwork::Initialize() {
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
  Initialize(layouts);
}

void DlNetwork::Initialize(std::span<const NetworkDataLayout> layouts) {
  DlNetwork initialised = *this;
  const NoGradient pause;
  initialised.Walk(layouts, [&](int i, const std::vector<NetworkDataLayout>& inputs) {
    try {
      initialised.layers_[i].Initialize(inputs);
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
  });
  initialised.input_layouts_.assign(layouts.begin(), layouts.end());
  *this = std::move(initialised);
}

std::vector<std::vector<NetworkDataLayout>> DlNetwork::PropagateLayouts(
    std::span<const NetworkDataLayout> layouts) const {
  const NoGradient pause;
  return Walk(layouts, nullptr);
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

void DlNetwork::VisitParameters(const std::string& path, const ParameterVisitor& visit) {
  for (AnyLayer& layer : layers_) {
    layer->VisitParameters(path.empty() ? layer->Name() : absl::StrCat(path, "/", layer->Name()),
                           visit);
  }
}
void DlNetwork::ForEachLearnable(const std::function<void(DlArray&)>& visit) {
  for (AnyLayer& layer : layers_) layer->ForEachLearnable(visit);
}
void DlNetwork::ForEachState(const std::function<void(DlArray&)>& visit) {
  for (AnyLayer& layer : layers_) layer->ForEachState(visit);
}

namespace {

std::vector<ParameterRow> Rows(const DlNetwork& network, PropertyKind kind) {
  std::vector<ParameterRow> rows;
  // Visiting changes nothing here.
  const_cast<DlNetwork&>(network).VisitParameters("", [&](const ParameterRef& p) {
    if (p.kind == kind) rows.push_back({p.layer, p.parameter, *p.value});
  });
  return rows;
}

}  // namespace

std::vector<ParameterRow> DlNetwork::Learnables() const {
  return Rows(*this, PropertyKind::kLearnable);
}
std::vector<ParameterRow> DlNetwork::StateTable() const {
  return Rows(*this, PropertyKind::kState);
}

DlArrays DlNetwork::LearnableValues() const {
  DlArrays values;
  const_cast<DlNetwork*>(this)->ForEachLearnable([&](DlArray& x) { values.push_back(x); });
  return values;
}

void DlNetwork::SetLearnableValues(Arrays values) {
  const std::vector<ParameterRow> rows = Learnables();
  if (rows.size() != values.size()) {
    throw Error("network:LearnableCount",
                absl::StrCat("The network has ", rows.size(), " learnable arrays."),
                absl::StrCat(values.size(), " came."), "Give one for each row of Learnables.");
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].value.empty()) continue;
    if (SameSizes(rows[i].value.sizes(), values[i].sizes()) &&
        rows[i].value.format() == values[i].format()) {
      continue;
    }
    throw Error("network:LearnableSize",
                absl::StrCat("\"", rows[i].layer, "/", rows[i].parameter, "\" is a ",
                             ToString(rows[i].value.spec()), "."),
                absl::StrCat("A ", ToString(values[i].spec()), " came."), "");
  }
  size_t i = 0;
  ForEachLearnable([&](DlArray& x) { x = values[i++]; });
}

int64_t DlNetwork::NumLearnables() const {
  int64_t n = 0;
  for (const DlArray& x : LearnableValues()) n += x.numel();
  return n;
}

NetworkState DlNetwork::State() const {
  DlArrays values;
  const_cast<DlNetwork*>(this)->ForEachState([&](DlArray& x) { values.push_back(x); });
  return NetworkState(std::move(values));
}

void DlNetwork::SetState(const NetworkState& state) {
  const size_t count = State().values().size();
  if (count != state.values().size()) {
    throw Error("network:StateCount", absl::StrCat("The network has ", count, " state arrays."),
                absl::StrCat(state.values().size(), " came."),
                "Give one for each row of StateTable.");
  }
  size_t i = 0;
  ForEachState([&](DlArray& x) { x = state.values()[i++]; });
}

void DlNetwork::ResetState() {
  for (AnyLayer& layer : layers_) {
    for (const PropertyDescriptor& p : layer->Properties()) {
      if (LayerTree* tree = layer->TreeOf(p)) tree->ResetState();
    }
    layer.ResetState();
  }
}

ParameterRef DlNetwork::FindLearnable(std::string_view path) const {
  std::vector<std::string> paths;
  std::optional<ParameterRef> found;
  const_cast<DlNetwork*>(this)->VisitParameters("", [&](const ParameterRef& p) {
    if (p.kind != PropertyKind::kLearnable) return;
    paths.push_back(absl::StrCat(p.layer, "/", p.parameter));
    if (paths.back() == path) found = p;
  });
  if (!found.has_value()) {
    throw Error("layer:NoSuchParameter",
                absl::StrCat("A learnable \"", std::string(path), "\" was asked for."),
                absl::StrCat("The network has [", absl::StrJoin(paths, ", "), "]."),
                "Write the path as \"layer/Parameter\".");
  }
  return *found;
}

void DlNetwork::SetLearnRateFactor(std::string_view path, double factor) {
  *FindLearnable(path).learn_rate_factor = internal::CheckedFactor(factor);
}
double DlNetwork::LearnRateFactor(std::string_view path) const {
  return *FindLearnable(path).learn_rate_factor;
}
void DlNetwork::SetL2Factor(std::string_view path, double factor) {
  *FindLearnable(path).l2_factor = internal::CheckedFactor(factor);
}
double DlNetwork::L2Factor(std::string_view path) const { return *FindLearnable(path).l2_factor; }

bool IsEqual(const DlNetwork& a, const DlNetwork& b) {
  if (a.NumLayers() != b.NumLayers() || a.connections() != b.connections() ||
      a.OutputNames() != b.OutputNames()) {
    return false;
  }
  for (int i = 0; i < a.NumLayers(); ++i) {
    const Layer &x = a.layer(i).layer(), &y = b.layer(i).layer();
    if (a.layer(i).type() != b.layer(i).type() || x.Name() != y.Name()) return false;
    for (size_t k = 0; k < x.Properties().size(); ++k) {
      const PropertyDescriptor& p = x.Properties()[k];
      if (p.access->get != nullptr && x.GetProperty(p) != y.GetProperty(p)) return false;
    }
  }
  for (PropertyKind kind : {PropertyKind::kLearnable, PropertyKind::kState}) {
    const std::vector<ParameterRow> x = Rows(a, kind), y = Rows(b, kind);
    if (x.size() != y.size()) return false;
    for (size_t i = 0; i < x.size(); ++i) {
      if (x[i].layer != y[i].layer || !IsEqual(x[i].value, y[i].value)) return false;
    }
  }
  return true;
}

}  // namespace lamina
