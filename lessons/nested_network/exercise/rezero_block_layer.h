// Your turn: a block that is the identity until it has learned something better. Source:
// Bachlechner et al., ReZero is All You Need, arXiv:2003.04887.
//
//   y = x + alpha f(x)             f: a network that keeps the size of x; alpha: one number, at
//                                  first 0
//
// As it stands it builds, and is a plain block.
#ifndef LESSONS_NESTED_NETWORK_EXERCISE_REZERO_BLOCK_LAYER_H_
#define LESSONS_NESTED_NETWORK_EXERCISE_REZERO_BLOCK_LAYER_H_

#include "framework/lamina.h"
#include "framework/layers/builtin_layers.h"

namespace lamina {

struct RezeroBlockLayer : Layer, Formattable, Acceleratable {
  LearnableNetwork network{*this, "Network"};
  // 1. A learnable parameter that is called "Alpha", one number: Zeros({1}).

  RezeroBlockLayer() = default;
  explicit RezeroBlockLayer(const DlNetwork& f) { network = f; }

  void Initialize(const NetworkDataLayout& x) { network.Initialize(x); }

  // 2. The formula. 3. In training the network trains: Forward.
  DlArray Predict(const DlArray& x) const { return network.Predict(x); }
};

}  // namespace lamina

#endif  // LESSONS_NESTED_NETWORK_EXERCISE_REZERO_BLOCK_LAYER_H_
