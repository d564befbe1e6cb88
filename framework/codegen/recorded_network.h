// A network's prediction as a graph whose inputs are the data, the parameters and the states.
//
// Used by generate_code.cc. Threads: pure functions.
#ifndef FRAMEWORK_CODEGEN_RECORDED_NETWORK_H_
#define FRAMEWORK_CODEGEN_RECORDED_NETWORK_H_

#include <string>
#include <vector>

#include "framework/graph/graph.h"
#include "framework/network/network.h"

namespace lamina::internal {

/// A learnable, or a state that prediction leaves as it is: a number that generated code reads.
struct RecordedParameter {
  std::string name;  ///< "conv1/Weights"
  DlArray value;
  /// Of one that was computed from others (simplify_prediction.h): their names.
  std::vector<std::string> computed_from = {};
};

/// A state that prediction changes.
struct RecordedState {
  std::string name;
  DlArray initial;  ///< As it was in the network.
  DlArray reset;    ///< After ResetState.
};

struct RecordedNetwork {
  /// Inputs: the data, then parameters, then states. Outputs: those of the network, then states.
  Graph graph;
  std::vector<std::string> input_names, output_names;
  std::vector<RecordedParameter> parameters;
  std::vector<RecordedState> states;
  std::vector<std::string> layers;  ///< For each step of the graph the layer that it belongs to.
};

/// Errors: "codegen:UnknownSize" for a layout with unknown sizes, "codegen:NotInitialized",
/// "codegen:NoOutputs" for a network without layers, "codegen:ReadsValues" when a layer reads the
/// values of an array (names the layer), "codegen:StateSize" when a state's size does not settle,
/// those of the layers.
RecordedNetwork RecordNetwork(const DlNetwork& network, std::span<const NetworkDataLayout> layouts,
                              DataType type);

}  // namespace lamina::internal

#endif  // FRAMEWORK_CODEGEN_RECORDED_NETWORK_H_
