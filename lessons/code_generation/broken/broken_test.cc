// The mistake of the lesson does what the lesson says of it: outputs and derivatives are right.
#include <gtest/gtest.h>

#include "framework/codegen/generate_code.h"
#include "lessons/code_generation/broken/early_exit_layer.h"

namespace lamina {
namespace {

TEST(BrokenTest, AnEarlyExitGivesTheSameOutputsAndCannotBeGenerated) {
  const NetworkDataLayout layout({4, 4, 3, 5}, "SSCB");
  AnyLayer right = SReluCodegenLayer(), wrong = EarlyExitLayer();
  for (AnyLayer* layer : {&right, &wrong}) {
    Rng(3);
    layer->Initialize({layout});
  }
  for (double shift : {0.0, 5.0}) {
    const DlArray x = Randn(layout.sizes(), DataType::kSingle, "SSCB") + shift;
    EXPECT_TRUE(IsEqual(right.Predict({x}).outputs[0], wrong.Predict({x}).outputs[0]));
  }
  EXPECT_NO_THROW(GenerateCode(DlNetwork({right}), {layout}));
  try {
    GenerateCode(DlNetwork({wrong}), {layout});
    FAIL();
  } catch (const Error& e) {
    EXPECT_EQ(e.identifier(), "codegen:ReadsValues");
  }
}

}  // namespace
}  // namespace lamina
