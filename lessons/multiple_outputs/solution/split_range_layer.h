// A solution of the exercise: a layer that splits a series by its range.
#ifndef LESSONS_MULTIPLE_OUTPUTS_SOLUTION_SPLIT_RANGE_LAYER_H_
#define LESSONS_MULTIPLE_OUTPUTS_SOLUTION_SPLIT_RANGE_LAYER_H_

#include <tuple>

#include "framework/lamina.h"

namespace lamina {

struct SplitRangeLayer : Layer, Formattable, Acceleratable {
  SplitRangeLayer() { SetOutputNames({"shape", "low", "range"}); }

  std::tuple<DlArray, DlArray, DlArray> Predict(const DlArray& x) const {
    const Sizes each = {Size(x, 'C'), Size(x, 'B')};
    const DlArray low = Reshape(MinOver(x, "ST"), each, "CB");
    const DlArray range = Reshape(MaxOver(x, "ST"), each, "CB") - low + 1e-5;
    return {(x - low) / range, low, range};
  }
};

}  // namespace lamina

#endif  // LESSONS_MULTIPLE_OUTPUTS_SOLUTION_SPLIT_RANGE_LAYER_H_
