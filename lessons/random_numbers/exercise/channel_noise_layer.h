// Your turn: noise that multiplies. Each channel of each observation is stretched or shrunk by a
// factor of its own. Srivastava et al., "Dropout: A Simple Way to Prevent Neural Networks from
// Overfitting", JMLR 15, 2014, section 10.
//
//   Forward:  y = x (1 + s n)      with n drawn from the normal distribution, mean 0 and variance 1
//   Predict:  y = x
//
// As it stands it builds, and hands its input on in training too.
#ifndef LESSONS_RANDOM_NUMBERS_EXERCISE_CHANNEL_NOISE_LAYER_H_
#define LESSONS_RANDOM_NUMBERS_EXERCISE_CHANNEL_NOISE_LAYER_H_

#include "framework/lamina.h"

namespace lamina {

// 1. Declare that the layer draws random numbers.
struct ChannelNoiseLayer : Layer, Formattable, Acceleratable {
  Property<double> strength{*this, "Strength", 0.5};  // s

  explicit ChannelNoiseLayer(double s = 0.5) { strength = s; }

  DlArray Predict(const DlArray& x) const { return x; }

  // 2. Forward: a factor for each channel of each observation. Randn draws normal numbers; let it
  //    draw them in the type of x.
};

}  // namespace lamina

#endif  // LESSONS_RANDOM_NUMBERS_EXERCISE_CHANNEL_NOISE_LAYER_H_
