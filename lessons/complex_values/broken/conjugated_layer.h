// The mistake mended.
#ifndef LESSONS_COMPLEX_VALUES_BROKEN_CONJUGATED_LAYER_H_
#define LESSONS_COMPLEX_VALUES_BROKEN_CONJUGATED_LAYER_H_

#include <utility>

#include "lessons/complex_values/broken/unconjugated_layer.h"

namespace lamina {

struct ConjugatedLayer : UnconjugatedLayer {
  // [region backward]
  std::pair<DlArray, DlArray> Backward(const DlArray& x, Unused, const DlArray& dLdZ,
                                       Unused) const {
    const DlArray dLdX = MatMul(weights, dLdZ, /*transpose_x=*/true);  // and conjugated
    const DlArray dLdW = MatMul(dLdZ, x, /*transpose_x=*/false, /*transpose_y=*/true);
    return {IsComplex(x.type()) ? dLdX : Real(dLdX), dLdW};
  }
  // [endregion]
};

}  // namespace lamina

#endif  // LESSONS_COMPLEX_VALUES_BROKEN_CONJUGATED_LAYER_H_
