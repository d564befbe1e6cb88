// Your turn: a layer that splits a series by its range.
//
//   low = least value     range = largest - least value + 1e-5     shape = (x - low) / range
//
// over S and T, of each channel of each observation. JoinLevelLayer can join them again: "low" is
// the level, and "range" the spread.
//
// As it stands it builds, and hands its input on.
#ifndef LESSONS_MULTIPLE_OUTPUTS_EXERCISE_SPLIT_RANGE_LAYER_H_
#define LESSONS_MULTIPLE_OUTPUTS_EXERCISE_SPLIT_RANGE_LAYER_H_

#include "framework/lamina.h"

namespace lamina {

struct SplitRangeLayer : Layer, Formattable, Acceleratable {
  // 1. A constructor that names the outputs "shape", "low" and "range".

  // 2. Three values. MinOver(x, "ST") and MaxOver(x, "ST") have one number for each channel and
  //    observation; reshape them to "CB", as SplitLevelLayer does.
  DlArray Predict(const DlArray& x) const { return x; }
};

}  // namespace lamina

#endif  // LESSONS_MULTIPLE_OUTPUTS_EXERCISE_SPLIT_RANGE_LAYER_H_
