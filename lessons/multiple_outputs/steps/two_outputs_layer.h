// The first step of the lesson: two values are returned, and the layer says so.
#ifndef LESSONS_MULTIPLE_OUTPUTS_STEPS_TWO_OUTPUTS_LAYER_H_
#define LESSONS_MULTIPLE_OUTPUTS_STEPS_TWO_OUTPUTS_LAYER_H_

#include <utility>

#include "framework/lamina.h"

namespace lamina {

// [region layer]
struct TwoOutputsLayer : Layer, Formattable {
  TwoOutputsLayer() { SetOutputNames({"rest", "level"}); }

  std::pair<DlArray, DlArray> Predict(const DlArray& x) const {
    const DlArray level = Mean(x, "ST");  // 1(S) x 1(C) x B, from 24(S) x 1(C) x B
    return {x - level, level};
  }
};
// [endregion]

}  // namespace lamina

#endif  // LESSONS_MULTIPLE_OUTPUTS_STEPS_TWO_OUTPUTS_LAYER_H_
