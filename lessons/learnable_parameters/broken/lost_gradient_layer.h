// SReLU with a mistake that people make: it runs, it trains, and half of it never learns.
#ifndef LESSONS_LEARNABLE_PARAMETERS_BROKEN_LOST_GRADIENT_LAYER_H_
#define LESSONS_LEARNABLE_PARAMETERS_BROKEN_LOST_GRADIENT_LAYER_H_

#include "layers/srelu/srelu_layer.h"

namespace lamina {

struct LostGradientLayer : SReluLayer {
  // [region predict]
  DlArray Predict(const DlArray& x) const {
    // The thresholds are only compared with x, so plain values will do.
    const DlArray left = ExtractData(left_threshold), right = ExtractData(right_threshold);
    return Where(x <= left, left + left_slope * (x - left),
                 Where(x < right, x, right + right_slope * (x - right)));
  }
  // [endregion]
};

}  // namespace lamina

#endif  // LESSONS_LEARNABLE_PARAMETERS_BROKEN_LOST_GRADIENT_LAYER_H_
