// Another mistake: nobody says that there are two inputs.
#ifndef LESSONS_MULTIPLE_INPUTS_BROKEN_FORGOTTEN_COUNT_LAYER_H_
#define LESSONS_MULTIPLE_INPUTS_BROKEN_FORGOTTEN_COUNT_LAYER_H_

#include "framework/lamina.h"

namespace lamina {

// [region layer]
struct ForgottenCountLayer : Layer, Formattable {
  DlArray Predict(const DlArray& a, const DlArray& b) const { return 0.5 * a + 0.5 * b; }
};
// [endregion]

}  // namespace lamina

#endif  // LESSONS_MULTIPLE_INPUTS_BROKEN_FORGOTTEN_COUNT_LAYER_H_
