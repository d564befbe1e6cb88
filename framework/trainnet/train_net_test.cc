// Does training find what it should find, and does each option do what it says?
#include "framework/trainnet/train_net.h"

#include <array>
#include <cmath>
#include <sstream>
#include <string>
#include <vector>

#include "framework/autodiff/differentiable_function.h"
#include "framework/layers/builtin_layers.h"
#include "framework/network/nested_network.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/loss.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/testing/recorded_case.h"
#include "framework/trainnet/updates.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

using Solution = std::vector<double>;  // Two weights and a bias.

// y = 2 a - 3 b + 0.5 + noise, for 40 observations.
Dataset Line() {
  RandomSource source{.seed = 11};
  const ScopedRandomSource scope(source);
  const DlArray x = Randn({2, 40}, DataType::kSingle, "CB");
  const std::vector<float> v = x.ToVector<float>(), noise = Randn({40}).ToVector<float>();
  std::vector<float> t;
  for (int i = 0; i < 40; ++i) t.push_back(2 * v[2 * i] - 3 * v[2 * i + 1] + 0.5f + noise[i]);
  return {x, DlArray::FromVector(t, {1, 40}, "CB")};
}

// The minimum of sum (w x + b - t)^2 / (2 N) + l2 |w|^2 / 2, from the normal equations, solved by
// Gauss in double.
Solution LeastSquares(const Dataset& data, double l2 = 0) {
  const int n = static_cast<int>(Size(data.inputs[0], 'B'));
  double a[3][4] = {};
  for (int i = 0; i < n; ++i) {
    const double row[4] = {data.inputs[0].At(2 * i), data.inputs[0].At(2 * i + 1), 1,
                           data.targets[0].At(i)};
    for (int r = 0; r < 3; ++r) {
      for (int c = 0; c < 4; ++c) a[r][c] += row[r] * row[c] / n;
    }
  }
  a[0][0] += l2;
  a[1][1] += l2;
  for (int p = 0; p < 3; ++p) {
    for (int r = 0; r < 3; ++r) {
      const double f = r == p ? 0 : a[r][p] / a[p][p];
      for (int c = 0; c < 4; ++c) a[r][c] -= f * a[p][c];
    }
  }
  return {a[0][3] / a[0][0], a[1][3] / a[1][1], a[2][3] / a[2][2]};
}

DlNetwork LineNetwork() { return {FeatureInputLayer(2), Named(FullyConnectedLayer(1), "fc")}; }

Solution Parameters(const DlNetwork& network) {
  Solution all;
  for (const DlArray& x : network.LearnableValues()) {
    for (int64_t i = 0; i < x.numel(); ++i) all.push_back(x.At(i));
  }
  return all;
}

void ExpectNear(const Solution& actual, const Solution& expected, double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) EXPECT_NEAR(actual[i], expected[i], tolerance) << i;
}

// 40 observations in batches of 40 make one iteration an epoch.
TrainingOptions Quiet(const std::string& solver = "sgdm") {
  return {.solver = solver, .l2_regularization = 0, .verbose = false};
}

// The mean squared error with its derivative written out, for the output alone: targets need none.
struct OwnMse {
  DlArray Forward(const DlArray& y, const DlArray& t) const { return Mse(y, t); }
  std::array<DlArray, 2> Backward(const DlArray& y, const DlArray& t, Unused, const DlArray& dL,
                                  Unused, const NeededGradients& needed) const {
    EXPECT_TRUE(needed[0]);
    EXPECT_FALSE(needed[1]);
    return {dL * (y - t) / static_cast<double>(Size(y, 'B')), DlArray()};
  }
};

TEST(TrainNetTest, ADifferentiableFunctionIsALoss) {
  TrainingOptions options = Quiet();
  options.max_epochs = 5;
  DlNetwork network = LineNetwork();
  network.Initialize();
  const TrainingResult named = TrainNet(Line(), network, "mse", options);
  const TrainingResult own = TrainNet(Line(), network, DifferentiableFunction(OwnMse()), options);
  ExpectNear(Parameters(own.network), Parameters(named.network), 1e-6);
  EXPECT_NEAR(own.info.training_history.back().loss, named.info.training_history.back().loss, 1e-6);
  EXPECT_LT(own.info.training_history.back().loss, own.info.training_history.front().loss);
}

TEST(TrainNetTest, LinearRegressionReachesTheLeastSquaresSolution) {
  const Dataset data = Line();
  for (const char* solver : {"sgdm", "adam", "rmsprop"}) {
    SCOPED_TRACE(solver);
    TrainingOptions options = Quiet(solver);
    options.max_epochs = 500;
    options.initial_learn_rate = 0.1;
    options.learn_rate_schedule = "cosine";
    const TrainingResult result = TrainNet(data, LineNetwork(), "mse", options);
    ExpectNear(Parameters(result.network), LeastSquares(data), 1e-3);
    EXPECT_EQ(result.info.stop_reason, StopReason::kMaxEpochs);
    EXPECT_EQ(result.info.training_history.size(), 500u);
    EXPECT_EQ(result.info.output_network_iteration, 500);
  }
}

TEST(TrainNetTest, L2RegularizationGivesTheRidgeSolution) {
  const Dataset data = Line();
  TrainingOptions options = Quiet();
  options.max_epochs = 400;
  options.initial_learn_rate = 0.1;
  options.l2_regularization = 0.7;
  const Solution found = Parameters(TrainNet(data, LineNetwork(), "mse", options).network);
  ExpectNear(found, LeastSquares(data, 0.7), 1e-5);
  EXPECT_GT(std::abs(found[0] - LeastSquares(data)[0]), 0.3);
}

TEST(TrainNetTest, TheSameSeedGivesTheSameNetworkBitForBit) {
  RandomSource source{.seed = 4};
  const ScopedRandomSource scope(source);
  const DlArray x = Randn({6, 50}, DataType::kSingle, "CB");
  const DlArray t = Randn({2, 50}, DataType::kSingle, "CB");
  const DlNetwork network{FeatureInputLayer(6), FullyConnectedLayer(16), BatchNormalizationLayer(),
                          ReluLayer(),          DropoutLayer(0.3),       FullyConnectedLayer(2)};
  TrainingOptions options = Quiet("adam");
  options.max_epochs = 3;
  options.mini_batch_size = 16;
  options.shuffle = Shuffle::kEveryEpoch;
  const uint64_t offset = CurrentRandomSource().offset;
  const DlNetwork first = TrainNet({x, t}, network, "mse", options).network;
  EXPECT_EQ(CurrentRandomSource().offset, offset) << "the current source is left alone";
  Rng(99);
  Rand({17});
  EXPECT_TRUE(IsEqual(TrainNet({x, t}, network, "mse", options).network, first));
  // Looking at the training does not change it.
  TrainingOptions watched = options;
  std::ostringstream out;
  watched.validation_data = Dataset(x, t);
  watched.validation_frequency = 2;
  watched.output_network = OutputNetwork::kLastIteration;
  watched.verbose = true;
  watched.verbose_stream = &out;
  watched.metrics = {"rmse"};
  EXPECT_TRUE(IsEqual(TrainNet({x, t}, network, "mse", watched).network, first));
  EXPECT_NE(out.str().find("ValidationRmse"), std::string::npos);
  options.seed = 1;
  EXPECT_FALSE(IsEqual(TrainNet({x, t}, network, "mse", options).network, first));
}

// The first batch of each epoch tells the order.
TEST(TrainNetTest, ShuffleOnceNeverEveryEpoch) {
  const Dataset data = Line();
  const auto losses = [&](Shuffle shuffle) {
    TrainingOptions options = Quiet();
    options.max_epochs = 3;
    options.mini_batch_size = 8;
    options.initial_learn_rate = 1e-12;  // Nothing changes but the data.
    options.shuffle = shuffle;
    Solution first;
    for (const TrainingRecord& r :
         TrainNet(data, LineNetwork(), "mse", options).info.training_history) {
      if (r.iteration % 5 == 1) first.push_back(r.loss);
    }
    return first;
  };
  const Solution never = losses(Shuffle::kNever), once = losses(Shuffle::kOnce),
                 every = losses(Shuffle::kEveryEpoch);
  EXPECT_NEAR(never[0], never[1], 1e-6);
  EXPECT_NEAR(once[0], once[2], 1e-6);
  EXPECT_GT(std::abs(once[0] - never[0]), 1e-3);
  EXPECT_NEAR(every[0], once[0], 1e-6);
  EXPECT_GT(std::abs(every[1] - every[0]), 1e-3);
}

TEST(TrainNetTest, LearnRatesFollowTheSchedule) {
  TrainingOptions options = Quiet("adam");
  options.max_epochs = 4;
  options.mini_batch_size = 20;
  options.initial_learn_rate = 0.25;
  options.learn_rate_schedule = PiecewiseLearnRate({.drop_factor = 0.5, .period = 2});
  const TrainingInfo info = TrainNet(Line(), LineNetwork(), "mse", options).info;
  ASSERT_EQ(info.training_history.size(), 8u);
  for (const TrainingRecord& r : info.training_history) {
    EXPECT_EQ(r.epoch, (r.iteration + 1) / 2);
    EXPECT_DOUBLE_EQ(r.learn_rate, r.epoch <= 2 ? 0.25 : 0.125);
  }
  options.initial_learn_rate.reset();
  EXPECT_EQ(TrainNet(Line(), LineNetwork(), "mse", options).info.training_history[0].learn_rate,
            0.001);
}

// One step of plain gradient descent from known parameters.
TEST(TrainNetTest, OneStepIsClippedAndScaledAsTheOptionsSay) {
  const Dataset data = Line();
  DlNetwork start = LineNetwork();
  start.Initialize();
  TrainingOptions options = Quiet();
  options.max_epochs = 1;
  options.initial_learn_rate = 0.5;
  options.momentum = 0;
  const Solution before = Parameters(start);
  const auto step = [&](const DlNetwork& network) {
    Solution change = Parameters(TrainNet(data, network, "mse", options).network);
    for (size_t i = 0; i < change.size(); ++i) change[i] -= before[i];
    return change;
  };
  const Solution plain = step(start);
  const double norm = std::hypot(plain[0], plain[1], plain[2]) / 0.5;
  ASSERT_GT(norm, 1);
  options.gradient_threshold = 0.01;
  options.gradient_threshold_method = GradientThresholdMethod::kGlobalL2Norm;
  const Solution global = step(start);
  EXPECT_NEAR(std::hypot(global[0], global[1], global[2]), 0.5 * 0.01, 1e-6);
  EXPECT_NEAR(global[0] / plain[0], 0.01 / norm, 1e-4);
  options.gradient_threshold_method = GradientThresholdMethod::kL2Norm;
  const Solution each = step(start);
  EXPECT_NEAR(std::hypot(each[0], each[1]), 0.5 * 0.01, 1e-6);
  EXPECT_NEAR(std::abs(each[2]), 0.5 * 0.01, 1e-6);
  options.gradient_threshold_method = GradientThresholdMethod::kAbsoluteValue;
  for (double c : step(start)) EXPECT_NEAR(std::abs(c), 0.5 * 0.01, 1e-6);
  // Regularization is part of what is clipped.
  options.l2_regularization = 1e3;
  options.gradient_threshold_method = GradientThresholdMethod::kGlobalL2Norm;
  const Solution regularized = step(start);
  EXPECT_NEAR(std::hypot(regularized[0], regularized[1], regularized[2]), 0.5 * 0.01, 1e-6);
  options.gradient_threshold = std::numeric_limits<double>::infinity();
  options.l2_regularization = 0.1;
  DlNetwork factors = start;
  factors.SetLearnRateFactor("fc/Bias", 0);
  factors.SetL2Factor("fc/Weights", 2);
  const Solution scaled = step(factors);
  EXPECT_NEAR(scaled[0], plain[0] - 0.5 * 0.2 * before[0], 1e-6);
  EXPECT_NEAR(scaled[1], plain[1] - 0.5 * 0.2 * before[1], 1e-6);
  EXPECT_EQ(scaled[2], 0);
}

TEST(TrainNetTest, EachLossLearns) {
  RandomSource source{.seed = 21};
  const ScopedRandomSource scope(source);
  const DlArray x = Randn({2, 60}, DataType::kSingle, "CB");
  std::vector<std::string> names;
  std::vector<int32_t> numbers;
  for (int i = 0; i < 60; ++i) {
    numbers.push_back(x.At(2 * i) > x.At(2 * i + 1) ? 1 : 0);
    names.push_back(numbers.back() == 1 ? "more" : "less");
  }
  const DlArray one_hot = OneHotEncode(names, {"less", "more"});
  const DlArray indices = DlArray::FromVector(numbers, {60}, "B");
  const DlNetwork softmax{FeatureInputLayer(2), FullyConnectedLayer(2), SoftmaxLayer()};
  const DlNetwork sigmoid{FeatureInputLayer(2), FullyConnectedLayer(2), SigmoidLayer()};
  TrainingOptions options = Quiet("adam");
  options.max_epochs = 200;
  options.initial_learn_rate = 0.05;
  options.metrics = {"accuracy"};
  for (const auto& [loss, network, t] : std::vector<std::tuple<LossFunction, DlNetwork, DlArray>>{
           {"crossentropy", softmax, one_hot},
           {"crossentropy", softmax, indices},
           {"index-crossentropy", softmax, indices},
           {"binary-crossentropy", sigmoid, one_hot},
           {"mse", softmax, one_hot},
           {"mae", softmax, one_hot},
           {"l2loss", softmax, one_hot},
           {"huber", sigmoid, one_hot},
           {[](const DlArray&y, const DlArray&t) { return Mse(y, t); }, softmax, one_hot}}) {
    SCOPED_TRACE(loss.name());
    const TrainingResult result = TrainNet({x, t}, network, loss, options);
    const std::vector<TrainingRecord>& history = result.info.training_history;
    EXPECT_LT(history.back().loss, 0.5 * history.front().loss);
    EXPECT_GE(history.back().metrics[0], 0.95);
    EXPECT_GE(TestNet(result.network, {x, t}, {"accuracy"})[0], 0.95);
  }
}

// Two inputs, two outputs, a loss of lists, a metric of the second output.
TEST(TrainNetTest, SeveralInputsAndOutputs) {
  const Dataset line = Line();
  DlNetwork network;
  network.AddLayers({Named(FeatureInputLayer(2), "a")});
  network.AddLayers({Named(FeatureInputLayer(2), "b")});
  network.AddLayers({Named(AdditionLayer(2), "sum"), Named(FullyConnectedLayer(1), "y1")});
  network.AddLayers({Named(FullyConnectedLayer(1), "y2")});
  network.ConnectLayers("a", "sum/in1");
  network.ConnectLayers("b", "sum/in2");
  network.ConnectLayers("sum", "y2");
  const DlArray half = 0.5 * line.inputs[0], t = line.targets[0];
  TrainingOptions options = Quiet("adam");
  options.max_epochs = 400;
  options.initial_learn_rate = 0.1;
  options.learn_rate_schedule = "cosine";
  options.metrics = {AnyMetric(RmseMetric("rmse of y2"), 1)};
  const TrainingResult result = TrainNet(
      {{half, half}, {t, -t}}, network,
      [](const DlArrays& y, const DlArrays& t) { return Mse(y[0], t[0]) + Mse(y[1], t[1]); },
      options);
  const Solution best = LeastSquares(line);
  ExpectNear(Parameters(result.network), {best[0], best[1], best[2], -best[0], -best[1], -best[2]},
             2e-3);
  EXPECT_EQ(result.info.metric_names[0], "rmse of y2");
  EXPECT_NEAR(result.info.training_history.back().metrics[0],
              std::sqrt(result.info.training_history.back().loss), 1e-3);
}

struct InnerLayer : Layer, Formattable {
  LearnableStateNetwork network{*this, "Network"};
  InnerLayer() { network = DlNetwork({FullyConnectedLayer(2), BatchNormalizationLayer()}); }
  void Initialize(const NetworkDataLayout& layout) { network.Initialize(layout); }
  std::pair<DlArray, NetworkState> Predict(const DlArray& x) const {
    return network.PredictWithState(x);
  }
  std::pair<DlArray, NetworkState> Forward(const DlArray& x) const {
    return network.ForwardWithState(x);
  }
};

TEST(TrainNetTest, NestedNetworksLearnAndKeepTheirStates) {
  const Dataset data = Line();
  TrainingOptions options = Quiet("adam");
  options.max_epochs = 300;
  options.initial_learn_rate = 0.05;
  const TrainingResult result =
      TrainNet(data, {FeatureInputLayer(2), InnerLayer(), FullyConnectedLayer(1)}, "mse", options);
  EXPECT_LT(result.info.training_history.back().loss,
            0.2 * result.info.training_history.front().loss);
  EXPECT_EQ(result.network.Learnables().size(), 6u);
  // With the gathered statistics prediction does what training did.
  EXPECT_NEAR(TestLoss(result.network, data, "mse"), result.info.training_history.back().loss,
              0.05);
}

TEST(TrainNetTest, FactorsReachIntoNestedNetworks) {
  DlNetwork network{FeatureInputLayer(2), Named(InnerLayer(), "inner"), FullyConnectedLayer(1)};
  network.Initialize();
  network.SetLearnRateFactor("inner/Network/fullyconnected/Weights", 0);
  TrainingOptions options = Quiet();
  options.max_epochs = 1;
  const DlNetwork trained = TrainNet(Line(), network, "mse", options).network;
  for (size_t i = 0; i < network.Learnables().size(); ++i) {
    const ParameterRow before = network.Learnables()[i], after = trained.Learnables()[i];
    const std::string path = before.layer + "/" + before.parameter;
    // A bias before batch normalization has no effect, so no derivative but rounding.
    if (path == "inner/Network/fullyconnected/Bias") continue;
    EXPECT_EQ(IsEqual(before.value, after.value), path == "inner/Network/fullyconnected/Weights")
        << path;
  }
}

// A recurrent state is of one batch: batches of several sizes follow one another.
TEST(TrainNetTest, RecurrentStatesBeginAnewForEachBatch) {
  RandomSource source{.seed = 2};
  const ScopedRandomSource scope(source);
  const DlArray x = Randn({2, 10, 5}, DataType::kSingle, "CBT"), t = Sum(x, "CT");
  TrainingOptions options = Quiet("adam");
  options.max_epochs = 5;
  options.mini_batch_size = 4;
  const DlNetwork network{SequenceInputLayer(2), LstmLayer(4, {.output_mode = "last"}),
                          FullyConnectedLayer(1)};
  const DlArray targets(DlArray::FromVector(t.ToVector<float>(), {1, 10}), "CB");
  const TrainingResult result = TrainNet({x, targets}, network, "mse", options);
  EXPECT_EQ(result.info.training_history.size(), 15u);
  DlNetwork reset = result.network;
  reset.ResetState();
  EXPECT_TRUE(IsEqual(reset, result.network));
  EXPECT_LT(result.info.training_history.back().loss, 1e3);
}

struct ComplexGainLayer : Layer {
  Learnable gain{*this, "Gain", DlArray(std::complex<double>(1, 0))};
  DlArray Predict(const DlArray& x) const { return gain * x; }
};

TEST(TrainNetTest, ComplexLearnablesLearn) {
  using Complex = std::complex<double>;
  const Complex gain(0.5, -2);
  std::vector<Complex> x, t;
  for (int i = 0; i < 12; ++i) {
    x.emplace_back(std::cos(i), std::sin(3 * i));
    t.push_back(gain * x.back());
  }
  const Dataset data(DlArray::FromVector(x, {1, 12}, "CB"), DlArray::FromVector(t, {1, 12}, "CB"));
  for (const char* solver : {"sgdm", "adam", "rmsprop"}) {
    TrainingOptions options = Quiet(solver);
    options.max_epochs = 600;
    options.initial_learn_rate = 0.05;
    options.learn_rate_schedule = "cosine";
    const DlNetwork trained = TrainNet(data, {ComplexGainLayer()}, "mse", options).network;
    EXPECT_NEAR(std::abs(trained.LearnableValues()[0].ComplexAt(0) - gain), 0, 1e-3) << solver;
  }
}

}  // namespace
}  // namespace lamina
