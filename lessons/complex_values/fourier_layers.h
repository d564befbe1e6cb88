// What stands before and behind the complex layer of the lesson: a Fourier transform of pictures,
// and ways back to real numbers.
//
// Threads: as every layer.
#ifndef LESSONS_COMPLEX_VALUES_FOURIER_LAYERS_H_
#define LESSONS_COMPLEX_VALUES_FOURIER_LAYERS_H_

#include <cmath>

#include "framework/lamina.h"

namespace lamina {

// [region fourier]
// The Fourier coefficients of each picture, divided by the root of the number of pixels, so that
// they are as large as pixels are. "SSCB", real in, complex out.
struct FourierLayer : Layer, Formattable, Acceleratable {
  DlArray Predict(const DlArray& x) const {
    return Fft(x, "S") / std::sqrt(static_cast<double>(Size(x, 'S')));
  }
};

// The lengths of complex numbers.
struct MagnitudeLayer : Layer, Formattable, Acceleratable {
  DlArray Predict(const DlArray& z) const { return Abs(z); }
};
// [endregion]

// [region real_part]
struct RealPartLayer : Layer, Formattable, Acceleratable {
  DlArray Predict(const DlArray& z) const { return Real(z); }
};
// [endregion]

}  // namespace lamina

#endif  // LESSONS_COMPLEX_VALUES_FOURIER_LAYERS_H_
