// What the exercise asks for. It finds the state by its name, so it compiles before there is one.
// The solution passes the same test.

#include <gtest/gtest.h>

#include <cmath>

#include "checks/check_layer.h"
#include HEADER_UNDER_TEST

namespace lamina {
namespace {

// The array of the property "MeanSquare"; null where there is none.
DlArray* FindMeanSquare(AnyLayer& layer) {
  for (const PropertyDescriptor& property : layer->Properties()) {
    if (property.name == "MeanSquare" && property.kind == PropertyKind::kState) {
      return layer->ArrayOf(property);
    }
  }
  return nullptr;
}

// Squares: 1, 9, 16 with the mean 26/3 in the first channel; 4, 0, 4 with 8/3 in the second.
const DlArray kX = DlArray::FromVector<double>({1, 2, -3, 0, 4, -2}, {2, 3}, "CB");
const double kMeanSquare[] = {26.0 / 3, 8.0 / 3};

AnyLayer Initialized() {
  AnyLayer layer = RunningRmsLayer();
  layer.Initialize({NetworkDataLayout::Of(kX)});
  return layer;
}

TEST(RunningRmsTest, Step1HasAStateOfOnes) {
  AnyLayer layer = Initialized();
  ASSERT_NE(FindMeanSquare(layer), nullptr)
      << "name a property: State mean_square{*this, \"MeanSquare\"};";
  const DlArray state = *FindMeanSquare(layer);
  ASSERT_EQ(state.sizes(), Sizes({2, 1})) << "Initialize: Ones({layout.Size('C'), 1})";
  EXPECT_EQ(state.At(0), 1);
  EXPECT_EQ(state.At(1), 1);
}

TEST(RunningRmsTest, Step2PredictGoesByTheState) {
  AnyLayer layer = Initialized();
  ASSERT_NE(FindMeanSquare(layer), nullptr) << "first step 1";
  *FindMeanSquare(layer) = DlArray::FromVector<double>({4, 0.25}, {2, 1});
  const LayerResult r = layer.Predict({kX});
  for (int e = 0; e < 6; ++e) {
    const double q = e % 2 == 0 ? 4 : 0.25;
    EXPECT_NEAR(r.outputs[0].At(e), kX.At(e) / std::sqrt(q + 1e-5), 1e-12) << "element " << e;
  }
  EXPECT_TRUE(IsEqual(r.states[0], *FindMeanSquare(layer))) << "Predict leaves the state alone";
}

TEST(RunningRmsTest, Step3ForwardGoesByTheBatchAndMovesTheState) {
  AnyLayer layer = Initialized();
  ASSERT_NE(FindMeanSquare(layer), nullptr) << "first step 1";
  ASSERT_TRUE(layer.traits().has_forward) << "write Forward";
  const LayerResult r = layer.Forward({kX});
  for (int e = 0; e < 6; ++e) {
    EXPECT_NEAR(r.outputs[0].At(e), kX.At(e) / std::sqrt(kMeanSquare[e % 2] + 1e-5), 1e-12)
        << "element " << e;
  }
  for (int c = 0; c < 2; ++c) {
    EXPECT_NEAR(r.states[0].At(c), 0.9 + 0.1 * kMeanSquare[c], 1e-6) << "channel " << c;
  }
}

TEST(RunningRmsTest, PassesCheckLayer) {
  AnyLayer layer = Initialized();
  ASSERT_NE(FindMeanSquare(layer), nullptr) << "first step 1";
  const CheckReport report =
      CheckLayer(RunningRmsLayer(), {NetworkDataLayout({3, 3, 4, 5}, "SSCB")}, {.quiet = true});
  EXPECT_TRUE(report.ok()) << report;
}

}  // namespace
}  // namespace lamina
