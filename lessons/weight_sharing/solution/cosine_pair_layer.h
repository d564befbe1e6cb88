// Two inputs, one network, and the cosine of the angle between what it makes of them.
//
//   y = <f1, f2> / (|f1| |f2| + 1e-8)       f1 = f(x1), f2 = f(x2): K(C) x N(B); y: 1(C) x N(B)
#ifndef LESSONS_WEIGHT_SHARING_SOLUTION_COSINE_PAIR_LAYER_H_
#define LESSONS_WEIGHT_SHARING_SOLUTION_COSINE_PAIR_LAYER_H_

#include "framework/lamina.h"
#include "framework/layers/builtin_layers.h"

namespace lamina {

struct CosinePairLayer : Layer, Formattable, Acceleratable {
  LearnableNetwork network{*this, "Network"};

  CosinePairLayer() { SetNumInputs(2); }
  explicit CosinePairLayer(const DlNetwork& f) : CosinePairLayer() { network = f; }

  void Initialize(const NetworkDataLayout& left, const NetworkDataLayout&) {
    network.Initialize(left);
  }

  DlArray Predict(const DlArray& left, const DlArray& right) const {
    return Cosine(network.Predict(left), network.Predict(right));
  }
  DlArray Forward(const DlArray& left, const DlArray& right) const {
    return Cosine(network.Forward(left), network.Forward(right));
  }

  static DlArray Cosine(const DlArray& f1, const DlArray& f2) {
    return Sum(f1 * f2, 'C') / (Length(f1) * Length(f2) + 1e-8);
  }
  // The root has no slope at zero, so a little stands below it: too little to change a length.
  static DlArray Length(const DlArray& f) { return Sqrt(Sum(f * f, 'C') + 1e-16); }
};

}  // namespace lamina

#endif  // LESSONS_WEIGHT_SHARING_SOLUTION_COSINE_PAIR_LAYER_H_
