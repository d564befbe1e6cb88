#include "framework/trainnet/predict.h"

#include <string>
#include <vector>

#include "framework/layers/builtin_layers.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/testing/recorded_case.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

struct Fixture {
  Fixture() {
    RandomSource source{.seed = 6};
    const ScopedRandomSource scope(source);
    network = {FeatureInputLayer(3), Named(FullyConnectedLayer(4), "fc"), SoftmaxLayer()};
    network.Initialize();
    x = Randn({3, 11}, DataType::kSingle, "CB");
    t = Softmax();
  }
  DlArray Softmax() const { return network.Predict(x); }
  DlNetwork network;
  DlArray x, t;
};

TEST(PredictTest, BatchesTogetherAreTheWhole) {
  const Fixture f;
  const DlArray whole = f.network.Predict(f.x);
  for (int64_t size : {1, 4, 11, 100}) {
    const DlArray y = MiniBatchPredict(f.network, f.x, {.mini_batch_size = size});
    EXPECT_EQ(Dims(y), "CB");
    EXPECT_TRUE(Near(y, whole, 1e-6)) << size;
  }
}

TEST(PredictTest, NamedOutputs) {
  const Fixture f;
  const DlArrays y = MiniBatchPredict(f.network, DlArrays{f.x},
                                      {.mini_batch_size = 4, .outputs = {"fc", "softmax"}});
  ASSERT_EQ(y.size(), 2u);
  EXPECT_TRUE(Near(y[0], f.network.PredictAll(DlArrays{f.x}, {"fc"}).outputs[0], 1e-6));
  EXPECT_TRUE(Throws("network:OutputCount", [&] {
    MiniBatchPredict(f.network, f.x, {.outputs = {"fc", "softmax"}});
  }));
}

struct SumUpLayer : Layer, Formattable {
  DlArray Predict(const DlArray& x) const { return DlArray(Sum(x), "C"); }
};

TEST(PredictTest, AnOutputWithoutObservationsNeedsOneBatch) {
  const Fixture f;
  const DlNetwork network{SumUpLayer()};
  EXPECT_NEAR(MiniBatchPredict(network, f.x).Scalar(), Sum(f.x).Scalar(), 1e-6);
  EXPECT_TRUE(
      Throws("data:Unlabelled", [&] { MiniBatchPredict(network, f.x, {.mini_batch_size = 4}); }));
}

TEST(PredictTest, TestNetAndTestLoss) {
  const Fixture f;
  const Dataset data(f.x, f.t);
  for (int64_t size : {3, 50}) {
    const std::vector<double> values =
        TestNet(f.network, data, {"rmse", "accuracy"}, {.mini_batch_size = size});
    ASSERT_EQ(values.size(), 2u);
    EXPECT_NEAR(values[0], 0, 1e-6);
    EXPECT_EQ(values[1], 1);
    // (y - t)^2 / 2, summed over 4 channels, with t = y + 1.
    EXPECT_NEAR(TestLoss(f.network, {f.x, f.t + 1}, "mse", {.mini_batch_size = size}), 2, 1e-5);
  }
  EXPECT_TRUE(Throws("data:ObservationMismatch", [&] {
    TestNet(f.network, {f.x, DlArray::FromVector<float>({1, 2, 3, 4}, {4, 1}, "CB")}, {"rmse"});
  }));
  EXPECT_TRUE(Throws("trainnet:MetricOutput", [&] {
    TestNet(f.network, {DlArrays{f.x}, DlArrays{}}, {"rmse"});
  }));
}

}  // namespace
}  // namespace lamina
