// The second step of the lesson: the two numbers are learned.
#ifndef LESSONS_MULTIPLE_INPUTS_STEPS_LEARNED_LAYER_H_
#define LESSONS_MULTIPLE_INPUTS_STEPS_LEARNED_LAYER_H_

#include "framework/lamina.h"

namespace lamina::learned {

// [region layer]
struct WeightedAdditionLayer : Layer, Formattable {
  Learnable weights{*this, "Weights", Full({2}, 0.5)};

  WeightedAdditionLayer() { SetNumInputs(2); }

  DlArray Predict(const DlArray& a, const DlArray& b) const {
    return Slice(weights, 0, 0, 1) * a + Slice(weights, 0, 1, 1) * b;
  }
};
// [endregion]

}  // namespace lamina::learned

#endif  // LESSONS_MULTIPLE_INPUTS_STEPS_LEARNED_LAYER_H_
