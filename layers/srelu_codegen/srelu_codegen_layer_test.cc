#include "layers/srelu_codegen/srelu_codegen_layer.h"

#include "gtest/gtest.h"
#include "layers/srelu/srelu_tests.h"

namespace lamina::srelu {

INSTANTIATE_TYPED_TEST_SUITE_P(SReluCodegenLayer, SReluTest, SReluCodegenLayer);

TEST(SReluCodegenLayerTest, DeclaresThatItIsGenerated) {
  EXPECT_TRUE(AnyLayer(SReluCodegenLayer()).traits().is_code_generatable);
}

}  // namespace lamina::srelu
