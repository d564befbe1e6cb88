// The first step of the lesson: complex weights, and nothing else.
#ifndef LESSONS_COMPLEX_VALUES_STEPS_COMPLEX_WEIGHTS_LAYER_H_
#define LESSONS_COMPLEX_VALUES_STEPS_COMPLEX_WEIGHTS_LAYER_H_

#include "framework/lamina.h"

namespace lamina {

// [region layer]
struct ComplexWeightsLayer : Layer, Formattable {
  Learnable weights{*this, "Weights"};

  void Initialize(const NetworkDataLayout& layout) {
    const int64_t features = layout.Count("SC");
    if (weights.empty()) weights = Complex(Randn({32, features}), Randn({32, features})) / 10;
  }
  DlArray Predict(const DlArray& x) const { return FullyConnect(x, weights, /*b=*/{}); }
};
// [endregion]

}  // namespace lamina

#endif  // LESSONS_COMPLEX_VALUES_STEPS_COMPLEX_WEIGHTS_LAYER_H_
