// The mathematics of the weighted sum against its formula, written out for one number at a time.
#include "layers/weighted_addition/weighted_addition_layer.h"

#include <cstdlib>
#include <string>
#include <vector>

#include "framework/dlarray/testing/thrown_error.h"
#include "framework/network/network_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

using testing::ElementsAre;

// Binary fractions: sums and products of them are exact.
const std::vector<double> kWeights = {0.5, -2, 1.25};
const std::vector<std::vector<double>> kX = {{1, -2, 0.25, 4}, {3, 0.5, -1, 2}, {-0.75, 8, 16, -4}};

WeightedAdditionLayer ThreeInputs() {
  WeightedAdditionLayer layer(3);
  layer.weights = DlArray::FromVector(kWeights, {3});
  return layer;
}

DlArrays X() {
  DlArrays x;
  for (const std::vector<double>& v : kX) x.push_back(DlArray::FromVector(v, {2, 2}, "CB"));
  return x;
}

TEST(WeightedAdditionLayerTest, FollowsTheFormula) {
  const DlArray y = AnyLayer(ThreeInputs()).Predict(X()).outputs[0];
  EXPECT_EQ(y.spec(), X()[0].spec());
  for (int e = 0; e < 4; ++e) {
    EXPECT_EQ(y.At(e), 0.5 * kX[0][e] - 2 * kX[1][e] + 1.25 * kX[2][e]);
  }
}

TEST(WeightedAdditionLayerTest, DerivativesFollowTheFormula) {
  // L = sum over e of g_e y_e, so dL/dx_i = w_i g and dL/dw_i = sum over e of g_e x_i,e.
  const std::vector<double> g = {1, 2, -3, 0.5};
  Tape tape;
  const ScopedTape listening(&tape);
  DlArrays variables;
  for (const DlArray& x : X()) variables.push_back(tape.Watch(x));
  const DlArrays x = variables;
  AnyLayer layer = ThreeInputs();
  layer->ForEachLearnable([&](DlArray& w) { variables.push_back(w = tape.Watch(w)); });
  const DlArray y = layer.Forward(x).outputs[0];
  const DlArrays d = DlGradient(Sum(DlArray::FromVector(g, {2, 2}, "CB") * y), variables);
  ASSERT_EQ(d.size(), 4u);
  for (size_t i = 0; i < 3; ++i) {
    double sum = 0;
    for (int e = 0; e < 4; ++e) {
      EXPECT_EQ(d[i].At(e), kWeights[i] * g[e]) << "input " << i;
      sum += g[e] * kX[i][e];
    }
    EXPECT_EQ(d[3].At(static_cast<int64_t>(i)), sum) << "weight " << i;
  }
}

TEST(WeightedAdditionLayerTest, BeginsAsTheMean) {
  const AnyLayer layer = WeightedAdditionLayer(4);
  EXPECT_TRUE(layer.IsInitialized());
  EXPECT_THAT(layer.As<WeightedAdditionLayer>()->weights.ToVector<float>(),
              ElementsAre(0.25f, 0.25f, 0.25f, 0.25f));
}

TEST(WeightedAdditionLayerTest, HasAsManyInputsAsTheConstructorIsTold) {
  const WeightedAdditionLayer layer(3);
  EXPECT_THAT(layer.InputNames(), ElementsAre("in1", "in2", "in3"));
  EXPECT_EQ(layer.Description(), "Weighted addition of 3 inputs");
  EXPECT_THAT(WeightedAdditionLayer(1).InputNames(), ElementsAre("in"));
  EXPECT_EQ(MessageOf([] { WeightedAdditionLayer layer(0); }),
            "A layer has one input and one output at least. 0 came. [layer:InvalidCount]");
}

TEST(WeightedAdditionLayerTest, SaysHowManyInputsItTakes) {
  const AnyLayer layer = Named(ThreeInputs(), "join");
  EXPECT_EQ(MessageOf([&] {
              layer.Predict({X()[0], X()[1]});
            }),
            "layer \"join\" (WeightedAdditionLayer) has 3 inputs. 2 came. [layer:InputCount]");
}

TEST(WeightedAdditionLayerTest, LabelsSayHowInputsMeet) {
  WeightedAdditionLayer layer(2);
  layer.weights = DlArray::FromVector<double>({1, 10}, {2});
  // A value for each channel meets all pixels of that channel.
  const DlArray pixels = DlArray::FromVector<double>({1, 2, 3, 4}, {2, 2, 1}, "SCB");
  const DlArray channels = DlArray::FromVector<double>({5, 6}, {2, 1}, "CB");
  const DlArray y = AnyLayer(layer).Predict({channels, pixels}).outputs[0];
  EXPECT_EQ(Dims(y), "SCB");
  EXPECT_THAT(y.ToVector<double>(), ElementsAre(5 + 10, 5 + 20, 6 + 30, 6 + 40));
}

TEST(WeightedAdditionLayerTest, NamesInputsThatCannotMeet) {
  const AnyLayer layer = Named(WeightedAdditionLayer(2), "join");
  const DlArray three = Ones({3, 2}, DataType::kSingle, "CB");
  const DlArray four = Ones({4, 2}, DataType::kSingle, "CB");
  EXPECT_EQ(
      MessageOf([&] {
        layer.Predict({three, four});
      }),
      "layer \"join\" (WeightedAdditionLayer), Predict: plus expects sizes that are equal or 1 "
      "in each dim. 3(C) x 2(B) single DlArray and 4(C) x 2(B) single DlArray came. Dim 0 (C) "
      "is 3 in one and 4 in another. Make the sizes agree, or relabel one of the arrays. "
      "[dlarray:SizeMismatch]");
}

TEST(WeightedAdditionLayerTest, IsReadBackWithItsInputsAndWeights) {
  DlNetwork network;
  network.AddLayers({Named(ThreeInputs(), "join")});
  const NetworkDataLayout layout({2, 2}, "CB");
  network.Initialize({layout, layout, layout});
  const std::string path = std::string(std::getenv("TEST_TMPDIR")) + "/join.safetensors";
  ASSERT_TRUE(SaveNetwork(network, path).ok());
  const absl::StatusOr<DlNetwork> read = LoadNetwork<WeightedAdditionLayer>(path);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(IsEqual(*read, network));
  EXPECT_TRUE(IsEqual(read->PredictAll(X()).outputs[0], network.PredictAll(X()).outputs[0]));
}

}  // namespace
}  // namespace lamina
