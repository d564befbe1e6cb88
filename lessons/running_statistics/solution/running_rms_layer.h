// A solution of the exercise: each channel divided by its root mean square.
#ifndef LESSONS_RUNNING_STATISTICS_SOLUTION_RUNNING_RMS_LAYER_H_
#define LESSONS_RUNNING_STATISTICS_SOLUTION_RUNNING_RMS_LAYER_H_

#include <utility>

#include "framework/lamina.h"

namespace lamina {

struct RunningRmsLayer : Layer, Formattable, JoinsObservations {
  Property<double> decay{*this, "Decay", 0.1};
  Property<double> epsilon{*this, "Epsilon", 1e-5};
  State mean_square{*this, "MeanSquare"};

  void Initialize(const NetworkDataLayout& layout) {
    if (mean_square.empty()) mean_square = Ones({layout.Size('C'), 1});
  }

  std::pair<DlArray, DlArray> Predict(const DlArray& x) const {
    return {x * Rsqrt(DlArray(mean_square, "C") + epsilon), mean_square};
  }

  std::pair<DlArray, DlArray> Forward(const DlArray& x) const {
    const DlArray q = Mean(Square(x), "SBTU");
    return {x * Rsqrt(q + epsilon),
            (1 - decay) * mean_square + decay * Reshape(q, mean_square.sizes())};
  }
};

}  // namespace lamina

#endif  // LESSONS_RUNNING_STATISTICS_SOLUTION_RUNNING_RMS_LAYER_H_
