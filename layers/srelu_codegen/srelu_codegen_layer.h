// SReLU that is meant to be shipped: the S-shaped rectified linear unit of layers/srelu, declared
// as a layer that leaves as generated C.
//
//          t_l + a_l (x - t_l)   for x <= t_l
//   y(x) = x                     for t_l < x < t_r
//          t_r + a_r (x - t_r)   for x >= t_r
//
// Source: Jin et al., Deep Learning with S-shaped Rectified Linear Activation Units,
// arXiv:1512.07030, equation 1. Where t_l > t_r the left piece wins.
//
// The one difference from layers/srelu is `CodeGeneratable`. It changes nothing in what the layer
// computes; it is a promise, and CheckLayer holds the layer to it: Predict is generated as C,
// compiled, run, and compared (check_codegen_compatibility). What the promise asks of you:
//   - Predict computes with array functions alone. `Where` chooses between two values of an
//   element;
//     an `if` on an element would be decided once, when the code is generated, and is refused.
//   - an `if` on a Property, or on a size, is fine: both are fixed when code is generated, and only
//     the branch that is taken is generated.
//
//   AnyLayer layer = SReluCodegenLayer();
//   layer.Initialize({NetworkDataLayout({24, 24, 20, 128}, "SSCB")});
//   DlArray y = layer.Predict({x}).outputs[0];
//
// Input and output: any format with a "C" dim. Threads: as every layer.
#ifndef LAYERS_SRELU_CODEGEN_SRELU_CODEGEN_LAYER_H_
#define LAYERS_SRELU_CODEGEN_SRELU_CODEGEN_LAYER_H_

#include "framework/lamina.h"

namespace lamina {

// [region layer]
struct SReluCodegenLayer : Layer, Acceleratable, CodeGeneratable {
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
    const DlArray left = left_threshold + left_slope * (x - left_threshold);
    const DlArray right = right_threshold + right_slope * (x - right_threshold);
    return Where(x <= left_threshold, left, Where(x < right_threshold, x, right));
  }
  // [endregion]
};
// [endregion]

}  // namespace lamina

#endif  // LAYERS_SRELU_CODEGEN_SRELU_CODEGEN_LAYER_H_
