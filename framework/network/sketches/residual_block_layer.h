// A residual block: the input added to what a small network makes of it. Source: He et al.,
// arXiv:1512.03385.
#ifndef FRAMEWORK_NETWORK_SKETCHES_RESIDUAL_BLOCK_LAYER_H_
#define FRAMEWORK_NETWORK_SKETCHES_RESIDUAL_BLOCK_LAYER_H_

#include <utility>

#include "framework/layers/builtin_layers.h"
#include "framework/network/nested_network.h"

namespace lamina::sketches {

// Group normalization has no state: the network is Learnable.
struct ResidualBlockLayer : Layer, Formattable, Acceleratable {
  LearnableNetwork network{*this, "Network"};

  explicit ResidualBlockLayer(int64_t num_filters) {
    network = DlNetwork({Convolution2dLayer(3, num_filters, {.padding = "same"}),
                         GroupNormalizationLayer(1), ReluLayer(),
                         Convolution2dLayer(3, num_filters, {.padding = "same"}),
                         GroupNormalizationLayer(1)});
  }

  void Initialize(const NetworkDataLayout& layout) { network.Initialize(layout); }

  DlArray Predict(const DlArray& x) const { return Relu(network.Predict(x) + x); }
  DlArray Forward(const DlArray& x) const { return Relu(network.Forward(x) + x); }
};

// Batch normalization has: the network is LearnableState, and its new states are returned.
struct ResidualBatchNormLayer : Layer, Formattable, Acceleratable {
  LearnableStateNetwork network{*this, "Network"};

  explicit ResidualBatchNormLayer(int64_t num_filters) {
    network = DlNetwork(
        {Convolution2dLayer(3, num_filters, {.padding = "same"}), BatchNormalizationLayer()});
  }

  void Initialize(const NetworkDataLayout& layout) { network.Initialize(layout); }

  std::pair<DlArray, NetworkState> Predict(const DlArray& x) const {
    const auto [y, state] = network.PredictWithState(x);
    return {Relu(y + x), state};
  }
  std::pair<DlArray, NetworkState> Forward(const DlArray& x) const {
    const auto [y, state] = network.ForwardWithState(x);
    return {Relu(y + x), state};
  }
};

}  // namespace lamina::sketches

#endif  // FRAMEWORK_NETWORK_SKETCHES_RESIDUAL_BLOCK_LAYER_H_
