// Is a training on a device the training that it is with the processor?
#include <algorithm>
#include <cmath>
#include <iostream>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/gpu/testing/each_device.h"
#include "framework/layers/builtin_layers.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/gpu_array.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/trainnet/predict.h"
#include "framework/trainnet/train_net.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

class DeviceTrainingTest : public gpu::testing::EachDevice {
 protected:
  RandomSource source_{.seed = 3};
  ScopedRandomSource scope_{source_};
};
INSTANTIATE_TEST_SUITE_P(Devices, DeviceTrainingTest, testing::Bool(), gpu::testing::DeviceKind);

DlNetwork Network() {
  return DlNetwork({FeatureInputLayer(4), BatchNormalizationLayer(), FullyConnectedLayer(16),
                    ReluLayer(), DropoutLayer(0.2), FullyConnectedLayer(3), SoftmaxLayer()});
}

Dataset Classes(int64_t n) {
  const DlArray x = Randn({4, n}, DataType::kSingle, "CB");
  std::vector<int64_t> classes;
  for (int64_t i = 0; i < n; ++i)
    classes.push_back(x.At(4 * i) > 0.3 ? 1 : x.At(4 * i + 1) > 0 ? 2 : 0);
  return {x, DlArray::FromVector<int64_t>(classes, {1, n}, "CB")};
}

TrainingOptions Options(ExecutionEnvironment where) {
  return {.solver = "adam",
          .initial_learn_rate = 0.02,
          .max_epochs = 4,
          .mini_batch_size = 16,
          .shuffle = Shuffle::kEveryEpoch,
          .validation_data = Classes(16),
          .validation_frequency = 8,
          .metrics = {"accuracy"},
          .execution_environment = where,
          .verbose = false,
          .seed = 5};
}

TEST_P(DeviceTrainingTest, TheWholeStepRunsThere) {
  const Dataset data = Classes(64);
  TrainingOptions options = Options(ExecutionEnvironment::kCpu);
  const TrainingResult here = TrainNet(data, Network(), "crossentropy", options);
  const gpu::ScopedGpu scope(gpu_);
  options.execution_environment = ExecutionEnvironment::kGpu;
  const TrainingResult there = TrainNet(data, Network(), "crossentropy", options);
  EXPECT_NE(there.info.acceleration_report.find(", compiled in"), std::string::npos)
      << there.info.acceleration_report;
  // Memory that is given back is given again, so that steps become a launch that is there.
  std::cout << there.info.acceleration_report << "\n";
  if (emulated_ != nullptr) {
    EXPECT_GT(emulated_->num_starts(), 0);
    // Of four mini-batches of an epoch three are brought over while the step before may run.
    EXPECT_GE(emulated_->num_copies_ahead(), 12);
  }
  ASSERT_EQ(there.info.training_history.size(), 16u);
  for (size_t i = 0; i < 16; ++i) {
    EXPECT_NEAR(there.info.training_history[i].loss, here.info.training_history[i].loss, 1e-4) << i;
    EXPECT_EQ(there.info.training_history[i].metrics, here.info.training_history[i].metrics) << i;
  }
  ASSERT_EQ(there.info.validation_history.size(), here.info.validation_history.size());
  EXPECT_NEAR(there.info.validation_history.back().loss, here.info.validation_history.back().loss,
              1e-4);
  const auto rows = there.network.Learnables(), expected = here.network.Learnables();
  for (size_t r = 0; r < rows.size(); ++r) {
    ASSERT_TRUE(rows[r].value.has_values()) << rows[r].parameter;
    for (int64_t i = 0; i < rows[r].value.numel(); ++i) {
      EXPECT_NEAR(rows[r].value.At(i), expected[r].value.At(i), 1e-3) << rows[r].parameter;
    }
  }
}

TEST_P(DeviceTrainingTest, WhatIsNotFiniteIsFoundAsOnTheProcessor) {
  Dataset data = Classes(64);
  TrainingOptions options = Options(ExecutionEnvironment::kCpu);
  const LossFunction loss = [](const DlArray& y, const DlArray&) { return Mean(Log(y - 1)); };
  const TrainingResult here = TrainNet(data, Network(), loss, options);
  const gpu::ScopedGpu scope(gpu_);
  options.execution_environment = ExecutionEnvironment::kGpu;
  const TrainingResult there = TrainNet(data, Network(), loss, options);
  EXPECT_EQ(there.info.stop_reason, StopReason::kLossNotFinite);
  EXPECT_EQ(there.info.output_network_iteration, 0);
  EXPECT_TRUE(IsEqual(there.network, here.network));
  EXPECT_EQ(there.info.not_finite, here.info.not_finite);
  EXPECT_NE(there.info.not_finite.find("log gave NaN"), std::string::npos) << there.info.not_finite;
}

// A last bit may decide to which side a factor is rounded: 2^-9 of it, of which the loss has a
// part.
TEST_P(DeviceTrainingTest, MixedPrecisionIsThatOfTheProcessor) {
  const Dataset data = Classes(64);
  TrainingOptions options = Options(ExecutionEnvironment::kCpu);
  const TrainingResult single = TrainNet(data, Network(), "crossentropy", options);
  options.product_precision = ProductPrecision::kBfloat16;
  const TrainingResult here = TrainNet(data, Network(), "crossentropy", options);
  const gpu::ScopedGpu scope(gpu_);
  options.execution_environment = ExecutionEnvironment::kGpu;
  const TrainingResult there = TrainNet(data, Network(), "crossentropy", options);
  ASSERT_EQ(there.info.training_history.size(), 16u);
  double from_single = 0, from_here = 0;
  for (size_t i = 0; i < 16; ++i) {
    const double loss = there.info.training_history[i].loss;
    from_single = std::max(from_single, std::abs(loss - single.info.training_history[i].loss));
    from_here = std::max(from_here, std::abs(loss - here.info.training_history[i].loss));
  }
  std::cout << "largest difference of a loss: " << from_here << " from the processor, "
            << from_single << " from single\n";
  EXPECT_LT(from_here, from_single / 4);
}

// The columns of a table that observations name.
struct EmbeddingLayer : Layer, Formattable, Acceleratable {
  Learnable table{*this, "Table", DlArray::FromVector<float>({1, 0, 0, 1, -1, 1, 0.5F, 2}, {2, 4})};
  DlArray Predict(const DlArray& x) const {
    return DlArray(Gather(table, 1, Cast(StripDims(x), DataType::kInt64)), "CB");
  }
};

// The device goes on, so it is told after the step in which it is found.
TEST_P(DeviceTrainingTest, APositionOutOfRangeIsAnErrorAndTheNextTrainingIsAsEver) {
  const DlNetwork network(
      {FeatureInputLayer(1), EmbeddingLayer(), FullyConnectedLayer(2), SoftmaxLayer()});
  std::vector<float> positions;
  std::vector<int64_t> classes;
  for (int i = 0; i < 24; ++i) {
    positions.push_back(static_cast<float>(i * 5 % 4));
    classes.push_back(i % 3 == 0 ? 1 : 0);
  }
  const auto data = [&] {
    return Dataset{DlArray::FromVector(positions, {1, 24}, "CB"),
                   DlArray::FromVector(classes, {1, 24}, "CB")};
  };
  TrainingOptions options{.max_epochs = 3,
                          .mini_batch_size = 8,
                          .shuffle = Shuffle::kNever,
                          .execution_environment = ExecutionEnvironment::kCpu,
                          .verbose = false};
  const auto train = [&] { return TrainNet(data(), network, "crossentropy", options); };
  const TrainingResult here = train();
  const gpu::ScopedGpu scope(gpu_);
  options.execution_environment = ExecutionEnvironment::kGpu;
  const auto expect_as_here = [&] {
    const TrainingResult there = train();
    for (size_t i = 0; i < here.info.training_history.size(); ++i) {
      EXPECT_NEAR(there.info.training_history[i].loss, here.info.training_history[i].loss, 1e-5);
    }
  };
  const auto expect_error = [&](const std::string& text) {
    try {
      train();
      ADD_FAILURE() << "An error was expected: " << text;
    } catch (const Error& e) {
      EXPECT_EQ(e.identifier(), "dlarray:IndexOutOfRange");
      EXPECT_NE(std::string(e.what()).find(text), std::string::npos) << e.what();
    }
  };
  for (const float bad : {4.0F, -1.0F}) {
    const float good = std::exchange(positions[21], bad);
    expect_error(absl::StrCat("Gather takes positions from 0 to 3. Index number 5 is ",
                              static_cast<int>(bad), "."));
    positions[21] = good;
    expect_as_here();
  }
  classes[10] = 2;
  expect_error("Classes are counted from 0 to 1. Element 2 is 2.");
  classes[10] = 0;
  expect_as_here();
}

// Mini-batches that are ranges are slices of the data: the input's, then the target's. One of them
// cannot be made.
class FailingSlice : public Listener {
 public:
  explicit FailingSlice(int which) : left_(which) {}
  void Applied(const OpPtr& op, Arrays, std::span<DlArray>) override {
    if (op->Name() != "slice" || --left_ != 0) return;
    throw Error("test:NoData", "Data are there.", "A slice of them is not.", "");
  }

 private:
  int left_;
};

// The next mini-batch is taken while a step is computed. If it cannot be, that step ends as ever.
TEST_P(DeviceTrainingTest, AMiniBatchThatCannotBeTakenFailsInItsTurn) {
  const Dataset data = Classes(64);
  const gpu::ScopedGpu scope(gpu_);
  std::vector<double> losses;  // Of the iterations that ended.
  int64_t last = 0;            // The iteration that ends the training; 0: none.
  TrainingOptions options = Options(ExecutionEnvironment::kGpu);
  options.shuffle = Shuffle::kNever;
  options.max_epochs = 2;
  options.validation_data.reset();
  options.output_fcn = [&](const TrainingProgress& progress) {
    losses.push_back(progress.training->loss);
    return progress.training->iteration == last;
  };
  const auto train = [&] {
    losses.clear();
    return TrainNet(data, Network(), "crossentropy", options);
  };
  train();
  const std::vector<double> all = losses;
  ASSERT_EQ(all.size(), 8u);
  const size_t bytes = emulated_ == nullptr ? 0 : emulated_->bytes_in_use();

  // The first of all is taken by itself; the third of an epoch, and its last one.
  for (const int64_t failing : {1, 3, 4, 7, 8}) {
    for (const int of_target : {0, 1}) {
      SCOPED_TRACE(testing::Message() << "mini-batch " << failing << ", " << of_target);
      const int which = static_cast<int>(2 * failing - 1) + of_target;
      last = 0;
      {
        FailingSlice listener(which);
        const ScopedListener listening(&listener);
        EXPECT_EQ(gpu::testing::Identifier(train), "test:NoData");
      }
      EXPECT_EQ(losses, std::vector<double>(all.begin(), all.begin() + failing - 1));
      if (emulated_ != nullptr) {
        EXPECT_EQ(emulated_->bytes_in_use(), bytes);
      }
      // Its turn does not come.
      last = failing - 1;
      if (last == 0) continue;
      FailingSlice listener(which);
      const ScopedListener listening(&listener);
      EXPECT_EQ(train().info.stop_reason, StopReason::kOutputFunction);
      EXPECT_EQ(losses, std::vector<double>(all.begin(), all.begin() + last));
    }
  }
  last = 0;
  train();
  EXPECT_EQ(losses, all);
}

TEST_P(DeviceTrainingTest, ANetworkMovesByOneCall) {
  DlNetwork network = Network();
  network.Initialize(NetworkDataLayout({4, kUnknown}, "CB"));
  const DlArray x = Randn({4, 5}, DataType::kSingle, "CB");
  const DlArray expected = network.Predict({x});
  const gpu::ScopedGpu scope(gpu_);
  const DlNetwork there = GpuArray(network);
  for (const DlArray& w : there.LearnableValues()) EXPECT_TRUE(w.on_device());
  const DlArray y = there.Predict({x});
  EXPECT_TRUE(y.on_device());
  for (int64_t i = 0; i < y.numel(); ++i) EXPECT_NEAR(Gather(y).At(i), expected.At(i), 1e-6);
  EXPECT_TRUE(IsEqual(Gather(there), network));
  // Prediction of a data set comes back by itself.
  EXPECT_TRUE(MiniBatchPredict(there, x).has_values());
}

TEST(WithoutDeviceTest, ATrainingThereIsRefusedAndSaysWhy) {
  if (CanUseGpu().ok()) GTEST_SKIP() << "There is a device.";
  RandomSource source{.seed = 3};
  const ScopedRandomSource scope(source);
  const Dataset data = Classes(32);
  try {
    TrainNet(data, Network(), "crossentropy", Options(ExecutionEnvironment::kGpu));
    FAIL() << "An error was expected.";
  } catch (const Error& e) {
    EXPECT_EQ(e.identifier(), "gpu:NoDevice");
    EXPECT_EQ(std::string(e.what()).find("Option execution_environment: "), 0u) << e.what();
  }
  EXPECT_EQ(TrainNet(data, Network(), "crossentropy", Options(ExecutionEnvironment::kAuto))
                .info.training_history.size(),
            8u);
}

}  // namespace
}  // namespace lamina
