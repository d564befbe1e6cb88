// Fully connected, with weights on a grid, and with a mistake that people make: they are rounded
// where they are used.
#ifndef LESSONS_DIFFERENTIABLE_FUNCTION_BROKEN_ROUNDED_WEIGHTS_LAYER_H_
#define LESSONS_DIFFERENTIABLE_FUNCTION_BROKEN_ROUNDED_WEIGHTS_LAYER_H_

#include "framework/lamina.h"

namespace lamina {

struct RoundedWeightsLayer : Layer, Formattable {
  Learnable weights{*this, "Weights"};
  void Initialize(const NetworkDataLayout& layout) {
    if (weights.empty()) weights = Randn({4, layout.Size('C')});
  }
  // [region predict]
  DlArray Predict(const DlArray& x) const {
    const DlArray on_grid = Round(weights * 4) / 4;
    return FullyConnect(x, on_grid, /*b=*/{});
  }
  // [endregion]
};

}  // namespace lamina

#endif  // LESSONS_DIFFERENTIABLE_FUNCTION_BROKEN_ROUNDED_WEIGHTS_LAYER_H_
