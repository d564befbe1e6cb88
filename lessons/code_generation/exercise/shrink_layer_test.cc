// What the exercise asks for. SHRINK_LAYER_HEADER names the header of the layer.
#include <gtest/gtest.h>

#include "checks/check_layer.h"
#include "framework/lamina.h"
#include HEADER_UNDER_TEST

namespace lamina {
namespace {

TEST(ShrinkLayerTest, FollowsTheFormula) {
  ShrinkLayer layer;
  layer.width = DlArray::FromVector<double>({0.5, 2}, {1, 2});
  const std::vector<double> x = {-3, -0.5, 0.25, 1, -3, -1, 1.5, 2.5};
  const std::vector<double> expected = {-2.5, 0, 0, 0.5, -1, 0, 0, 0.5};
  const DlArray y =
      AnyLayer(layer).Predict({DlArray::FromVector<double>(x, {4, 2}, "SC")}).outputs[0];
  for (size_t i = 0; i < x.size(); ++i) EXPECT_DOUBLE_EQ(y.At(i), expected[i]) << "x = " << x[i];
}

TEST(ShrinkLayerTest, LearnsAndIsGenerated) {
  const CheckReport report = CheckLayer(ShrinkLayer(), {NetworkDataLayout({6, 6, 3, 2}, "SSCB")},
                                        {.check_codegen_compatibility = true});
  EXPECT_TRUE(report.ok());
}

}  // namespace
}  // namespace lamina
