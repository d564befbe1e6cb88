// A solution of the exercise: the simplest recurrent layer.
#ifndef LESSONS_RECURRENT_STATE_SOLUTION_ELMAN_LAYER_H_
#define LESSONS_RECURRENT_STATE_SOLUTION_ELMAN_LAYER_H_

#include <tuple>

#include "framework/lamina.h"

namespace lamina {

struct ElmanLayer : Layer, Formattable, Acceleratable {
  Property<int64_t> num_hidden_units{*this, "NumHiddenUnits", 0};
  Learnable input_weights{*this, "InputWeights"};          // H x C
  Learnable recurrent_weights{*this, "RecurrentWeights"};  // H x H
  Learnable bias{*this, "Bias"};                           // H x 1
  State hidden_state{*this, "HiddenState"};                // H x B, at first H x 1

  explicit ElmanLayer(int64_t hidden_units = 0) {
    num_hidden_units = hidden_units;
    ResetState();
  }

  void Initialize(const NetworkDataLayout& layout) {
    const int64_t h = num_hidden_units, c = layout.Size('C');
    if (input_weights.empty()) input_weights = GlorotUniform({h, c}, c, h);
    if (recurrent_weights.empty()) recurrent_weights = Orthogonal({h, h});
    if (bias.empty()) bias = Zeros({h, 1});
  }

  std::tuple<DlArray, DlArray> Predict(const DlArray& x) const {
    const int64_t batch = Size(x, 'B'), steps = Size(x, 'T');
    const DlArray flat = Reshape(StripDims(x, "CBT"), {Size(x, 'C'), batch * steps});
    const DlArray inputs = MatMul(input_weights, flat) + bias;
    DlArray h = hidden_state;
    for (const DlArray& input : Split(inputs, 1, Sizes(steps, batch))) {
      h = Tanh(input + MatMul(recurrent_weights, h));
    }
    return {DlArray(h, "CB"), h};
  }

  void ResetState() { hidden_state = Zeros({num_hidden_units, 1}); }
};

}  // namespace lamina

#endif  // LESSONS_RECURRENT_STATE_SOLUTION_ELMAN_LAYER_H_
