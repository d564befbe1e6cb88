// A block without the addition: what a residual block is compared with. Everything else is the
// same.
//
//   y = relu(f(x))
//
// Threads: as every layer.
#ifndef LESSONS_NESTED_NETWORK_PLAIN_BLOCK_LAYER_H_
#define LESSONS_NESTED_NETWORK_PLAIN_BLOCK_LAYER_H_

#include <utility>

#include "layers/residual_block/residual_block_layer.h"

namespace lamina {

// [region layer]
struct PlainBlockLayer : Layer, Formattable, Acceleratable, JoinsObservations {
  LearnableStateNetwork network{*this, "Network"};

  PlainBlockLayer() = default;
  explicit PlainBlockLayer(int64_t num_filters) {
    network = residual_block::Residual(num_filters, BatchNormalizationLayer(), /*stride=*/1);
  }

  void Initialize(const NetworkDataLayout& x) { network.Initialize(x); }

  std::pair<DlArray, NetworkState> Predict(const DlArray& x) const {
    const auto [y, state] = network.PredictWithState(x);
    return {Relu(y), state};
  }
  std::pair<DlArray, NetworkState> Forward(const DlArray& x) const {
    const auto [y, state] = network.ForwardWithState(x);
    return {Relu(y), state};
  }
};
// [endregion]

}  // namespace lamina

#endif  // LESSONS_NESTED_NETWORK_PLAIN_BLOCK_LAYER_H_
