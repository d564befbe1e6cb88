// The weighted sum of its inputs, with weights that are learned.
//
//   y = w_1 x_1 + ... + w_N x_N,    at first the mean: each w_i is 1/N
//
//   AnyLayer layer = WeightedAdditionLayer(3);            // inputs "in1", "in2", "in3"
//   DlArray y = layer.Predict({a, b, c}).outputs[0];
//
// Inputs: any formats; dims of size 1, and labels that one of them lacks, are repeated, as in every
// sum. Output: the format of all together. Threads: as every layer.
#ifndef LAYERS_WEIGHTED_ADDITION_WEIGHTED_ADDITION_LAYER_H_
#define LAYERS_WEIGHTED_ADDITION_WEIGHTED_ADDITION_LAYER_H_

#include <string>

#include "framework/lamina.h"

namespace lamina {

// [region layer]
struct WeightedAdditionLayer : Layer, Formattable, Acceleratable {
  Learnable weights{*this, "Weights"};

  // [region constructor]
  /// Errors: "layer:InvalidCount" for less than one input.
  explicit WeightedAdditionLayer(int num_inputs = 2) {
    SetNumInputs(num_inputs);
    SetDescription("Weighted addition of " + std::to_string(num_inputs) + " inputs");
    weights = Full({num_inputs}, 1.0 / num_inputs);  // Needs no size of an input: set here.
  }
  // [endregion]

  // [region predict]
  DlArray Predict(const DlArrays& x) const {
    const DlArrays w = Split(weights, 0, Sizes(x.size(), 1));
    DlArray y = w[0] * x[0];
    for (size_t i = 1; i < x.size(); ++i) y = y + w[i] * x[i];
    return y;
  }
  // [endregion]
};
// [endregion]

}  // namespace lamina

#endif  // LAYERS_WEIGHTED_ADDITION_WEIGHTED_ADDITION_LAYER_H_
