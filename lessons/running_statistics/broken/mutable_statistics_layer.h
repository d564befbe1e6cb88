// The running norm with another mistake: the statistics are members that Forward changes in place.
#ifndef LESSONS_RUNNING_STATISTICS_BROKEN_MUTABLE_STATISTICS_LAYER_H_
#define LESSONS_RUNNING_STATISTICS_BROKEN_MUTABLE_STATISTICS_LAYER_H_

#include "framework/lamina.h"

namespace lamina {

// [region layer]
struct MutableStatisticsLayer : Layer, Formattable, JoinsObservations {
  mutable DlArray mean = 0.0, variance = 1.0;

  DlArray Predict(const DlArray& x) const { return (x - mean) * Rsqrt(variance + 1e-5); }

  DlArray Forward(const DlArray& x) const {
    const DlArray m = Mean(x, "SBTU"), v = Variance(x, "SBTU");
    mean = 0.9 * mean + 0.1 * m;
    variance = 0.9 * variance + 0.1 * v;
    return (x - m) * Rsqrt(v + 1e-5);
  }
};
// [endregion]

}  // namespace lamina

#endif  // LESSONS_RUNNING_STATISTICS_BROKEN_MUTABLE_STATISTICS_LAYER_H_
