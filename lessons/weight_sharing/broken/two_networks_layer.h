// A mistake that no check of one layer can see: two networks, equal at first, where one was meant.
#ifndef LESSONS_WEIGHT_SHARING_BROKEN_TWO_NETWORKS_LAYER_H_
#define LESSONS_WEIGHT_SHARING_BROKEN_TWO_NETWORKS_LAYER_H_

#include "framework/lamina.h"

namespace lamina {

// [region layer]
struct TwoNetworksLayer : Layer, Formattable, Acceleratable {
  LearnableNetwork left{*this, "Left"};
  LearnableNetwork right{*this, "Right"};

  explicit TwoNetworksLayer(const DlNetwork& f) {
    SetNumInputs(2);
    left = f;
    right = f;  // A network is a value: this one learns apart from the other.
  }
  void Initialize(const NetworkDataLayout& layout, const NetworkDataLayout&) {
    left.Initialize(layout);
    if (!right.IsInitialized()) right = left;
  }
  DlArray Predict(const DlArray& a, const DlArray& b) const {
    return Abs(left.Predict(a) - right.Predict(b));
  }
};
// [endregion]

}  // namespace lamina

#endif  // LESSONS_WEIGHT_SHARING_BROKEN_TWO_NETWORKS_LAYER_H_
