// The weighted sum with a mistake that people make: the weights are read as plain numbers.
#ifndef LESSONS_MULTIPLE_INPUTS_BROKEN_READ_WEIGHTS_LAYER_H_
#define LESSONS_MULTIPLE_INPUTS_BROKEN_READ_WEIGHTS_LAYER_H_

#include "layers/weighted_addition/weighted_addition_layer.h"

namespace lamina {

struct ReadWeightsLayer : WeightedAdditionLayer {
  using WeightedAdditionLayer::WeightedAdditionLayer;

  // [region predict]
  DlArray Predict(const DlArrays& x) const {
    DlArray y = weights.At(0) * x[0];
    for (size_t i = 1; i < x.size(); ++i) y = y + weights.At(static_cast<int64_t>(i)) * x[i];
    return y;
  }
  // [endregion]
};

}  // namespace lamina

#endif  // LESSONS_MULTIPLE_INPUTS_BROKEN_READ_WEIGHTS_LAYER_H_
