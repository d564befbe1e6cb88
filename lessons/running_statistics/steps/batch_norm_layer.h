// The first step of the lesson: each channel by the mean and variance of its batch, always.
#ifndef LESSONS_RUNNING_STATISTICS_STEPS_BATCH_NORM_LAYER_H_
#define LESSONS_RUNNING_STATISTICS_STEPS_BATCH_NORM_LAYER_H_

#include "framework/lamina.h"

namespace lamina::batch {

// [region layer]
struct NormLayer : Layer, Formattable {
  DlArray Predict(const DlArray& x) const {
    const DlArray m = Mean(x, "SBTU"), v = Variance(x, "SBTU");
    return (x - m) * Rsqrt(v + 1e-5);
  }
};
// [endregion]

}  // namespace lamina::batch

#endif  // LESSONS_RUNNING_STATISTICS_STEPS_BATCH_NORM_LAYER_H_
