#include "framework/layers/function_layer.h"

#include <array>
#include <vector>

#include "framework/autodiff/differentiable_function.h"
#include "framework/dlarray/testing/thrown_error.h"
#include "framework/layers/testing/layer_gradients.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

DlArray X() { return DlArray::FromVector<float>({1, 2, 3, 4}, {2, 2}, "CB"); }

DlArray Halved(const DlArray& x) { return x / 2; }

TEST(FunctionLayerTest, CallsItsFunction) {
  const AnyLayer layer = FunctionLayer([](const DlArray& x) { return x * 2; });
  EXPECT_EQ(layer->Type(), "FunctionLayer");
  EXPECT_TRUE(IsEqual(layer.Predict({X()}).outputs[0], X() * 2));
  EXPECT_TRUE(IsEqual(AnyLayer(FunctionLayer(&Halved)).Predict({X()}).outputs[0], X() / 2));
  EXPECT_TRUE(LayerGradientsAgree(layer, {RandomInput({2, 3}, "CB")}));
}

TEST(FunctionLayerTest, IsFormattableWhenItSaysSo) {
  const auto labels = [](const DlArray& x) { return x + static_cast<double>(Dims(x).size()); };
  EXPECT_TRUE(IsEqual(AnyLayer(FunctionLayer(labels)).Predict({X()}).outputs[0], X()));
  const AnyLayer formattable = FunctionLayer(labels, {.formattable = true, .acceleratable = true});
  EXPECT_TRUE(IsEqual(formattable.Predict({X()}).outputs[0], X() + 2));
  EXPECT_TRUE(formattable.traits().is_formattable && formattable.traits().is_acceleratable);
  EXPECT_FALSE(AnyLayer(FunctionLayer(labels)).traits().is_formattable);
}

TEST(FunctionLayerTest, DeclaresWhatItSays) {
  const auto function = [](const DlArray& x) { return Floor(x) + RandLike(x) + Mean(x, "B"); };
  const LayerTraits plain = AnyLayer(FunctionLayer(function)).traits();
  EXPECT_FALSE(plain.joins_observations || plain.draws_random_numbers ||
               plain.not_differentiable_at_points);
  const LayerTraits declared =
      AnyLayer(FunctionLayer(function, {.joins_observations = true,
                                        .draws_random_numbers = true,
                                        .not_differentiable_at_points = true}))
          .traits();
  EXPECT_TRUE(declared.joins_observations && declared.draws_random_numbers &&
              declared.not_differentiable_at_points);
}

TEST(FunctionLayerTest, CountsInputsAndOutputsByItself) {
  const AnyLayer layer =
      FunctionLayer([](const DlArray& a, const DlArray& b) { return std::pair(a + b, a - b); });
  EXPECT_EQ(layer->NumInputs(), 2);
  EXPECT_EQ(layer->NumOutputs(), 2);
  EXPECT_TRUE(IsEqual(layer.Predict({X(), X()}).outputs[1], X() - X()));
  const AnyLayer list = FunctionLayer(
      [](const DlArrays& x) {
        return DlArrays{x[2], x[1]};
      },
      {.num_inputs = 3, .num_outputs = 2});
  EXPECT_EQ(list->NumInputs(), 3);
  EXPECT_TRUE(IsEqual(list.Predict({X(), X() + 1, X() + 2}).outputs[0], X() + 2));
}

TEST(FunctionLayerTest, HoldsLearnables) {
  const AnyLayer layer = FunctionLayer(
      [](const DlArray& x, const DlArray& gain, const DlArray& shift) { return gain * x + shift; },
      {.learnables = {{"Gain", Full({2}, 3)}, {"Shift", DlArray(1.0)}}});
  EXPECT_EQ(layer->NumInputs(), 1);
  EXPECT_TRUE(IsEqual(layer.Predict({X()}).outputs[0], 3 * X() + 1));
  EXPECT_TRUE(LayerGradientsAgree(layer, {RandomInput({2, 3}, "CB")}));
  AnyLayer copy = layer;
  copy->SetLearnRateFactor("Learnables/Gain", 0.5);
  EXPECT_EQ(copy->LearnRateFactor("Learnables/Gain"), 0.5);
  EXPECT_EQ(layer->LearnRateFactor("Learnables/Gain"), 1);
  copy->ForEachLearnable([](DlArray& p) { p = ZerosLike(p); });
  EXPECT_TRUE(IsEqual(layer.Predict({X()}).outputs[0], 3 * X() + 1));
  EXPECT_TRUE(IsEqual(copy.Predict({X()}).outputs[0], ZerosLike(X())));
}

TEST(FunctionLayerTest, HoldsADifferentiableFunction) {
  // y = gain x, and as the derivative with respect to x its sign alone.
  struct SignGradient {
    DlArray Forward(const DlArray& x, const DlArray& gain) const { return gain * x; }
    std::array<DlArray, 2> Backward(const DlArray& x, const DlArray& gain, Unused,
                                    const DlArray& dy, Unused,
                                    const NeededGradients& needed) const {
      return {needed[0] ? Sign(dy) : DlArray(), needed[1] ? SumTo(x * dy, gain.spec()) : DlArray()};
    }
  };
  const AnyLayer layer = FunctionLayer(DifferentiableFunction(SignGradient()),
                                       {.learnables = {{"Gain", Full({1}, 3)}}});
  EXPECT_EQ(layer->NumInputs(), 1);
  EXPECT_TRUE(IsEqual(layer.Predict({X()}).outputs[0], 3 * X()));
  const DlArrays gradients = DlFeval(
      [](AnyLayer watched, const DlArray& x) {
        DlArrays variables = {x};
        watched.ForEachLearnable([&](DlArray& w) { variables.push_back(w); });
        return DlGradient(Sum(-7 * watched.Forward({x}).outputs[0]), variables);
      },
      layer, X());
  EXPECT_TRUE(IsEqual(gradients[0], -OnesLike(X())));
  EXPECT_EQ(gradients[1].At(0), -70);
}

TEST(FunctionLayerTest, WrongNumbersAreRefused) {
  const auto two = [](const DlArray& a, const DlArray& b) { return a + b; };
  EXPECT_EQ(MessageOf([&] { FunctionLayer(two, {.num_inputs = 1}); }),
            "FunctionLayer: the function takes the inputs and then the learnables, 1 array in "
            "all. It takes 2. [layer:InputCount]");
  EXPECT_EQ(MessageOf([&] {
              FunctionLayer(two, {.learnables = {{"A", Ones({1})}, {"B", Ones({1})}}});
            }),
            "FunctionLayer: the function takes the inputs and then the learnables, 3 or more "
            "arrays in all. It takes 2. [layer:InputCount]");
  EXPECT_EQ(MessageOf([&] { FunctionLayer(two, {.num_outputs = 2}); }),
            "FunctionLayer: the function returns 2 outputs. It returns 1. [layer:ResultCount]");
  EXPECT_EQ(MessageOf([&] {
              AnyLayer(FunctionLayer([](const DlArrays& x) {
                return DlArrays{x[0], x[0]};
              })).Predict({X()});
            }),
            "FunctionLayer, Predict: The layer returns 1 output and 0 state arrays. 2 arrays came. "
            "Return each output, then each new state. [layer:ResultCount]");
}

}  // namespace
}  // namespace lamina
