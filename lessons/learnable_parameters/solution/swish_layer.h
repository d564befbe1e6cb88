// A solution of the exercise: Swish with a parameter. Ramachandran, Zoph, Le, "Searching for
// Activation Functions", arXiv:1710.05941.
#ifndef LESSONS_LEARNABLE_PARAMETERS_SOLUTION_SWISH_LAYER_H_
#define LESSONS_LEARNABLE_PARAMETERS_SOLUTION_SWISH_LAYER_H_

#include "framework/lamina.h"

namespace lamina {

struct LearnableSwishLayer : Layer, Acceleratable {
  Learnable beta{*this, "Beta"};

  void Initialize(const NetworkDataLayout& layout) {
    if (beta.empty()) beta = Ones(layout.Only('C'));
  }

  DlArray Predict(const DlArray& x) const { return x * Sigmoid(beta * x); }
};

}  // namespace lamina

#endif  // LESSONS_LEARNABLE_PARAMETERS_SOLUTION_SWISH_LAYER_H_
