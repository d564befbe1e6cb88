// What the exercise asks for. It finds the parameter by its name, so it compiles before there is
// one. The solution passes the same test.

#include <gtest/gtest.h>

#include <cmath>

#include "checks/check_layer.h"
#include HEADER_UNDER_TEST

namespace lamina {
namespace {

// The array of the property "Alpha"; null where there is none.
DlArray* FindAlpha(AnyLayer& layer) {
  for (const PropertyDescriptor& property : layer->Properties()) {
    if (property.name == "Alpha" && property.kind == PropertyKind::kLearnable) {
      return layer->ArrayOf(property);
    }
  }
  return nullptr;
}

AnyLayer Block() { return RezeroBlockLayer(DlNetwork({TanhLayer()})); }

const DlArray kX = DlArray::FromVector<float>({-1, 0.5f, 2}, {3, 1}, "CB");

TEST(RezeroBlockTest, Step1HasAnAlphaOfZero) {
  AnyLayer layer = Block();
  ASSERT_NE(FindAlpha(layer), nullptr)
      << "name a property: Learnable alpha{*this, \"Alpha\", ...};";
  ASSERT_EQ(FindAlpha(layer)->numel(), 1) << "one number, without Initialize";
  EXPECT_EQ(FindAlpha(layer)->At(0), 0);
}

TEST(RezeroBlockTest, Step2IsTheIdentityAtFirst) {
  EXPECT_TRUE(IsEqual(Block().Predict({kX}).outputs[0], kX));
}

TEST(RezeroBlockTest, Step2IsTheFormula) {
  AnyLayer layer = Block();
  ASSERT_NE(FindAlpha(layer), nullptr) << "first step 1";
  *FindAlpha(layer) = Full({1}, 0.5);
  const DlArray y = layer.Predict({kX}).outputs[0];
  for (int i = 0; i < 3; ++i) {
    EXPECT_NEAR(y.At(i), kX.At(i) + 0.5 * std::tanh(kX.At(i)), 1e-6);
  }
}

TEST(RezeroBlockTest, Step3TrainsItsNetworkInForward) {
  EXPECT_TRUE(Block().traits().has_forward) << "a Forward that calls network.Forward";
}

TEST(RezeroBlockTest, PassesCheckLayer) {
  AnyLayer layer = RezeroBlockLayer(DlNetwork({FullyConnectedLayer(4), TanhLayer()}));
  ASSERT_NE(FindAlpha(layer), nullptr) << "first step 1";
  // At 0 the network has no say, so none of its derivatives would be seen.
  *FindAlpha(layer) = Full({1}, 0.5);
  const CheckReport report = CheckLayer(layer, {NetworkDataLayout({4, 3}, "CB")}, {.quiet = true});
  EXPECT_TRUE(report.ok()) << report;
}

}  // namespace
}  // namespace lamina
