// The running norm with a mistake that people make: at prediction time too it goes by the batch.
#ifndef LESSONS_RUNNING_STATISTICS_BROKEN_BATCH_PREDICT_LAYER_H_
#define LESSONS_RUNNING_STATISTICS_BROKEN_BATCH_PREDICT_LAYER_H_

#include <tuple>

#include "layers/running_norm/running_norm_layer.h"

namespace lamina {

struct BatchPredictLayer : RunningNormLayer {
  // [region predict]
  std::tuple<DlArray, DlArray, DlArray> Predict(const DlArray& x) const {
    // One formula for both; only the states stay as they are.
    return {std::get<0>(Forward(x)), mean, variance};
  }
  // [endregion]
};

}  // namespace lamina

#endif  // LESSONS_RUNNING_STATISTICS_BROKEN_BATCH_PREDICT_LAYER_H_
