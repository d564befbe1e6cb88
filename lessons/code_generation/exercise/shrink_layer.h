// Your turn: soft thresholding, which draws every value towards 0 by a learned width and stops
// there. Donoho, "De-noising by soft-thresholding", IEEE Transactions on Information Theory 41
// (1995).
//
//   y = x - w  where x > w,    y = x + w  where x < -w,    y = 0  between
//
// As it stands it computes that, one element after another: it cannot be generated, and the width
// never learns.
#ifndef LESSONS_CODE_GENERATION_EXERCISE_SHRINK_LAYER_H_
#define LESSONS_CODE_GENERATION_EXERCISE_SHRINK_LAYER_H_

#include "framework/lamina.h"

namespace lamina {

struct ShrinkLayer : Layer {
  Learnable width{*this, "Width"};

  void Initialize(const NetworkDataLayout& layout) {
    if (width.empty()) width = Full(layout.Only('C'), 0.1);
  }

  DlArray Predict(const DlArray& x) const {
    // 1. Replace the loop by functions of arrays.
    // 2. Declare that the layer may be generated.
    std::vector<double> y(x.numel());
    for (int64_t i = 0; i < x.numel(); ++i) {
      const double w = BroadcastTo(width, x.spec()).At(i);
      if (x.At(i) > w) y[i] = x.At(i) - w;
      if (x.At(i) < -w) y[i] = x.At(i) + w;
    }
    return Cast(DlArray::FromVector<double>(y, x.sizes()), x.type());
  }
};

}  // namespace lamina

#endif  // LESSONS_CODE_GENERATION_EXERCISE_SHRINK_LAYER_H_
