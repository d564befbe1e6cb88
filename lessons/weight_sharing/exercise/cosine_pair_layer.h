// Your turn: two inputs, one network, and the cosine of the angle between what it makes of them.
//
//   y = <f1, f2> / (|f1| |f2| + 1e-8)       f1 = f(x1), f2 = f(x2): K(C) x N(B); y: 1(C) x N(B)
//
// As it stands it builds, and multiplies one feature of each.
#ifndef LESSONS_WEIGHT_SHARING_EXERCISE_COSINE_PAIR_LAYER_H_
#define LESSONS_WEIGHT_SHARING_EXERCISE_COSINE_PAIR_LAYER_H_

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
  // 1. Forward, for training.

  // 2. Sums over the features: Sum(..., 'C'). 3. Lengths: Sqrt. What if a feature vector is zero?
  static DlArray Cosine(const DlArray& f1, const DlArray& f2) {
    return Slice(f1, 'C', 0, 1) * Slice(f2, 'C', 0, 1);
  }
};

}  // namespace lamina

#endif  // LESSONS_WEIGHT_SHARING_EXERCISE_COSINE_PAIR_LAYER_H_
