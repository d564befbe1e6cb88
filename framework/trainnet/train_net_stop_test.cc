// When training ends, and which network comes back.
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "framework/layers/builtin_layers.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/loss.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/trainnet/train_net.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

// y = 3 x: one weight, one iteration an epoch.
Dataset Slope(double slope) {
  const DlArray x = DlArray::FromVector<float>({1, -1, 2, -2}, {1, 4}, "CB");
  return {x, slope * x};
}

DlNetwork Weight(float value) {
  FullyConnectedLayer fc(1);
  fc.weights = DlArray::FromVector<float>({value}, {1, 1});
  return {FeatureInputLayer(1), fc};
}

double WeightOf(const DlNetwork& network) { return network.LearnableValues()[0].At(0); }

TrainingOptions Quiet() {
  return {.initial_learn_rate = 0.02,
          .momentum = 0,
          .max_epochs = 40,
          .l2_regularization = 0,
          .verbose = false};
}

// The weight goes from 0 to 3 and passes 1, where the validation data want it: the loss there
// falls, then rises.
TEST(TrainNetStopTest, TheBestNetworkComesBack) {
  TrainingOptions options = Quiet();
  options.validation_data = Slope(1);
  options.validation_frequency = 1;
  const TrainingResult result = TrainNet(Slope(3), Weight(0), "mse", options);
  EXPECT_EQ(result.info.stop_reason, StopReason::kMaxEpochs);
  EXPECT_EQ(result.info.validation_history.size(), 40u);
  double least = std::numeric_limits<double>::infinity();
  int64_t at = 0;
  for (const ValidationRecord& r : result.info.validation_history) {
    if (r.loss < least) least = r.loss, at = r.iteration;
  }
  EXPECT_GT(at, 3);
  EXPECT_LT(at, 20);
  EXPECT_EQ(result.info.output_network_iteration, at);
  EXPECT_NEAR(WeightOf(result.network), 1, 0.1);
  EXPECT_EQ(TestLoss(result.network, *options.validation_data, "mse"), least);
  options.output_network = OutputNetwork::kLastIteration;
  const TrainingResult last = TrainNet(Slope(3), Weight(0), "mse", options);
  EXPECT_EQ(last.info.output_network_iteration, 40);
  EXPECT_GT(WeightOf(last.network), 2.5);
}

TEST(TrainNetStopTest, ValidationThatIsAlwaysNaNKeepsTheLastNetwork) {
  TrainingOptions options = Quiet();
  options.validation_data = Slope(NAN);
  options.validation_frequency = 7;
  const TrainingResult result = TrainNet(Slope(3), Weight(0), "mse", options);
  EXPECT_EQ(result.info.stop_reason, StopReason::kMaxEpochs);
  EXPECT_EQ(result.info.output_network_iteration, 40);
  EXPECT_GT(WeightOf(result.network), 2.5);
  options.validation_patience = 3;  // The first is not counted: it is better than nothing.
  const TrainingInfo info = TrainNet(Slope(3), Weight(0), "mse", options).info;
  EXPECT_EQ(info.stop_reason, StopReason::kValidationPatience);
  EXPECT_EQ(info.stop_iteration, 4 * 7);
  EXPECT_EQ(info.output_network_iteration, 4 * 7);
}

TEST(TrainNetStopTest, PatienceCountsValidationsWithoutABetterObjective) {
  TrainingOptions options = Quiet();
  options.validation_data = Slope(1);
  options.validation_frequency = 2;
  options.validation_patience = 3;
  const TrainingInfo info = TrainNet(Slope(3), Weight(0), "mse", options).info;
  EXPECT_EQ(info.stop_reason, StopReason::kValidationPatience);
  EXPECT_EQ(info.stop_iteration, info.output_network_iteration + 3 * 2);
  EXPECT_EQ(info.training_history.back().iteration, info.stop_iteration);
  EXPECT_EQ(info.validation_history.back().iteration, info.stop_iteration);
}

// A metric in which more is better: minus the distance to 2.
TEST(TrainNetStopTest, AMetricCanBeTheObjective) {
  TrainingOptions options = Quiet();
  options.validation_data = Slope(1);
  options.validation_frequency = 1;
  options.metrics = {FunctionMetric("closeness", [](const DlArray& y, const DlArray& t) {
    return -MaxOver(Abs(y - 2 * t)).Scalar();
  })};
  options.objective_metric_name = "closeness";
  const TrainingResult result = TrainNet(Slope(3), Weight(0), "mse", options);
  EXPECT_NEAR(WeightOf(result.network), 2, 0.1);
  EXPECT_EQ(result.info.metric_names, (std::vector<std::string>{"closeness"}));
  EXPECT_EQ(result.info.validation_history[0].metrics.size(), 1u);
}

TEST(TrainNetStopTest, ValidationComesAtItsFrequencyAndAtTheEnd) {
  TrainingOptions options = Quiet();
  options.max_epochs = 7;
  options.validation_data = Slope(3);
  options.validation_frequency = 3;
  std::vector<int64_t> at;
  for (const ValidationRecord& r :
       TrainNet(Slope(3), Weight(0), "mse", options).info.validation_history) {
    at.push_back(r.iteration);
  }
  EXPECT_EQ(at, (std::vector<int64_t>{3, 6, 7}));
}

TEST(TrainNetStopTest, TheOutputFunctionSeesAllAndStops) {
  TrainingOptions options = Quiet();
  options.validation_data = Slope(3);
  options.validation_frequency = 2;
  std::vector<int64_t> iterations, validations;
  options.output_fcn = [&](const TrainingProgress& p) {
    EXPECT_EQ(p.num_iterations, 40);
    EXPECT_EQ(p.max_epochs, 40);
    EXPECT_EQ(p.info->training_history.size(), static_cast<size_t>(p.training->iteration));
    iterations.push_back(p.training->iteration);
    if (p.validation != nullptr) validations.push_back(p.validation->iteration);
    return p.training->iteration == 5;
  };
  const TrainingInfo info = TrainNet(Slope(3), Weight(0), "mse", options).info;
  EXPECT_EQ(iterations, (std::vector<int64_t>{1, 2, 3, 4, 5}));
  EXPECT_EQ(validations, (std::vector<int64_t>{2, 4}));
  EXPECT_EQ(info.stop_reason, StopReason::kOutputFunction);
  EXPECT_EQ(info.stop_iteration, 5);
  EXPECT_EQ(info.validation_history.back().iteration, 5) << "judged as it ended";
  EXPECT_EQ(info.output_network_iteration, 5);
}

// A learn rate that is far too high: the weight explodes.
TEST(TrainNetStopTest, ALossThatIsNotFiniteEndsTheTrainingBeforeTheStep) {
  TrainingOptions options = Quiet();
  options.max_epochs = 10'000;
  options.initial_learn_rate = 1e3;
  const TrainingResult result = TrainNet(Slope(3), Weight(0), "mse", options);
  const TrainingInfo& info = result.info;
  EXPECT_EQ(info.stop_reason, StopReason::kLossNotFinite);
  EXPECT_FALSE(std::isfinite(info.training_history.back().loss));
  EXPECT_EQ(info.stop_iteration, static_cast<int64_t>(info.training_history.size()));
  EXPECT_EQ(info.output_network_iteration, info.stop_iteration - 1);
  EXPECT_TRUE(std::isfinite(WeightOf(result.network)));
  // From the first iteration on: the network is as it began.
  const TrainingResult never = TrainNet(
      Slope(3), Weight(7), [](const DlArray& y, const DlArray& t) { return Mse(y, t) / 0.0; },
      options);
  EXPECT_EQ(never.info.stop_iteration, 1);
  EXPECT_EQ(never.info.output_network_iteration, 0);
  EXPECT_EQ(WeightOf(never.network), 7);
}

TEST(TrainNetStopTest, NaNInTheDataEndsTheTrainingToo) {
  Dataset data = Slope(3);
  data.inputs[0] = DlArray::FromVector<float>({1, NAN, 2, -2}, {1, 4}, "CB");
  const TrainingInfo info = TrainNet(data, Weight(0), "mse", Quiet()).info;
  EXPECT_EQ(info.stop_reason, StopReason::kLossNotFinite);
  EXPECT_EQ(info.stop_iteration, 1);
}

}  // namespace
}  // namespace lamina
