// SplitLevelLayer with a mistake that people make, on purpose even: level and spread are taken out
// of the computation.
#ifndef LESSONS_MULTIPLE_OUTPUTS_BROKEN_FROZEN_LEVEL_LAYER_H_
#define LESSONS_MULTIPLE_OUTPUTS_BROKEN_FROZEN_LEVEL_LAYER_H_

#include <tuple>

#include "layers/split_level/split_level_layer.h"

namespace lamina {

struct FrozenLevelLayer : SplitLevelLayer {
  // [region predict]
  std::tuple<DlArray, DlArray, DlArray> Predict(const DlArray& x) const {
    const auto [shape, level, spread] = SplitLevelLayer::Predict(x);
    // Statistics are not learned, so plain values will do for the difference and the quotient.
    const DlArray frozen_level(ExtractData(level), "CB"), frozen_spread(ExtractData(spread), "CB");
    return {(x - frozen_level) / frozen_spread, level, spread};
  }
  // [endregion]
};

}  // namespace lamina

#endif  // LESSONS_MULTIPLE_OUTPUTS_BROKEN_FROZEN_LEVEL_LAYER_H_
