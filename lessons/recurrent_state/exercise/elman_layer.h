// Your turn: the simplest recurrent layer. J. L. Elman, Finding Structure in Time, 1990.
//
//   h' = tanh(W x + R h + b)
//
// Input: C(C) x B x T. Output: h after the last step, H(C) x B.
//
// As it stands it builds, and returns zeros.
#ifndef LESSONS_RECURRENT_STATE_EXERCISE_ELMAN_LAYER_H_
#define LESSONS_RECURRENT_STATE_EXERCISE_ELMAN_LAYER_H_

#include <tuple>

#include "framework/lamina.h"

namespace lamina {

struct ElmanLayer : Layer, Formattable, Acceleratable {
  Property<int64_t> num_hidden_units{*this, "NumHiddenUnits", 0};
  Learnable input_weights{*this, "InputWeights"};          // H x C
  Learnable recurrent_weights{*this, "RecurrentWeights"};  // H x H
  Learnable bias{*this, "Bias"};                           // H x 1

  // 1. A state that is called "HiddenState", and ResetState, which sets it to zeros of H x 1. The
  //    constructor calls it.
  explicit ElmanLayer(int64_t hidden_units = 0) { num_hidden_units = hidden_units; }

  void Initialize(const NetworkDataLayout& layout) {
    const int64_t h = num_hidden_units, c = layout.Size('C');
    if (input_weights.empty()) input_weights = GlorotUniform({h, c}, c, h);
    if (recurrent_weights.empty()) recurrent_weights = Orthogonal({h, h});
    if (bias.empty()) bias = Zeros({h, 1});
  }

  // 2. The loop over the steps, beginning with the state.
  // 3. Return the output and the new state: std::tuple<DlArray, DlArray>.
  DlArray Predict(const DlArray& x) const {
    return Zeros({num_hidden_units, Size(x, 'B')}, x.type(), "CB");
  }
};

}  // namespace lamina

#endif  // LESSONS_RECURRENT_STATE_EXERCISE_ELMAN_LAYER_H_
