// The mathematics of the siamese pair in plain loops: |f(x1) - f(x2)| with f(x) = tanh(W x + b).
#include "layers/siamese_pair/siamese_pair_layer.h"

#include <cmath>
#include <string>
#include <vector>

#include "framework/dlarray/testing/thrown_error.h"
#include "framework/network/network_file.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

constexpr int64_t kIn = 3, kOut = 4, kN = 2;

// Numbers without order.
std::vector<double> Numbers(int64_t count, int64_t start) {
  std::vector<double> values;
  for (int64_t i = 0; i < count; ++i) values.push_back((37 * (i + start) % 64 - 31) / 32.0);
  return values;
}

struct Case {
  std::vector<double> w = Numbers(kOut * kIn, 11), b = Numbers(kOut, 2);
  std::vector<double> x[2] = {Numbers(kIn * kN, 5), Numbers(kIn* kN, 29)};

  DlArray X(int side) const { return DlArray::FromVector(x[side], {kIn, kN}, "CB"); }
  SiamesePairLayer Layer() const {
    FullyConnectedLayer connected(kOut);
    connected.weights = DlArray::FromVector(w, {kOut, kIn});
    connected.bias = DlArray::FromVector(b, {kOut, 1});
    return SiamesePairLayer(DlNetwork({Named(connected, "fc"), TanhLayer()}));
  }
  // Feature k of observation n of one side.
  double F(int side, int64_t k, int64_t n) const {
    double sum = b[k];
    for (int64_t m = 0; m < kIn; ++m) sum += w[k + kOut * m] * x[side][m + kIn * n];
    return std::tanh(sum);
  }
};

// A hundred roundings of numbers near 1 would do.
constexpr double kTolerance = 1e-14;

TEST(SiamesePairLayerTest, FollowsTheFormula) {
  const Case c;
  const AnyLayer layer = c.Layer();
  for (const LayerResult& result :
       {layer.Predict({c.X(0), c.X(1)}), layer.Forward({c.X(0), c.X(1)})}) {
    const DlArray& y = result.outputs[0];
    EXPECT_EQ(ToString(y.spec()), "4(C) x 2(B) double DlArray");
    for (int64_t n = 0; n < kN; ++n) {
      for (int64_t k = 0; k < kOut; ++k) {
        EXPECT_NEAR(y.At(k + kOut * n), std::abs(c.F(0, k, n) - c.F(1, k, n)), kTolerance);
      }
    }
  }
}

// The weights are used twice, and their derivative is the sum over both uses.
TEST(SiamesePairLayerTest, DerivativesFollowTheFormula) {
  const Case c;
  const std::vector<double> g = Numbers(kOut * kN, 7);  // Of the loss with respect to y.
  const DlArrays came = DlFeval(
      [&](const AnyLayer& layer, const DlArray& left, const DlArray& right) {
        DlArrays variables = {left, right};
        AnyLayer(layer).ForEachLearnable([&](DlArray& p) { variables.push_back(p); });
        const DlArray weights = DlArray::FromVector(g, {kOut, kN}, "CB");
        return DlGradient(Sum(weights * layer.Forward({left, right}).outputs[0]), variables);
      },
      AnyLayer(c.Layer()), c.X(0), c.X(1));

  std::vector<double> dx[2] = {std::vector<double>(kIn * kN, 0), std::vector<double>(kIn * kN, 0)};
  std::vector<double> dw(kOut * kIn, 0), db(kOut, 0);
  for (int side : {0, 1}) {
    for (int64_t n = 0; n < kN; ++n) {
      for (int64_t k = 0; k < kOut; ++k) {
        const double f = c.F(side, k, n), other = c.F(1 - side, k, n);
        const double d = g[k + kOut * n] * (f > other ? 1 : -1) * (1 - f * f);
        db[k] += d;
        for (int64_t m = 0; m < kIn; ++m) {
          dw[k + kOut * m] += d * c.x[side][m + kIn * n];
          dx[side][m + kIn * n] += d * c.w[k + kOut * m];
        }
      }
    }
  }
  const std::vector<double>* expected[] = {&dx[0], &dx[1], &dw, &db};
  ASSERT_EQ(came.size(), 4u) << "one set of weights";
  for (size_t v = 0; v < 4; ++v) {
    ASSERT_EQ(came[v].numel(), static_cast<int64_t>(expected[v]->size()));
    for (int64_t i = 0; i < came[v].numel(); ++i) {
      EXPECT_NEAR(came[v].At(i), (*expected[v])[i], kTolerance) << "variable " << v << ", " << i;
    }
  }
}

TEST(SiamesePairLayerTest, IsSymmetricAndZeroForEqualInputs) {
  const Case c;
  const AnyLayer layer = c.Layer();
  EXPECT_TRUE(IsEqual(layer.Predict({c.X(0), c.X(1)}).outputs[0],
                      layer.Predict({c.X(1), c.X(0)}).outputs[0]));
  EXPECT_TRUE(IsEqual(layer.Predict({c.X(0), c.X(0)}).outputs[0],
                      Zeros({kOut, kN}, DataType::kDouble, "CB")));
}

TEST(SiamesePairLayerTest, TrainsInForwardAlone) {
  AnyLayer layer = SiamesePairLayer(DlNetwork({DropoutLayer(0.5)}));
  const DlArray ones = Ones({1000, 1}, DataType::kSingle, "CB");
  const DlArray zeros = ZerosLike(ones);
  EXPECT_TRUE(IsEqual(layer.Predict({ones, zeros}).outputs[0], ones));
  EXPECT_FALSE(IsEqual(layer.Forward({ones, zeros}).outputs[0], ones));
}

TEST(SiamesePairLayerTest, HasTheNetworksParametersOnce) {
  AnyLayer layer = SiamesePairLayer(DlNetwork({Named(FullyConnectedLayer(5), "fc")}));
  EXPECT_EQ(layer->InputNames(), (std::vector<std::string>{"in1", "in2"}));
  const NetworkDataLayout layout({8, 8, 1, kUnknown}, "SSCB");
  layer.Initialize({layout, layout});
  std::vector<std::string> paths;
  layer->VisitParameters(
      "", [&](const ParameterRef& p) { paths.push_back(p.layer + "/" + p.parameter); });
  EXPECT_EQ(paths, (std::vector<std::string>{"Network/fc/Weights", "Network/fc/Bias"}));
  EXPECT_EQ(layer.As<SiamesePairLayer>()->network.Learnables()[0].value.sizes(), Sizes({5, 64}));
}

TEST(SiamesePairLayerTest, RefusesWhatIsNoPairAndNetworksWithStates) {
  const DlArray x = Zeros({2, 1}, DataType::kSingle, "CB");
  const auto message_of = [](AnyLayer layer, const DlArrays& inputs) {
    return MessageOf([&] {
      std::vector<NetworkDataLayout> layouts;
      for (const DlArray& input : inputs) layouts.push_back(NetworkDataLayout::Of(input));
      layer.Initialize(layouts);
      layer.Predict(inputs);
    });
  };
  EXPECT_EQ(message_of(SiamesePairLayer(DlNetwork({TanhLayer()})), {x}),
            "SiamesePairLayer: Initialize takes 2 layouts, one for each input. 1 came. "
            "[layer:InputCount]");
  EXPECT_EQ(message_of(SiamesePairLayer(), {x, x}),
            "SiamesePairLayer, Initialize: The network has 0 inputs, []. 1 layout came. "
            "Give one for each input. [network:InputCount]");
  EXPECT_EQ(message_of(SiamesePairLayer(DlNetwork({BatchNormalizationLayer()})), {x, x}),
            "SiamesePairLayer, Predict: The layer returns 1 output and 2 state arrays. 1 "
            "array came. Return each output, then each new state. [layer:ResultCount]");
}

TEST(SiamesePairLayerTest, ComesBackFromAFile) {
  DlNetwork network({SiamesePairLayer(DlNetwork({FullyConnectedLayer(3), TanhLayer()})),
                     FullyConnectedLayer(1), SigmoidLayer()});
  const NetworkDataLayout layout({5, kUnknown}, "CB");
  network.Initialize({layout, layout});
  const std::string path = testing::TempDir() + "/siamese_pair.safetensors";
  ASSERT_TRUE(SaveNetwork(network, path).ok());
  const auto again = LoadNetwork<SiamesePairLayer>(path);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(IsEqual(network, *again));
}

}  // namespace
}  // namespace lamina
