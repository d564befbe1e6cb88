// SReLU with the shortest derivative of its own: it reads the input alone, and computes anew what
// else it needs.
#ifndef LESSONS_OWN_BACKWARD_STEPS_INPUT_ONLY_SRELU_LAYER_H_
#define LESSONS_OWN_BACKWARD_STEPS_INPUT_ONLY_SRELU_LAYER_H_

#include "layers/srelu/srelu_layer.h"

namespace lamina {

// [region layer]
struct InputOnlySReluLayer : SReluLayer {
  std::array<DlArray, 5> Backward(const DlArray& x, Unused, const DlArray& dLdY, Unused) const {
    const DlArray left = x <= left_threshold, middle = x < right_threshold;
    const DlArray to_left = Where(left, dLdY, 0), to_right = Where(left | middle, 0, dLdY);
    return {Where(left, left_slope * dLdY, Where(middle, dLdY, right_slope * dLdY)),
            SumTo(to_left * (x - left_threshold), left_slope.spec()),
            SumTo(to_right * (x - right_threshold), right_slope.spec()),
            SumTo(to_left * (1 - left_slope), left_threshold.spec()),
            SumTo(to_right * (1 - right_slope), right_threshold.spec())};
  }
};
// [endregion]

}  // namespace lamina

#endif  // LESSONS_OWN_BACKWARD_STEPS_INPUT_ONLY_SRELU_LAYER_H_
