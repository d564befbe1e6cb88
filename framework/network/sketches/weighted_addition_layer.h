// The weighted sum of its inputs, as many as the constructor is told.
#ifndef FRAMEWORK_NETWORK_SKETCHES_WEIGHTED_ADDITION_LAYER_H_
#define FRAMEWORK_NETWORK_SKETCHES_WEIGHTED_ADDITION_LAYER_H_

#include <string>

#include "framework/layers/layer.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"
#include "framework/ops/shape.h"

namespace lamina::sketches {

struct WeightedAdditionLayer : Layer, Acceleratable {
  Learnable weights{*this, "Weights"};

  explicit WeightedAdditionLayer(int num_inputs) {
    SetNumInputs(num_inputs);
    SetDescription("Weighted addition of " + std::to_string(num_inputs) + " inputs");
    weights = Rand({num_inputs});  // Needs no input size: set here, not in Initialize.
  }

  DlArray Predict(const DlArrays& x) const {
    DlArray y = Slice(weights, 0, 0, 1) * x[0];
    for (size_t i = 1; i < x.size(); ++i) {
      y = y + Slice(weights, 0, static_cast<int64_t>(i), 1) * x[i];
    }
    return y;
  }
};

}  // namespace lamina::sketches

#endif  // FRAMEWORK_NETWORK_SKETCHES_WEIGHTED_ADDITION_LAYER_H_
