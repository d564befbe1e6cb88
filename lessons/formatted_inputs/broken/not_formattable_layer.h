// A mistake: a layer that changes labels and does not say so.
#ifndef LESSONS_FORMATTED_INPUTS_BROKEN_NOT_FORMATTABLE_LAYER_H_
#define LESSONS_FORMATTED_INPUTS_BROKEN_NOT_FORMATTABLE_LAYER_H_

#include "framework/lamina.h"

namespace lamina {

struct NotFormattableLayer : Layer, Acceleratable {  // Formattable is missing.
  Learnable weights{*this, "Weights"};
  Learnable bias{*this, "Bias"};

  void Initialize(const NetworkDataLayout& layout) {
    const int64_t in = layout.Size('C');
    if (weights.empty()) weights = GlorotUniform({64, in}, in, 64);
    if (bias.empty()) bias = Zeros({64, 1});
  }
  DlArray Predict(const DlArray& x) const {
    const DlArray v = FullyConnect(x, weights, bias);
    return Reshape(v, {8, 8, 1, Size(v, 'B')}, "SSCB");
  }
};

}  // namespace lamina

#endif  // LESSONS_FORMATTED_INPUTS_BROKEN_NOT_FORMATTABLE_LAYER_H_
