// Projects a vector of features and reshapes it to a small picture: the first layer of a generator,
// which makes pictures from noise.
//
//   v = W x + b                        x: C(C) x N(B);  v: h w c numbers for each observation
//   y(i, j, k) = v(i + h j + h w k)    y: h(S) x w(S) x c(C) x N(B), counted from 0
//
// Source: Radford et al., Unsupervised Representation Learning with Deep Convolutional Generative
// Adversarial Networks, arXiv:1511.06434, figure 1 ("project and reshape").
//
//   AnyLayer layer = ProjectAndReshapeLayer({4, 4, 64});
//   layer.Initialize({NetworkDataLayout({100, kUnknown}, "CB")});
//   DlArray pictures = layer.Predict({noise}).outputs[0];    // "CB" came, "SSCB" goes
//
// Threads: as every layer.
#ifndef LAYERS_PROJECT_AND_RESHAPE_PROJECT_AND_RESHAPE_LAYER_H_
#define LAYERS_PROJECT_AND_RESHAPE_PROJECT_AND_RESHAPE_LAYER_H_

#include <algorithm>

#include "framework/lamina.h"

namespace lamina {

// [region layer]
struct ProjectAndReshapeLayer : Layer, Formattable, Acceleratable {
  // [region properties]
  Property<Sizes> output_size{*this, "OutputSize", {1, 1, 1}};  // Height, width, channels.
  Learnable weights{*this, "Weights"};                          // h w c x C
  Learnable bias{*this, "Bias"};                                // h w c x 1
  // [endregion]

  // For files, which set the properties afterwards.
  ProjectAndReshapeLayer() = default;

  // [region constructor]
  /// Errors: "layer:InvalidSetting" unless `size` is three numbers of 1 or more.
  explicit ProjectAndReshapeLayer(const Sizes& size) {
    if (size.size() != 3 ||
        std::any_of(size.begin(), size.end(), [](int64_t n) { return n < 1; })) {
      throw Error(
          "layer:InvalidSetting",
          "ProjectAndReshapeLayer: OutputSize is height, width and channels, each 1 or more.",
          "It is " + (size.empty() ? "empty" : ToString(size)) + ".",
          "For example: ProjectAndReshapeLayer({4, 4, 64}).");
    }
    output_size = size;
  }
  // [endregion]

  // [region initialize]
  void Initialize(const NetworkDataLayout& layout) {
    const int64_t out = NumElements(output_size), in = layout.Size('C');
    if (weights.empty()) weights = GlorotUniform({out, in}, in, out);
    if (bias.empty()) bias = Zeros({out, 1});
  }
  // [endregion]

  // [region predict]
  DlArray Predict(const DlArray& x) const {
    const DlArray v = FullyConnect(x, weights, bias);  // "CB"
    Sizes sizes = output_size;
    sizes.push_back(Size(v, 'B'));
    return Reshape(v, sizes, "SSCB");
  }
  // [endregion]
};
// [endregion]

}  // namespace lamina

#endif  // LAYERS_PROJECT_AND_RESHAPE_PROJECT_AND_RESHAPE_LAYER_H_
