// A siamese pair: two inputs go through one and the same network, and what it makes of them is
// compared. Both uses train the same weights.
//
//   y = |f(x1) - f(x2)|               f: the network; x1, x2: what it takes; y: K(C) x N(B), say
//
// A fully connected layer behind it weighs the K differences and tells how likely the two belong
// together. Source: Koch, Zemel, Salakhutdinov, Siamese Neural Networks for One-shot Image
// Recognition, 2015, section 3.1.
//
//   const DlNetwork f({Convolution2dLayer(3, 16, {.padding = "same"}), ReluLayer(),
//                      FullyConnectedLayer(32)});
//   AnyLayer layer = SiamesePairLayer(f);
//   layer.Initialize({NetworkDataLayout({8, 8, 1, kUnknown}, "SSCB"),
//                     NetworkDataLayout({8, 8, 1, kUnknown}, "SSCB")});
//   DlArray differences = layer.Predict({left, right}).outputs[0];
//
// The network has no states, so no batch normalization: two calls would give two new ones. Threads:
// as every layer.
#ifndef LAYERS_SIAMESE_PAIR_SIAMESE_PAIR_LAYER_H_
#define LAYERS_SIAMESE_PAIR_SIAMESE_PAIR_LAYER_H_

#include "framework/lamina.h"
#include "framework/layers/builtin_layers.h"  // What the network is made of.

namespace lamina {

// [region layer]
struct SiamesePairLayer : Layer, Formattable, Acceleratable {
  LearnableNetwork network{*this, "Network"};  // One network, so one set of weights.

  // [region constructor]
  SiamesePairLayer() { SetNumInputs(2); }  // For files, which set the network afterwards.
  explicit SiamesePairLayer(const DlNetwork& f) : SiamesePairLayer() { network = f; }
  // [endregion]

  // [region initialize]
  // Both inputs look alike to the network, so one layout is enough.
  void Initialize(const NetworkDataLayout& left, const NetworkDataLayout&) {
    network.Initialize(left);
  }
  // [endregion]

  // [region functions]
  DlArray Predict(const DlArray& left, const DlArray& right) const {
    return Abs(network.Predict(left) - network.Predict(right));
  }
  // In training the network trains too: it may have layers, such as dropout, that then differ.
  DlArray Forward(const DlArray& left, const DlArray& right) const {
    return Abs(network.Forward(left) - network.Forward(right));
  }
  // [endregion]
};
// [endregion]

}  // namespace lamina

#endif  // LAYERS_SIAMESE_PAIR_SIAMESE_PAIR_LAYER_H_
