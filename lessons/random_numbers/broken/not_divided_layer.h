// A mistake that no check can see: what stays is not divided by 1 - p.
#ifndef LESSONS_RANDOM_NUMBERS_BROKEN_NOT_DIVIDED_LAYER_H_
#define LESSONS_RANDOM_NUMBERS_BROKEN_NOT_DIVIDED_LAYER_H_

#include "layers/channel_dropout/channel_dropout_layer.h"

namespace lamina {

struct NotDividedLayer : ChannelDropoutLayer {
  using ChannelDropoutLayer::ChannelDropoutLayer;

  DlArray Forward(const DlArray& x) const {
    return ChannelDropoutLayer::Forward(x) * (1 - probability);
  }
};

}  // namespace lamina

#endif  // LESSONS_RANDOM_NUMBERS_BROKEN_NOT_DIVIDED_LAYER_H_
