// SReLU with a mistake that people make: what Backward needs is put into the layer.
#ifndef LESSONS_OWN_BACKWARD_BROKEN_CACHED_MASKS_LAYER_H_
#define LESSONS_OWN_BACKWARD_BROKEN_CACHED_MASKS_LAYER_H_

#include "layers/srelu_backward/srelu_backward_layer.h"

namespace lamina {

struct CachedMasksLayer : SReluBackwardLayer {
  // [region cached]
  mutable DlArray left, middle;  // For Backward.

  std::pair<DlArray, Memory> Forward(const DlArray& x) const {
    left = x <= left_threshold;
    middle = x < right_threshold;
    return {Predict(x), Memory()};
  }

  std::array<DlArray, 5> Backward(const DlArray& x, Unused, const DlArray& dLdY, Unused) const {
    return SReluBackwardLayer::Backward(x, Unused(), dLdY, Memory{left, middle});
  }
  // [endregion]
};

}  // namespace lamina

#endif  // LESSONS_OWN_BACKWARD_BROKEN_CACHED_MASKS_LAYER_H_
