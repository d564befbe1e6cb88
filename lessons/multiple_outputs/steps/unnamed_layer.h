// What does not work: two values are returned, and the layer says nothing of it.
#ifndef LESSONS_MULTIPLE_OUTPUTS_STEPS_UNNAMED_LAYER_H_
#define LESSONS_MULTIPLE_OUTPUTS_STEPS_UNNAMED_LAYER_H_

#include <utility>

#include "framework/lamina.h"

namespace lamina {

struct UnnamedLayer : Layer, Formattable {
  std::pair<DlArray, DlArray> Predict(const DlArray& x) const {
    const DlArray level = Mean(x, "ST");
    return {x - level, level};
  }
};

}  // namespace lamina

#endif  // LESSONS_MULTIPLE_OUTPUTS_STEPS_UNNAMED_LAYER_H_
