// Soft thresholding, which draws every value towards 0 by a learned width and stops there. Donoho,
// "De-noising by soft-thresholding", IEEE Transactions on Information Theory 41 (1995).
//
//   y = x - w  where x > w,    y = x + w  where x < -w,    y = 0  between
#ifndef LESSONS_CODE_GENERATION_SOLUTION_SHRINK_LAYER_H_
#define LESSONS_CODE_GENERATION_SOLUTION_SHRINK_LAYER_H_

#include "framework/lamina.h"

namespace lamina {

struct ShrinkLayer : Layer, CodeGeneratable {
  Learnable width{*this, "Width"};

  void Initialize(const NetworkDataLayout& layout) {
    if (width.empty()) width = Full(layout.Only('C'), 0.1);
  }

  DlArray Predict(const DlArray& x) const {
    // What is taken off is x itself, but at most the width; a NaN stays a NaN.
    return x - Max(Min(x, width), -width);
  }
};

}  // namespace lamina

#endif  // LESSONS_CODE_GENERATION_SOLUTION_SHRINK_LAYER_H_
