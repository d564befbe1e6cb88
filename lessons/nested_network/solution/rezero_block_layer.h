// A block that is the identity until it has learned something better. Source: Bachlechner
// et al., ReZero is All You Need, arXiv:2003.04887.
//
//   y = x + alpha f(x)             f: a network that keeps the size of x; alpha: one number, at
//                                  first 0
#ifndef LESSONS_NESTED_NETWORK_SOLUTION_REZERO_BLOCK_LAYER_H_
#define LESSONS_NESTED_NETWORK_SOLUTION_REZERO_BLOCK_LAYER_H_

#include "framework/lamina.h"
#include "framework/layers/builtin_layers.h"

namespace lamina {

struct RezeroBlockLayer : Layer, Formattable, Acceleratable {
  LearnableNetwork network{*this, "Network"};
  Learnable alpha{*this, "Alpha", Zeros({1})};

  RezeroBlockLayer() = default;
  explicit RezeroBlockLayer(const DlNetwork& f) { network = f; }

  void Initialize(const NetworkDataLayout& x) { network.Initialize(x); }

  DlArray Predict(const DlArray& x) const { return x + alpha * network.Predict(x); }
  DlArray Forward(const DlArray& x) const { return x + alpha * network.Forward(x); }
};

}  // namespace lamina

#endif  // LESSONS_NESTED_NETWORK_SOLUTION_REZERO_BLOCK_LAYER_H_
