// A mistake: Forward asks the network to predict, so in training it does not train.
#ifndef LESSONS_NESTED_NETWORK_BROKEN_PREDICT_IN_FORWARD_LAYER_H_
#define LESSONS_NESTED_NETWORK_BROKEN_PREDICT_IN_FORWARD_LAYER_H_

#include <utility>

#include "layers/residual_block/residual_block_layer.h"

namespace lamina {

struct PredictInForwardLayer : BatchNormResidualBlockLayer {
  using BatchNormResidualBlockLayer::BatchNormResidualBlockLayer;

  // [region forward]
  std::pair<DlArray, NetworkState> Forward(const DlArray& x) const {
    const auto [y, state] = network.PredictWithState(x);
    return {Relu(y + skip.Predict(x)), state};
  }
  // [endregion]
};

}  // namespace lamina

#endif  // LESSONS_NESTED_NETWORK_BROKEN_PREDICT_IN_FORWARD_LAYER_H_
