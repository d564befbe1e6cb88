// One picture of an array of pictures, as ImageGrid (framework/io/svg_plot.h) takes it.
//
//   grid.images.push_back({.values = Pixels(pictures, 0)});
//
// Threads: a pure function.
#ifndef LESSONS_PIXELS_H_
#define LESSONS_PIXELS_H_

#include <cstdint>
#include <vector>

#include "framework/dlarray/dlarray.h"

namespace lamina {

/// The pixels of observation `n`, counted from 0, of H(S) x W(S) x 1(C) x N(B), column-major.
/// Errors: "dlarray:IndexOutOfRange".
inline std::vector<double> Pixels(const DlArray& pictures, int64_t n) {
  const int64_t count = pictures.size(0) * pictures.size(1);
  std::vector<double> pixels;
  for (int64_t i = 0; i < count; ++i) pixels.push_back(pictures.At(i + count * n));
  return pixels;
}

}  // namespace lamina

#endif  // LESSONS_PIXELS_H_
