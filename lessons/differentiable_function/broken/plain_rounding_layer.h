// Quantization with a mistake that people make: the formula, as it stands in the paper.
#ifndef LESSONS_DIFFERENTIABLE_FUNCTION_BROKEN_PLAIN_ROUNDING_LAYER_H_
#define LESSONS_DIFFERENTIABLE_FUNCTION_BROKEN_PLAIN_ROUNDING_LAYER_H_

#include "layers/quantize/quantize_layer.h"

namespace lamina {

struct PlainRoundingLayer : QuantizeLayer {
  using QuantizeLayer::QuantizeLayer;
  // [region predict]
  DlArray Predict(const DlArray& x) const {
    return step * Round(Max(Min(x / step, HighestLevel()), 0));
  }
  // [endregion]
};

}  // namespace lamina

#endif  // LESSONS_DIFFERENTIABLE_FUNCTION_BROKEN_PLAIN_ROUNDING_LAYER_H_
