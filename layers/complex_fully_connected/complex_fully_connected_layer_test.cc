// The mathematics of the complex fully connected layer against what PyTorch computed
// (testdata/record_torch.py), which writes modReLU in lengths and angles.
#include "layers/complex_fully_connected/complex_fully_connected_layer.h"

#include <complex>

#include "framework/io/file.h"
#include "framework/io/json.h"
#include "framework/io/runfiles.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

using Number = std::complex<double>;

Json Recorded(const char* name) {
  const auto text = ReadFile(RunfilePath("layers/complex_fully_connected/testdata/torch.json"));
  EXPECT_TRUE(text.ok()) << text.status();
  const auto json = ParseJson(*text);
  EXPECT_TRUE(json.ok()) << json.status();
  return (*json)[name];
}

// Complex when there are two numbers for each element.
DlArray ToArray(const Json& values, const Sizes& sizes, const char* format = "") {
  const std::vector<double> v = values;
  if (static_cast<int64_t>(v.size()) == sizes[0] * sizes[1]) {
    return DlArray::FromVector<double>(v, sizes, format);
  }
  std::vector<Number> numbers;
  for (size_t i = 0; i < v.size(); i += 2) numbers.emplace_back(v[i], v[i + 1]);
  return DlArray::FromVector<Number>(numbers, sizes, format);
}

void ExpectNear(const DlArray& actual, const DlArray& expected) {
  ASSERT_EQ(actual.spec(), expected.spec());
  for (int64_t i = 0; i < expected.numel(); ++i) {
    EXPECT_NEAR(std::abs(actual.ComplexAt(i) - expected.ComplexAt(i)), 0, 1e-13) << "element " << i;
  }
}

class ComplexFullyConnectedLayerTest : public testing::TestWithParam<const char*> {};

TEST_P(ComplexFullyConnectedLayerTest, ValuesAndDerivativesAreThoseOfPyTorch) {
  const Json recorded = Recorded(GetParam());
  ComplexFullyConnectedLayer layer(3);
  layer.weights = ToArray(recorded["weights"], {3, 4});
  layer.bias = ToArray(recorded["bias"], {3, 1});
  const DlArray g = ToArray(recorded["g"], {3, 5}, "CB");
  DlArray y;
  const DlArrays gradients = DlFeval(
      [&](const ComplexFullyConnectedLayer& watched, const DlArray& x) {
        y = AnyLayer(watched).Forward({x}).outputs[0];
        return DlGradient(Sum(Real(Conj(g) * y)), {x, watched.weights, watched.bias});
      },
      layer, ToArray(recorded["x"], {4, 5}, "CB"));
  ExpectNear(y, ToArray(recorded["y"], {3, 5}, "CB"));
  ExpectNear(gradients[0], ToArray(recorded["dx"], {4, 5}, "CB"));
  ExpectNear(gradients[1], ToArray(recorded["dweights"], {3, 4}));
  ExpectNear(gradients[2], ToArray(recorded["dbias"], {3, 1}));
}

INSTANTIATE_TEST_SUITE_P(Inputs, ComplexFullyConnectedLayerTest, testing::Values("real", "complex"),
                         [](const auto& info) { return std::string(info.param); });

TEST(ComplexFullyConnectedLayerTest, TakesAllFeaturesOfAnObservation) {
  for (const auto& [layout, features, output] :
       {std::tuple(NetworkDataLayout({8, 8, 2, 7}, "SSCB"), 128, "5(C) x 7(B)"),
        std::tuple(NetworkDataLayout({6, 7}, "CB"), 6, "5(C) x 7(B)"),
        std::tuple(NetworkDataLayout({6, 7, 9}, "CBT"), 6, "5(C) x 7(B) x 9(T)")}) {
    AnyLayer layer = ComplexFullyConnectedLayer(5);
    layer.Initialize({layout});
    const auto* set = layer.As<ComplexFullyConnectedLayer>();
    EXPECT_EQ(ToString(set->weights.spec()),
              "5 x " + std::to_string(features) + " complex single DlArray");
    EXPECT_EQ(set->bias.type(), DataType::kSingle);
    const DlArray x = Randn(layout.sizes(), DataType::kSingle, layout.format().str());
    EXPECT_EQ(ToString(layer.Predict({x}).outputs[0].spec()),
              std::string(output) + " complex single DlArray");
  }
}

TEST(ComplexFullyConnectedLayerTest, FirstWeightsHaveTheVarianceOfTheSource) {
  Rng(1);
  AnyLayer layer = ComplexFullyConnectedLayer(100);
  layer.Initialize({NetworkDataLayout({300, 1}, "CB")});
  const DlArray size = Abs(layer.As<ComplexFullyConnectedLayer>()->weights);
  // 30,000 squares, each with a standard deviation as large as its mean: 3.5 deviations are 2%.
  EXPECT_NEAR(Mean(size * size).Scalar(), 2.0 / 400, 0.02 * 2.0 / 400);
}

TEST(ComplexFullyConnectedLayerTest, WithoutBiasATurnedInputTurnsTheOutput) {
  AnyLayer layer = ComplexFullyConnectedLayer(3);
  layer.Initialize({NetworkDataLayout({4, 2}, "CB")});
  const DlArray x = Complex(Randn({4, 2}), Randn({4, 2}));
  const DlArray turn = std::polar(1.0, 0.7);
  const DlArray turned = layer.Predict({DlArray(turn * x, "CB")}).outputs[0];
  const DlArray y = turn * layer.Predict({DlArray(x, "CB")}).outputs[0];
  for (int64_t i = 0; i < y.numel(); ++i) {
    EXPECT_NEAR(std::abs(turned.ComplexAt(i) - y.ComplexAt(i)), 0, 1e-5);
  }
}

TEST(ComplexFullyConnectedLayerTest, NothingComesOfNothing) {
  AnyLayer layer = ComplexFullyConnectedLayer(3);
  layer.Initialize({NetworkDataLayout({4, 2}, "CB")});
  const DlArray gradient = DlFeval(
      [&](const DlArray& x) {
        const DlArray y = layer.Forward({x}).outputs[0];
        return DlGradient(Sum(Abs(y)), x);
      },
      Zeros({4, 2}, DataType::kSingle, "CB"));
  EXPECT_THAT(gradient.ToVector<float>(), testing::Each(0.0f));
}

}  // namespace
}  // namespace lamina
