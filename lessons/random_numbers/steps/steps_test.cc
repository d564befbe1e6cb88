// The steps of the lesson compile, draw what the prose says, and end at the real layer.

#include <gtest/gtest.h>

#include "layers/channel_dropout/channel_dropout_layer.h"
#include "lessons/random_numbers/steps/element_dropout_layer.h"
#include "lessons/random_numbers/steps/image_channel_dropout_layer.h"

namespace lamina {
namespace {

const DlArray kX = Ones({3, 3, 40, 5}, DataType::kSingle, "SSCB");

DlArray Drawn(const AnyLayer& layer) {
  RandomSource source{.seed = 4};
  const ScopedRandomSource scope(source);
  return layer.Forward({kX}).outputs[0];
}
// Channels whose elements are not all alike.
int64_t MixedChannels(const DlArray& y) {
  int64_t mixed = 0;
  for (int64_t c = 0; c < 200; ++c) {
    bool same = true;
    for (int64_t e = 0; e < 9; ++e) same = same && y.At(9 * c + e) == y.At(9 * c);
    mixed += !same;
  }
  return mixed;
}

TEST(StepsTest, ElementsAreDrawnForThemselves) {
  const DlArray y = Drawn(element::DropoutLayer());
  EXPECT_GT(MixedChannels(y), 150);
  for (int64_t i = 0; i < y.numel(); ++i) {
    EXPECT_TRUE(y.At(i) == 0 || y.At(i) == static_cast<float>(1 / 0.75));
  }
}

TEST(StepsTest, ChannelsShareTheirFate) {
  EXPECT_EQ(MixedChannels(Drawn(image::ChannelDropoutLayer())), 0);
}

TEST(StepsTest, TheWholeLayerDrawsTheSame) {
  EXPECT_TRUE(IsEqual(Drawn(image::ChannelDropoutLayer()), Drawn(ChannelDropoutLayer(0.25))));
}

}  // namespace
}  // namespace lamina
