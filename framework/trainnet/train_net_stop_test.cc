// When training ends, and which network comes back.
#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "framework/dlarray/testing/thrown_error.h"
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
  // The batch is in another order.
  EXPECT_TRUE(info.not_finite.starts_with("Input 0 of the mini-batch is not finite at 0(C), "));
  EXPECT_TRUE(info.not_finite.ends_with("(B), in observation number 1 of the data."))
      << info.not_finite;
  data = Slope(3);
  data.targets[0] = DlArray::FromVector<float>({1, 2, 2, INFINITY}, {1, 4}, "CB");
  const std::string of_target = TrainNet(data, Weight(0), "mse", Quiet()).info.not_finite;
  EXPECT_TRUE(of_target.starts_with("Target 0 of")) << of_target;
  EXPECT_TRUE(of_target.ends_with("number 3 of the data.")) << of_target;
}

struct LogLayer : Layer, Formattable {
  DlArray Predict(const DlArray& x) const { return Log(x) * x; }
};

TEST(TrainNetStopTest, TheOpThatGaveNaNIsTold) {
  std::ostringstream table;
  TrainingOptions options = Quiet();
  options.shuffle = Shuffle::kNever;
  options.verbose = true;
  options.verbose_stream = &table;
  Dataset data = Slope(3);
  data.inputs[0] = DlArray::FromVector<float>({1, 0, 2, 3}, {1, 4}, "CB");
  const TrainingInfo info =
      TrainNet(data, DlNetwork({FeatureInputLayer(1), LogLayer(), FullyConnectedLayer(1)}), "mse",
               options)
          .info;
  // Log of 0 is minus infinity, and that times 0 is NaN.
  EXPECT_NE(info.not_finite.find("times gave NaN at 0(C), 1(B) of 4 elements of a 1(C) x 4(B) "
                                 "single DlArray. It got -Inf and 0."),
            std::string::npos)
      << info.not_finite;
  const size_t before = info.not_finite.find("Before that: ");
  ASSERT_NE(before, std::string::npos) << info.not_finite;
  EXPECT_NE(info.not_finite.find("log gave -Inf at 0(C), 1(B)", before), std::string::npos)
      << info.not_finite;
  EXPECT_NE(info.not_finite.find("LogLayer", before), std::string::npos) << info.not_finite;
  EXPECT_NE(table.str().find(info.not_finite), std::string::npos) << table.str();
}

// The derivative of a root at 0 is infinite, and times 0 that is NaN.
DlArray RootLoss(const DlArray& y, const DlArray& t) { return Sum(Sqrt(Abs(y - t))); }

TEST(TrainNetStopTest, AGradientThatIsNotFiniteDoesNotSpoilTheNetwork) {
  // The loss of the first step is 0, that of the second NaN, if there is one.
  for (const int64_t epochs : {1, 2, 20}) {
    TrainingOptions options = Quiet();
    options.max_epochs = epochs;
    const TrainingResult result = TrainNet(Slope(3), Weight(3), RootLoss, options);
    EXPECT_EQ(WeightOf(result.network), 3);
    EXPECT_EQ(result.info.stop_reason, StopReason::kLossNotFinite);
    EXPECT_EQ(result.info.stop_iteration, std::min<int64_t>(epochs, 2));
    EXPECT_EQ(result.info.output_network_iteration, 0);
    EXPECT_NE(result.info.not_finite.find("fullyconnected/Weights has elements that are not finite "
                                          "since one of the steps 1 to 1"),
              std::string::npos)
        << result.info.not_finite;
    options.check_finite = true;
    const std::string message =
        MessageOf([&] { TrainNet(Slope(3), Weight(3), RootLoss, options); });
    EXPECT_NE(message.find("In the gradient of sqrt, "), std::string::npos) << message;
    EXPECT_EQ(IdentifierOf([&] { TrainNet(Slope(3), Weight(2), "mse", options); }), "no error");
  }
  // Later, an iteration of before is taken.
  int calls = 0;
  const auto late = [&](const DlArray& y, const DlArray& t) {
    return ++calls < 151 ? Mse(y, t) : RootLoss(y, y);
  };
  TrainingOptions options = Quiet();
  options.max_epochs = 200;
  const TrainingResult result = TrainNet(Slope(3), Weight(0), late, options);
  EXPECT_EQ(result.info.stop_iteration, 152);
  EXPECT_EQ(result.info.output_network_iteration, 100);
  options.max_epochs = 100;
  EXPECT_EQ(WeightOf(result.network),
            WeightOf(TrainNet(Slope(3), Weight(0), "mse", options).network));
  // The iteration whose network would be kept spoils it: none of before but the first is there.
  calls = 0;
  const auto when_kept = [&](const DlArray& y, const DlArray& t) {
    return ++calls < 100 ? Mse(y, t) : RootLoss(y, y);
  };
  options.max_epochs = 200;
  const TrainingResult first = TrainNet(Slope(3), Weight(2), when_kept, options);
  EXPECT_EQ(first.info.stop_iteration, 101);
  EXPECT_EQ(first.info.output_network_iteration, 0);
  EXPECT_EQ(WeightOf(first.network), 2);
}

}  // namespace
}  // namespace lamina
