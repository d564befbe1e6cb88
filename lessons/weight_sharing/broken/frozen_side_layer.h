// A mistake: the second use of the network does not train it.
#ifndef LESSONS_WEIGHT_SHARING_BROKEN_FROZEN_SIDE_LAYER_H_
#define LESSONS_WEIGHT_SHARING_BROKEN_FROZEN_SIDE_LAYER_H_

#include "layers/siamese_pair/siamese_pair_layer.h"

namespace lamina {

struct FrozenSideLayer : SiamesePairLayer {
  using SiamesePairLayer::SiamesePairLayer;

  // [region functions]
  DlArray Predict(const DlArray& left, const DlArray& right) const {
    return Abs(network.Predict(left) - Reference(right));
  }
  DlArray Forward(const DlArray& left, const DlArray& right) const {
    return Abs(network.Forward(left) - Reference(right));
  }
  // The right picture is what the left one is compared with. The tape need not keep all that is
  // computed for it: half the memory.
  DlArray Reference(const DlArray& right) const {
    const NoGradient pause;
    return network.Predict(right);
  }
  // [endregion]
};

}  // namespace lamina

#endif  // LESSONS_WEIGHT_SHARING_BROKEN_FROZEN_SIDE_LAYER_H_
