// Two outputs: the data about their mean over the channels, and that mean.
#ifndef FRAMEWORK_NETWORK_SKETCHES_CENTER_LAYER_H_
#define FRAMEWORK_NETWORK_SKETCHES_CENTER_LAYER_H_

#include <utility>

#include "framework/layers/layer.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"

namespace lamina::sketches {

struct CenterLayer : Layer, Formattable {
  CenterLayer() { SetOutputNames({"centered", "mean"}); }

  std::pair<DlArray, DlArray> Predict(const DlArray& x) const {
    const DlArray mean = Mean(x, 'C');
    return {x - mean, mean};
  }
};

}  // namespace lamina::sketches

#endif  // FRAMEWORK_NETWORK_SKETCHES_CENTER_LAYER_H_
