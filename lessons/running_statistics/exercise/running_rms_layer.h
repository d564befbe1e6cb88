// Your turn: each channel divided by its root mean square. No mean is taken away.
//
//   Forward:  y = x / sqrt(q + epsilon)       with q the mean of the squares of the batch,
//             MeanSquare <- (1 - decay) MeanSquare + decay q
//   Predict:  y = x / sqrt(MeanSquare + epsilon)
//
// At first MeanSquare is 1. As it stands it builds, and hands its input on.
#ifndef LESSONS_RUNNING_STATISTICS_EXERCISE_RUNNING_RMS_LAYER_H_
#define LESSONS_RUNNING_STATISTICS_EXERCISE_RUNNING_RMS_LAYER_H_

#include <utility>

#include "framework/lamina.h"

namespace lamina {

struct RunningRmsLayer : Layer, Formattable, JoinsObservations {
  Property<double> decay{*this, "Decay", 0.1};
  Property<double> epsilon{*this, "Epsilon", 1e-5};
  // 1. A state that is called "MeanSquare", and Initialize: ones, C x 1, unless it is set already.

  // 2. Predict: with the state. A layer that has a state returns it too, so steps 1 and 2 are
  //    checked together: std::pair<DlArray, DlArray>.
  DlArray Predict(const DlArray& x) const { return x; }

  // 3. Forward: with the batch. Return the new state.
};

}  // namespace lamina

#endif  // LESSONS_RUNNING_STATISTICS_EXERCISE_RUNNING_RMS_LAYER_H_
