// SplitLevelLayer with its names in another order than its values.
#ifndef LESSONS_MULTIPLE_OUTPUTS_BROKEN_SWAPPED_LAYER_H_
#define LESSONS_MULTIPLE_OUTPUTS_BROKEN_SWAPPED_LAYER_H_

#include "layers/split_level/split_level_layer.h"

namespace lamina {

struct SwappedLayer : SplitLevelLayer {
  SwappedLayer() { SetOutputNames({"shape", "spread", "level"}); }
};

}  // namespace lamina

#endif  // LESSONS_MULTIPLE_OUTPUTS_BROKEN_SWAPPED_LAYER_H_
