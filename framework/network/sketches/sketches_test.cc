// The sketches do what they say: values against plain loops, derivatives against slopes, states.
#include <algorithm>
#include <cmath>
#include <vector>

#include "framework/layers/any_layer.h"
#include "framework/layers/testing/layer_gradients.h"
#include "framework/network/sketches/center_layer.h"
#include "framework/network/sketches/peephole_lstm_layer.h"
#include "framework/network/sketches/project_and_reshape_layer.h"
#include "framework/network/sketches/residual_block_layer.h"
#include "framework/network/sketches/running_norm_layer.h"
#include "framework/network/sketches/srelu_backward_layer.h"
#include "framework/network/sketches/srelu_layer.h"
#include "framework/network/sketches/weighted_addition_layer.h"
#include "gtest/gtest.h"

namespace lamina::sketches {
namespace {

AnyLayer Initialized(AnyLayer layer, const std::vector<NetworkDataLayout>& layouts) {
  RandomSource source{.seed = 3};
  const ScopedRandomSource scope(source);
  layer.Initialize(layouts);
  EXPECT_TRUE(layer.IsInitialized());
  return layer;
}

SReluLayer SomeSRelu() {
  SReluLayer layer;
  layer.left_slope = DlArray::FromVector<float>({0.25f, 0.5f}, {1, 1, 2});
  layer.right_slope = DlArray::FromVector<float>({0.5f, 2}, {1, 1, 2});
  layer.left_threshold = DlArray::FromVector<float>({-0.5f, -0.25f}, {1, 1, 2});
  layer.right_threshold = DlArray::FromVector<float>({0.5f, 0.75f}, {1, 1, 2});
  return layer;
}

// Away from the thresholds, so that slopes are slopes.
DlArray SReluInput() {
  std::vector<double> x = RandomInput({3, 2, 2, 3}).ToVector<double>();
  for (double& v : x) {
    for (double kink : {-0.5, -0.25, 0.5, 0.75}) {
      if (std::abs(v - kink) < 0.02) v += 0.05;
    }
  }
  return DlArray::FromVector(x, {3, 2, 2, 3}, "SSCB");
}

TEST(SReluSketch, ComputesTheFormula) {
  const AnyLayer layer = SomeSRelu();
  const DlArray x = DlArray::FromVector<float>({-1, 0, 1, 2, -1, 0, 0.5f, 1}, {2, 2, 2, 1}, "SSCB");
  const DlArray y = layer.Predict({x}).outputs[0];
  EXPECT_EQ(Dims(y), "SSCB");
  EXPECT_EQ(y.sizes(), Sizes({2, 2, 2, 1}));
  // Channel 1: -0.5 + 0.25 (-1 + 0.5), 0, 0.5 + 0.5 (1 - 0.5), 0.5 + 0.5 (2 - 0.5); and so on.
  EXPECT_EQ(y.ToVector<float>(),
            std::vector<float>({-0.625f, 0, 0.75f, 1.25f, -0.625f, 0, 0.5f, 1.25f}));
}

TEST(SReluSketch, InitializesOneValueForEachChannelAndKeepsWhatIsSet) {
  SReluLayer some;
  some.left_slope = DlArray::FromVector<float>({1, 2, 3}, {1, 1, 3});
  AnyLayer layer = Initialized(some, {NetworkDataLayout({5, 4, 3, kUnknown}, "SSCB")});
  const auto* srelu = layer.As<SReluLayer>();
  EXPECT_EQ(srelu->left_slope.ToVector<float>(), std::vector<float>({1, 2, 3}));
  EXPECT_EQ(srelu->right_threshold.sizes(), Sizes({1, 1, 3}));
  EXPECT_TRUE(some.right_threshold.empty());
}

TEST(SReluSketch, Gradients) { EXPECT_TRUE(LayerGradientsAgree(SomeSRelu(), {SReluInput()})); }

TEST(SReluBackwardSketch, OwnDerivativesAreTheAutomaticOnes) {
  SReluBackwardLayer own;
  const SReluLayer plain = SomeSRelu();
  own.left_slope = plain.left_slope;
  own.right_slope = plain.right_slope;
  own.left_threshold = plain.left_threshold;
  own.right_threshold = plain.right_threshold;
  EXPECT_TRUE(AnyLayer(own).traits().has_backward);
  EXPECT_TRUE(LayerGradientsAgree(own, {SReluInput()}));
}

TEST(WeightedAdditionSketch, AddsWhatItIsTold) {
  WeightedAdditionLayer layer(3);
  layer.weights = DlArray::FromVector<float>({1, 10, 100}, {3});
  EXPECT_EQ(layer.InputNames(), std::vector<std::string>({"in1", "in2", "in3"}));
  EXPECT_EQ(layer.Description(), "Weighted addition of 3 inputs");
  const DlArray x = DlArray::FromVector<float>({1, 2}, {2, 1}, "CB");
  const DlArray y = AnyLayer(layer).Predict({x, x, x}).outputs[0];
  EXPECT_TRUE(IsEqual(y, DlArray::FromVector<float>({111, 222}, {2, 1}, "CB")));
  EXPECT_TRUE(LayerGradientsAgree(
      layer, {RandomInput({2, 3}, "CB", -1, 1, 1), RandomInput({2, 3}, "CB", -1, 1, 2),
              RandomInput({2, 3}, "CB", -1, 1, 3)}));
}

TEST(ProjectAndReshapeSketch, ChangesLabels) {
  const AnyLayer layer =
      Initialized(ProjectAndReshapeLayer({2, 3, 4}), {NetworkDataLayout({5, kUnknown}, "CB")});
  const DlArray x = RandomInput({5, 2}, "CB", -1, 1, 1, DataType::kSingle);
  const DlArray y = layer.Predict({x}).outputs[0];
  EXPECT_EQ(ToString(y.spec()), "2(S) x 3(S) x 4(C) x 2(B) single DlArray");
  const auto* l = layer.As<ProjectAndReshapeLayer>();
  for (int64_t b = 0; b < 2; ++b) {
    for (int64_t o = 0; o < 24; ++o) {
      double sum = 0;
      for (int64_t c = 0; c < 5; ++c) sum += l->weights.At(o + 24 * c) * x.At(c + 5 * b);
      EXPECT_NEAR(y.At(o + 24 * b), sum, 1e-6);
    }
  }
  EXPECT_TRUE(LayerGradientsAgree(layer, {RandomInput({5, 2}, "CB")}));
}

double Sigma(double x) { return 1 / (1 + std::exp(-x)); }

TEST(PeepholeLstmSketch, RunsOverTimeAndReturnsItsStates) {
  constexpr int64_t kC = 2, kH = 3, kB = 2, kT = 4;
  AnyLayer layer = Initialized(PeepholeLstmLayer(kH), {NetworkDataLayout({kC, kB, kT}, "CBT")});
  const DlArray x = RandomInput({kC, kB, kT}, "CBT", -1, 1, 1, DataType::kSingle);
  const LayerResult result = layer.Predict({x});
  EXPECT_EQ(ToString(result.outputs[0].spec()), "3(C) x 2(B) x 4(T) single DlArray");
  const auto* l = layer.As<PeepholeLstmLayer>();
  for (int64_t b = 0; b < kB; ++b) {
    std::vector<double> h(kH, 0), c(kH, 0);
    for (int64_t t = 0; t < kT; ++t) {
      std::vector<double> next(kH);
      for (int64_t u = 0; u < kH; ++u) {
        double z[4];
        for (int64_t g = 0; g < 4; ++g) {
          const int64_t row = g * kH + u;
          z[g] = l->bias.At(row);
          for (int64_t k = 0; k < kC; ++k)
            z[g] += l->input_weights.At(row + 4 * kH * k) * x.At(k + kC * (b + kB * t));
          for (int64_t k = 0; k < kH; ++k)
            z[g] += l->recurrent_weights.At(row + 4 * kH * k) * h[static_cast<size_t>(k)];
        }
        double& cell = c[static_cast<size_t>(u)];
        const double i = Sigma(z[0] + l->peephole_weights.At(u) * cell);
        const double f = Sigma(z[1] + l->peephole_weights.At(kH + u) * cell);
        cell = f * cell + i * std::tanh(z[2]);
        next[static_cast<size_t>(u)] =
            Sigma(z[3] + l->peephole_weights.At(2 * kH + u) * cell) * std::tanh(cell);
      }
      h = next;
      for (int64_t u = 0; u < kH; ++u)
        EXPECT_NEAR(result.outputs[0].At(u + kH * (b + kB * t)), h[static_cast<size_t>(u)], 1e-6);
    }
    for (int64_t u = 0; u < kH; ++u) {
      EXPECT_NEAR(result.states[0].At(u + kH * b), h[static_cast<size_t>(u)], 1e-6);
      EXPECT_NEAR(result.states[1].At(u + kH * b), c[static_cast<size_t>(u)], 1e-6);
    }
  }

  // Two halves, the state handed on, are the whole.
  const DlArray halves[] = {Slice(x, 'T', 0, 2), Slice(x, 'T', 2, 2)};
  const LayerResult first = layer.Predict({halves[0]});
  layer.SetStates(first.states);
  const LayerResult second = layer.Predict({halves[1]});
  EXPECT_TRUE(IsEqual(Cat('T', {first.outputs[0], second.outputs[0]}), result.outputs[0]));
  layer.ResetState();
  EXPECT_TRUE(IsEqual(layer.Predict({x}).outputs[0], result.outputs[0]));
}

TEST(PeepholeLstmSketch, LastStepHasNoTime) {
  const AnyLayer layer =
      Initialized(PeepholeLstmLayer(3, "last"), {NetworkDataLayout({2, 2, 4}, "CBT")});
  const DlArray x = RandomInput({2, 2, 4}, "CBT", -1, 1, 1, DataType::kSingle);
  const LayerResult result = layer.Predict({x});
  EXPECT_EQ(Dims(result.outputs[0]), "CB");
  EXPECT_TRUE(IsEqual(StripDims(result.outputs[0]), result.states[0]));
}

TEST(PeepholeLstmSketch, Gradients) {
  AnyLayer layer = Initialized(PeepholeLstmLayer(3), {NetworkDataLayout({2, 2, 3}, "CBT")});
  layer.SetStates(DlArrays{RandomInput({3, 2}, "", -1, 1, 5), RandomInput({3, 2}, "", -1, 1, 6)});
  EXPECT_TRUE(LayerGradientsAgree(layer, {RandomInput({2, 2, 3}, "CBT")}));
}

TEST(CenterSketch, HasTwoOutputs) {
  const AnyLayer layer = CenterLayer();
  EXPECT_EQ(layer->NumOutputs(), 2);
  const DlArray x = DlArray::FromVector<float>({1, 3, 5, 9}, {2, 2}, "CB");
  const LayerResult result = layer.Predict({x});
  EXPECT_TRUE(IsEqual(result.outputs[0], DlArray::FromVector<float>({-1, 1, -2, 2}, {2, 2}, "CB")));
  EXPECT_TRUE(IsEqual(result.outputs[1], DlArray::FromVector<float>({2, 7}, {1, 2}, "CB")));
  EXPECT_TRUE(LayerGradientsAgree(layer, {RandomInput({3, 4}, "CB")}));
}

TEST(RunningNormSketch, TrainingGathersWhatPredictionUses) {
  AnyLayer layer = Initialized(RunningNormLayer(), {NetworkDataLayout({2, kUnknown}, "CB")});
  const DlArray x = DlArray::FromVector<float>({1, 10, 3, 30}, {2, 2}, "CB");
  const LayerResult trained = layer.Forward({x});
  // Means 2 and 20, variances 1 and 100.
  EXPECT_NEAR(trained.outputs[0].At(0), -1, 1e-4);
  EXPECT_NEAR(trained.outputs[0].At(3), 1, 1e-4);
  EXPECT_NEAR(trained.states[0].At(1), 0.1 * 20, 1e-6);
  EXPECT_NEAR(trained.states[1].At(1), 0.9 + 0.1 * 100, 1e-5);
  layer.SetStates(trained.states);
  const LayerResult predicted = layer.Predict({x});
  EXPECT_NEAR(predicted.outputs[0].At(1), (10 - 2) / std::sqrt(10.9 + 1e-5), 1e-5);
  EXPECT_TRUE(IsEqual(predicted.states[0], trained.states[0]));
  EXPECT_TRUE(LayerGradientsAgree(layer, {RandomInput({2, 5}, "CB")}));
}

TEST(ResidualBlockSketch, ItsNetworkIsPartOfIt) {
  AnyLayer layer =
      Initialized(ResidualBlockLayer(2), {NetworkDataLayout({4, 4, 2, kUnknown}, "SSCB")});
  std::string names;
  layer->VisitParameters(
      "", [&](const ParameterRef& p) { names += p.layer + "/" + p.parameter + " "; });
  EXPECT_EQ(names,
            "Network/convolution2d/Weights Network/convolution2d/Bias "
            "Network/groupnormalization/Offset Network/groupnormalization/Scale "
            "Network/convolution2d_2/Weights Network/convolution2d_2/Bias "
            "Network/groupnormalization_2/Offset Network/groupnormalization_2/Scale ");
  EXPECT_EQ(layer.NumStateArrays(), 0);
  layer->SetLearnRateFactor("Network/convolution2d_2/Weights", 0.5);
  EXPECT_EQ(AnyLayer(layer)->LearnRateFactor("Network/convolution2d_2/Weights"), 0.5);

  // With zeros for the last scale the block is a ReLU.
  const DlArray x = RandomInput({4, 4, 2, 3}, "SSCB", -1, 1, 1, DataType::kSingle);
  AnyLayer zero = layer;
  zero->VisitParameters("", [](const ParameterRef& p) {
    if (p.layer == "Network/groupnormalization_2") *p.value = ZerosLike(*p.value);
  });
  EXPECT_TRUE(IsEqual(zero.Predict({x}).outputs[0], Relu(x)));
  EXPECT_FALSE(IsEqual(layer.Predict({x}).outputs[0], Relu(x)));
}

TEST(ResidualBlockSketch, Gradients) {
  const AnyLayer layer =
      Initialized(ResidualBlockLayer(2), {NetworkDataLayout({3, 3, 2, kUnknown}, "SSCB")});
  // Two normalizations of few elements bend strongly: the stencil needs a smaller step.
  EXPECT_TRUE(LayerGradientsAgree(layer, {RandomInput({3, 3, 2, 2}, "SSCB")}, {.step = 3e-4}));
}

TEST(ResidualBlockSketch, NestedStatesAreReturned) {
  AnyLayer layer =
      Initialized(ResidualBatchNormLayer(2), {NetworkDataLayout({3, 3, 2, kUnknown}, "SSCB")});
  EXPECT_EQ(layer.NumStateArrays(), 2);
  const DlArray x = RandomInput({3, 3, 2, 2}, "SSCB");
  const LayerResult predicted = layer.Predict({x}), trained = layer.Forward({x});
  ASSERT_EQ(trained.states.size(), 2u);
  EXPECT_EQ(predicted.states[1].At(0), 1);
  EXPECT_NE(trained.states[1].At(0), 1);
  layer.SetStates(trained.states);
  EXPECT_TRUE(IsEqual(layer.Predict({x}).states[1], trained.states[1]));
  EXPECT_TRUE(LayerGradientsAgree(layer, {x}));
}

}  // namespace
}  // namespace lamina::sketches
