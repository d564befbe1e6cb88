// A fully connected layer in complex numbers, with an activation that keeps angles.
//
//   z = Weights x            complex weights, outputs x features
//   y = max(|z| + Bias, 0) z / |z|          real bias, one for each output
//
// A complex weight stretches and turns. The activation, modReLU, changes the length of z and leaves
// its angle: with a negative bias it sets to zero what is shorter. Source: Arjovsky, Shah, Bengio,
// Unitary Evolution Recurrent Neural Networks, arXiv:1511.06464, equation 8. First weights: both
// parts normal, E |w|^2 = 2 / (features + outputs): Trabelsi et al., Deep Complex Networks,
// arXiv:1705.09792, section 3.6.
//
//   AnyLayer layer = ComplexFullyConnectedLayer(32);
//   layer.Initialize({NetworkDataLayout({8, 8, 1, 128}, "SSCB")});
//   DlArray y = layer.Predict({x}).outputs[0];      // 32(C) x 128(B), complex
//
// Input: real or complex, S and C are the features; B and T stay. Output: complex. Threads: as
// every layer.
#ifndef LAYERS_COMPLEX_FULLY_CONNECTED_COMPLEX_FULLY_CONNECTED_LAYER_H_
#define LAYERS_COMPLEX_FULLY_CONNECTED_COMPLEX_FULLY_CONNECTED_LAYER_H_

#include <cmath>

#include "framework/lamina.h"

namespace lamina {

// [region layer]
struct ComplexFullyConnectedLayer : Layer, Formattable, Acceleratable {
  // [region learnables]
  Property<int64_t> output_size{*this, "OutputSize", 1};
  Learnable weights{*this, "Weights"};  // complex
  Learnable bias{*this, "Bias"};        // real
  // [endregion]

  explicit ComplexFullyConnectedLayer(int64_t outputs = 1) { output_size = outputs; }

  // [region initialize]
  void Initialize(const NetworkDataLayout& layout) {
    const int64_t in = layout.Count("SC"), out = output_size;
    const double deviation = std::sqrt(1.0 / static_cast<double>(in + out));  // of each part
    if (weights.empty()) weights = deviation * Complex(Randn({out, in}), Randn({out, in}));
    if (bias.empty()) bias = Zeros({out, 1});
  }
  // [endregion]

  // [region predict]
  DlArray Predict(const DlArray& x) const {
    const DlArray z = FullyConnect(x, weights, /*b=*/{});
    return Relu(Abs(z) + bias) * Sign(z);  // Sign(z) is z / |z|
  }
  // [endregion]
};
// [endregion]

}  // namespace lamina

#endif  // LAYERS_COMPLEX_FULLY_CONNECTED_COMPLEX_FULLY_CONNECTED_LAYER_H_
