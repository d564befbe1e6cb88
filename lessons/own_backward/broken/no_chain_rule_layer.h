// SReLU with the second mistake that people make: the derivative of y, not that of the loss.
#ifndef LESSONS_OWN_BACKWARD_BROKEN_NO_CHAIN_RULE_LAYER_H_
#define LESSONS_OWN_BACKWARD_BROKEN_NO_CHAIN_RULE_LAYER_H_

#include "layers/srelu_backward/srelu_backward_layer.h"

namespace lamina {

struct NoChainRuleLayer : SReluBackwardLayer {
  std::array<DlArray, 5> Backward(const DlArray& x, Unused, const DlArray& dLdY,
                                  const Memory& memory) const {
    std::array<DlArray, 5> d = SReluBackwardLayer::Backward(x, Unused(), dLdY, memory);
    // [region slope]
    d[1] = SumTo(Where(memory[0], x - left_threshold, 0), left_slope.spec());
    // [endregion]
    return d;
  }
};

}  // namespace lamina

#endif  // LESSONS_OWN_BACKWARD_BROKEN_NO_CHAIN_RULE_LAYER_H_
