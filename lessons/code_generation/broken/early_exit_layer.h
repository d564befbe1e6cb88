// A mistake: the left piece is left out when no element needs it, to save time.
#ifndef LESSONS_CODE_GENERATION_BROKEN_EARLY_EXIT_LAYER_H_
#define LESSONS_CODE_GENERATION_BROKEN_EARLY_EXIT_LAYER_H_

#include "layers/srelu_codegen/srelu_codegen_layer.h"

namespace lamina {

struct EarlyExitLayer : SReluCodegenLayer {
  // [region predict]
  DlArray Predict(const DlArray& x) const {
    const DlArray right = right_threshold + right_slope * (x - right_threshold);
    const DlArray rest = Where(x < right_threshold, x, right);
    const DlArray is_left = x <= left_threshold;
    // Spare the left piece when no element is there.
    if (Any(is_left).Scalar() == 0) return rest;
    return Where(is_left, left_threshold + left_slope * (x - left_threshold), rest);
  }
  // [endregion]
};

}  // namespace lamina

#endif  // LESSONS_CODE_GENERATION_BROKEN_EARLY_EXIT_LAYER_H_
