// Is a training by several processes the training that it is by one?
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cmath>
#include <functional>
#include <iostream>
#include <sstream>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "framework/gpu/cuda_device.h"
#include "framework/gpu/gpu.h"
#include "framework/gpu/testing/emulated_device.h"
#include "framework/io/temporary_folder.h"
#include "framework/layers/builtin_layers.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/parallel/testing/run_ranks.h"
#include "framework/trainnet/train_net.h"
#include "gtest/gtest.h"
#include "layers/running_norm/running_norm_layer.h"

namespace lamina {
namespace {

using parallel::Communicator;
using parallel::testing::RankResult;
using parallel::testing::RunRanks;

// Takes away what it gathered of the mean of each channel: a layer with a state of its own, whose
// outputs for an observation do not depend on others in its batch.
struct TrackedMeanLayer : Layer, Formattable, Acceleratable, JoinsObservations {
  State mean{*this, "Mean"};
  void Initialize(const NetworkDataLayout& layout) {
    if (mean.empty()) mean = Zeros({layout.Size('C'), 1});
  }
  std::tuple<DlArray, DlArray> Predict(const DlArray& x) const {
    return {x - DlArray(mean, "C"), mean};
  }
  std::tuple<DlArray, DlArray> Forward(const DlArray& x) const {
    return {x - DlArray(mean, "C"), 0.75 * mean + 0.25 * Reshape(Mean(x, "B"), mean.sizes())};
  }
};

// Draws a number in each step, and keeps it.
struct DrawingLayer : Layer, Formattable, DrawsRandomNumbers {
  State drawn{*this, "Drawn"};
  void Initialize(const NetworkDataLayout&) {
    if (drawn.empty()) drawn = Zeros({1, 1});
  }
  std::tuple<DlArray, DlArray> Predict(const DlArray& x) const { return {x, drawn}; }
  std::tuple<DlArray, DlArray> Forward(const DlArray& x) const { return {x, Rand({1, 1})}; }
};

Dataset Classes(int64_t n) {
  RandomSource source{.seed = 3};
  const ScopedRandomSource scope(source);
  const DlArray x = Randn({4, n}, DataType::kSingle, "CB");
  std::vector<int64_t> classes;
  for (int64_t i = 0; i < n; ++i) {
    classes.push_back(x.At(4 * i) > 0.3 ? 1 : x.At(4 * i + 1) > 0 ? 2 : 0);
  }
  return {x, DlArray::FromVector<int64_t>(classes, {1, n}, "CB")};
}

DlNetwork Network() {
  return DlNetwork({FeatureInputLayer(4), TrackedMeanLayer(), FullyConnectedLayer(8), TanhLayer(),
                    FullyConnectedLayer(3), SoftmaxLayer()});
}

TrainingOptions Options(ExecutionEnvironment where) {
  return {.solver = "adam",
          .initial_learn_rate = 0.02,
          .max_epochs = 4,
          .mini_batch_size = 7,
          .shuffle = Shuffle::kEveryEpoch,
          .l2_regularization = 0.01,
          .gradient_threshold = 0.4,
          .gradient_threshold_method = GradientThresholdMethod::kGlobalL2Norm,
          .validation_data = Classes(5),
          .validation_frequency = 5,
          .metrics = {"accuracy"},
          .execution_environment = where,
          .verbose = false,
          .seed = 5};
}

// All numbers of a training: losses, metrics, validations, learnables and states.
std::string NumbersOf(const TrainingResult& result) {
  std::string text;
  const auto add = [&text](double x) { absl::StrAppend(&text, absl::StrFormat("%.17g ", x)); };
  for (const TrainingRecord& r : result.info.training_history) {
    add(r.loss);
    for (const double m : r.metrics) add(m);
  }
  for (const ValidationRecord& r : result.info.validation_history) {
    add(r.loss);
    for (const double m : r.metrics) add(m);
  }
  DlArrays arrays = result.network.LearnableValues();
  const NetworkState states = result.network.State();
  for (const DlArray& s : states.values()) arrays.push_back(s);
  for (const DlArray& x : arrays) {
    for (int64_t i = 0; i < x.numel(); ++i) add(x.At(i));
  }
  return text;
}

std::vector<double> Parse(const std::string& text) {
  std::istringstream in(text);
  std::vector<double> numbers;
  for (double x = 0; in >> x;) numbers.push_back(x);
  return numbers;
}

void ExpectNear(const std::string& text, const std::string& expected, double tolerance) {
  const std::vector<double> x = Parse(text), y = Parse(expected);
  ASSERT_EQ(x.size(), y.size()) << text;
  ASSERT_GT(x.size(), 10u);
  double largest = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    largest = std::max(largest, std::abs(x[i] - y[i]));
    EXPECT_NEAR(x[i], y[i], tolerance) << "number " << i << " of " << x.size();
  }
  std::cout << "largest difference of " << x.size() << " numbers: " << largest << "\n";
}

// All ranks have the same bits, and those of one rank but for rounding.
void ExpectThatOfOneRank(const std::function<std::string(Communicator&)>& train) {
  const RankResult one = RunRanks(1, train)[0];
  ASSERT_EQ(one.error, "") << one.text;
  for (const int size : {2, 3}) {
    const std::vector<RankResult> results = RunRanks(size, train);
    for (const RankResult& r : results) {
      ASSERT_EQ(r.error, "") << r.text;
      EXPECT_EQ(r.text, results[0].text);
    }
    ExpectNear(results[0].text, one.text, 1e-5);
  }
}

// Mini-batches of 7, 7, 7 and 1 observations: parts that differ, and parts without any.
TEST(ParallelTrainingTest, OnTheProcessorItIsThatOfOneRank) {
  ExpectThatOfOneRank([](Communicator&) {
    return NumbersOf(TrainNet(Classes(22), Network(), "crossentropy",
                              Options(ExecutionEnvironment::kParallelCpu)));
  });
}

// What is compared is not what it would be without clipping.
TEST(ParallelTrainingTest, GradientsAreClippedInTheseTrainings) {
  const auto numbers = [](double threshold) {
    return RunRanks(2, [threshold](Communicator&) {
      TrainingOptions options = Options(ExecutionEnvironment::kAuto);
      options.gradient_threshold = threshold;
      return NumbersOf(TrainNet(Classes(22), Network(), "crossentropy", options));
    })[0];
  };
  const RankResult clipped = numbers(0.4), free = numbers(1e9);
  EXPECT_EQ(clipped.error + free.error, "");
  const std::vector<double> x = Parse(clipped.text), y = Parse(free.text);
  ASSERT_EQ(x.size(), y.size());
  EXPECT_GT(std::abs(x.back() - y.back()) + std::abs(x[40] - y[40]), 1e-4);
}

// A check that runs steps twice does not bring ranks out of step.
TEST(ParallelTrainingTest, TheCheckOfAccelerationIsForOneRank) {
  for (const RankResult& r : RunRanks(2, [](Communicator& ranks) {
         if (ranks.rank() == 0) setenv("LAMINA_CHECK_ACCELERATION", "3", 1);
         setenv("LAMINA_WAIT_FOR_COMPILER", "1", 1);
         TrainingOptions options = Options(ExecutionEnvironment::kAuto);
         options.validation_data.reset();
         return TrainNet(Classes(22), Network(), "crossentropy", options).info.acceleration_report;
       })) {
    EXPECT_EQ(r.error, "") << r.text;
  }
}

// Even where only one rank has kernels.
TEST(ParallelTrainingTest, CompiledStepsGiveTheSameBitsInAllRanks) {
  const TemporaryFolder cache("cache");
  ASSERT_EQ(setenv("LAMINA_CACHE", cache.path().c_str(), 1), 0);
  ExpectThatOfOneRank([](Communicator& ranks) {
    if (ranks.rank() == 0) setenv("LAMINA_WAIT_FOR_COMPILER", "1", 1);
    const TrainingResult result =
        TrainNet(Classes(22), Network(), "crossentropy", Options(ExecutionEnvironment::kAuto));
    if (ranks.rank() == 0 &&
        result.info.acceleration_report.find("compiled") == std::string::npos) {
      return result.info.acceleration_report;
    }
    return NumbersOf(result);
  });
}

TEST(ParallelTrainingTest, OnDevicesItIsThatOfOneRank) {
  const TemporaryFolder cache("cache");
  ASSERT_EQ(setenv("LAMINA_CACHE", cache.path().c_str(), 1), 0);
  ExpectThatOfOneRank([](Communicator& ranks) {
    const auto device = gpu::testing::MakeEmulatedDevice();
    const gpu::ScopedGpu scope(gpu::Gpu::Make(device));
    const TrainingResult result = TrainNet(Classes(22), Network(), "crossentropy",
                                           Options(ExecutionEnvironment::kParallelGpu));
    const std::string& report = result.info.acceleration_report;
    if (ranks.size() > 1 && report.find("by a library") == std::string::npos) return report;
    return NumbersOf(result);
  });
}

// One record of all that computes the gradients, their sum over ranks, one record of the update.
TEST(ParallelTrainingTest, AStepOnDevicesIsThreeStarts) {
  const TemporaryFolder cache("cache");
  ASSERT_EQ(setenv("LAMINA_CACHE", cache.path().c_str(), 1), 0);
  // The fewest starts of a step of the first rank, and all numbers.
  const auto train = [](int most_records) {
    return RunRanks(2, [most_records](Communicator& ranks) {
      const auto device = gpu::testing::MakeEmulatedDevice();
      device->set_most_records(most_records);
      const gpu::ScopedGpu scope(gpu::Gpu::Make(device));
      TrainingOptions options = Options(ExecutionEnvironment::kParallelGpu);
      options.max_epochs = 6;
      options.validation_data.reset();
      int before = 0, fewest = INT_MAX;
      options.output_fcn = [&](const TrainingProgress&) {
        const int now = device->num_starts() + device->num_single_starts();
        fewest = std::min(fewest, now - std::exchange(before, now));
        return false;
      };
      const TrainingResult result = TrainNet(Classes(21), Network(), "crossentropy", options);
      return absl::StrCat(ranks.rank() == 0 ? fewest : 0, " ", NumbersOf(result));
    });
  };
  const auto recorded = train(INT_MAX), launched = train(0);
  for (const auto& results : {recorded, launched}) {
    for (const RankResult& r : results) ASSERT_EQ(r.error, "") << r.text;
  }
  EXPECT_EQ(recorded[0].text.substr(0, 2), "3 ");
  EXPECT_EQ(Parse(launched[0].text)[0], 31);  // One of them checks the classes.
  const auto numbers = [](const RankResult& r) { return r.text.substr(r.text.find(' ')); };
  EXPECT_EQ(numbers(recorded[0]), numbers(launched[0]));
  EXPECT_EQ(numbers(recorded[1]), numbers(launched[1]));
}

// With NCCL, where there are two devices. This process itself leaves them alone: what was begun
// with a device does not work after a fork.
TEST(ParallelTrainingTest, OnRealDevicesItIsThatOfOneRank) {
  const RankResult count = RunRanks(1, [](Communicator&) {
    const auto devices = gpu::CountCudaDevices();
    return devices.ok() ? absl::StrCat(*devices) : devices.status().ToString();
  })[0];
  const bool has_two = count.text.size() == 1 && count.text[0] >= '2';
  if (!has_two) GTEST_SKIP() << "There are not 2 to 9 devices: " << count.text;
  const auto train = [](Communicator&) {
    return NumbersOf(TrainNet(Classes(22), Network(), "crossentropy",
                              Options(ExecutionEnvironment::kParallelGpu)));
  };
  const RankResult one = RunRanks(1, train)[0];
  const auto two = RunRanks(2, train);
  EXPECT_EQ(two[0].error, "") << two[0].text;
  EXPECT_EQ(two[0].text, two[1].text);
  ExpectNear(two[0].text, one.text, 1e-5);
}

// The longest sequence is in one part, padding counts nowhere, and layers have states that begin
// anew in each batch.
TEST(ParallelTrainingTest, SequencesAreWeighedByTheirSteps) {
  ExpectThatOfOneRank([](Communicator&) {
    RandomSource source{.seed = 9};
    const ScopedRandomSource scope(source);
    DlArrays x, t;
    for (const int64_t steps : {5, 1, 2, 7, 3, 3, 1, 2}) {
      x.push_back(Randn({3, steps}, DataType::kSingle, "CT"));
      const DlArray first = Slice(x.back(), 'C', 0, 1);
      t.push_back(
          Cat('C', {Cast(first > 0, DataType::kSingle), Cast(first <= 0, DataType::kSingle)}));
    }
    return NumbersOf(TrainNet(
        Dataset(Sequences(x), Sequences(t)),
        DlNetwork({SequenceInputLayer(3), LstmLayer(4), FullyConnectedLayer(2), SoftmaxLayer()}),
        "crossentropy",
        {.max_epochs = 3,
         .mini_batch_size = 5,
         .validation_data = Dataset(Sequences(x), Sequences(t)),
         .validation_frequency = 2,
         .metrics = {"accuracy"},
         .verbose = false}));
  });
}

// Of what each rank normalizes by itself the states are: the mean that of the whole mini-batch, the
// variance the mean of the parts' variances, weighed by their observations.
TEST(ParallelTrainingTest, StatesAreAveragedOverRanks) {
  const int64_t n = 7;
  const auto results = RunRanks(3, [](Communicator&) {
    const TrainingResult result =
        TrainNet(Classes(7),
                 DlNetwork({FeatureInputLayer(4), RunningNormLayer(), FullyConnectedLayer(3),
                            SoftmaxLayer()}),
                 "crossentropy", {.max_epochs = 1, .shuffle = Shuffle::kNever, .verbose = false});
    std::string text;
    const NetworkState states = result.network.State();
    for (const DlArray& s : states.values()) {
      for (int64_t i = 0; i < s.numel(); ++i) absl::StrAppend(&text, s.At(i), " ");
    }
    return text;
  });
  const DlArray x = Classes(n).inputs[0];
  std::vector<double> expected;
  for (int64_t c = 0; c < 4; ++c) {
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += x.At(4 * i + c);
    expected.push_back(0.1 * sum / n);
  }
  for (int64_t c = 0; c < 4; ++c) {
    double variance = 0;
    for (const auto& [begin, end] : {std::pair(0, 2), std::pair(2, 4), std::pair(4, 7)}) {
      const double count = end - begin;
      double mean = 0, squares = 0;
      for (int i = begin; i < end; ++i) mean += x.At(4 * i + c) / count;
      for (int i = begin; i < end; ++i) squares += std::pow(x.At(4 * i + c) - mean, 2);
      variance += count / n * squares / (count - 1);
    }
    expected.push_back(0.9 + 0.1 * variance);
  }
  for (const RankResult& r : results) {
    ASSERT_EQ(r.error, "") << r.text;
    const std::vector<double> states = Parse(r.text);
    ASSERT_EQ(states.size(), expected.size());
    for (size_t i = 0; i < states.size(); ++i) EXPECT_NEAR(states[i], expected[i], 1e-6) << i;
  }
}

TEST(ParallelTrainingTest, EachRankDrawsItsOwnNumbers) {
  const auto train = [](Communicator&) {
    const TrainingResult result = TrainNet(
        Classes(8), DlNetwork({FeatureInputLayer(4), DrawingLayer(), FullyConnectedLayer(3)}),
        [](const DlArray& y, const DlArray&) { return Mean(y * y, "CB"); },
        {.max_epochs = 1, .verbose = false, .seed = 11});
    return absl::StrCat(result.network.State().values()[0].Scalar());
  };
  const RankResult one = RunRanks(1, train)[0];
  ASSERT_EQ(one.error, "") << one.text;
  const auto two = RunRanks(2, train), again = RunRanks(2, train);
  ASSERT_EQ(two[0].error, "") << two[0].text;
  EXPECT_EQ(two[0].text, two[1].text);
  EXPECT_EQ(two[0].text, again[0].text);
  RandomSource source{.seed = 11, .subsequence = uint64_t{1} << 32};
  const ScopedRandomSource scope(source);
  // The first rank draws the initial weights, and then what one rank draws.
  const double of_second = Rand({1, 1}).Scalar();
  EXPECT_NEAR(Parse(two[0].text)[0], (Parse(one.text)[0] + of_second) / 2, 1e-6);
  EXPECT_GT(std::abs(Parse(one.text)[0] - of_second), 1e-3);
}

// Also where each rank begins with other weights: those of the first count.
TEST(ParallelTrainingTest, AllBeginWithTheNetworkOfTheFirst) {
  const auto train = [](Communicator& ranks) {
    DlNetwork network = Network();
    RandomSource source{.seed = 40 + static_cast<uint64_t>(ranks.rank())};
    const ScopedRandomSource scope(source);
    network.Initialize(NetworkDataLayout({4, kUnknown}, "CB"));
    return NumbersOf(
        TrainNet(Classes(22), network, "crossentropy", Options(ExecutionEnvironment::kAuto)));
  };
  const RankResult one = RunRanks(1, train)[0];
  const auto two = RunRanks(2, train);
  EXPECT_EQ(two[0].error, "") << two[0].text;
  EXPECT_EQ(two[0].text, two[1].text);
  ExpectNear(two[0].text, one.text, 1e-5);
}

TEST(ParallelTrainingTest, OnlyTheFirstPrintsAndIsAsked) {
  const auto results = RunRanks(2, [](Communicator&) {
    int asked = 0;
    std::ostringstream table;
    TrainingOptions options = Options(ExecutionEnvironment::kAuto);
    options.verbose = true;
    options.verbose_stream = &table;
    options.output_fcn = [&asked](const TrainingProgress& p) {
      ++asked;
      return p.training->iteration == 6;
    };
    const TrainingResult result = TrainNet(Classes(22), Network(), "crossentropy", options);
    return absl::StrCat(asked, " ", result.info.stop_iteration, " ",
                        result.info.stop_reason == StopReason::kOutputFunction, " ",
                        table.str().empty(), " ", result.info.validation_history.size());
  });
  EXPECT_EQ(results[0].text, "6 6 1 0 2") << results[0].error;
  EXPECT_EQ(results[1].text, "0 6 1 1 2") << results[1].error;
}

TEST(ParallelTrainingTest, ARankMayTrainForItself) {
  const auto results = RunRanks(2, [](Communicator& ranks) {
    TrainingOptions options = Options(ExecutionEnvironment::kCpu);
    options.seed = static_cast<uint64_t>(ranks.rank());
    return NumbersOf(TrainNet(Classes(10), Network(), "crossentropy", options));
  });
  EXPECT_EQ(results[0].error + results[1].error, "");
  EXPECT_NE(results[0].text, results[1].text);
}

// The loss of one rank does this in the third iteration.
std::vector<RankResult> TrainWith(const std::function<void()>& what) {
  return RunRanks(3, [&what](Communicator& ranks) {
    int calls = 0;
    TrainingOptions options = Options(ExecutionEnvironment::kAuto);
    options.acceleration = Acceleration::kNone;
    options.validation_data.reset();
    TrainNet(
        Classes(22), Network(),
        [&](const DlArray& y, const DlArray&) {
          if (++calls == 3 && ranks.rank() == 1) what();
          return Mean(y * y, "CB");
        },
        options);
    return std::string("trained");
  });
}

TEST(ParallelTrainingTest, AnErrorInOneRankIsOneInAll) {
  const auto results =
      TrainWith([] { throw Error("test:Broken", "The loss is computed.", "It broke.", ""); });
  EXPECT_EQ(results[1].error, "test:Broken");
  for (const int rank : {0, 2}) {
    EXPECT_EQ(results[rank].error, "parallel:RankFailed") << results[rank].text;
    EXPECT_NE(results[rank].text.find("Rank 1 failed: "), std::string::npos) << results[rank].text;
    EXPECT_NE(results[rank].text.find("It broke."), std::string::npos) << results[rank].text;
    EXPECT_LT(results[rank].seconds, 10);
  }
}

TEST(ParallelTrainingTest, ARankThatDiesEndsTheTraining) {
  const auto results = TrainWith([] { raise(SIGKILL); });
  EXPECT_TRUE(results[1].crashed);
  for (const int rank : {0, 2}) {
    EXPECT_EQ(results[rank].error.substr(0, 13), "parallel:Rank") << results[rank].text;
    EXPECT_NE(results[rank].text.find("waited for rank 1. That process has ended."),
              std::string::npos)
        << results[rank].text;
    EXPECT_LT(results[rank].seconds, 10);
  }
}

TEST(ParallelTrainingTest, RanksThatDriftApartAreNoticedAfterTheEpoch) {
  for (const RankResult& r : RunRanks(2, [](Communicator& ranks) {
         TrainingOptions options = Options(ExecutionEnvironment::kAuto);
         if (ranks.rank() == 1) options.initial_learn_rate = 0.02000001;
         return NumbersOf(TrainNet(Classes(22), Network(), "crossentropy", options));
       })) {
    EXPECT_TRUE(r.error == "trainnet:RanksDiffer" || r.error == "parallel:RankFailed") << r.text;
    EXPECT_NE(r.text.find("bits in their learnables after epoch 1"), std::string::npos) << r.text;
  }
}

TEST(ParallelTrainingTest, RanksWithOtherDataOrNetworksAreRefused) {
  const auto train = [](int64_t n, const DlNetwork& network) {
    return NumbersOf(
        TrainNet(Classes(n), network, "crossentropy", Options(ExecutionEnvironment::kAuto)));
  };
  for (const RankResult& r :
       RunRanks(2, [&](Communicator& ranks) { return train(20 + ranks.rank(), Network()); })) {
    EXPECT_TRUE(r.error == "trainnet:RanksDiffer" || r.error == "parallel:RankFailed") << r.text;
    EXPECT_NE(r.text.find("20 observations"), std::string::npos) << r.text;
    EXPECT_NE(r.text.find("21 observations"), std::string::npos) << r.text;
  }
  for (const RankResult& r : RunRanks(2, [&](Communicator& ranks) {
         return train(20, ranks.rank() == 0 ? Network()
                                            : DlNetwork({FeatureInputLayer(4),
                                                         FullyConnectedLayer(3), SoftmaxLayer()}));
       })) {
    EXPECT_TRUE(r.error == "trainnet:RanksDiffer" || r.error == "parallel:RankFailed") << r.text;
    EXPECT_NE(r.text.find("learnables and states"), std::string::npos) << r.text;
  }
}

}  // namespace
}  // namespace lamina
