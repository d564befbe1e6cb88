// A mistake: sizes in the order of another system. It mixes the observations.
#ifndef LESSONS_FORMATTED_INPUTS_BROKEN_MIXED_RESHAPE_LAYER_H_
#define LESSONS_FORMATTED_INPUTS_BROKEN_MIXED_RESHAPE_LAYER_H_

#include "layers/project_and_reshape/project_and_reshape_layer.h"

namespace lamina {

struct MixedReshapeLayer : ProjectAndReshapeLayer {
  using ProjectAndReshapeLayer::ProjectAndReshapeLayer;

  // [region predict]
  DlArray Predict(const DlArray& x) const {
    const DlArray v = FullyConnect(x, weights, bias);
    // As a batch of pictures is always written: batch, channels, height, width.
    return Reshape(v, {Size(v, 'B'), output_size[2], output_size[0], output_size[1]}, "BCSS");
  }
  // [endregion]
};

}  // namespace lamina

#endif  // LESSONS_FORMATTED_INPUTS_BROKEN_MIXED_RESHAPE_LAYER_H_
