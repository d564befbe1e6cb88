// SReLU, the S-shaped rectified linear unit: a piecewise linear activation whose thresholds and
// slopes are learned, one of each for every channel.
//
//          t_l + a_l (x - t_l)   for x <= t_l
//   y(x) = x                     for t_l < x < t_r
//          t_r + a_r (x - t_r)   for x >= t_r
//
// Source: Jin et al., Deep Learning with S-shaped Rectified Linear Activation Units,
// arXiv:1512.07030, equation 1. Where t_l > t_r the left piece wins.
//
//   AnyLayer layer = SReluLayer();
//   layer.Initialize({NetworkDataLayout({24, 24, 20, 128}, "SSCB")});
//   DlArray y = layer.Predict({x}).outputs[0];
//
// Input and output: any format with a "C" dim. Threads: as every layer.
#ifndef LAYERS_SRELU_SRELU_LAYER_H_
#define LAYERS_SRELU_SRELU_LAYER_H_

#include "framework/lamina.h"

namespace lamina {

// [region layer]
struct SReluLayer : Layer, Acceleratable {
  // [region learnables]
  Learnable left_slope{*this, "LeftSlope"};
  Learnable right_slope{*this, "RightSlope"};
  Learnable left_threshold{*this, "LeftThreshold"};
  Learnable right_threshold{*this, "RightThreshold"};
  // [endregion]

  // [region initialize]
  void Initialize(const NetworkDataLayout& layout) {
    const Sizes channels = layout.Only('C');  // 1x1xC, from "SSCB"
    for (Learnable* p : {&left_slope, &right_slope, &left_threshold, &right_threshold}) {
      if (p->empty()) *p = Rand(channels);
    }
  }
  // [endregion]

  // [region predict]
  DlArray Predict(const DlArray& x) const {
    return Where(
        x <= left_threshold, left_threshold + left_slope * (x - left_threshold),
        Where(x < right_threshold, x, right_threshold + right_slope * (x - right_threshold)));
  }
  // [endregion]
};
// [endregion]

}  // namespace lamina

#endif  // LAYERS_SRELU_SRELU_LAYER_H_
