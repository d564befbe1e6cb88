// SReLU: a piecewise linear activation whose slopes and thresholds are learned for each channel.
// Source: Jin et al., "Deep Learning with S-shaped Rectified Linear Activation Units",
// arXiv:1512.07030.
#ifndef FRAMEWORK_NETWORK_SKETCHES_SRELU_LAYER_H_
#define FRAMEWORK_NETWORK_SKETCHES_SRELU_LAYER_H_

#include "framework/layers/layer.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"

namespace lamina::sketches {

struct SReluLayer : Layer, Acceleratable {
  Learnable left_slope{*this, "LeftSlope"};
  Learnable right_slope{*this, "RightSlope"};
  Learnable left_threshold{*this, "LeftThreshold"};
  Learnable right_threshold{*this, "RightThreshold"};

  void Initialize(const NetworkDataLayout& layout) {
    for (Learnable* p : {&left_slope, &right_slope, &left_threshold, &right_threshold}) {
      if (p->empty()) *p = Rand(layout.Only('C'));
    }
  }

  DlArray Predict(const DlArray& x) const {
    return Where(
        x <= left_threshold, left_threshold + left_slope * (x - left_threshold),
        Where(x < right_threshold, x, right_threshold + right_slope * (x - right_threshold)));
  }
};

}  // namespace lamina::sketches

#endif  // FRAMEWORK_NETWORK_SKETCHES_SRELU_LAYER_H_
