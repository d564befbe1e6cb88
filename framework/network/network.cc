#include "framework/network/network.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "framework/dlarray/counted.h"
#include "framework/network/describe.h"

namespace lamina {
namespace {

std::string WithoutSuffix(std::string type) {
  constexpr std::string_view kSuffix = "Layer";
  if (type.size() > kSuffix.size() && type.ends_with(kSuffix)) {
    type.resize(type.size() - kSuffix.size());
  }
  for (char& c : type) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return type;
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
                  absl::StrCat("Layer ", a, " has ", internal::Counted(outputs, "output"),
                               ", layer ", b, " has ", internal::Counted(inputs, "input"), "."),
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

}  // namespace lamina
