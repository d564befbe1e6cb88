// Features "CB" to images "SSCB": where a generator's noise becomes a small picture.
#ifndef FRAMEWORK_NETWORK_SKETCHES_PROJECT_AND_RESHAPE_LAYER_H_
#define FRAMEWORK_NETWORK_SKETCHES_PROJECT_AND_RESHAPE_LAYER_H_

#include "framework/layers/initializers.h"
#include "framework/layers/layer.h"
#include "framework/ops/creation.h"
#include "framework/ops/matmul.h"
#include "framework/ops/shape.h"

namespace lamina::sketches {

struct ProjectAndReshapeLayer : Layer, Formattable, Acceleratable {
  Property<Sizes> output_size{*this, "OutputSize"};  // Height, width, channels.
  Learnable weights{*this, "Weights"};
  Learnable bias{*this, "Bias"};

  explicit ProjectAndReshapeLayer(const Sizes& size) { output_size = size; }

  void Initialize(const NetworkDataLayout& layout) {
    const int64_t out = NumElements(output_size), in = layout.Size('C');
    if (weights.empty()) weights = GlorotUniform({out, in}, in, out);
    if (bias.empty()) bias = Zeros({out, 1});
  }

  DlArray Predict(const DlArray& x) const {
    const DlArray y = FullyConnect(x, weights, bias);
    return Reshape(y, {output_size[0], output_size[1], output_size[2], -1}, "SSCB");
  }
};

}  // namespace lamina::sketches

#endif  // FRAMEWORK_NETWORK_SKETCHES_PROJECT_AND_RESHAPE_LAYER_H_
