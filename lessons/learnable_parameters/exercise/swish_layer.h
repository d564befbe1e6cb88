// Your turn: Swish with a parameter. Ramachandran, Zoph, Le, "Searching for Activation Functions",
// arXiv:1710.05941.
//
//   y = x * sigmoid(beta * x)          with a beta for each channel, at first 1
//
// As it stands it builds, and hands its input on.
#ifndef LESSONS_LEARNABLE_PARAMETERS_EXERCISE_SWISH_LAYER_H_
#define LESSONS_LEARNABLE_PARAMETERS_EXERCISE_SWISH_LAYER_H_

#include "framework/lamina.h"

namespace lamina {

struct LearnableSwishLayer : Layer, Acceleratable {
  // 1. A learnable parameter that is called "Beta".

  // 2. Initialize: ones, one for each channel, unless Beta is set already.

  // 3. The function.
  DlArray Predict(const DlArray& x) const { return x; }
};

}  // namespace lamina

#endif  // LESSONS_LEARNABLE_PARAMETERS_EXERCISE_SWISH_LAYER_H_
