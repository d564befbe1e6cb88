// SReLU with a derivative of its own: it keeps two masks and the two differences, not the output,
// and of its arguments Backward reads only the derivative and the memory.
#ifndef FRAMEWORK_NETWORK_SKETCHES_SRELU_BACKWARD_LAYER_H_
#define FRAMEWORK_NETWORK_SKETCHES_SRELU_BACKWARD_LAYER_H_

#include <array>
#include <utility>

#include "framework/network/sketches/srelu_layer.h"
#include "framework/ops/reduction.h"

namespace lamina::sketches {

struct SReluBackwardLayer : SReluLayer {
  std::pair<DlArray, Memory> Forward(const DlArray& x) const {
    return {Predict(x), Memory{x <= left_threshold, x >= right_threshold}};
  }

  // dLdX and a derivative for each learnable, in the order in which SReluLayer names them.
  std::array<DlArray, 5> Backward(const DlArray& x, Unused, const DlArray& dLdY,
                                  const Memory& memory) const {
    const DlArray left = Where(memory[0], dLdY, 0), right = Where(memory[1], dLdY, 0);
    return {Where(memory[0], left_slope * dLdY, Where(memory[1], right_slope * dLdY, dLdY)),
            SumTo(left * (x - left_threshold), left_slope.spec()),
            SumTo(right * (x - right_threshold), right_slope.spec()),
            SumTo(left * (1 - left_slope), left_threshold.spec()),
            SumTo(right * (1 - right_slope), right_threshold.spec())};
  }
};

}  // namespace lamina::sketches

#endif  // FRAMEWORK_NETWORK_SKETCHES_SRELU_BACKWARD_LAYER_H_
