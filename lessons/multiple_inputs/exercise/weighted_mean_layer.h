// Your turn: a weighted mean. The weights are positive and their sum is 1, whatever was learned.
//
//   y = s_1 x_1 + ... + s_N x_N      with s_i = exp(a_i) / (exp(a_1) + ... + exp(a_N))
//
// The a_i are learned; at first they are 0, so that y is the mean. As it stands it builds, and
// hands its first input on.
#ifndef LESSONS_MULTIPLE_INPUTS_EXERCISE_WEIGHTED_MEAN_LAYER_H_
#define LESSONS_MULTIPLE_INPUTS_EXERCISE_WEIGHTED_MEAN_LAYER_H_

#include "framework/lamina.h"

namespace lamina {

struct WeightedMeanLayer : Layer, Formattable, Acceleratable {
  // 1. A learnable parameter that is called "Logits": the a_i.

  explicit WeightedMeanLayer(int num_inputs = 2) {
    // 2. So many inputs, and as many logits, all 0.
    static_cast<void>(num_inputs);
  }

  // 3. The function.
  DlArray Predict(const DlArrays& x) const { return x[0]; }
};

}  // namespace lamina

#endif  // LESSONS_MULTIPLE_INPUTS_EXERCISE_WEIGHTED_MEAN_LAYER_H_
