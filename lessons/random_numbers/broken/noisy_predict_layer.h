// Another mistake: there is one function alone, so prediction draws too.
#ifndef LESSONS_RANDOM_NUMBERS_BROKEN_NOISY_PREDICT_LAYER_H_
#define LESSONS_RANDOM_NUMBERS_BROKEN_NOISY_PREDICT_LAYER_H_

#include "framework/lamina.h"

namespace lamina {

// [region layer]
struct NoisyPredictLayer : Layer {
  DlArray Predict(const DlArray& x) const { return Where(RandLike(x) >= 0.25, x / 0.75, 0); }
};
// [endregion]

}  // namespace lamina

#endif  // LESSONS_RANDOM_NUMBERS_BROKEN_NOISY_PREDICT_LAYER_H_
