// What TrainNet says of options, data and networks that make no sense.
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "framework/dlarray/testing/thrown_error.h"
#include "framework/layers/builtin_layers.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/loss.h"
#include "framework/ops/reduction.h"
#include "framework/ops/testing/recorded_case.h"
#include "framework/trainnet/train_net.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

DlArray Features(int64_t channels, int64_t n) {
  return Ones({channels, n}, DataType::kSingle, "CB");
}
Dataset Good() { return {Features(2, 6), Features(1, 6)}; }
DlNetwork Network() { return {FeatureInputLayer(2), Named(FullyConnectedLayer(1), "fc")}; }

std::string Message(const Dataset& data, const DlNetwork& network, const LossFunction& loss,
                    TrainingOptions options = {}) {
  options.verbose = false;
  options.max_epochs = std::min<int64_t>(options.max_epochs, 2);
  return MessageOf([&] { TrainNet(data, network, loss, options); });
}
std::string OptionMessage(const TrainingOptions& options) {
  return Message(Good(), Network(), "mse", options);
}

#define EXPECT_HAS(text, part) EXPECT_NE((text).find(part), std::string::npos) << "in: " << (text)

TEST(TrainNetErrorsTest, NothingIsWrongWithWhatIsRight) {
  EXPECT_EQ(OptionMessage({}), "no error");
  EXPECT_EQ(OptionMessage({.solver = "adam", .epsilon = 1e-6, .weight_decay = 0.1}), "no error");
}

// The message names the option, the value and what is allowed.
TEST(TrainNetErrorsTest, Options) {
  const double nan = NAN;
  struct Case {
    TrainingOptions options;
    std::vector<std::string> parts;
  };
  const std::vector<Case> cases{
      {{.solver = "sgd"}, {"solver", "\"sgd\"", "[sgdm, adam, rmsprop]"}},
      {{.initial_learn_rate = 0}, {"initial_learn_rate", "above 0"}},
      {{.initial_learn_rate = nan}, {"initial_learn_rate", "nan"}},
      {{.momentum = 1}, {"momentum", "from 0 to less than 1", "1 came"}},
      {{.solver = "adam", .momentum = 0.5}, {"momentum", "sgdm", "\"adam\""}},
      {{.gradient_decay_factor = 0.5}, {"gradient_decay_factor", "adam", "\"sgdm\""}},
      {{.squared_gradient_decay_factor = 0.5},
       {"squared_gradient_decay_factor", "adam or rmsprop"}},
      {{.solver = "rmsprop", .epsilon = -1}, {"epsilon", "above 0", "-1"}},
      {{.solver = "rmsprop", .weight_decay = 1}, {"weight_decay", "adam"}},
      {{.max_epochs = 0}, {"max_epochs", "from 1 to", "0 came"}},
      {{.mini_batch_size = -4}, {"mini_batch_size", "-4"}},
      {{.l2_regularization = -1e-4}, {"l2_regularization", "0 or more"}},
      {{.gradient_threshold = 0}, {"gradient_threshold", "infinity"}},
      {{.validation_frequency = 0}, {"validation_frequency"}},
      {{.validation_patience = 0}, {"validation_patience"}},
      {{.metrics = {"rmse", "rmse"}}, {"metrics", "\"rmse\" a second time"}},
      {{.metrics = {"rmse"}, .objective_metric_name = "accuracy"},
       {"objective_metric_name", "[loss, rmse]", "\"accuracy\""}},
      {{.output_network = OutputNetwork::kBestValidation}, {"output_network", "validation_data"}},
      {{.verbose_frequency = 0}, {"verbose_frequency"}},
  };
  for (const Case& c : cases) {
    const std::string message = OptionMessage(c.options);
    EXPECT_HAS(message, "trainnet:InvalidOption");
    for (const std::string& part : c.parts) EXPECT_HAS(message, part);
  }
}

TEST(TrainNetErrorsTest, EpochsThatCannotBeCounted) {
  EXPECT_TRUE(Throws("trainnet:InvalidOption", [] {
    TrainNet(Good(), Network(), "mse", {.max_epochs = kForever, .verbose = false});
  }));
}

TEST(TrainNetErrorsTest, Data) {
  EXPECT_HAS(Message({Features(2, 6), Features(1, 5)}, Network(), "mse"),
             "data:ObservationMismatch");
  EXPECT_HAS(Message({Features(2, 0), Features(1, 0)}, Network(), "mse"), "data:Empty");
  EXPECT_HAS(Message({Ones({2, 6}), Features(1, 6)}, Network(), "mse"), "data:Unlabelled");
  EXPECT_HAS(Message({Features(2, 6), Ones({1, 6})}, Network(), "mse"), "data:Unlabelled");
  EXPECT_HAS(Message({DlArrays{Features(2, 6)}, DlArrays{}}, Network(), "mse"), "data:NoTargets");
  EXPECT_HAS(Message({DlArrays{}, DlArrays{Features(1, 6)}}, Network(), "mse"), "data:Empty");
  EXPECT_HAS(Message(Good(), DlNetwork(), "mse"), "network:InputCount");
  EXPECT_HAS(Message({{Features(2, 6), Features(2, 6)}, {Features(1, 6)}}, Network(), "mse"),
             "network:InputCount");
}

TEST(TrainNetErrorsTest, DataThatDoNotFitTheNetwork) {
  const std::string wrong = Message({Features(3, 6), Features(1, 6)}, Network(), "mse");
  EXPECT_HAS(wrong, "layer:InputFormat");
  EXPECT_HAS(wrong, "3(C)");
  const std::string target = Message({Features(2, 6), Features(4, 6)}, Network(), "mse");
  EXPECT_HAS(target, "dlarray:SizeMismatch");
  EXPECT_HAS(target, "Loss \"mse\"");
  const std::string classes =
      Message({Features(2, 3), DlArray::FromVector<int32_t>({0, 1, 5}, {3}, "B")},
              {FeatureInputLayer(2), FullyConnectedLayer(2), SoftmaxLayer()}, "crossentropy");
  EXPECT_HAS(classes, "dlarray:IndexOutOfRange");
}

TEST(TrainNetErrorsTest, ValidationData) {
  TrainingOptions options;
  options.validation_data = Dataset(Features(2, 6), Features(1, 5));
  EXPECT_HAS(OptionMessage(options), "Option validation_data");
  EXPECT_HAS(OptionMessage(options), "data:ObservationMismatch");
  options.validation_data = Dataset(DlArrays{Features(2, 6)}, DlArrays{});
  EXPECT_HAS(OptionMessage(options), "data:ValidationMismatch");
  // Inputs of other sizes are refused before the first iteration, targets when they are used.
  int iterations = 0;
  options.output_fcn = [&iterations](const TrainingProgress&) { return ++iterations < 0; };
  options.validation_data = Dataset(Features(3, 6), Features(1, 6));
  EXPECT_HAS(OptionMessage(options), "Option validation_data: ");
  EXPECT_HAS(OptionMessage(options), "layer:InputFormat");
  EXPECT_EQ(iterations, 0);
  options.validation_data = Dataset(Features(2, 6), Features(4, 6));
  EXPECT_HAS(OptionMessage(options), "Option validation_data: ");
  EXPECT_HAS(OptionMessage(options), "dlarray:SizeMismatch");
}

TEST(TrainNetErrorsTest, Losses) {
  EXPECT_TRUE(Throws("trainnet:InvalidOption",
                     [] { TrainNet(Good(), Network(), "mean", {.verbose = false}); }));
  EXPECT_HAS(Message(Good(), Network(),
                     [](const DlArray& y, const DlArray& t) { return Mse(ExtractData(y), t); }),
             "ops:FormatNeeded");
  EXPECT_HAS(Message(Good(), Network(),
                     [](const DlArray& y, const DlArray&) { return DlArray(Sum(y).Scalar()); }),
             "trainnet:LossUntraced");
  EXPECT_HAS(Message(Good(), Network(), [](const DlArray& y, const DlArray& t) { return y - t; }),
             "trainnet:LossNotScalar");
}

TEST(TrainNetErrorsTest, ALossThatIsNoFunction) {
  const std::function<DlArray(const DlArray&, const DlArray&)> none;
  EXPECT_HAS(Message(Good(), Network(), none), "Option loss is expected to be a function.");
}

TEST(TrainNetErrorsTest, NothingToLearn) {
  EXPECT_HAS(Message(Good(), {FeatureInputLayer(2), ReluLayer()}, "mse"),
             "trainnet:NothingToLearn");
  DlNetwork frozen = Network();
  frozen.Initialize();
  frozen.SetLearnRateFactor("fc/Weights", 0);
  EXPECT_EQ(Message(Good(), frozen, "mse"), "no error");
  frozen.SetLearnRateFactor("fc/Bias", 0);
  EXPECT_HAS(Message(Good(), frozen, "mse"), "trainnet:NothingToLearn");
}

TEST(TrainNetErrorsTest, Metrics) {
  TrainingOptions options;
  options.metrics = {FScoreMetric(), AnyMetric(RmseMetric("second"), 1)};
  EXPECT_HAS(OptionMessage(options), "trainnet:MetricOutput");
}

}  // namespace
}  // namespace lamina
