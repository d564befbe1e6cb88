// SReLU with a derivative of its own. The function is that of layers/srelu:
//
//          t_l + a_l (x - t_l)   for x <= t_l
//   y(x) = x                     for t_l < x < t_r       where t_l > t_r the left piece wins
//          t_r + a_r (x - t_r)   for x >= t_r
//
// Source: Jin et al., Deep Learning with S-shaped Rectified Linear Activation Units,
// arXiv:1512.07030, equations 1 to 4.
//
//   AnyLayer layer = SReluBackwardLayer();
//   layer.Initialize({NetworkDataLayout({24, 24, 20, 128}, "SSCB")});
//   DlArray y = layer.Forward({x}).outputs[0];
//
// Between Forward and Backward 6 bytes are kept for each element in single: the input, and two
// logical values. Input and output: any format with a "C" dim. Threads: as every layer.
#ifndef LAYERS_SRELU_BACKWARD_SRELU_BACKWARD_LAYER_H_
#define LAYERS_SRELU_BACKWARD_SRELU_BACKWARD_LAYER_H_

#include <array>
#include <utility>

#include "framework/lamina.h"

namespace lamina {

// [region layer]
struct SReluBackwardLayer : Layer, Acceleratable {
  Learnable left_slope{*this, "LeftSlope"};
  Learnable right_slope{*this, "RightSlope"};
  Learnable left_threshold{*this, "LeftThreshold"};
  Learnable right_threshold{*this, "RightThreshold"};

  void Initialize(const NetworkDataLayout& layout) {
    const Sizes channels = layout.Only('C');
    for (Learnable* p : {&left_slope, &right_slope, &left_threshold, &right_threshold}) {
      if (p->empty()) *p = Rand(channels);
    }
  }

  // [region predict]
  DlArray Predict(const DlArray& x) const {
    return Pieces(x, x <= left_threshold, x < right_threshold);
  }
  // [endregion]

  // [region forward]
  std::pair<DlArray, Memory> Forward(const DlArray& x) const {
    const DlArray left = x <= left_threshold, middle = x < right_threshold;
    return {Pieces(x, left, middle), Memory{left, middle}};
  }
  // [endregion]

  // [region backward]
  // dL/dX, then one derivative for each learnable, in the order in which they are named.
  std::array<DlArray, 5> Backward(const DlArray& x, Unused, const DlArray& dLdY,
                                  const Memory& memory) const {
    const DlArray &left = memory[0], &middle = memory[1];
    const DlArray to_left = Where(left, dLdY, 0), to_right = Where(left | middle, 0, dLdY);
    return {Where(left, left_slope * dLdY, Where(middle, dLdY, right_slope * dLdY)),
            SumTo(to_left * (x - left_threshold), left_slope.spec()),
            SumTo(to_right * (x - right_threshold), right_slope.spec()),
            SumTo(to_left * (1 - left_slope), left_threshold.spec()),
            SumTo(to_right * (1 - right_slope), right_threshold.spec())};
  }
  // [endregion]

 private:
  DlArray Pieces(const DlArray& x, const DlArray& left, const DlArray& middle) const {
    return Where(left, left_threshold + left_slope * (x - left_threshold),
                 Where(middle, x, right_threshold + right_slope * (x - right_threshold)));
  }
};
// [endregion]

}  // namespace lamina

#endif  // LAYERS_SRELU_BACKWARD_SRELU_BACKWARD_LAYER_H_
