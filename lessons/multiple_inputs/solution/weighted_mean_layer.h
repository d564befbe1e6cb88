// A solution of the exercise: a weighted mean. The weights are positive and their sum is 1,
// whatever was learned.
#ifndef LESSONS_MULTIPLE_INPUTS_SOLUTION_WEIGHTED_MEAN_LAYER_H_
#define LESSONS_MULTIPLE_INPUTS_SOLUTION_WEIGHTED_MEAN_LAYER_H_

#include "framework/lamina.h"

namespace lamina {

struct WeightedMeanLayer : Layer, Formattable, Acceleratable {
  Learnable logits{*this, "Logits"};

  explicit WeightedMeanLayer(int num_inputs = 2) {
    SetNumInputs(num_inputs);
    logits = Zeros({num_inputs});
  }

  DlArray Predict(const DlArrays& x) const {
    const DlArray e = Exp(logits - MaxOver(logits));  // The largest is 1: nothing overflows.
    const DlArrays shares = Split(e / Sum(e), 0, Sizes(x.size(), 1));
    DlArray y = shares[0] * x[0];
    for (size_t i = 1; i < x.size(); ++i) y = y + shares[i] * x[i];
    return y;
  }
};

}  // namespace lamina

#endif  // LESSONS_MULTIPLE_INPUTS_SOLUTION_WEIGHTED_MEAN_LAYER_H_
