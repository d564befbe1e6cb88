// Pictures turned by half a turn.
#ifndef LESSONS_COMPLEX_VALUES_TURNED_PICTURES_H_
#define LESSONS_COMPLEX_VALUES_TURNED_PICTURES_H_

#include <vector>

#include "framework/lamina.h"

namespace lamina {

// [region turn]
// Pixel (i, j) goes to (-i, -j), counted modulo the size: the first row and column stay in place.
inline DlArray HalfTurn(DlArray x) {
  for (const int dim : {0, 1}) {
    std::vector<int32_t> from;
    for (int64_t i = 0; i < x.size(dim); ++i) from.push_back((x.size(dim) - i) % x.size(dim));
    x = Gather(x, dim, DlArray::FromVector<int32_t>(from, {x.size(dim)}));
  }
  return x;
}
// [endregion]

}  // namespace lamina

#endif  // LESSONS_COMPLEX_VALUES_TURNED_PICTURES_H_
