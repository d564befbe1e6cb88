// What the exercise asks for. It finds properties by their names, so it compiles before there are
// any. The solution passes the same test.

#include <gtest/gtest.h>

#include <cmath>

#include "checks/check_layer.h"
#include HEADER_UNDER_TEST

namespace lamina {
namespace {

// The array of a property; null where there is none.
DlArray* Find(AnyLayer& layer, std::string_view name, PropertyKind kind) {
  for (const PropertyDescriptor& property : layer->Properties()) {
    if (property.name == name && property.kind == kind) return layer->ArrayOf(property);
  }
  return nullptr;
}

DlArray Air(double celsius, int64_t steps) {
  return Full({1, 1, steps}, celsius, DataType::kSingle, "CBT");
}

TEST(CoolingLayerTest, Step1HasALearnableAndAState) {
  AnyLayer layer = CoolingLayer(10, 600, 90);
  const DlArray* log_tau = Find(layer, "LogTimeConstant", PropertyKind::kLearnable);
  ASSERT_NE(log_tau, nullptr) << "Learnable log_time_constant{*this, \"LogTimeConstant\"};";
  ASSERT_FALSE(log_tau->empty()) << "set it in the constructor";
  EXPECT_NEAR(log_tau->Scalar(), std::log(600), 1e-5);
  const DlArray* t = Find(layer, "Temperature", PropertyKind::kState);
  ASSERT_NE(t, nullptr) << "State temperature{*this, \"Temperature\"};";
  ASSERT_FALSE(t->empty()) << "call ResetState in the constructor";
  EXPECT_EQ(t->Scalar(), 90);
}

TEST(CoolingLayerTest, Step2IsAStepOfBackwardEuler) {
  const AnyLayer layer = CoolingLayer(10, 40, 90);
  const DlArray y = layer.Predict({Air(20, 1)}).outputs[0];
  // r = 1/4: 90 + (20 - 76) / 4 = 76.
  EXPECT_NEAR(y.Scalar(), 76, 1e-4) << "T' = (T + r Ta) / (1 + r)";
}

TEST(CoolingLayerTest, Step3CoolsAsTheLawSays) {
  const AnyLayer layer = CoolingLayer(1, 600, 90);
  const DlArray y = layer.Predict({Air(20, 900)}).outputs[0];
  ASSERT_EQ(Size(y, 'T'), 900);
  // Steps of 1 s with tau = 600 s: the error of backward Euler is below 0.03.
  for (int64_t t : {0, 99, 899}) {
    EXPECT_NEAR(y.At(t), 20 + 70 * std::exp(-static_cast<double>(t + 1) / 600), 0.03);
  }
}

TEST(CoolingLayerTest, Step3HandsItsStateOn) {
  AnyLayer layer = CoolingLayer(1, 600, 90);
  const DlArray whole = layer.Predict({Air(20, 8)}).outputs[0];
  const LayerResult first = layer.Predict({Air(20, 5)});
  ASSERT_EQ(first.states.size(), 1u) << "return {outputs, state}";
  layer.SetStates(first.states);
  EXPECT_NEAR(layer.Predict({Air(20, 3)}).outputs[0].At(2), whole.At(7), 1e-4);
}

TEST(CoolingLayerTest, PassesCheckLayer) {
  const CheckReport report = CheckLayer(
      CoolingLayer(0.5, 2, 1), {NetworkDataLayout({1, kUnknown, 6}, "CBT")}, {.quiet = true});
  EXPECT_TRUE(report.ok()) << report;
}

}  // namespace
}  // namespace lamina
