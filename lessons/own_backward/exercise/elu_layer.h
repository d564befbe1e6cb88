// Your turn: ELU with a derivative of its own that reads the output alone. Clevert, Unterthiner,
// Hochreiter, "Fast and Accurate Deep Network Learning by Exponential Linear Units",
// arXiv:1511.07289, equation 15 and its derivative.
//
//   y = x              for x > 0        dy/dx = 1        for y > 0
//       exp(x) - 1     for x <= 0               y + 1    for y <= 0
//
// As it stands it builds, and its derivative is taken automatically.
#ifndef LESSONS_OWN_BACKWARD_EXERCISE_ELU_LAYER_H_
#define LESSONS_OWN_BACKWARD_EXERCISE_ELU_LAYER_H_

#include "framework/lamina.h"

namespace lamina {

struct OwnEluLayer : Layer, Acceleratable {
  DlArray Predict(const DlArray& x) const { return Where(x <= 0, Exp(Min(x, 0)) - 1, x); }

  // Backward: one derivative, from the output and dL/dY. The input and the memory are Unused.
};

}  // namespace lamina

#endif  // LESSONS_OWN_BACKWARD_EXERCISE_ELU_LAYER_H_
