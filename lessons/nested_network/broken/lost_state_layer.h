// A mistake: the network's new states are dropped.
#ifndef LESSONS_NESTED_NETWORK_BROKEN_LOST_STATE_LAYER_H_
#define LESSONS_NESTED_NETWORK_BROKEN_LOST_STATE_LAYER_H_

#include "layers/residual_block/residual_block_layer.h"

namespace lamina {

// [region layer]
struct LostStateLayer : Layer, Formattable, Acceleratable, JoinsObservations {
  LearnableStateNetwork network{*this, "Network"};

  explicit LostStateLayer(int64_t num_filters) {
    network = residual_block::Residual(num_filters, BatchNormalizationLayer(), /*stride=*/1);
  }
  void Initialize(const NetworkDataLayout& x) { network.Initialize(x); }
  DlArray Predict(const DlArray& x) const { return Relu(network.Predict(x) + x); }
  DlArray Forward(const DlArray& x) const { return Relu(network.Forward(x) + x); }
};
// [endregion]

}  // namespace lamina

#endif  // LESSONS_NESTED_NETWORK_BROKEN_LOST_STATE_LAYER_H_
