// SReLU that keeps more than it needs: Backward declares the output too, and the memory holds the
// outer pieces.
#ifndef LESSONS_OWN_BACKWARD_STEPS_GREEDY_SRELU_LAYER_H_
#define LESSONS_OWN_BACKWARD_STEPS_GREEDY_SRELU_LAYER_H_

#include "layers/srelu_backward/srelu_backward_layer.h"

namespace lamina {

struct GreedySReluLayer : SReluBackwardLayer {
  std::pair<DlArray, Memory> Forward(const DlArray& x) const {
    const DlArray left = x <= left_threshold, middle = x < right_threshold;
    return {Predict(x), Memory{left, middle, x - left_threshold, x - right_threshold}};
  }
  std::array<DlArray, 5> Backward(const DlArray& x, const DlArray&, const DlArray& dLdY,
                                  const Memory& memory) const {
    return SReluBackwardLayer::Backward(x, Unused(), dLdY, memory);
  }
};

}  // namespace lamina

#endif  // LESSONS_OWN_BACKWARD_STEPS_GREEDY_SRELU_LAYER_H_
