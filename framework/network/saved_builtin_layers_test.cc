// Each built-in layer comes back from a file as it was.

#include <string>

#include "framework/layers/testing/builtin_layer_table.h"
#include "framework/network/testing/saved_layer.h"
#include "framework/ops/elementwise.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

TEST(SavedBuiltinLayersTest, EachComesBackAsItWas) {
  for (const BuiltinLayerRow& row : BuiltinLayerTable()) {
    SCOPED_TRACE(row.layer->Type() + " of " + row.format);
    const std::vector<NetworkDataLayout> layouts(static_cast<size_t>(row.num_inputs),
                                                 NetworkDataLayout(row.sizes, row.format));
    EXPECT_TRUE(SavedLayerIsTheSame(row.layer, layouts));
  }
}

// That the comparison sees something: a setting that a file does not hold.
struct Forgetful : Layer {
  double gain = 1;
  DlArray Predict(const DlArray& x) const { return gain * x; }
};

TEST(SavedBuiltinLayersTest, ASettingThatIsNoPropertyIsSeen) {
  Forgetful layer;
  layer.gain = 2;
  const testing::AssertionResult result =
      SavedLayerIsTheSame<Forgetful>(layer, {NetworkDataLayout({3, 2}, "CB")});
  EXPECT_FALSE(result);
  EXPECT_STREQ(result.message(), "Forgetful: Predict, result 0: other values");
  EXPECT_TRUE(SavedLayerIsTheSame<Forgetful>(Forgetful(), {NetworkDataLayout({3, 2}, "CB")}));
}

}  // namespace
}  // namespace lamina
