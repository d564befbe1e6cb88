// The second step of the lesson: numbers that are learned, but that nobody gives a size yet.
#ifndef LESSONS_LEARNABLE_PARAMETERS_STEPS_UNSIZED_SRELU_LAYER_H_
#define LESSONS_LEARNABLE_PARAMETERS_STEPS_UNSIZED_SRELU_LAYER_H_

#include "framework/lamina.h"

namespace lamina::unsized {

// [region layer]
struct SReluLayer : Layer {
  Learnable left_slope{*this, "LeftSlope"};
  Learnable right_slope{*this, "RightSlope"};
  Learnable left_threshold{*this, "LeftThreshold"};
  Learnable right_threshold{*this, "RightThreshold"};

  DlArray Predict(const DlArray& x) const {
    return Where(
        x <= left_threshold, left_threshold + left_slope * (x - left_threshold),
        Where(x < right_threshold, x, right_threshold + right_slope * (x - right_threshold)));
  }
};
// [endregion]

}  // namespace lamina::unsized

#endif  // LESSONS_LEARNABLE_PARAMETERS_STEPS_UNSIZED_SRELU_LAYER_H_
