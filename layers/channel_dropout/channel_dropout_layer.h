// Drops whole channels in training: each channel of each observation is set to zero with a given
// probability p, and what stays is divided by 1 - p, so that the mean over all draws is the input.
// At prediction time the input is handed on.
//
//   Forward:  y = x / (1 - p) where the channel stays,  0 where it is dropped
//   Predict:  y = x
//
// Source: Tompson et al., Efficient Object Localization Using Convolutional Networks,
// arXiv:1411.4280, section 3.2.
//
//   AnyLayer layer = ChannelDropoutLayer(0.25);
//   DlArray y = layer.Forward({x}).outputs[0];
//
// Input and output: any format; all S, T and U positions of a channel share one fate (without
// labels each element has its own). Random numbers: from the current RandomSource of the calling
// thread. Threads: as every layer.
#ifndef LAYERS_CHANNEL_DROPOUT_CHANNEL_DROPOUT_LAYER_H_
#define LAYERS_CHANNEL_DROPOUT_CHANNEL_DROPOUT_LAYER_H_

#include <string>

#include "framework/lamina.h"

namespace lamina {

// [region layer]
struct ChannelDropoutLayer : Layer, Formattable, Acceleratable, DrawsRandomNumbers {
  Property<double> probability{*this, "Probability", 0.5};

  // [region constructor]
  /// Errors: "layer:InvalidSetting" unless 0 <= p < 1.
  explicit ChannelDropoutLayer(double p = 0.5) {
    if (!(p >= 0 && p < 1)) {
      throw Error("layer:InvalidSetting",
                  "ChannelDropoutLayer: Probability is a number from 0 up to, but not, 1.",
                  "It was " + std::to_string(p) + ".", "");
    }
    probability = p;
  }
  // [endregion]

  // [region predict]
  DlArray Predict(const DlArray& x) const { return x; }
  // [endregion]

  // [region forward]
  DlArray Forward(const DlArray& x) const {
    Sizes each = x.sizes();  // 1x1xCxB, from "SSCB": one number for each channel of each picture.
    const std::string& labels = Dims(x);
    for (size_t d = 0; d < labels.size(); ++d) {
      if (labels[d] != 'C' && labels[d] != 'B') each[d] = 1;
    }
    const DlArray stays = Rand(each, DataType::kSingle, labels) >= probability;
    return Where(stays, x / (1 - probability), 0);
  }
  // [endregion]
};
// [endregion]

}  // namespace lamina

#endif  // LAYERS_CHANNEL_DROPOUT_CHANNEL_DROPOUT_LAYER_H_
