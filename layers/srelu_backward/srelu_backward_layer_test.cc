// The derivatives of SReLU against those that the tape takes of layers/srelu; what is kept for
// them.
#include "layers/srelu_backward/srelu_backward_layer.h"

#include "framework/cpu/allocator.h"
#include "gtest/gtest.h"
#include "layers/srelu/srelu_layer.h"
#include "layers/srelu/srelu_tests.h"

namespace lamina::srelu {

INSTANTIATE_TYPED_TEST_SUITE_P(SReluBackwardLayer, SReluTest, SReluBackwardLayer);

TEST(SReluBackwardLayerTest, DerivativesAreThoseThatTheTapeTakes) {
  const DlArrays own = Gradients(WithUnits<SReluBackwardLayer>()),
                 automatic = Gradients(WithUnits<SReluLayer>());
  ASSERT_EQ(own.size(), automatic.size());
  for (size_t i = 0; i < own.size(); ++i) EXPECT_TRUE(IsEqual(own[i], automatic[i])) << i;
}

// Bytes that are kept for each element of the input, beside the input and the output themselves.
template <class L>
double BytesKept() {
  AnyLayer layer = L();
  const DlArray x = Rand({64, 64, 4, 8}, DataType::kSingle, "SSCB");
  layer.Initialize({NetworkDataLayout::Of(x)});
  const int64_t before = cpu::Stats().bytes_in_use;
  return DlFeval(
      [&](const DlArray& watched, const AnyLayer& l) {
        const DlArray y = l.Forward({watched}).outputs[0];
        const int64_t kept = cpu::Stats().bytes_in_use - before;
        return static_cast<double>(kept) / static_cast<double>(x.numel()) - 4;
      },
      x, layer);
}

TEST(SReluBackwardLayerTest, KeepsTwoLogicalValuesBesideTheInput) {
  EXPECT_NEAR(BytesKept<SReluBackwardLayer>(), 2, 0.1);
  EXPECT_GT(BytesKept<SReluLayer>(), 9);
}

}  // namespace lamina::srelu
