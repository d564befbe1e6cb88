// DlNetwork: layers wired to one another.
//
// A network is a value: a copy has parameters of its own. Layers of a list are connected one after
// another; any other graph is made by adding layers and connecting outputs to inputs by name. An
// input that is connected to nothing is an input of the network, an output that is connected to
// nothing an output of it. Layers without a name are named after their type.
//
//   DlNetwork net({ImageInputLayer({28, 28, 1}), Convolution2dLayer({3, 3}, 8), ReluLayer(),
//                  FullyConnectedLayer(10), SoftmaxLayer()});
//   net.Initialize();
//   DlArray scores = net.Predict(images);              // images: "SSCB"; scores: "CB"
//
// Names of connections: "relu" is the only input or output of layer "relu", "add/in2" one of
// several.
//
// Predict and Forward are accelerated (acceleration.h) unless the call says Acceleration::kNone:
// layers that run one after another and are Acceleratable, nested ones too, are recorded together
// when they have run for a second with inputs of some size, and run by compiled kernels from then
// on; others run op by op, and a network nested in them is accelerated by itself. Parameters and
// states may change between calls, and so may properties of layers and connections, which is
// noticed. Copies share what was recorded. What a layer reads besides its inputs, parameters and
// properties is fixed by the recording.
//
// Threads: Predict, Forward and other const functions may run in several threads at once.
#ifndef FRAMEWORK_NETWORK_NETWORK_H_
#define FRAMEWORK_NETWORK_NETWORK_H_

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "framework/acceleration/acceleration.h"
#include "framework/layers/any_layer.h"

namespace lamina {

/// A row of the table of learnable or state arrays.
struct ParameterRow {
  std::string layer;      ///< Path: "conv1", "block/Network/conv1".
  std::string parameter;  ///< "Weights".
  DlArray value;
};

/// A wire: output `output` of layer number `from` to input `input` of layer number `to`.
struct Connection {
  int from, output, to, input;
  bool operator==(const Connection&) const = default;
};

/// What a call of a network returns.
struct NetworkOutput {
  DlArrays outputs;    ///< In the order of OutputNames, or as asked.
  NetworkState state;  ///< The states after the call, in the order of the State table.
};

class DlNetwork;
namespace internal {
class NetworkTraces;
struct NetworkSegment;
struct NetworkPlan;
/// What a network and its copies share; also one that was moved from keeps it.
struct SharedTraces {
  SharedTraces();
  SharedTraces(const SharedTraces&) = default;
  SharedTraces& operator=(const SharedTraces&) = default;
  std::shared_ptr<NetworkTraces> traces;
};
}  // namespace internal

class DlNetwork : public LayerTree {
 public:
  DlNetwork() = default;
  /// Layers connected one after another. Errors: "network:DuplicateName", "network:ChainMismatch"
  /// when a layer in the middle has several inputs or its forerunner several outputs.
  DlNetwork(std::initializer_list<AnyLayer> layers) : DlNetwork(std::vector<AnyLayer>(layers)) {}
  explicit DlNetwork(std::vector<AnyLayer> layers) { AddLayers(std::move(layers)); }

  /// Adds layers, connected one after another but to nothing else. Errors: as the constructor's.
  void AddLayers(std::vector<AnyLayer> layers);
  /// Connects an output to an input. Errors: "network:NoSuchLayer", "network:NoSuchPort",
  /// "network:AlreadyConnected", "network:Cycle".
  void ConnectLayers(std::string_view from, std::string_view to);
  /// The outputs that Predict returns, in this order; "" brings back the default: all outputs that
  /// are connected to nothing. Errors: "network:NoSuchLayer", "network:NoSuchPort".
  void SetOutputNames(const std::vector<std::string>& names);

  int NumLayers() const { return static_cast<int>(layers_.size()); }
  const AnyLayer& layer(int i) const { return layers_[i]; }
  /// By name. Errors: "network:NoSuchLayer".
  const AnyLayer& layer(std::string_view name) const { return layers_[LayerIndex(name)]; }
  AnyLayer& mutable_layer(std::string_view name) { return layers_[LayerIndex(name)]; }
  AnyLayer& mutable_layer(int i) { return layers_[i]; }
  const std::vector<Connection>& connections() const { return connections_; }
  std::vector<std::string> InputNames() const;
  std::vector<std::string> OutputNames() const;
  /// Layers in an order in which each comes after those that it needs.
  const std::vector<int>& ExecutionOrder() const { return order_; }

  /// Sets all parameters that are unset, from the layouts of the inputs (in the order of
  /// InputNames); without arguments from what input layers say. Set parameters stay. Random values
  /// come from the current random source. Errors: "network:InputCount", "network:LayoutNeeded"
  /// when an input layer does not know its size, "network:LayerInput" when a layer cannot take what
  /// comes (names both layers and both layouts), those of the layers.
  void Initialize();
  void Initialize(std::span<const NetworkDataLayout> layouts);
  void Initialize(std::initializer_list<NetworkDataLayout> layouts) {
    Initialize(std::span(layouts.begin(), layouts.size()));
  }
  void Initialize(const NetworkDataLayout& layout) { Initialize(std::span(&layout, 1)); }
  bool IsInitialized() const;
  /// The layouts of the inputs as Initialize got them; empty before.
  const std::vector<NetworkDataLayout>& InputLayouts() const { return input_layouts_; }
  /// For readers of files: what InputLayouts() returns.
  void SetInputLayouts(std::vector<NetworkDataLayout> layouts) {
    input_layouts_ = std::move(layouts);
  }

  /// The output of a network with one input and one output. An input without labels gets those of
  /// the layout that the network was initialised with. Errors: "network:NotInitialized",
  /// "network:InputCount", "network:OutputCount", "network:UnlabelledInput", "network:LayerInput",
  /// "network:EmptyInput" for an array without elements.
  DlArray Predict(const DlArray& x, Acceleration acceleration = Acceleration::kAuto) const;
  DlArray Forward(const DlArray& x, Acceleration acceleration = Acceleration::kAuto) const;
  /// The same with the new states: for nested networks, and recurrent ones.
  std::pair<DlArray, NetworkState> PredictWithState(
      const DlArray& x, Acceleration acceleration = Acceleration::kAuto) const;
  std::pair<DlArray, NetworkState> ForwardWithState(
      const DlArray& x, Acceleration acceleration = Acceleration::kAuto) const;
  /// Any number of inputs and outputs; `outputs` names the outputs wanted ("conv1", "lstm/out2"),
  /// all if empty: only the layers that they need are run.
  NetworkOutput PredictAll(Arrays inputs, const std::vector<std::string>& outputs = {},
                           Acceleration acceleration = Acceleration::kAuto) const;
  NetworkOutput ForwardAll(Arrays inputs, const std::vector<std::string>& outputs = {},
                           Acceleration acceleration = Acceleration::kAuto) const;

  /// For a reader: for each way in which the network was called, which layers are recorded
  /// together, how many calls ran op by op, why each trace was made, and what it is compiled to.
  std::string AccelerationReport() const;

  /// States, in the order of StateTable.
  NetworkState State() const;
  /// Errors: "network:StateCount".
  void SetState(const NetworkState& state);
  /// Calls each layer's ResetState, those of nested networks too.
  void ResetState() override;

  std::vector<ParameterRow> Learnables() const;
  std::vector<ParameterRow> StateTable() const;
  /// The values of Learnables(), for DlGradient.
  DlArrays LearnableValues() const;
  /// Errors: "network:LearnableCount", "network:LearnableSize" when sizes or labels differ.
  void SetLearnableValues(Arrays values);
  int64_t NumLearnables() const;

  /// Factors of one learnable, as in Layer; `path` is "fc/Weights" or, inside nested networks,
  /// "block/Network/conv1/Weights". Errors: "layer:NoSuchParameter", "layer:InvalidFactor".
  void SetLearnRateFactor(std::string_view path, double factor);
  double LearnRateFactor(std::string_view path) const;
  void SetL2Factor(std::string_view path, double factor);
  double L2Factor(std::string_view path) const;

  void VisitParameters(const std::string& path, const ParameterVisitor& visit) override;
  void ForEachLearnable(const std::function<void(DlArray&)>& visit);
  void ForEachState(const std::function<void(DlArray&)>& visit);

  /// The outputs' specs for each layer, in the order of the layers, for inputs of these layouts;
  /// computed without values where the layers allow. Unknown sizes stay unknown. Errors as Predict.
  std::vector<std::vector<NetworkDataLayout>> PropagateLayouts(
      std::span<const NetworkDataLayout> layouts) const;
  /// Initialises layer after layer and tells `outputs` of each; what a layer throws goes to `note`,
  /// and layers that depend on it are passed over. For AnalyzeNetwork. Errors:
  /// "network:InputCount".
  void InitializeEach(std::span<const NetworkDataLayout> layouts,
                      std::vector<std::vector<NetworkDataLayout>>* outputs,
                      const std::function<void(int layer, const Error&)>& note);
  /// The layouts that the input layers declare. Errors: "network:LayoutNeeded".
  std::vector<NetworkDataLayout> DeclaredLayouts() const;
  /// What comes to each input of layer `i`: the layer's name, or "the network's input".
  std::string SourceOf(int layer, int input) const;

 private:
  struct Port {
    int layer, index;
    bool operator==(const Port&) const = default;
  };
  int LayerIndex(std::string_view name) const;
  Port ParsePort(std::string_view text, bool output) const;
  std::string PortName(const Port& port, bool output) const;
  std::vector<Port> InputPorts() const;
  std::vector<Port> OutputPorts() const;
  void NameLayers();
  void SortLayers();
  NetworkOutput Run(Arrays inputs, const std::vector<std::string>& outputs, bool training,
                    Acceleration acceleration) const;
  std::shared_ptr<internal::NetworkPlan> MakePlan(const std::vector<std::string>& outputs,
                                                  bool training) const;
  // A number for all that a recording fixes: layers, their settings, connections.
  uint64_t Fingerprint() const;
  // The layers of a segment: their outputs that are read later, then their new states. `in` begins
  // with what they read; the network's own parameters count.
  DlArrays RunSegment(const internal::NetworkSegment& segment, Arrays in) const;
  // The same as a function that may be kept; after what the layers read, `in` has their parameters.
  std::function<DlArrays(Arrays)> SegmentFunction(
      std::shared_ptr<const internal::NetworkSegment> segment) const;
  DlArrays LabelledInputs(Arrays inputs) const;
  using BeforeLayer = std::function<void(int, const std::vector<NetworkDataLayout>&)>;
  using NoteError = std::function<void(int, const Error&)>;
  // The layouts of all outputs; calls `before` with those of the inputs before each layer. An error
  // is thrown, or told to `note` where there is one.
  std::vector<std::vector<NetworkDataLayout>> Walk(std::span<const NetworkDataLayout> layouts,
                                                   const BeforeLayer& before,
                                                   const NoteError& note) const;
  void InitializeLayer(int i, const std::vector<NetworkDataLayout>& inputs);
  DlArrays AbstractOutputs(int i, const DlArrays& inputs) const;
  LayerResult CallLayer(int i, Arrays inputs, bool training) const;
  DlArray Single(NetworkOutput output) const;
  ParameterRef FindLearnable(std::string_view path) const;

  std::vector<AnyLayer> layers_;
  std::vector<Connection> connections_;
  std::vector<std::string> output_names_;  // As set; empty: the default.
  std::vector<int> order_;
  std::vector<NetworkDataLayout> input_layouts_;
  internal::SharedTraces shared_;
};

/// What stands against recording what the network computes, as a sentence: the option, or the first
/// layer, of a nested network too, that is not Acceleratable ("Layer "block/Network/scale"
/// (ScaleLayer) is not Acceleratable."). Empty when nothing does.
std::string WhyNotAccelerated(Acceleration option, const DlNetwork& network);

/// The network with its learnables and states on the current device (ops/gpu_array.h): what it is
/// given is then computed there. Errors: those of GpuArray.
DlNetwork GpuArray(DlNetwork network);
/// The network with its learnables and states in the memory of the processor.
DlNetwork Gather(DlNetwork network);

/// True when layers, connections, settings and all values are equal.
bool IsEqual(const DlNetwork& a, const DlNetwork& b);

}  // namespace lamina

#endif  // FRAMEWORK_NETWORK_NETWORK_H_
