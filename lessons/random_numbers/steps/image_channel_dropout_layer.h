// The second step of the lesson: one number for each channel of each picture, of "SSCB" data only.
#ifndef LESSONS_RANDOM_NUMBERS_STEPS_IMAGE_CHANNEL_DROPOUT_LAYER_H_
#define LESSONS_RANDOM_NUMBERS_STEPS_IMAGE_CHANNEL_DROPOUT_LAYER_H_

#include "framework/lamina.h"

namespace lamina::image {

// [region layer]
struct ChannelDropoutLayer : Layer, DrawsRandomNumbers {
  DlArray Predict(const DlArray& x) const { return x; }

  DlArray Forward(const DlArray& x) const {
    const DlArray stays = Rand({1, 1, x.size(2), x.size(3)}) >= 0.25;  // 1 x 1 x C x B
    return Where(stays, x / 0.75, 0);
  }
};
// [endregion]

}  // namespace lamina::image

#endif  // LESSONS_RANDOM_NUMBERS_STEPS_IMAGE_CHANNEL_DROPOUT_LAYER_H_
