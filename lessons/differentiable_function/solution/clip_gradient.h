// One solution of the exercise: a function that hands its input on, and cuts its derivative.
#ifndef LESSONS_DIFFERENTIABLE_FUNCTION_SOLUTION_CLIP_GRADIENT_H_
#define LESSONS_DIFFERENTIABLE_FUNCTION_SOLUTION_CLIP_GRADIENT_H_

#include "framework/lamina.h"

namespace lamina {

struct ClipGradient {
  double limit = 1;

  DlArray Forward(const DlArray& x) const { return x; }

  DlArray Backward(Unused, Unused, const DlArray& dLdY, Unused) const {
    return Max(Min(dLdY, limit), -limit);
  }
};

}  // namespace lamina

#endif  // LESSONS_DIFFERENTIABLE_FUNCTION_SOLUTION_CLIP_GRADIENT_H_
