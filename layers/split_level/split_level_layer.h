// Splits each channel of a series or an image into three outputs: its level, its spread, and the
// shape that is left. A second layer joins them again.
//
//   level  = mean of x              spread = sqrt(variance of x + epsilon)
//   shape  = (x - level) / spread   x = level + spread shape
//
// Mean and variance (divided by n) are taken over S and T, of each channel of each observation.
// What stands between the two layers sees the shape alone, so that it works at any level, also at
// one that never came in training. Source: Kim et al., Reversible Instance Normalization for
// Accurate Time-Series Forecasting against Distribution Shift, ICLR 2022, equations 1 and 2.
//
//   net.AddLayers({SplitLevelLayer()});                   // named "splitlevel"
//   net.AddLayers({FullyConnectedLayer(12)});
//   net.AddLayers({JoinLevelLayer()});
//   net.ConnectLayers("splitlevel/shape", "fullyconnected");
//   net.ConnectLayers("fullyconnected", "joinlevel/shape");
//   net.ConnectLayers("splitlevel/level", "joinlevel/level");
//   net.ConnectLayers("splitlevel/spread", "joinlevel/spread");
//
// Threads: as every layer.
#ifndef LAYERS_SPLIT_LEVEL_SPLIT_LEVEL_LAYER_H_
#define LAYERS_SPLIT_LEVEL_SPLIT_LEVEL_LAYER_H_

#include <tuple>

#include "framework/lamina.h"

namespace lamina {

// [region split]
// Input: any format with S or T beside C and B. Outputs: "shape" like the input; "level" and
// "spread" one number for each channel and observation, "CB". Errors: "dlarray:LabelNotFound"
// without S and T.
struct SplitLevelLayer : Layer, Formattable, Acceleratable {
  Property<double> epsilon{*this, "Epsilon", 1e-5};  // The spread of a constant is its root.

  SplitLevelLayer() { SetOutputNames({"shape", "level", "spread"}); }

  std::tuple<DlArray, DlArray, DlArray> Predict(const DlArray& x) const {
    const Sizes each = {Size(x, 'C'), Size(x, 'B')};
    const DlArray level = Reshape(Mean(x, "ST"), each, "CB");
    const DlArray spread = Reshape(Sqrt(Variance(x, "ST") + epsilon), each, "CB");
    return {(x - level) / spread, level, spread};
  }
};
// [endregion]

// [region join]
// Inputs: "shape" in any format, "level" and "spread" as SplitLevelLayer returns them. The output
// has the format of the shape.
struct JoinLevelLayer : Layer, Formattable, Acceleratable {
  JoinLevelLayer() { SetInputNames({"shape", "level", "spread"}); }

  DlArray Predict(const DlArray& shape, const DlArray& level, const DlArray& spread) const {
    return level + spread * shape;
  }
};
// [endregion]

}  // namespace lamina

#endif  // LAYERS_SPLIT_LEVEL_SPLIT_LEVEL_LAYER_H_
