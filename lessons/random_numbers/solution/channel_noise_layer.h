// A solution of the exercise: each channel of each observation is stretched or shrunk by a factor
// of its own. Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from
// Overfitting", JMLR 15, 2014, section 10.
#ifndef LESSONS_RANDOM_NUMBERS_SOLUTION_CHANNEL_NOISE_LAYER_H_
#define LESSONS_RANDOM_NUMBERS_SOLUTION_CHANNEL_NOISE_LAYER_H_

#include "framework/lamina.h"

namespace lamina {

struct ChannelNoiseLayer : Layer, Formattable, Acceleratable, DrawsRandomNumbers {
  Property<double> strength{*this, "Strength", 0.5};

  explicit ChannelNoiseLayer(double s = 0.5) { strength = s; }

  DlArray Predict(const DlArray& x) const { return x; }

  DlArray Forward(const DlArray& x) const {
    // With labels the factors find their dims by themselves.
    const Sizes each = {Size(x, 'C'), Size(x, 'B')};
    return x * (1 + strength * Randn(each, x.type(), "CB"));
  }
};

}  // namespace lamina

#endif  // LESSONS_RANDOM_NUMBERS_SOLUTION_CHANNEL_NOISE_LAYER_H_
