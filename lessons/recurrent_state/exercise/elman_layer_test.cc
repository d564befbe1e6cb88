// What the exercise asks for. It finds the state by its name, so it compiles before there is one.
// The solution passes the same test.

#include <gtest/gtest.h>

#include <cmath>

#include "checks/check_layer.h"
#include HEADER_UNDER_TEST

namespace lamina {
namespace {

// One unit and one channel: h' = tanh(2 x + 0.5 h - 1).
AnyLayer One() {
  ElmanLayer layer(1);
  layer.input_weights = Full({1, 1}, 2);
  layer.recurrent_weights = Full({1, 1}, 0.5);
  layer.bias = Full({1, 1}, -1);
  return layer;
}

DlArray Steps(const std::vector<float>& x) {
  return DlArray::FromVector(x, {1, 1, static_cast<int64_t>(x.size())}, "CBT");
}

TEST(ElmanLayerTest, Step1HasAStateOfZeros) {
  AnyLayer layer = ElmanLayer(3);
  int states = 0;
  layer->ForEachState([&](DlArray& state) {
    ++states;
    EXPECT_EQ(state.sizes(), Sizes({3, 1})) << "Zeros({num_hidden_units, 1})";
  });
  EXPECT_EQ(states, 1) << "State hidden_state{*this, \"HiddenState\"};";
  EXPECT_TRUE(layer.traits().has_reset_state) << "void ResetState() { ... }";
}

TEST(ElmanLayerTest, Step2RunsOverTheSteps) {
  const double first = std::tanh(2 * 0.25 - 1), second = std::tanh(2 * 1 + 0.5 * first - 1);
  EXPECT_NEAR(One().Predict({Steps({0.25f})}).outputs[0].Scalar(), first, 1e-6);
  EXPECT_NEAR(One().Predict({Steps({0.25f, 1})}).outputs[0].Scalar(), second, 1e-6);
}

TEST(ElmanLayerTest, Step3HandsTheStateOn) {
  AnyLayer layer = One();
  const double whole = layer.Predict({Steps({0.25f, 1, -1})}).outputs[0].Scalar();
  const LayerResult first = layer.Predict({Steps({0.25f})});
  ASSERT_EQ(first.states.size(), 1u) << "return {DlArray(h, \"CB\"), h};";
  layer.SetStates(first.states);
  EXPECT_NEAR(layer.Predict({Steps({1, -1})}).outputs[0].Scalar(), whole, 1e-6);
  layer.ResetState();
  EXPECT_NEAR(layer.Predict({Steps({0.25f, 1, -1})}).outputs[0].Scalar(), whole, 1e-6);
}

TEST(ElmanLayerTest, PassesCheckLayer) {
  const CheckReport report =
      CheckLayer(ElmanLayer(4), {NetworkDataLayout({3, kUnknown, 5}, "CBT")}, {.quiet = true});
  EXPECT_TRUE(report.ok()) << report;
}

}  // namespace
}  // namespace lamina
