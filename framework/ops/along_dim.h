// How an array looks from one of its dims: so many elements before it, it, so many blocks behind
// it.
#ifndef FRAMEWORK_OPS_ALONG_DIM_H_
#define FRAMEWORK_OPS_ALONG_DIM_H_

#include <cstdint>

#include "framework/dlarray/format.h"

namespace lamina::internal {

struct AlongDim {
  int64_t inner = 1, n = 1, outer = 1;

  AlongDim(const Sizes& sizes, int dim) {
    for (int d = 0; d < static_cast<int>(sizes.size()); ++d) {
      (d < dim ? inner : d == dim ? n : outer) *= sizes[d];
    }
  }
};

}  // namespace lamina::internal

#endif  // FRAMEWORK_OPS_ALONG_DIM_H_
