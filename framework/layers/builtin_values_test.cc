// The built-in layers' numbers, against closed forms and plain loops, and their derivatives. The
// ops below them are tested for themselves; here it is what the layers make of them.
#include <algorithm>
#include <cmath>
#include <vector>

#include "framework/dlarray/testing/thrown_error.h"
#include "framework/layers/builtin_layers.h"
#include "framework/layers/testing/layer_gradients.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

template <class T>
T Initialized(T layer, const NetworkDataLayout& layout) {
  RandomSource source{.seed = 2};
  const ScopedRandomSource scope(source);
  layer.Initialize(layout);
  return layer;
}

DlArray Singles(const std::vector<float>& values, const Sizes& sizes, std::string_view format) {
  return DlArray::FromVector(values, sizes, format);
}

TEST(FullyConnectedLayerTest, MultipliesAndAdds) {
  auto layer = Initialized(FullyConnectedLayer(2), NetworkDataLayout({3, 2}, "CB"));
  EXPECT_EQ(layer.weights.sizes(), Sizes({2, 3}));
  EXPECT_EQ(layer.bias.sizes(), Sizes({2, 1}));
  layer.weights = Singles({1, 2, 3, 4, 5, 6}, {2, 3}, "");
  layer.bias = Singles({0.5f, -0.5f}, {2, 1}, "");
  const DlArray y = layer.Predict(Singles({1, 0, 0, 0, 1, 2}, {3, 2}, "CB"));
  EXPECT_TRUE(IsEqual(y, Singles({1.5f, 1.5f, 13.5f, 15.5f}, {2, 2}, "CB")));
  EXPECT_EQ(layer.L2Factor("Bias"), 0);
  EXPECT_EQ(layer.L2Factor("Weights"), 1);
  EXPECT_TRUE(LayerGradientsAgree(layer, {RandomInput({3, 4}, "CB")}));
}

TEST(ConvolutionLayerTest, SlidesAFilter) {
  auto layer = Initialized(Convolution2dLayer(2, 1), NetworkDataLayout({3, 3, 1, 1}, "SSCB"));
  EXPECT_EQ(layer.weights.sizes(), Sizes({2, 2, 1, 1}));
  EXPECT_EQ(layer.bias.numel(), 1);
  layer.weights = Singles({1, 10, 100, 1000}, {2, 2, 1, 1}, "");
  layer.bias = Singles({0.5f}, {1, 1}, "");
  const DlArray x = Singles({1, 2, 3, 4, 5, 6, 7, 8, 9}, {3, 3, 1, 1}, "SSCB");
  EXPECT_TRUE(IsEqual(layer.Predict(x),
                      Singles({5421.5f, 6532.5f, 8754.5f, 9865.5f}, {2, 2, 1, 1}, "SSCB")));
}

TEST(ConvolutionLayerTest, ParametersHaveTheSizesOfTheInput) {
  const auto grouped = Initialized(Convolution2dLayer({3, 2}, 8, {.groups = 2}),
                                   NetworkDataLayout({9, 9, 6, kUnknown}, "SSCB"));
  EXPECT_EQ(grouped.weights.sizes(), Sizes({3, 2, 3, 8}));
  EXPECT_EQ(grouped.bias.sizes(), Sizes({8, 1}));
  EXPECT_EQ(grouped.L2Factor("Bias"), 0);
  const auto causal = Initialized(Convolution1dLayer(3, 2, {.padding = "causal"}),
                                  NetworkDataLayout({2, 1, 4}, "CBT"));
  // A causal output sees nothing later than itself.
  DlArray x = RandomInput({2, 1, 4}, "CBT");
  const DlArray y = causal.Predict(x);
  const DlArray later = Cat('T', {Slice(x, 'T', 0, 3), Slice(x, 'T', 3, 1) + 1});
  const DlArray changed = causal.Predict(later);
  EXPECT_TRUE(IsEqual(Slice(y, 'T', 0, 3), Slice(changed, 'T', 0, 3)));
  EXPECT_FALSE(IsEqual(y, changed));
}

TEST(ConvolutionLayerTest, Gradients) {
  EXPECT_TRUE(
      LayerGradientsAgree(Initialized(Convolution2dLayer(2, 2, {.stride = {2}, .padding = "same"}),
                                      NetworkDataLayout({3, 4, 2, 2}, "SSCB")),
                          {RandomInput({3, 4, 2, 2}, "SSCB")}));
  EXPECT_TRUE(LayerGradientsAgree(
      Initialized(Convolution1dLayer(3, 2, {.dilation = {2}, .padding = "causal"}),
                  NetworkDataLayout({2, 2, 5}, "CBT")),
      {RandomInput({2, 2, 5}, "CBT")}));
}

TEST(PReluLayerTest, LearnsASlopeForEachChannel) {
  auto layer = Initialized(PReluLayer(), NetworkDataLayout({2, 2}, "CB"));
  EXPECT_TRUE(IsEqual(layer.alpha, Full({2}, 0.25)));
  layer.alpha = Singles({0.5f, 2}, {2}, "");
  EXPECT_TRUE(IsEqual(layer.Predict(Singles({-1, -1, 3, 3}, {2, 2}, "CB")),
                      Singles({-0.5f, -2, 3, 3}, {2, 2}, "CB")));
  EXPECT_TRUE(LayerGradientsAgree(layer, {RandomInput({2, 3}, "CB")}));
}

TEST(ActivationLayersTest, HandTheirSettingsOn) {
  const DlArray x = Singles({-2, 0.5f, 8}, {3}, "C");
  EXPECT_TRUE(IsEqual(LeakyReluLayer(0.5).Predict(x), Singles({-1, 0.5f, 8}, {3}, "C")));
  EXPECT_TRUE(IsEqual(ClippedReluLayer(4).Predict(x), Singles({0, 0.5f, 4}, {3}, "C")));
  EXPECT_NEAR(EluLayer(2).Predict(x).At(0), 2 * std::expm1(-2.0), 1e-6);
  EXPECT_NE(GeluLayer("tanh").Predict(x).At(1), GeluLayer().Predict(x).At(1));
  EXPECT_NEAR(GeluLayer().Predict(x).At(1), 0.25 * (1 + std::erf(0.5 / std::sqrt(2.0))), 1e-6);
  EXPECT_NEAR(Sum(SoftmaxLayer().Predict(x)).Scalar(), 1, 1e-6);
}

// --- Normalization ------------------------------------------------------------------------------

TEST(BatchNormalizationLayerTest, TrainingGathersStatistics) {
  auto layer = Initialized(BatchNormalizationLayer({.mean_decay = 0.25, .variance_decay = 0.5}),
                           NetworkDataLayout({2, kUnknown}, "CB"));
  EXPECT_TRUE(IsEqual(layer.trained_mean, Zeros({2, 1})));
  EXPECT_TRUE(IsEqual(layer.trained_variance, Ones({2, 1})));
  layer.scale = Singles({2, 1}, {2, 1}, "");
  layer.offset = Singles({0, 10}, {2, 1}, "");
  const DlArray x = Singles({1, 4, 3, 8, 5, 12}, {2, 3}, "CB");  // Means 3 and 8.
  const auto [y, mean, variance] = layer.Forward(x);
  EXPECT_NEAR(y.At(0), 2 * -2 / std::sqrt(8 / 3.0 + 1e-5), 1e-5);
  EXPECT_NEAR(y.At(5), 10 + 4 / std::sqrt(32 / 3.0 + 1e-5), 1e-5);
  EXPECT_EQ(mean.sizes(), Sizes({2, 1}));
  EXPECT_EQ(Dims(mean), "");
  EXPECT_NEAR(mean.At(1), 0.25 * 8, 1e-6);
  // The variance of all data is estimated with n - 1: 8 / 2 and 32 / 2.
  EXPECT_NEAR(variance.At(0), 0.5 + 0.5 * 4, 1e-5);
  EXPECT_NEAR(variance.At(1), 0.5 + 0.5 * 16, 1e-5);
  // Prediction uses the states and hands them on.
  const auto [p, same_mean, same_variance] = layer.Predict(x);
  EXPECT_NEAR(p.At(0), 2 * 1 / std::sqrt(1 + 1e-5), 1e-5);
  EXPECT_TRUE(IsEqual(same_mean, layer.trained_mean));
  EXPECT_TRUE(IsEqual(same_variance, layer.trained_variance));
}

TEST(BatchNormalizationLayerTest, OneElementHasNoSpread) {
  const auto layer = Initialized(BatchNormalizationLayer(), NetworkDataLayout({1, kUnknown}, "CB"));
  const auto [y, mean, variance] = layer.Forward(Singles({3}, {1, 1}, "CB"));
  EXPECT_EQ(y.At(0), 0);
  EXPECT_NEAR(variance.At(0), 0.9, 1e-6);
}

TEST(NormalizationLayersTest, ScaleAndShiftEachChannel) {
  const DlArray x = RandomInput({2, 3, 4, 2}, "SSCB");
  const auto check = [&](auto layer) {
    layer = Initialized(layer, NetworkDataLayout::Of(x));
    const DlArray plain = layer.Predict(x);
    layer.scale = Full({4, 1}, 3);
    layer.offset = Singles({0, 1, 2, 3}, {4, 1}, "");
    const DlArray scaled = layer.Predict(x);
    for (int64_t i = 0; i < x.numel(); ++i) {
      EXPECT_NEAR(scaled.At(i), 3 * plain.At(i) + static_cast<double>(i / 6 % 4), 1e-5);
    }
    return plain;
  };
  // The mean over each group is zero.
  const auto is_zero = [](const DlArray& means) { return MaxOver(Abs(means)).Scalar() < 1e-5; };
  EXPECT_TRUE(is_zero(Mean(check(LayerNormalizationLayer()), "SC")));
  EXPECT_TRUE(
      is_zero(Mean(check(LayerNormalizationLayer({.operation_dimension = "channel-only"})), "C")));
  EXPECT_TRUE(is_zero(Mean(Slice(check(GroupNormalizationLayer(2)), 'C', 0, 2), "SC")));
  EXPECT_FALSE(is_zero(Mean(check(GroupNormalizationLayer(2)), "S")));
  EXPECT_TRUE(is_zero(Mean(check(InstanceNormalizationLayer()), "S")));
}

TEST(NormalizationLayersTest, Gradients) {
  const DlArray x = RandomInput({2, 2, 4, 3}, "SSCB");
  const NetworkDataLayout layout = NetworkDataLayout::Of(x);
  const GradientCheckOptions options{.step = 3e-4};
  EXPECT_TRUE(LayerGradientsAgree(Initialized(BatchNormalizationLayer(), layout), {x}, options));
  EXPECT_TRUE(LayerGradientsAgree(Initialized(LayerNormalizationLayer(), layout), {x}, options));
  EXPECT_TRUE(LayerGradientsAgree(Initialized(GroupNormalizationLayer(2), layout), {x}, options));
  EXPECT_TRUE(LayerGradientsAgree(Initialized(InstanceNormalizationLayer(), layout), {x}, options));
}

// --- Pooling, dropout, shapes -------------------------------------------------------------------

TEST(PoolingLayersTest, TakeTheLargestOrTheMean) {
  const DlArray x = Singles({1, 5, 3, 2, 8, 0, 4, 4}, {4, 2, 1, 1}, "SSCB");
  EXPECT_TRUE(IsEqual(MaxPooling2dLayer(2, {.stride = {2}}).Predict(x),
                      Singles({8, 4}, {2, 1, 1, 1}, "SSCB")));
  EXPECT_TRUE(IsEqual(AveragePooling2dLayer(2, {.stride = {2}}).Predict(x),
                      Singles({3.5f, 3.25f}, {2, 1, 1, 1}, "SSCB")));
  EXPECT_TRUE(IsEqual(GlobalMaxPooling2dLayer().Predict(x), Singles({8}, {1, 1, 1, 1}, "SSCB")));
  const DlArray series = Singles({1, 2, 3, 4, 5, 9}, {2, 1, 3}, "CBT");
  EXPECT_TRUE(
      IsEqual(GlobalAveragePooling1dLayer().Predict(series), Singles({3, 5}, {2, 1}, "CB")));
  EXPECT_TRUE(LayerGradientsAgree(GlobalAveragePooling1dLayer(), {RandomInput({2, 2, 3}, "CBT")}));
}

TEST(DropoutLayerTest, KeepsTheMean) {
  const DropoutLayer layer(0.25);
  const DlArray x = Ones({100, 100}, DataType::kSingle, "CB");
  EXPECT_TRUE(IsEqual(layer.Predict(x), x));
  Rng(1);
  const DlArray y = layer.Forward(x), z = layer.Forward(x);
  int64_t zeros = 0;
  for (int64_t i = 0; i < y.numel(); ++i) {
    if (y.At(i) == 0) {
      ++zeros;
    } else {
      EXPECT_FLOAT_EQ(static_cast<float>(y.At(i)), 1 / 0.75f);
    }
  }
  // A quarter of 10000, by chance at most five standard deviations (43) off.
  EXPECT_NEAR(static_cast<double>(zeros), 2500, 217);
  EXPECT_FALSE(IsEqual(y, z));
  Rng(1);
  EXPECT_TRUE(IsEqual(layer.Forward(x), y));
  EXPECT_TRUE(IsEqual(DropoutLayer(0).Forward(x), x));
  // In single other elements are dropped than in double.
  EXPECT_TRUE(LayerGradientsAgree(layer, {RandomInput({3, 4}, "CB")}, {.single_tolerance = 0}));
}

TEST(FlattenLayerTest, KeepsTheOrderOfTheElements) {
  std::vector<float> values(24);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  EXPECT_TRUE(IsEqual(FlattenLayer().Predict(Singles(values, {2, 3, 2, 2}, "SSCB")),
                      Singles(values, {12, 2}, "CB")));
}

TEST(CombinationLayersTest, SumsProductsAndRows) {
  const DlArray a = Singles({1, 2, 3, 4}, {2, 2}, "CB"), b = Singles({10, 20}, {2, 1}, "CB");
  EXPECT_TRUE(
      IsEqual(AdditionLayer(3).Predict({a, b, a}), Singles({12, 24, 16, 28}, {2, 2}, "CB")));
  EXPECT_TRUE(
      IsEqual(MultiplicationLayer(2).Predict({a, b}), Singles({10, 40, 30, 80}, {2, 2}, "CB")));
  EXPECT_TRUE(IsEqual(ConcatenationLayer('B', 2).Predict({a, b}),
                      Singles({1, 2, 3, 4, 10, 20}, {2, 3}, "CB")));
  EXPECT_TRUE(IsEqual(ConcatenationLayer(0, 2).Predict({a, a}),
                      Singles({1, 2, 1, 2, 3, 4, 3, 4}, {4, 2}, "CB")));
  EXPECT_TRUE(IsEqual(DepthConcatenationLayer(2).Predict({a, a}),
                      ConcatenationLayer(0, 2).Predict({a, a})));
  EXPECT_EQ(MessageOf([&] {
              ConcatenationLayer('T', 2).Predict({a, a});
            }),
            "ConcatenationLayer expects data with a T dim. A 2(C) x 2(B) single DlArray came. Look "
            "at the layer before this one, or at the labels of the data. [layer:InputFormat]");
}

// --- LSTM ---------------------------------------------------------------------------------------

TEST(LstmLayerTest, CarriesItsStates) {
  const NetworkDataLayout layout({2, 3, 6}, "CBT");
  AnyLayer layer = Initialized(LstmLayer(4), layout);
  const auto* lstm = layer.As<LstmLayer>();
  EXPECT_EQ(lstm->input_weights.sizes(), Sizes({16, 2}));
  EXPECT_EQ(lstm->recurrent_weights.sizes(), Sizes({16, 4}));
  EXPECT_EQ(lstm->bias.sizes(), Sizes({16, 1}));
  EXPECT_EQ(lstm->bias.ToVector<float>(),
            std::vector<float>({0, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}));
  const DlArray x = Single(RandomInput({2, 3, 6}, "CBT"));
  const LayerResult whole = layer.Predict({x});
  EXPECT_EQ(ToString(whole.states[0].spec()), "4 x 3 single DlArray");
  EXPECT_TRUE(
      IsEqual(Reshape(StripDims(Slice(whole.outputs[0], 'T', 5, 1)), {4, 3}), whole.states[0]));
  LstmLayer last = *lstm;
  last.output_mode = "last";
  EXPECT_TRUE(IsEqual(StripDims(AnyLayer(last).Predict({x}).outputs[0]), whole.states[0]));

  layer.SetStates(layer.Predict({Slice(x, 'T', 0, 2)}).states);
  const LayerResult rest = layer.Predict({Slice(x, 'T', 2, 4)});
  for (int64_t i = 0; i < 12; ++i) {
    EXPECT_NEAR(rest.states[1].At(i), whole.states[1].At(i), 1e-6);
  }
  layer.ResetState();
  EXPECT_TRUE(IsEqual(layer.Predict({x}).outputs[0], whole.outputs[0]));
}

TEST(LstmLayerTest, DataWithoutBatchOrTime) {
  const auto layer = Initialized(LstmLayer(4), NetworkDataLayout({2, 3, 6}, "CBT"));
  const auto [y, h, c] = layer.Predict(Single(RandomInput({2, 6}, "CT")));
  EXPECT_EQ(ToString(y.spec()), "4(C) x 6(T) single DlArray");
  EXPECT_EQ(h.sizes(), Sizes({4, 1}));
  EXPECT_EQ(Dims(std::get<0>(layer.Predict(Single(RandomInput({2, 3}, "CB"))))), "CB");
}

TEST(LstmLayerTest, Gradients) {
  EXPECT_TRUE(LayerGradientsAgree(Initialized(LstmLayer(2), NetworkDataLayout({2, 2, 3}, "CBT")),
                                  {RandomInput({2, 2, 3}, "CBT")}));
}

}  // namespace
}  // namespace lamina
