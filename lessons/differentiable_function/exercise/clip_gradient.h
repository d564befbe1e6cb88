// Your turn: a function that hands its input on, and lets no derivative through that is larger than
// a limit. It stands before a part of a network whose derivatives explode at times.
//
//   y = x          dL/dx = dL/dy cut to [-limit, limit]
//
// As it stands it builds, and lets all through.
#ifndef LESSONS_DIFFERENTIABLE_FUNCTION_EXERCISE_CLIP_GRADIENT_H_
#define LESSONS_DIFFERENTIABLE_FUNCTION_EXERCISE_CLIP_GRADIENT_H_

#include "framework/lamina.h"

namespace lamina {

struct ClipGradient {
  double limit = 1;

  DlArray Forward(const DlArray& x) const { return x; }

  // 1. The derivative, cut.
  // 2. What is not read is Unused.
  DlArray Backward(const DlArray& x, const DlArray& y, const DlArray& dLdY, Unused) const {
    (void)x, (void)y;
    return dLdY;
  }
};

}  // namespace lamina

#endif  // LESSONS_DIFFERENTIABLE_FUNCTION_EXERCISE_CLIP_GRADIENT_H_
