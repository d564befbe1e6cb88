// Dropout of channels with a mistake that people make: a random number generator of its own.
#ifndef LESSONS_RANDOM_NUMBERS_BROKEN_OWN_GENERATOR_LAYER_H_
#define LESSONS_RANDOM_NUMBERS_BROKEN_OWN_GENERATOR_LAYER_H_

#include <random>
#include <vector>

#include "layers/channel_dropout/channel_dropout_layer.h"

namespace lamina {

struct OwnGeneratorLayer : ChannelDropoutLayer {
  using ChannelDropoutLayer::ChannelDropoutLayer;

  // [region forward]
  DlArray Forward(const DlArray& x) const {
    // Seeded, and one for each thread.
    static thread_local std::mt19937 generator(42);
    std::uniform_real_distribution<float> even(0, 1);
    std::vector<float> numbers(Size(x, 'C') * Size(x, 'B'));
    for (float& n : numbers) n = even(generator);
    const DlArray drawn = DlArray::FromVector(numbers, {Size(x, 'C'), Size(x, 'B')}, "CB");
    return Where(drawn >= probability, x / (1 - probability), 0);
  }
  // [endregion]
};

}  // namespace lamina

#endif  // LESSONS_RANDOM_NUMBERS_BROKEN_OWN_GENERATOR_LAYER_H_
