// The steps of the lesson have the derivatives of the real layer, bit for bit.

#include <gtest/gtest.h>

#include "layers/srelu_backward/srelu_backward_layer.h"
#include "lessons/own_backward/steps/greedy_srelu_layer.h"
#include "lessons/own_backward/steps/input_only_srelu_layer.h"

namespace lamina {
namespace {

DlArrays Gradients(AnyLayer layer) {
  RandomSource source{.seed = 4};
  const ScopedRandomSource scope(source);
  const DlArray x = Randn({5, 4, 3, 7}, DataType::kSingle, "SSCB"), weights = Randn(x.sizes());
  layer.Initialize({NetworkDataLayout::Of(x)});
  return DlFeval(
      [&](AnyLayer watched, const DlArray& input) {
        DlArrays variables = {input};
        watched.ForEachLearnable([&](DlArray& w) { variables.push_back(w); });
        return DlGradient(Sum(weights * watched.Forward({input}).outputs[0]), variables);
      },
      layer, x);
}

TEST(StepsTest, AllHaveTheSameDerivatives) {
  const DlArrays real = Gradients(SReluBackwardLayer());
  for (const AnyLayer& step : {AnyLayer(InputOnlySReluLayer()), AnyLayer(GreedySReluLayer())}) {
    const DlArrays found = Gradients(step);
    ASSERT_EQ(found.size(), real.size());
    for (size_t i = 0; i < real.size(); ++i) EXPECT_TRUE(IsEqual(found[i], real[i])) << i;
  }
}

}  // namespace
}  // namespace lamina
