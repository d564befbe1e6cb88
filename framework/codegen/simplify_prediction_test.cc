// A simplified prediction computes what the network computes, with the steps that are left.
#include "framework/codegen/simplify_prediction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "framework/graph/check_graph.h"
#include "framework/graph/optimize.h"
#include "framework/layers/builtin_layers.h"
#include "framework/ops/activation.h"
#include "framework/ops/convolution.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/matmul.h"
#include "framework/ops/pooling.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"

namespace lamina::internal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const NetworkDataLayout kImage({6, 6, 4, 2}, "SSCB");

DlArray Data(const NetworkDataLayout& layout) {
  return Rand(layout.sizes(), DataType::kDouble, layout.format().str()) * 2 - 1;
}

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// x with other elements at some places.
DlArray With(const DlArray& x, const std::vector<std::pair<int64_t, double>>& others) {
  std::vector<double> elements(x.Data<double>(), x.Data<double>() + x.numel());
  for (const auto& [place, value] : others) elements[place] = value;
  return DlArray::FromVector<double>(elements, x.sizes(), x.format().str());
}

// Parameters in double, and states as after training.
DlNetwork Trained(DlNetwork network, const NetworkDataLayout& layout) {
  network.Initialize({layout});
  network.ForEachLearnable(
      [](DlArray& w) { w = Rand(w.sizes(), DataType::kDouble, w.format().str()) * 2 - 1; });
  network.ForEachState(
      [](DlArray& s) { s = Rand(s.sizes(), DataType::kDouble, s.format().str()) + 0.5; });
  return network;
}

RecordedNetwork Simplified(const DlNetwork& network, const NetworkDataLayout& layout) {
  RecordedNetwork simplified =
      SimplifyPrediction(RecordNetwork(network, std::vector{layout}, DataType::kDouble));
  CheckGraph(simplified.graph);
  EXPECT_EQ(simplified.layers.size(), simplified.graph.steps().size());
  return simplified;
}

DlArrays Evaluate(const RecordedNetwork& network, const DlArray& x) {
  DlArrays inputs{x};
  for (const RecordedParameter& parameter : network.parameters) inputs.push_back(parameter.value);
  for (const RecordedState& state : network.states) inputs.push_back(state.initial);
  return network.graph.Evaluate(inputs);
}

// Both in double: no sum here has more than a hundred terms of about 1.
void ExpectSame(const DlArray& a, const DlArray& b) {
  ASSERT_EQ(a.spec(), b.spec());
  for (int64_t i = 0; i < b.numel(); ++i) {
    if (std::isnan(b.At(i))) {
      EXPECT_TRUE(std::isnan(a.At(i))) << i;
    } else if (std::isinf(b.At(i))) {
      EXPECT_EQ(a.At(i), b.At(i)) << i;
    } else {
      EXPECT_NEAR(a.At(i), b.At(i), 1e-12 * std::max(1.0, std::abs(b.At(i)))) << i;
    }
  }
}

std::vector<std::string> OpsOf(const RecordedNetwork& network) {
  std::vector<std::string> names;
  for (const GraphStep& step : network.graph.steps()) names.emplace_back(step.op->Name());
  return names;
}

std::vector<std::string> ParametersOf(const RecordedNetwork& network) {
  std::vector<std::string> names;
  for (const RecordedParameter& parameter : network.parameters) names.push_back(parameter.name);
  return names;
}

TEST(SimplifyPredictionTest, ANormalizationGoesIntoTheConvolutionBeforeIt) {
  Rng(1);
  const std::vector<Convolution2dLayer> convolutions = {
      Convolution2dLayer(3, 5, {.padding = "same"}),
      Convolution2dLayer({3, 2}, 4, {.stride = {2}, .dilation = {2, 1}}),
      Convolution2dLayer(3, 6, {.groups = 2}),
      Convolution2dLayer(3, 8, {.groups = 4}),
  };
  for (const Convolution2dLayer& convolution : convolutions) {
    const DlNetwork network = Trained(
        DlNetwork({Named(convolution, "conv"), Named(BatchNormalizationLayer(), "norm")}), kImage);
    const RecordedNetwork simplified = Simplified(network, kImage);
    EXPECT_THAT(OpsOf(simplified), ElementsAre("conv"));
    EXPECT_THAT(simplified.layers, ElementsAre("conv, norm"));
    EXPECT_THAT(ParametersOf(simplified), ElementsAre("conv/Weights", "conv/Bias"));
    EXPECT_THAT(simplified.parameters[0].computed_from,
                ElementsAre("conv/Weights", "norm/Scale", "norm/TrainedVariance"));
    EXPECT_THAT(simplified.parameters[1].computed_from,
                ElementsAre("conv/Bias", "norm/Offset", "norm/Scale", "norm/TrainedMean",
                            "norm/TrainedVariance"));
    // What is not finite stays where it was.
    for (const DlArray& x :
         {Data(kImage), With(Data(kImage), {{7, kNan}, {100, kInfinity}, {200, -kInfinity}})}) {
      ExpectSame(Evaluate(simplified, x)[0], network.Predict(x));
    }
  }
}

TEST(SimplifyPredictionTest, SequencesAndVolumesToo) {
  Rng(2);
  const NetworkDataLayout sequence({4, 2, 7}, "CBT"), volume({4, 4, 4, 2, 2}, "SSSCB");
  const std::vector<std::pair<AnyLayer, NetworkDataLayout>> rows = {
      {Convolution1dLayer(3, 3, {.padding = "causal"}), sequence},
      {Convolution3dLayer(2, 3), volume}};
  for (const auto& [layer, layout] : rows) {
    const DlNetwork network = Trained(DlNetwork({layer, BatchNormalizationLayer()}), layout);
    const RecordedNetwork simplified = Simplified(network, layout);
    EXPECT_EQ(simplified.parameters.size(), 2u);
    const DlArray x = Data(layout);
    ExpectSame(Evaluate(simplified, x)[0], network.Predict(x));
  }
}

TEST(SimplifyPredictionTest, AMaximumIsTakenBeforeReLU) {
  Rng(3);
  const DlNetwork network =
      Trained(DlNetwork({Named(ReluLayer(), "relu"),
                         Named(MaxPooling2dLayer(3, {.stride = {2}, .padding = 1}), "pool")}),
              kImage);
  const RecordedNetwork simplified = Simplified(network, kImage);
  EXPECT_THAT(OpsOf(simplified), ElementsAre("maxpool", "relu"));
  EXPECT_THAT(simplified.layers, ElementsAre("pool", "relu"));
  // Windows with nothing above zero, at the border too.
  const DlArray x = With(Data(kImage) - 0.8, {{40, kNan}, {0, -kInfinity}});
  ExpectSame(Evaluate(simplified, x)[0], network.Predict(x));
}

// What must stay as it is: y = DlConv(x, w, b), and then what `kind` says.
struct NearlyScaledLayer : Layer, Formattable {
  enum Kind {
    kFromTheOther,   // k - y
    kForEachPixel,   // A number for each pixel, not for each channel.
    kOfTheData,      // Scaled by what the data says.
    kReadTwice,      // y is needed, too.
    kMovedChannels,  // What is called channels then are no longer the filters.
    kForEachObservation,
    kPooledAndRead,    // ReLU is needed, too.
    kPooledPositions,  // So are the positions of the maxima.
  };
  explicit NearlyScaledLayer(Kind kind) : kind(kind) {}
  const Kind kind;
  Learnable w{*this, "W", DlArray(Rand({3, 3, 4, 4}, DataType::kDouble))};
  Learnable b{*this, "B", DlArray(Rand({4}, DataType::kDouble))};
  Learnable k{*this, "K", DlArray(Rand({4}, DataType::kDouble))};
  Learnable pixels{*this, "Pixels", DlArray(Rand({4, 4}, DataType::kDouble))};
  DlArray Predict(const DlArray& x) const {
    const DlArray y = DlConv(x, w, b), channels = Reshape(k, {4}, "C");
    switch (kind) {
      case kFromTheOther:
        return channels - y;
      case kForEachPixel:
        return y * Reshape(pixels, {4, 4}, "SS");
      case kOfTheData:
        return y * Mean(y, "S");
      case kReadTwice: {
        const DlArray scaled = y * channels;
        return Tanh(y) + scaled;
      }
      case kMovedChannels:
        return DlArray(StripDims(y), "CSSB") * channels;
      case kForEachObservation: {
        const DlArray ones = Zeros({4, x.size(3)}, DataType::kDouble) + 1;
        return y + DlArray(MatMul(Reshape(pixels, {4, 4}), ones), "CB");
      }
      case kPooledAndRead: {
        const DlArray z = Relu(x);
        return Mean(z, "SC") * MaxPool(z, {.window = {2}});
      }
      case kPooledPositions: {
        const MaxPoolResult pooled = MaxPoolWithIndices(Relu(x), {.window = {2}});
        return pooled.y + Cast(pooled.indices, DataType::kDouble);
      }
    }
    return y;
  }
};

TEST(SimplifyPredictionTest, WhatIsNotScaledAloneStays) {
  Rng(4);
  for (int kind = 0; kind <= NearlyScaledLayer::kPooledPositions; ++kind) {
    SCOPED_TRACE(kind);
    DlNetwork network({NearlyScaledLayer(static_cast<NearlyScaledLayer::Kind>(kind))});
    network.Initialize({kImage});
    RecordedNetwork recorded = RecordNetwork(network, std::vector{kImage}, DataType::kDouble);
    recorded.graph = RemoveDeadSteps(recorded.graph);
    const RecordedNetwork simplified = Simplified(network, kImage);
    for (const RecordedParameter& parameter : simplified.parameters) {
      EXPECT_THAT(parameter.computed_from, IsEmpty()) << parameter.name;
    }
    EXPECT_EQ(OpsOf(simplified), OpsOf(recorded));
    const DlArray x = Data(kImage);
    ExpectSame(Evaluate(simplified, x)[0], network.Predict(x));
  }
}

struct ScaledLayer : Layer, Formattable {
  Learnable w{*this, "W", DlArray(Rand({3, 3, 4, 5}, DataType::kDouble))};
  Learnable k{*this, "K", DlArray(Rand({5}, DataType::kDouble))};
  Learnable one{*this, "One", DlArray(Rand({1}, DataType::kDouble))};
  bool adds;
  explicit ScaledLayer(bool adds) : adds(adds) {}
  DlArray Predict(const DlArray& x) const {
    const DlArray channels = Reshape(k, {5}, "C");
    const DlArray y = channels * (DlConv(x, w, DlArray()) * one);
    return adds ? 2 * (channels + y - one) : y;
  }
};

TEST(SimplifyPredictionTest, AConvolutionWithoutBiasGetsOneWhereSomethingIsAdded) {
  Rng(7);
  for (const bool adds : {false, true}) {
    DlNetwork network({Named(ScaledLayer(adds), "mine")});
    network.Initialize({kImage});
    const RecordedNetwork simplified = Simplified(network, kImage);
    EXPECT_THAT(OpsOf(simplified), ElementsAre("conv"));
    EXPECT_EQ(simplified.parameters.size(), adds ? 2u : 1u);
    const DlArray x = Data(kImage);
    ExpectSame(Evaluate(simplified, x)[0], network.Predict(x));
  }
}

// Of the parameter both the square and itself are read, in another shape.
struct ReadTwiceLayer : Layer, Formattable {
  Learnable k{*this, "K", DlArray(Rand({4}, DataType::kDouble))};
  Learnable unused{*this, "Unused", DlArray(Rand({4}, DataType::kDouble))};
  DlArray Predict(const DlArray& x) const {
    const DlArray channels = Reshape(k, {4}, "C");
    return Tanh(x * channels) + Square(channels) * Mean(Reshape(k, {2, 2}), DimSet({0, 1}));
  }
};

TEST(SimplifyPredictionTest, WhatParametersAloneDecideIsComputed) {
  Rng(5);
  DlNetwork network({Named(ReadTwiceLayer(), "mine")});
  network.Initialize({kImage});
  const RecordedNetwork simplified = Simplified(network, kImage);
  EXPECT_THAT(OpsOf(simplified), ElementsAre("reshape", "times", "tanh", "plus"));
  EXPECT_THAT(ParametersOf(simplified), ElementsAre("mine/K", "mine/K"));
  EXPECT_THAT(simplified.parameters[0].computed_from, IsEmpty());
  EXPECT_THAT(simplified.parameters[1].computed_from, ElementsAre("mine/K"));
  const DlArray x = Data(kImage);
  ExpectSame(Evaluate(simplified, x)[0], network.Predict(x));
}

// A parameter is spread over what is far larger: that is not kept.
struct SpreadLayer : Layer, Formattable {
  Learnable k{*this, "K", DlArray(Rand({4}, DataType::kDouble))};
  DlArray Predict(const DlArray& x) const {
    return Cumulative(x) + Square(BroadcastTo(Reshape(k, {4}, "C"), x.spec()));
  }
  static DlArray Cumulative(const DlArray& x) { return Tanh(x); }
};

TEST(SimplifyPredictionTest, ParametersDoNotGrow) {
  Rng(6);
  DlNetwork network({SpreadLayer()});
  network.Initialize({kImage});
  const RecordedNetwork simplified = Simplified(network, kImage);
  ASSERT_EQ(simplified.parameters.size(), 1u);
  EXPECT_EQ(simplified.parameters[0].value.numel(), 4);
  const DlArray x = Data(kImage);
  ExpectSame(Evaluate(simplified, x)[0], network.Predict(x));
}

}  // namespace
}  // namespace lamina::internal
