// Complex weights with a Backward of their own, and the mistake that people make in it.
#ifndef LESSONS_COMPLEX_VALUES_BROKEN_UNCONJUGATED_LAYER_H_
#define LESSONS_COMPLEX_VALUES_BROKEN_UNCONJUGATED_LAYER_H_

#include <utility>

#include "framework/lamina.h"

namespace lamina {

// [region layer]
// z = Weights x, with x features x observations.
struct UnconjugatedLayer : Layer {
  Learnable weights{*this, "Weights"};

  void Initialize(const NetworkDataLayout& layout) {
    const int64_t n = layout.Size('C');
    if (weights.empty()) weights = Complex(Randn({n, n}), Randn({n, n})) / n;
  }
  DlArray Predict(const DlArray& x) const { return MatMul(weights, x); }

  std::pair<DlArray, DlArray> Backward(const DlArray& x, Unused, const DlArray& dLdZ,
                                       Unused) const {
    const DlArray dLdX = MatMul(Transpose(weights), dLdZ);
    const DlArray dLdW = MatMul(dLdZ, Transpose(x));
    return {IsComplex(x.type()) ? dLdX : Real(dLdX), dLdW};
  }
};
// [endregion]

}  // namespace lamina

#endif  // LESSONS_COMPLEX_VALUES_BROKEN_UNCONJUGATED_LAYER_H_
