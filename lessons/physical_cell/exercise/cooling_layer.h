// Your turn: what cools, such as a cup of tea, as a recurrent layer. Newton's law of cooling:
//
//   dT/dt = (Ta - T) / tau             Ta: the air, tau: the time constant in seconds
//
// Input: Ta, 1(C) x B x T. Output: the temperature T at the end of each step, likewise.
//
// As it stands it builds, and says that everything is as warm as the air.
#ifndef LESSONS_PHYSICAL_CELL_EXERCISE_COOLING_LAYER_H_
#define LESSONS_PHYSICAL_CELL_EXERCISE_COOLING_LAYER_H_

#include <cmath>
#include <tuple>

#include "framework/lamina.h"

namespace lamina {

struct CoolingLayer : Layer, Formattable, Acceleratable {
  Property<double> time_step{*this, "TimeStep", 1};  // s
  Property<double> begin{*this, "Begin", 0};         // Celsius

  // 1. A learnable "LogTimeConstant", which the constructor sets to Full({1, 1}, std::log(tau)).
  //    A state "Temperature", which ResetState sets to Full({1, 1}, begin).

  explicit CoolingLayer(double step = 1, double tau = 1, double temperature = 0) {
    (void)tau;
    time_step = step;
    begin = temperature;
  }

  // 2. One step of backward Euler: T' = T + r (Ta - T'), where r = time_step / tau. Solve it for T'
  //    with pencil and paper.

  // 3. The loop over the steps. With a state, return {outputs, state}:
  //    std::tuple<DlArray, DlArray>.
  DlArray Predict(const DlArray& x) const { return x; }
};

}  // namespace lamina

#endif  // LESSONS_PHYSICAL_CELL_EXERCISE_COOLING_LAYER_H_
