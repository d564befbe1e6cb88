// SReLU with another mistake: its parameters are as large as the data.
#ifndef LESSONS_LEARNABLE_PARAMETERS_BROKEN_WHOLE_SIZE_LAYER_H_
#define LESSONS_LEARNABLE_PARAMETERS_BROKEN_WHOLE_SIZE_LAYER_H_

#include "layers/srelu/srelu_layer.h"

namespace lamina {

struct WholeSizeLayer : SReluLayer {
  // [region initialize]
  void Initialize(const NetworkDataLayout& layout) {
    for (Learnable* p : {&left_slope, &right_slope, &left_threshold, &right_threshold}) {
      if (p->empty()) *p = Rand(layout.sizes());
    }
  }
  // [endregion]
};

}  // namespace lamina

#endif  // LESSONS_LEARNABLE_PARAMETERS_BROKEN_WHOLE_SIZE_LAYER_H_
