// A solution of the exercise: what cools, by Newton's law.
#ifndef LESSONS_PHYSICAL_CELL_SOLUTION_COOLING_LAYER_H_
#define LESSONS_PHYSICAL_CELL_SOLUTION_COOLING_LAYER_H_

#include <cmath>
#include <tuple>

#include "framework/lamina.h"

namespace lamina {

struct CoolingLayer : Layer, Formattable, Acceleratable {
  Property<double> time_step{*this, "TimeStep", 1};  // s
  Property<double> begin{*this, "Begin", 0};         // Celsius
  Learnable log_time_constant{*this, "LogTimeConstant"};
  State temperature{*this, "Temperature"};  // 1 x B, at first 1 x 1

  explicit CoolingLayer(double step = 1, double tau = 1, double temperature = 0) {
    time_step = step;
    begin = temperature;
    log_time_constant = Full({1, 1}, std::log(tau));
    ResetState();
  }

  std::tuple<DlArray, DlArray> Predict(const DlArray& x) const {
    const int64_t batch = Size(x, 'B'), steps = Size(x, 'T');
    const DlArray r = time_step / Exp(log_time_constant);
    const DlArray air = Reshape(StripDims(x, "CBT"), {1, batch * steps});
    DlArray t = temperature;
    DlArrays y;
    for (const DlArray& now : Split(air, 1, Sizes(steps, batch))) {
      t = (t + r * now) / (1 + r);
      y.push_back(t);
    }
    return {Reshape(Cat(1, y), {1, batch, steps}, "CBT"), t};
  }

  void ResetState() { temperature = Full({1, 1}, begin.get()); }
};

}  // namespace lamina

#endif  // LESSONS_PHYSICAL_CELL_SOLUTION_COOLING_LAYER_H_
