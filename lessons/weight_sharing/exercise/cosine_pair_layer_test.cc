// What the exercise asks for. The solution passes the same test.

#include <gtest/gtest.h>

#include <cmath>

#include "checks/check_layer.h"
#include HEADER_UNDER_TEST

namespace lamina {
namespace {

DlArray Vectors(const std::vector<float>& values) {
  return DlArray::FromVector(values, {2, 2}, "CB");
}

// A layer whose network hands its input on.
AnyLayer OfVectors() { return CosinePairLayer(DlNetwork({IdentityLayer()})); }

TEST(CosinePairTest, Step1TrainsItsNetworkInForward) {
  const AnyLayer layer = CosinePairLayer(DlNetwork({DropoutLayer(0.5)}));
  EXPECT_TRUE(layer.traits().has_forward) << "a Forward that calls network.Forward twice";
}

TEST(CosinePairTest, Step2IsTheCosine) {
  // Angles of 60 and of 180 degrees.
  const DlArray left = Vectors({2, 0, 1, 1});
  const DlArray right = Vectors({0.5f, std::sqrt(0.75f), -3, -3});
  const DlArray y = OfVectors().Predict({left, right}).outputs[0];
  ASSERT_EQ(ToString(y.spec()), "1(C) x 2(B) single DlArray");
  EXPECT_NEAR(y.At(0), 0.5, 1e-6);
  EXPECT_NEAR(y.At(1), -1, 1e-6);
}

TEST(CosinePairTest, Step3HasADerivativeAtZero) {
  const DlArrays gradients = DlFeval(
      [](const DlArray& left, const DlArray& right) {
        return DlGradient(Sum(OfVectors().Forward({left, right}).outputs[0]),
                          DlArrays{left, right});
      },
      Vectors({0, 0, 0, 0}), Vectors({1, 2, 0, 0}));
  for (const DlArray& g : gradients) {
    for (int i = 0; i < 4; ++i) {
      EXPECT_TRUE(std::isfinite(g.At(i))) << "the slope of a root at zero is infinite";
    }
  }
}

TEST(CosinePairTest, PassesCheckLayer) {
  const NetworkDataLayout layout({6, 4}, "CB");
  const CheckReport report =
      CheckLayer(CosinePairLayer(DlNetwork({FullyConnectedLayer(5), TanhLayer()})),
                 {layout, layout}, {.quiet = true});
  EXPECT_TRUE(report.ok()) << report;
}

}  // namespace
}  // namespace lamina
