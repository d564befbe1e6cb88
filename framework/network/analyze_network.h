// What a network is, layer by layer, and what is wrong with it.
//
//   std::cout << ToString(AnalyzeNetwork(net, {NetworkDataLayout({28, 28, 1, kUnknown}, "SSCB")}));
//   std::cout << Summary(net);
//
// Threads: any.
#ifndef FRAMEWORK_NETWORK_ANALYZE_NETWORK_H_
#define FRAMEWORK_NETWORK_ANALYZE_NETWORK_H_

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "framework/network/network.h"

namespace lamina {

/// One layer. Sizes of parameters are those that it has; unset ones are 0x0.
struct LayerInfo {
  std::string name;
  std::string type;
  std::string description;
  std::vector<NetworkDataLayout> outputs;  ///< Empty when something before it is wrong.
  std::vector<std::pair<std::string, Sizes>> learnables;  ///< Path inside the layer, sizes.
  std::vector<std::pair<std::string, Sizes>> states;
  int64_t num_learnables = 0;
};

/// Something that keeps the network from working, and why.
struct NetworkIssue {
  std::string layer;       ///< The layer where it shows.
  std::string identifier;  ///< Of the Error.
  std::string message;
};

struct NetworkAnalysis {
  std::vector<LayerInfo> layers;  ///< In the order of execution.
  std::vector<NetworkIssue> issues;
  int64_t total_learnables = 0;
};

/// Initialises a copy of the network from the layouts (from its input layers without them) and
/// looks at each layer. What is wrong becomes an issue, never an Error; layers that depend on it
/// have no outputs.
NetworkAnalysis AnalyzeNetwork(const DlNetwork& network,
                               std::span<const NetworkDataLayout> layouts);
inline NetworkAnalysis AnalyzeNetwork(const DlNetwork& network,
                                      std::initializer_list<NetworkDataLayout> layouts) {
  return AnalyzeNetwork(network, std::span(layouts.begin(), layouts.size()));
}
NetworkAnalysis AnalyzeNetwork(const DlNetwork& network);

/// A table of the layers, the total, and the issues.
std::string ToString(const NetworkAnalysis& analysis);

/// A few lines: initialised or not, number of learnables, inputs and outputs with their layouts.
std::string Summary(const DlNetwork& network);

}  // namespace lamina

#endif  // FRAMEWORK_NETWORK_ANALYZE_NETWORK_H_
