// What the exercise asks for. It finds the parameter by its name, so it compiles before there is
// one. The solution passes the same test.

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "checks/check_layer.h"
#include HEADER_UNDER_TEST

namespace lamina {
namespace {

// The array of the property "Logits"; null where there is none.
DlArray* FindLogits(AnyLayer& layer) {
  for (const PropertyDescriptor& property : layer->Properties()) {
    if (property.name == "Logits" && property.kind == PropertyKind::kLearnable) {
      return layer->ArrayOf(property);
    }
  }
  return nullptr;
}

DlArray OneValue(double v) { return DlArray::FromVector<double>({v}, {1, 1}, "CB"); }

TEST(WeightedMeanTest, Step1HasLearnableLogits) {
  AnyLayer layer = WeightedMeanLayer();
  EXPECT_NE(FindLogits(layer), nullptr) << "name a property: Learnable logits{*this, \"Logits\"};";
}

TEST(WeightedMeanTest, Step2HasAsManyInputsAsItIsTold) {
  const AnyLayer layer = WeightedMeanLayer(3);
  EXPECT_EQ(layer->NumInputs(), 3) << "in the constructor: SetNumInputs(num_inputs);";
}

TEST(WeightedMeanTest, Step2BeginsWithZeros) {
  AnyLayer layer = WeightedMeanLayer(3);
  ASSERT_NE(FindLogits(layer), nullptr) << "first step 1";
  const DlArray logits = *FindLogits(layer);
  ASSERT_EQ(logits.numel(), 3) << "in the constructor: logits = Zeros({num_inputs});";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(logits.At(i), 0);
}

TEST(WeightedMeanTest, Step3IsTheFunction) {
  AnyLayer layer = WeightedMeanLayer(3);
  ASSERT_NE(FindLogits(layer), nullptr) << "first step 1";
  ASSERT_EQ(layer->NumInputs(), 3) << "first step 2";
  *FindLogits(layer) = DlArray::FromVector<double>({0.5, -1, 2}, {3});
  const DlArray y = layer.Predict({OneValue(3), OneValue(-4), OneValue(10)}).outputs[0];
  const double a = std::exp(0.5), b = std::exp(-1), c = std::exp(2);
  EXPECT_NEAR(y.Scalar(), (3 * a - 4 * b + 10 * c) / (a + b + c), 1e-12);
}

TEST(WeightedMeanTest, Step3IsTheMeanAtFirst) {
  const AnyLayer layer = WeightedMeanLayer(2);
  ASSERT_EQ(layer->NumInputs(), 2) << "first step 2";
  EXPECT_NEAR(layer.Predict({OneValue(3), OneValue(-4)}).outputs[0].Scalar(), -0.5, 1e-7);
}

TEST(WeightedMeanTest, PassesCheckLayer) {
  ASSERT_EQ(AnyLayer(WeightedMeanLayer(3))->NumInputs(), 3) << "first step 2";
  const NetworkDataLayout layout({2, 2, 3, 4}, "SSCB");
  const CheckReport report =
      CheckLayer(WeightedMeanLayer(3), {layout, layout, layout}, {.quiet = true});
  EXPECT_TRUE(report.ok()) << report;
}

}  // namespace
}  // namespace lamina
