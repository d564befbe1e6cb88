// The first step of the lesson: two inputs, and numbers that stay as they are.
#ifndef LESSONS_MULTIPLE_INPUTS_STEPS_TWO_INPUTS_LAYER_H_
#define LESSONS_MULTIPLE_INPUTS_STEPS_TWO_INPUTS_LAYER_H_

#include "framework/lamina.h"

namespace lamina::two_inputs {

// [region layer]
struct WeightedAdditionLayer : Layer, Formattable {
  WeightedAdditionLayer() { SetNumInputs(2); }

  DlArray Predict(const DlArray& a, const DlArray& b) const { return 0.5 * a + 0.5 * b; }
};
// [endregion]

}  // namespace lamina::two_inputs

#endif  // LESSONS_MULTIPLE_INPUTS_STEPS_TWO_INPUTS_LAYER_H_
