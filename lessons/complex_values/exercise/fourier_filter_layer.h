// Your turn: a filter with one complex number for each frequency. Rao et al., "Global Filter
// Networks for Image Classification", arXiv:2107.00645.
//
//   y = real part of Ifft(filter * Fft(x))          over the S dims; the filter at first 1
//
// As it stands it builds, and hands its input on.
#ifndef LESSONS_COMPLEX_VALUES_EXERCISE_FOURIER_FILTER_LAYER_H_
#define LESSONS_COMPLEX_VALUES_EXERCISE_FOURIER_FILTER_LAYER_H_

#include "framework/lamina.h"

namespace lamina {

struct FourierFilterLayer : Layer, Formattable, Acceleratable {
  // 1. A learnable parameter that is called "Filter".

  // 2. Initialize: complex ones, as many as an observation has elements (layout.sizes(), but 1 at
  //    layout.FindDim('B')), unless Filter is set already.

  // 3. The function.
  DlArray Predict(const DlArray& x) const { return x; }
};

}  // namespace lamina

#endif  // LESSONS_COMPLEX_VALUES_EXERCISE_FOURIER_FILTER_LAYER_H_
