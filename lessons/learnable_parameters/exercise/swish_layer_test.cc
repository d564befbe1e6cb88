// What the exercise asks for. It finds the parameter by its name, so it compiles before there is
// one. The solution passes the same test.

#include <gtest/gtest.h>

#include <cmath>

#include "checks/check_layer.h"
#include HEADER_UNDER_TEST

namespace lamina {
namespace {

const NetworkDataLayout kLayout({2, 2, 3, 4}, "SSCB");

// The array of the property "Beta"; null where there is none.
DlArray* FindBeta(AnyLayer& layer) {
  for (const PropertyDescriptor& property : layer->Properties()) {
    if (property.name == "Beta" && property.kind == PropertyKind::kLearnable) {
      return layer->ArrayOf(property);
    }
  }
  return nullptr;
}

TEST(LearnableSwishTest, Step1HasALearnableBeta) {
  AnyLayer layer = LearnableSwishLayer();
  EXPECT_NE(FindBeta(layer), nullptr) << "name a property: Learnable beta{*this, \"Beta\"};";
}

TEST(LearnableSwishTest, Step2InitializesBetaToOnesForEachChannel) {
  AnyLayer layer = LearnableSwishLayer();
  ASSERT_NE(FindBeta(layer), nullptr) << "first step 1";
  layer.Initialize({kLayout});
  const DlArray beta = *FindBeta(layer);
  ASSERT_EQ(beta.numel(), 3) << "one for each of the 3 channels: Ones(layout.Only('C'))";
  for (int c = 0; c < 3; ++c) EXPECT_EQ(beta.At(c), 1);
}

TEST(LearnableSwishTest, Step2KeepsABetaThatIsSet) {
  AnyLayer layer = LearnableSwishLayer();
  ASSERT_NE(FindBeta(layer), nullptr) << "first step 1";
  *FindBeta(layer) = DlArray::FromVector<float>({2, 3, 4}, {1, 1, 3});
  layer.Initialize({kLayout});
  EXPECT_EQ(FindBeta(layer)->At(1), 3) << "a loaded layer keeps its values: if (beta.empty())";
}

TEST(LearnableSwishTest, Step3IsTheFunction) {
  AnyLayer layer = LearnableSwishLayer();
  ASSERT_NE(FindBeta(layer), nullptr) << "first step 1";
  *FindBeta(layer) = DlArray::FromVector<float>({0.5, 2, -1}, {1, 1, 3});
  const DlArray x = DlArray::FromVector<float>({-1, 2, 3}, {1, 1, 3, 1}, "SSCB");
  const DlArray y = layer.Predict({x}).outputs[0];
  const double beta[] = {0.5, 2, -1};
  for (int c = 0; c < 3; ++c) {
    const double v = x.At(c);
    EXPECT_NEAR(y.At(c), v / (1 + std::exp(-beta[c] * v)), 1e-6);
  }
}

TEST(LearnableSwishTest, PassesCheckLayer) {
  const CheckReport report = CheckLayer(LearnableSwishLayer(), {kLayout}, {.quiet = true});
  EXPECT_TRUE(report.ok()) << report;
}

}  // namespace
}  // namespace lamina
