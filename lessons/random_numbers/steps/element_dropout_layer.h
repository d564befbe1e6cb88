// The first step of the lesson: each element is drawn for itself.
#ifndef LESSONS_RANDOM_NUMBERS_STEPS_ELEMENT_DROPOUT_LAYER_H_
#define LESSONS_RANDOM_NUMBERS_STEPS_ELEMENT_DROPOUT_LAYER_H_

#include "framework/lamina.h"

namespace lamina::element {

// [region layer]
struct DropoutLayer : Layer, DrawsRandomNumbers {
  DlArray Predict(const DlArray& x) const { return x; }

  DlArray Forward(const DlArray& x) const {
    const DlArray stays = RandLike(x) >= 0.25;
    return Where(stays, x / 0.75, 0);
  }
};
// [endregion]

}  // namespace lamina::element

#endif  // LESSONS_RANDOM_NUMBERS_STEPS_ELEMENT_DROPOUT_LAYER_H_
