// The mistakes of the lesson do what the lesson says of them.
#include <gtest/gtest.h>

#include "checks/check_layer.h"
#include "framework/trainnet/updates.h"
#include "lessons/weight_sharing/broken/frozen_side_layer.h"
#include "lessons/weight_sharing/broken/two_networks_layer.h"

namespace lamina {
namespace {

const NetworkDataLayout kLayout({6, kUnknown}, "CB");

DlNetwork Features() { return DlNetwork({FullyConnectedLayer(4), TanhLayer()}); }

// The outputs for (a, b) and for (b, a) are equal.
bool IsSymmetric(const DlNetwork& pair) {
  Rng(2);
  const DlArray a = Randn({6, 3}, DataType::kSingle, "CB");
  const DlArray b = Randn({6, 3}, DataType::kSingle, "CB");
  const DlArrays ab = {a, b}, ba = {b, a};
  return IsEqual(pair.PredictAll(ab).outputs[0], pair.PredictAll(ba).outputs[0]);
}

// A network of this layer alone, after one step on a pair.
DlNetwork AfterOneStep(const AnyLayer& layer) {
  DlNetwork network({layer});
  Rng(1);
  network.Initialize({kLayout, kLayout});
  EXPECT_TRUE(IsSymmetric(network)) << "at first";
  const DlArrays pair = {Randn({6, 3}, DataType::kSingle, "CB"),
                         Randn({6, 3}, DataType::kSingle, "CB")};
  const DlArrays gradients = DlFeval(
      [&](const DlNetwork& net) {
        return DlGradient(Sum(net.ForwardAll(pair).outputs[0]), net.LearnableValues());
      },
      network);
  AdamState state;
  AdamUpdate(network, gradients, state);
  return network;
}

TEST(BrokenTest, TwoNetworksPassTheCheckAndGrowApart) {
  EXPECT_TRUE(CheckLayer(TwoNetworksLayer(Features()), {kLayout, kLayout}, {.quiet = true}).ok());
  EXPECT_FALSE(IsSymmetric(AfterOneStep(TwoNetworksLayer(Features()))));
  EXPECT_TRUE(IsSymmetric(AfterOneStep(SiamesePairLayer(Features()))));
}

TEST(BrokenTest, AFrozenSideGivesTheSameOutputs) {
  AnyLayer right = SiamesePairLayer(Features()), wrong = FrozenSideLayer(Features());
  const DlArray a = Randn({6, 3}, DataType::kSingle, "CB");
  const DlArray b = Randn({6, 3}, DataType::kSingle, "CB");
  for (AnyLayer* layer : {&right, &wrong}) {
    Rng(3);
    layer->Initialize({kLayout, kLayout});
  }
  EXPECT_TRUE(IsEqual(right.Forward({a, b}).outputs[0], wrong.Forward({a, b}).outputs[0]));
}

}  // namespace
}  // namespace lamina
