// What a network does to sizes alone, and its initialisation.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "framework/dlarray/counted.h"
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
                absl::StrCat("The network has ", internal::Counted(ports.size(), "input"), ", [",
                             absl::StrJoin(InputNames(), ", "), "]."),
                absl::StrCat(internal::Counted(layouts.size(), "layout"), " came."),
                "Give one for each input.");
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

}  // namespace lamina
