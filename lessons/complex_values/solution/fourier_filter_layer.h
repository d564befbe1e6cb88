// A solution of the exercise: a filter with one complex number for each frequency. Rao et al.,
// "Global Filter Networks for Image Classification", arXiv:2107.00645.
#ifndef LESSONS_COMPLEX_VALUES_SOLUTION_FOURIER_FILTER_LAYER_H_
#define LESSONS_COMPLEX_VALUES_SOLUTION_FOURIER_FILTER_LAYER_H_

#include "framework/lamina.h"

namespace lamina {

struct FourierFilterLayer : Layer, Formattable, Acceleratable {
  Learnable filter{*this, "Filter"};

  void Initialize(const NetworkDataLayout& layout) {
    Sizes each = layout.sizes();
    each[layout.FindDim('B')] = 1;
    if (filter.empty()) filter = Ones(each, DataType::kComplexSingle);
  }

  DlArray Predict(const DlArray& x) const { return Real(Ifft(filter * Fft(x, "S"), "S")); }
};

}  // namespace lamina

#endif  // LESSONS_COMPLEX_VALUES_SOLUTION_FOURIER_FILTER_LAYER_H_
