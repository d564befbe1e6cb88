// Is a training by recorded and compiled steps the training that it is without?
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include "framework/layers/builtin_layers.h"
#include "framework/layers/function_layer.h"
#include "framework/network/nested_network.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/loss.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/testing/recorded_case.h"
#include "framework/trainnet/train_net.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

class AcceleratedTrainingTest : public testing::Test {
 protected:
  // From the second batch of a size on it is recorded, from the third on kernels run.
  static void SetUpTestSuite() { setenv("LAMINA_WAIT_FOR_COMPILER", "1", 1); }

  RandomSource source_{.seed = 3};
  ScopedRandomSource scope_{source_};
};

DlNetwork InDouble(DlNetwork network, const NetworkDataLayout& layout) {
  network.Initialize(layout);
  network.ForEachLearnable([](DlArray& w) { w = Double(w); });
  network.ForEachState([](DlArray& s) { s = Double(s); });
  return network;
}

DlArray Classes(int64_t count, int64_t observations) {
  return DlArray(
      Cast(Floor(static_cast<double>(count) * Rand({1, observations})), DataType::kInt64), "CB");
}

Dataset TwoToOne(int64_t n) {
  return {Randn({2, n}, DataType::kSingle, "CB"), Randn({1, n}, DataType::kSingle, "CB")};
}

TrainingOptions Options(const std::string& solver) {
  return {.solver = solver,
          .initial_learn_rate = 0.01,
          .learn_rate_schedule = "cosine",
          .max_epochs = 5,
          .mini_batch_size = 16,
          .shuffle = Shuffle::kEveryEpoch,
          .l2_regularization = 0.01,
          .metrics = {"accuracy"},
          .verbose = false};
}

bool UsesKernels(const TrainingInfo& info) {
  return info.acceleration_report.find("compiled in") != std::string::npos ||
         info.acceleration_report.find("loaded in") != std::string::npos;
}

// Trains both ways; the differences are rounding, `tolerance` at most.
void ExpectSame(const Dataset& data, const DlNetwork& network, TrainingOptions options,
                double tolerance) {
  options.acceleration = Acceleration::kNone;
  const TrainingResult plain = TrainNet(data, network, "crossentropy", options);
  options.acceleration = Acceleration::kAuto;
  const TrainingResult result = TrainNet(data, network, "crossentropy", options);
  EXPECT_TRUE(UsesKernels(result.info)) << result.info.acceleration_report;
  EXPECT_FALSE(UsesKernels(plain.info)) << plain.info.acceleration_report;
  const auto near = [&](const std::vector<ParameterRow>& a, const std::vector<ParameterRow>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (size_t i = 0; i < a.size(); ++i) {
      EXPECT_TRUE(Near(a[i].value, b[i].value, tolerance)) << a[i].layer << a[i].parameter;
      EXPECT_TRUE(a[i].value.has_values());
    }
  };
  near(result.network.Learnables(), plain.network.Learnables());
  near(result.network.StateTable(), plain.network.StateTable());
  const auto &now = result.info.training_history, &before = plain.info.training_history;
  ASSERT_EQ(now.size(), before.size());
  for (size_t i = 0; i < now.size(); ++i) {
    EXPECT_NEAR(now[i].loss, before[i].loss, tolerance);
    ASSERT_EQ(now[i].metrics.size(), 1u);
    EXPECT_NEAR(now[i].metrics[0], before[i].metrics[0], 1e-12);
    EXPECT_EQ(now[i].learn_rate, before[i].learn_rate);
  }
  EXPECT_LT(now.back().loss, now.front().loss);
}

TEST_F(AcceleratedTrainingTest, FullyConnectedLayersWithAllSolvers) {
  // The last batch of an epoch is smaller.
  const Dataset data(Randn({12, 72}, DataType::kDouble, "CB"), Classes(4, 72));
  DlNetwork network = InDouble({Named(FullyConnectedLayer(16), "fc1"), ReluLayer(),
                                Named(FullyConnectedLayer(4), "fc2"), SoftmaxLayer()},
                               NetworkDataLayout({12, kUnknown}, "CB"));
  network.SetLearnRateFactor("fc1/Weights", 0.5);
  network.SetL2Factor("fc2/Weights", 3);
  network.SetLearnRateFactor("fc2/Bias", 0);
  for (const char* solver : {"sgdm", "adam", "rmsprop"}) {
    SCOPED_TRACE(solver);
    ExpectSame(data, network, Options(solver), 1e-9);
  }
}

TEST_F(AcceleratedTrainingTest, Clipping) {
  const Dataset data(Randn({12, 64}, DataType::kDouble, "CB"), Classes(4, 64));
  const DlNetwork network =
      InDouble({FullyConnectedLayer(16), TanhLayer(), FullyConnectedLayer(4), SoftmaxLayer()},
               NetworkDataLayout({12, kUnknown}, "CB"));
  for (auto method : {GradientThresholdMethod::kL2Norm, GradientThresholdMethod::kGlobalL2Norm,
                      GradientThresholdMethod::kAbsoluteValue}) {
    SCOPED_TRACE(static_cast<int>(method));
    TrainingOptions options = Options("sgdm");
    options.gradient_threshold_method = method;
    // Some gradients of this training are longer, some are shorter.
    options.gradient_threshold = method == GradientThresholdMethod::kAbsoluteValue ? 0.05 : 0.3;
    ExpectSame(data, network, options, 1e-9);
  }
}

TEST_F(AcceleratedTrainingTest, ConvolutionBatchNormalizationDropout) {
  const Dataset data(Randn({8, 8, 1, 64}, DataType::kDouble, "SSCB"), Classes(4, 64));
  const DlNetwork network =
      InDouble({Convolution2dLayer({3, 3}, 4, {.padding = "same"}), BatchNormalizationLayer(),
                ReluLayer(), MaxPooling2dLayer({2, 2}, {.stride = {2, 2}}), DropoutLayer(0.3),
                FullyConnectedLayer(4), SoftmaxLayer()},
               NetworkDataLayout({8, 8, 1, kUnknown}, "SSCB"));
  ExpectSame(data, network, Options("adam"), 1e-9);
}

TEST_F(AcceleratedTrainingTest, SinglePrecision) {
  const Dataset data(Randn({12, 64}, DataType::kSingle, "CB"), Classes(4, 64));
  const DlNetwork network{FeatureInputLayer(12), FullyConnectedLayer(16), TanhLayer(),
                          FullyConnectedLayer(4), SoftmaxLayer()};
  ExpectSame(data, network, Options("adam"), 1e-4);
}

// ResetState sets the states of an LSTM in single, so the rest is in single too.
TEST_F(AcceleratedTrainingTest, SequencesOfTwoLengths) {
  DlArrays list;
  for (int i = 0; i < 64; ++i) {
    list.push_back(Randn({3, i % 2 == 0 ? 3 : 5}, DataType::kSingle, "CT"));
  }
  Dataset data;
  data.inputs = {Sequences(list)};
  data.targets = {Classes(4, 64)};
  const DlNetwork network{SequenceInputLayer(3), LstmLayer(6, {.output_mode = "last"}),
                          FullyConnectedLayer(4), SoftmaxLayer()};
  ExpectSame(data, network, Options("adam"), 1e-5);
}

TEST_F(AcceleratedTrainingTest, ValidationAndPrediction) {
  const DlArray x = Randn({12, 64}, DataType::kDouble, "CB");
  const Dataset data(x, Classes(4, 64));
  const DlNetwork network = InDouble({FullyConnectedLayer(16), BatchNormalizationLayer(),
                                      TanhLayer(), FullyConnectedLayer(4), SoftmaxLayer()},
                                     NetworkDataLayout({12, kUnknown}, "CB"));
  TrainingOptions options = Options("sgdm");
  options.validation_data = data;
  options.validation_frequency = 4;
  options.output_network = OutputNetwork::kLastIteration;
  const TrainingResult result = TrainNet(data, network, "crossentropy", options);
  options.acceleration = Acceleration::kNone;
  const TrainingResult plain = TrainNet(data, network, "crossentropy", options);
  const std::string report = result.info.acceleration_report;
  EXPECT_NE(report.find("ed in ", report.find("Validation:")), std::string::npos) << report;
  const auto &now = result.info.validation_history, &before = plain.info.validation_history;
  ASSERT_EQ(now.size(), 5u);
  for (size_t i = 0; i < now.size(); ++i) {
    EXPECT_NEAR(now[i].loss, before[i].loss, 1e-9);
    EXPECT_NEAR(now[i].metrics[0], before[i].metrics[0], 1e-12);
  }
  // The learnables are not those of the first validation any more.
  EXPECT_GT(std::abs(now[0].loss - now[4].loss), 1e-3);

  const PredictOptions fast{.mini_batch_size = 8},
      slow{.mini_batch_size = 8, .acceleration = Acceleration::kNone};
  EXPECT_TRUE(Near(MiniBatchPredict(result.network, x, fast),
                   MiniBatchPredict(result.network, x, slow), 1e-12));
  EXPECT_NEAR(TestLoss(result.network, data, "crossentropy", fast),
              TestLoss(result.network, data, "crossentropy", slow), 1e-12);
}

// What is not accelerated, and that the report says so.

struct TripleLayer : Layer, Formattable {
  DlArray Predict(const DlArray& x) const { return 3.0 * x; }
};

struct BlockLayer : Layer, Formattable, Acceleratable {
  LearnableNetwork network{*this, "Network", DlNetwork{Named(TripleLayer(), "triple")}};
  void Initialize(const NetworkDataLayout& layout) { network.Initialize(layout); }
  DlArray Predict(const DlArray& x) const { return network.Predict(x); }
};

TrainingInfo InfoOf(const Dataset& data, const DlNetwork& network, const LossFunction& loss,
                    TrainingOptions options) {
  options.metrics.clear();
  TrainingInfo info = TrainNet(data, network, loss, options).info;
  EXPECT_EQ(info.stop_reason, StopReason::kMaxEpochs);
  return info;
}
std::string ReportOf(const Dataset& data, const DlNetwork& network, const LossFunction& loss,
                     const TrainingOptions& options) {
  const TrainingInfo info = InfoOf(data, network, loss, options);
  EXPECT_FALSE(UsesKernels(info));
  return info.acceleration_report;
}

// The steps run op by op, the layers of the network that can are recorded.
void ExpectRecordedByItself(const Dataset& data, const DlNetwork& network, const std::string& why) {
  TrainingOptions options = Options("sgdm");
  const TrainingInfo info = InfoOf(data, network, "mse", options);
  EXPECT_EQ(info.acceleration_report.find(
                "Training:\n" + why + "\nbut for what the network recorded by itself:\nForward:\n"),
            0u)
      << info.acceleration_report;
  EXPECT_TRUE(UsesKernels(info));
  options.acceleration = Acceleration::kNone;
  const TrainingInfo plain = InfoOf(data, network, "mse", options);
  EXPECT_FALSE(UsesKernels(plain));
  for (size_t i = 0; i < info.training_history.size(); ++i) {
    EXPECT_NEAR(info.training_history[i].loss, plain.training_history[i].loss, 1e-5);
  }
}

TEST_F(AcceleratedTrainingTest, LayersThatAreNotAcceleratableRunOpByOpBetweenOthers) {
  const Dataset data = TwoToOne(64);
  ExpectRecordedByItself(
      data, {FeatureInputLayer(2), FullyConnectedLayer(1), Named(TripleLayer(), "three")},
      "all calls ran op by op: Layer \"three\" (TripleLayer) is not Acceleratable.");
  const DlNetwork nested{FeatureInputLayer(2), FullyConnectedLayer(1),
                         Named(BlockLayer(), "block")};
  ExpectRecordedByItself(
      data, nested,
      "all calls ran op by op: Layer \"block/Network/triple\" (TripleLayer) is not Acceleratable.");
  TrainingOptions none = Options("sgdm");
  none.acceleration = Acceleration::kNone;
  EXPECT_EQ(ReportOf(data, nested, "mse", none),
            "Training:\nall calls ran op by op: The option acceleration is kNone.\n");
}

TEST_F(AcceleratedTrainingTest, ALossThatReadsValuesRunsOpByOp) {
  const Dataset data = TwoToOne(64);
  const DlNetwork network{FeatureInputLayer(2), FullyConnectedLayer(1)};
  const auto loss = [](const DlArray& y, const DlArray& t) {
    const DlArray l = Mse(y, t);
    return l.Scalar() > 1 ? Sqrt(l) : l;
  };
  const std::string report = ReportOf(data, network, loss, Options("sgdm"));
  EXPECT_NE(report.find("runs unaccelerated: "), std::string::npos) << report;
}

TEST_F(AcceleratedTrainingTest, PaddedTargetsRunOpByOpButForTheNetwork) {
  DlArrays x, t;
  for (int i = 0; i < 32; ++i) {
    x.push_back(Randn({2, 2 + i % 3}, DataType::kSingle, "CT"));
    t.push_back(Randn({1, 2 + i % 3}, DataType::kSingle, "CT"));
  }
  Dataset data;
  data.inputs = {Sequences(x)};
  data.targets = {Sequences(t)};
  const DlNetwork network{SequenceInputLayer(2), FullyConnectedLayer(1)};
  ExpectRecordedByItself(data, network,
                         "10 batches had padding in their targets and ran op by op\n"
                         "0 of 0 calls ran op by op, since what was left was not worth a "
                         "recording");
  // Without padding they are accelerated.
  TrainingOptions options = Options("sgdm");
  options.metrics = {"rmse"};
  options.sequence_length = "shortest";
  EXPECT_TRUE(UsesKernels(TrainNet(data, network, "mse", options).info));
}

// 60 lengths, one batch of each in an epoch: none drives out another. The very first step is of a
// kind of its own, since the solver has no state yet.
TEST_F(AcceleratedTrainingTest, LengthsBeyondTheCacheRunOpByOp) {
  setenv("CC", "/no/such/compiler",
         1);  // Recordings run op by op, too: this is about their number.
  DlArrays x;
  for (int i = 0; i < 60; ++i) x.push_back(Randn({2, i + 1}, DataType::kSingle, "CT"));
  Dataset data;
  data.inputs = {Sequences(x)};
  data.targets = {Randn({2, 60}, DataType::kSingle, "CB")};
  const DlNetwork network{SequenceInputLayer(2), GlobalAveragePooling1dLayer(),
                          FullyConnectedLayer(2)};
  const std::string report = ReportOf(data, network, "mse", Options("sgdm"));
  unsetenv("CC");
  EXPECT_EQ(report.find("Training:\n100 of 300 calls ran op by op, since what was left was not "
                        "worth a recording\nno more than 50 of 61 different sizes are recorded\n"
                        "50 traces of at most 50, "),
            0u)
      << report;
  EXPECT_NE(report.find("\n150 hits, 50 misses, 0 calls unaccelerated\n"), std::string::npos)
      << report;
}

TEST_F(AcceleratedTrainingTest, ShortTrainingsAreNotCompiled) {
  unsetenv("LAMINA_WAIT_FOR_COMPILER");
  const Dataset data = TwoToOne(64);
  const DlNetwork network{FeatureInputLayer(2), FullyConnectedLayer(1)};
  EXPECT_EQ(
      ReportOf(data, network, "mse", Options("sgdm")),
      "Training:\n20 of 20 calls ran op by op, since what was left was not worth a recording\n");
  setenv("LAMINA_WAIT_FOR_COMPILER", "1", 1);
}

TEST_F(AcceleratedTrainingTest, ALossThatIsNotFiniteChangesNothing) {
  const Dataset data = TwoToOne(16);
  const DlNetwork network{FeatureInputLayer(2), FullyConnectedLayer(1)};
  TrainingOptions options = Options("sgdm");
  options.metrics.clear();
  // The learn rate grows until the loss is infinite, which is after some replays.
  options.initial_learn_rate = 10;
  options.learn_rate_schedule = "none";
  options.max_epochs = 200;
  const TrainingResult result = TrainNet(data, network, "mse", options);
  EXPECT_TRUE(UsesKernels(result.info)) << result.info.acceleration_report;
  ASSERT_EQ(result.info.stop_reason, StopReason::kLossNotFinite);
  EXPECT_GT(result.info.output_network_iteration, 4);
  // The returned network is that of a training that ends one iteration earlier, bit for bit.
  options.max_epochs = result.info.output_network_iteration;
  EXPECT_TRUE(IsEqual(TrainNet(data, network, "mse", options).network, result.network));
}

}  // namespace
}  // namespace lamina
