// The first step of the lesson: the function, with numbers that stay as they are.
#ifndef LESSONS_LEARNABLE_PARAMETERS_STEPS_FIXED_SRELU_LAYER_H_
#define LESSONS_LEARNABLE_PARAMETERS_STEPS_FIXED_SRELU_LAYER_H_

#include "framework/lamina.h"

namespace lamina::fixed {

// [region layer]
struct SReluLayer : Layer {
  DlArray Predict(const DlArray& x) const {
    return Where(x <= 0, 0.1 * x, Where(x < 1, x, 1 + 0.1 * (x - 1)));
  }
};
// [endregion]

}  // namespace lamina::fixed

#endif  // LESSONS_LEARNABLE_PARAMETERS_STEPS_FIXED_SRELU_LAYER_H_
