// The mathematics of the two layers against their formulas, written out for one number at a time.
#include "layers/split_level/split_level_layer.h"

#include <cmath>

#include "framework/layers/builtin_layers.h"
#include "framework/network/network.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

constexpr double kEpsilon = 1e-5;
constexpr int kN = 4;       // values of a series
constexpr int kSeries = 4;  // 2 channels of 2 observations
// 4(S) x 2(C) x 2(B): rising, a peak, constant, negative.
const std::vector<double> kX = {1, 2, 3, 4.5, 0, 0, 8, 1, 3, 3, 3, 3, -7, -2, -5, -1.5};

DlArray X() { return DlArray::FromVector<double>(kX, {kN, 2, 2}, "SCB"); }

struct Statistics {
  double level = 0, spread = 0;
};
Statistics Formula(int series) {
  const double* x = kX.data() + series * kN;
  Statistics s;
  for (int i = 0; i < kN; ++i) s.level += x[i] / kN;
  double variance = 0;
  for (int i = 0; i < kN; ++i) variance += (x[i] - s.level) * (x[i] - s.level) / kN;
  s.spread = std::sqrt(variance + kEpsilon);
  return s;
}

TEST(SplitLevelLayerTest, FollowsTheFormula) {
  const LayerResult out = AnyLayer(SplitLevelLayer()).Predict({X()});
  ASSERT_EQ(out.outputs.size(), 3u);
  const DlArray &shape = out.outputs[0], &level = out.outputs[1], &spread = out.outputs[2];
  EXPECT_EQ(shape.spec(), X().spec());
  for (const DlArray& each : {level, spread}) {
    EXPECT_EQ(ToString(each.spec()), "2(C) x 2(B) double DlArray");
  }
  for (int series = 0; series < kSeries; ++series) {
    const Statistics s = Formula(series);
    EXPECT_NEAR(level.At(series), s.level, 1e-14);
    EXPECT_NEAR(spread.At(series), s.spread, 1e-14);
    for (int i = series * kN; i < (series + 1) * kN; ++i) {
      EXPECT_NEAR(shape.At(i), (kX[i] - s.level) / s.spread, 1e-13) << "x = " << kX[i];
    }
  }
}

// Of L = sum a_i shape_i + b level + c spread, with d level / dx_i = 1/n and
// d spread / dx_i = (x_i - level) / (n spread) = shape_i / n.
TEST(SplitLevelLayerTest, DerivativesFollowTheFormula) {
  std::vector<double> a(kX.size());
  for (size_t i = 0; i < a.size(); ++i) a[i] = std::cos(3.0 * static_cast<double>(i));
  const std::vector<double> b = {1, -2, 0.5, 3}, c = {-1, 0.25, 2, 1.5};
  const DlArray gradient = DlFeval(
      [&](const DlArray& x) {
        const DlArrays y = AnyLayer(SplitLevelLayer()).Forward({x}).outputs;
        const DlArray loss = Sum(DlArray::FromVector<double>(a, {kN, 2, 2}, "SCB") * y[0]) +
                             Sum(DlArray::FromVector<double>(b, {2, 2}, "CB") * y[1]) +
                             Sum(DlArray::FromVector<double>(c, {2, 2}, "CB") * y[2]);
        return DlGradient(loss, x);
      },
      X());
  for (int series = 0; series < kSeries; ++series) {
    const Statistics s = Formula(series);
    double mean_a = 0, mean_a_shape = 0;
    for (int i = series * kN; i < (series + 1) * kN; ++i) {
      mean_a += a[i] / kN;
      mean_a_shape += a[i] * (kX[i] - s.level) / s.spread / kN;
    }
    for (int i = series * kN; i < (series + 1) * kN; ++i) {
      const double shape = (kX[i] - s.level) / s.spread;
      const double expected = (a[i] - mean_a - shape * mean_a_shape) / s.spread + b[series] / kN +
                              c[series] * shape / kN;
      EXPECT_NEAR(gradient.At(i), expected, 1e-10 / s.spread) << "element " << i;
    }
  }
}

TEST(SplitLevelLayerTest, TakesSeriesAndImages) {
  for (const char* format : {"SSCB", "CBT", "SCBT"}) {
    const Sizes sizes(std::string_view(format).size(), 3);
    const DlArray x = Randn(sizes, DataType::kSingle, format);
    const DlArrays y = AnyLayer(SplitLevelLayer()).Predict({x}).outputs;
    EXPECT_EQ(y[0].spec(), x.spec());
    EXPECT_EQ(Dims(y[1]), "CB");
    EXPECT_NEAR(Mean(y[0], "ST").At(0), 0, 1e-6);
    EXPECT_NEAR(Variance(y[0], "ST").At(0), 1, 1e-3);
  }
}

TEST(SplitLevelLayerTest, NeedsADimToTakeTheMeanOf) {
  EXPECT_THROW(AnyLayer(SplitLevelLayer()).Predict({Randn({3, 4}, DataType::kSingle, "CB")}),
               Error);
}

TEST(JoinLevelLayerTest, BringsTheInputBack) {
  const DlArrays y = AnyLayer(SplitLevelLayer()).Predict({X()}).outputs;
  const DlArray x = AnyLayer(JoinLevelLayer()).Predict(y).outputs[0];
  EXPECT_EQ(x.spec(), X().spec());
  for (size_t i = 0; i < kX.size(); ++i) EXPECT_NEAR(x.At(i), kX[i], 1e-14);
}

// Two outputs go around a layer and meet its result: wired by name.
TEST(JoinLevelLayerTest, JoinsWhatALayerMadeOfTheShape) {
  FullyConnectedLayer two(2);
  two.weights = DlArray::FromVector<float>({1, 0, 0, 0, 0, 0, 0, 1}, {2, 4});  // first and last
  two.bias = Zeros({2, 1});
  DlNetwork net({InputLayer({4, 1, kUnknown}, "SCB"), SplitLevelLayer()});
  net.AddLayers({two});
  net.AddLayers({JoinLevelLayer()});
  net.ConnectLayers("splitlevel/shape", "fullyconnected");
  net.ConnectLayers("fullyconnected", "joinlevel/shape");
  net.ConnectLayers("splitlevel/level", "joinlevel/level");
  net.ConnectLayers("splitlevel/spread", "joinlevel/spread");
  net.Initialize();
  const DlArray y = net.Predict(DlArray::FromVector<float>({1, 2, 3, 4.5}, {4, 1, 1}, "SCB"));
  EXPECT_EQ(ToString(y.spec()), "2(C) x 1(B) single DlArray");
  EXPECT_THAT(y.ToVector<float>(), testing::Pointwise(testing::FloatNear(1e-5f), {1.0f, 4.5f}));
}

}  // namespace
}  // namespace lamina
