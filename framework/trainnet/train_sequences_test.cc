// Training on sequences of different lengths: a padded batch gives the losses, gradients and
// metrics that its sequences give one by one, each without any padding.
#include <cmath>
#include <string>
#include <vector>

#include "framework/dlarray/testing/thrown_error.h"
#include "framework/layers/builtin_layers.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/loss.h"
#include "framework/ops/one_hot.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/softmax.h"
#include "framework/ops/testing/recorded_case.h"
#include "framework/trainnet/train_net.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

constexpr int64_t kChannels = 2, kClasses = 3;

DlArrays Inputs(const std::vector<int64_t>& lengths) {
  DlArrays x;
  for (int64_t steps : lengths) x.push_back(Randn({kChannels, steps}, DataType::kSingle, "CT"));
  return x;
}
// A class for each step.
DlArrays StepClasses(const std::vector<int64_t>& lengths) {
  DlArrays t;
  for (size_t i = 0; i < lengths.size(); ++i) {
    std::vector<int64_t> classes;
    for (int64_t k = 0; k < lengths[i]; ++k) {
      classes.push_back((static_cast<int64_t>(i) + k * k) % kClasses);
    }
    t.push_back(DlArray::FromVector(classes, {lengths[i]}, "T"));
  }
  return t;
}
DlArrays OneHots(const DlArrays& classes) {
  DlArrays t;
  for (const DlArray& c : classes) t.push_back(OneHot(c, kClasses, DataType::kSingle));
  return t;
}

DlNetwork Tagger(AnyLayer over_time) {
  DlNetwork network({SequenceInputLayer(kChannels), std::move(over_time),
                     FullyConnectedLayer(kClasses), SoftmaxLayer()});
  network.Initialize();
  return network;
}

// As TrainNet defines them, without its code: each sequence goes through the network alone, and its
// loss counts as often as its target has steps.
struct OneByOne {
  double loss = 0;
  DlArrays gradients;
};
OneByOne Alone(DlNetwork network, const DlArrays& x, const DlArrays& t, const LossFunction& loss) {
  Tape tape;
  const ScopedTape listening(&tape);
  DlArrays weights;
  network.ForEachLearnable([&](DlArray& w) { weights.push_back(w = tape.Watch(w)); });
  DlArray sum = 0;
  double steps = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double n = static_cast<double>(Size(t[i], 'T'));
    sum = sum + n * loss({network.Forward(x[i])}, {t[i]});
    steps += n;
  }
  const DlArray mean = sum / steps;
  return {mean.Scalar(), tape.Gradient(mean, weights, {})};
}

// One iteration of plain gradient descent shows the gradient.
struct FirstStep {
  TrainingResult result;
  DlArrays gradients;
};
FirstStep Train(DlNetwork network, const Dataset& data, const LossFunction& loss,
                TrainingOptions options = {}) {
  constexpr double kRate = 0.25;
  options.initial_learn_rate = kRate;
  options.momentum = 0;
  options.l2_regularization = 0;
  options.max_epochs = 1;
  options.verbose = false;
  options.shuffle = Shuffle::kNever;
  DlArrays before;
  network.ForEachLearnable([&](DlArray& w) { before.push_back(w); });
  FirstStep step{TrainNet(data, network, loss, options), {}};
  size_t i = 0;
  step.result.network.ForEachLearnable(
      [&](DlArray& w) { step.gradients.push_back((before[i++] - w) / kRate); });
  return step;
}

void ExpectSame(const FirstStep& actual, const OneByOne& expected, const std::string& what) {
  EXPECT_NEAR(actual.result.info.training_history[0].loss, expected.loss,
              4e-7 * std::max(1.0, expected.loss))
      << what;
  ASSERT_EQ(actual.gradients.size(), expected.gradients.size());
  for (size_t i = 0; i < expected.gradients.size(); ++i) {
    // A weight of size 1 rounds its step by 2^-24, which the division by the rate makes 2.4e-7.
    EXPECT_TRUE(Near(actual.gradients[i], expected.gradients[i], 1e-6)) << what << " " << i;
  }
}

class TrainSequencesTest : public testing::Test {
 protected:
  TrainSequencesTest() : scope_(source_) {}
  RandomSource source_{.seed = 12};
  ScopedRandomSource scope_;
};

const std::vector<int64_t> kLengths = {4, 1, 6, 3};

TEST_F(TrainSequencesTest, APaddedBatchGivesTheLossAndGradientOfEachSequenceAlone) {
  const DlNetwork network = Tagger(LstmLayer(5));
  const DlArrays x = Inputs(kLengths), classes = StepClasses(kLengths), hot = OneHots(classes);
  for (const char* name :
       {"crossentropy", "binary-crossentropy", "mse", "l1loss", "l2loss", "huber"}) {
    // A padding value that would be seen in any loss.
    ExpectSame(Train(network, {Sequences(x), Sequences(hot)}, name, {.sequence_padding_value = 50}),
               Alone(network, x, hot, name), name);
  }
  for (const char* name : {"crossentropy", "index-crossentropy"}) {
    ExpectSame(Train(network, {Sequences(x), Sequences(classes)}, name),
               Alone(network, x, classes, name), name);
  }
  const LossFunction own = [](const DlArray& y, const DlArray& t) {
    return Sum(Square(Square(y - t))) / static_cast<double>(Size(y, 'B') * Size(y, 'T'));
  };
  ExpectSame(Train(network, {Sequences(x), Sequences(hot)}, own), Alone(network, x, hot, own),
             "a function");
}

TEST_F(TrainSequencesTest, OnTheLeftToo) {
  // Steps do not see each other here; padding before a recurrent layer's data would be seen.
  const DlNetwork network = Tagger(TanhLayer());
  const DlArrays x = Inputs(kLengths), t = OneHots(StepClasses(kLengths));
  ExpectSame(Train(network, {Sequences(x), Sequences(t)}, "crossentropy",
                   {.sequence_padding_direction = PaddingDirection::kLeft}),
             Alone(network, x, t, "crossentropy"), "left");
}

TEST_F(TrainSequencesTest, LongerSequencesAreCut) {
  const DlNetwork network = Tagger(LstmLayer(5));
  const DlArrays x = Inputs(kLengths), t = OneHots(StepClasses(kLengths));
  DlArrays cut_x, cut_t;
  for (size_t i = 0; i < x.size(); ++i) {
    const int64_t n = std::min<int64_t>(kLengths[i], 3);
    cut_x.push_back(Slice(x[i], 'T', 0, n));
    cut_t.push_back(Slice(t[i], 'T', 0, n));
  }
  ExpectSame(Train(network, {Sequences(x), Sequences(t)}, "crossentropy", {.sequence_length = 3}),
             Alone(network, cut_x, cut_t, "crossentropy"), "3 steps");
}

TEST_F(TrainSequencesTest, EqualLengthsKeepTheTimeDim) {
  const std::vector<int64_t> lengths = {4, 4, 4};
  const DlNetwork network = Tagger(LstmLayer(5));
  const DlArrays x = Inputs(lengths), t = OneHots(StepClasses(lengths));
  std::string seen;
  const auto loss = [&seen](const DlArray& y, const DlArray& target) {
    seen = ToString(y.spec());
    return CrossEntropy(y, target);
  };
  ExpectSame(Train(network, {Sequences(x), Sequences(t)}, loss, {.sequence_length = "equal"}),
             Alone(network, x, t, "crossentropy"), "equal");
  EXPECT_EQ(seen, "3(C) x 3(B) x 4(T) single DlArray");
}

TEST_F(TrainSequencesTest, MetricsAndValidationCountRealStepsAlone) {
  const DlNetwork network = Tagger(LstmLayer(5));
  const DlArrays x = Inputs(kLengths), classes = StepClasses(kLengths), t = OneHots(classes);
  double right = 0, squares = 0, steps = 0, loss = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const DlArray y = network.Predict(x[i]), chosen = OneHotDecode(y);
    for (int64_t k = 0; k < kLengths[i]; ++k) right += chosen.At(k) == classes[i].At(k) ? 1 : 0;
    squares += Sum(Square(y - t[i])).Scalar();
    steps += static_cast<double>(kLengths[i]);
    loss += static_cast<double>(kLengths[i]) * CrossEntropy(y, t[i]).Scalar();
  }
  const double accuracy = right / steps, rmse = std::sqrt(squares / (steps * kClasses));
  const Dataset data{Sequences(x), Sequences(t)};
  for (int64_t size : {1, 2, 100}) {
    const std::vector<double> values =
        TestNet(network, data, {"accuracy", "rmse"}, {.mini_batch_size = size});
    EXPECT_DOUBLE_EQ(values[0], accuracy);
    EXPECT_NEAR(values[1], rmse, 1e-6);
    EXPECT_NEAR(TestLoss(network, data, "crossentropy", {.mini_batch_size = size}), loss / steps,
                1e-6);
  }
  // The metrics of a batch are those before the step. With this learn rate the step is nothing, so
  // that the validation after it sees the same network.
  TrainingOptions options{.initial_learn_rate = 1e-30, .max_epochs = 1, .verbose = false};
  options.validation_data = data;
  options.metrics = {"accuracy", "rmse"};
  const TrainingInfo info = TrainNet(data, network, "crossentropy", options).info;
  EXPECT_DOUBLE_EQ(info.training_history[0].metrics[0], accuracy);
  EXPECT_NEAR(info.training_history[0].metrics[1], rmse, 1e-6);
  EXPECT_DOUBLE_EQ(info.validation_history[0].metrics[0], accuracy);
  EXPECT_NEAR(info.validation_history[0].loss, loss / steps, 1e-6);
}

DlNetwork Classifier() {
  DlNetwork network({SequenceInputLayer(kChannels), LstmLayer(5, {.output_mode = "last"}),
                     FullyConnectedLayer(kClasses), SoftmaxLayer()});
  network.Initialize();
  return network;
}

TEST_F(TrainSequencesTest, AClassifierSeesNoPadding) {
  const DlNetwork network = Classifier();
  const std::vector<int64_t> lengths = {3, 3, 3};
  const DlArrays x = Inputs(lengths);
  const DlArray labels =
      DlArray::FromVector<float>({0, 0, 1, 1, 0, 0, 0, 1, 0}, {kClasses, 3}, "CB");
  DlArrays alone;
  for (int64_t i = 0; i < 3; ++i) {
    alone.push_back(Reshape(Slice(labels, 'B', i, 1), {kClasses}, "C"));
  }
  ExpectSame(Train(network, {Sequences(x), labels}, "crossentropy"),
             Alone(network, x, alone, "crossentropy"), "equal lengths");

  // Sequences of other lengths make batches of their own: none has padding.
  const DlArrays mixed = Inputs({2, 5, 2});
  const TrainingInfo info = Train(network, {Sequences(mixed), labels}, "crossentropy").result.info;
  ASSERT_EQ(info.training_history.size(), 2u);
  const double expected = (CrossEntropy(network.Predict(mixed[0]), alone[0]) +
                           CrossEntropy(network.Predict(mixed[2]), alone[2]))
                              .Scalar() /
                          2;
  EXPECT_NEAR(info.training_history[0].loss, expected, 1e-6);
}

TEST_F(TrainSequencesTest, PredictionsAreThoseOfEachSequenceAlone) {
  const std::vector<int64_t> lengths = {2, 5, 2, 1, 5, 2};
  const DlArrays x = Inputs(lengths);
  const DlNetwork classifier = Classifier(), tagger = Tagger(LstmLayer(4));
  for (int64_t size : {1, 2, 100}) {
    const DlArray scores = MiniBatchPredict(classifier, Sequences(x), {.mini_batch_size = size});
    EXPECT_EQ(ToString(scores.spec()), "3(C) x 6(B) single DlArray");
    const Observations tags = MiniBatchPredict(tagger, Sequences(x), {.mini_batch_size = size});
    ASSERT_EQ(tags.sequences.size(), x.size());
    for (int64_t i = 0; i < 6; ++i) {
      EXPECT_TRUE(Near(Reshape(Slice(scores, 'B', i, 1), {kClasses}),
                       Reshape(classifier.Predict(x[i]), {kClasses}), 1e-6));
      EXPECT_TRUE(Near(tags.sequences[i], tagger.Predict(x[i]), 1e-6));
    }
  }
  // What padding on the right, asked for, would do to a last step.
  const PaddedSequences padded = PadSequences(x);
  const DlArray seen = classifier.Predict(padded.x);
  EXPECT_FALSE(Near(Reshape(Slice(seen, 'B', 3, 1), {kClasses}),
                    Reshape(classifier.Predict(x[3]), {kClasses}), 1e-3));
}

TEST_F(TrainSequencesTest, NetworksAreInitialisedForAnyLengthAndNormalizedByRealSteps) {
  const DlArrays x = {DlArray::FromVector<float>({1, 10, 3, 30}, {2, 2}, "CT"),
                      DlArray::FromVector<float>({8, 20}, {2, 1}, "CT")};
  const DlArrays t = OneHots(StepClasses({2, 1}));
  const DlNetwork plain{LstmLayer(2), FullyConnectedLayer(kClasses), SoftmaxLayer()};
  const DlNetwork trained =
      TrainNet({Sequences(x), Sequences(t)}, plain, "mse", {.max_epochs = 1, .verbose = false})
          .network;
  EXPECT_EQ(trained.Learnables()[0].value.sizes(), Sizes({8, 2}));

  const DlNetwork normalized{SequenceInputLayer(2, {.normalization = "zscore"}),
                             FullyConnectedLayer(kClasses), SoftmaxLayer()};
  const DlNetwork with_mean =
      TrainNet({Sequences(x), Sequences(t)}, normalized, "mse", {.max_epochs = 1, .verbose = false})
          .network;
  EXPECT_EQ(with_mean.layer(0).As<SequenceInputLayer>()->mean.get(), (std::vector<double>{4, 20}));
}

TEST_F(TrainSequencesTest, WhatIsRefused) {
  const DlArrays x = Inputs(kLengths), t = OneHots(StepClasses(kLengths));
  const TrainingOptions quiet{.max_epochs = 1, .shuffle = Shuffle::kNever, .verbose = false};
  const auto message = [&](const Dataset& data, const DlNetwork& network,
                           const TrainingOptions& options) {
    return MessageOf([&] { TrainNet(data, network, "crossentropy", options); });
  };
  const Dataset good{Sequences(x), Sequences(t)};
  EXPECT_EQ(message(good, Tagger(LstmLayer(2)), quiet), "no error");
  // A target for each step, an output for the last.
  EXPECT_EQ(message(good, Classifier(), quiet),
            "Target 1 is sequences; output 1 has a value for each of their 6 time steps (padding "
            "included) in a batch of 4. It is a 3(C) x 4(B) single DlArray. Let the network return "
            "as many time steps, or give one target for each sequence. [data:MaskMismatch]");
  TrainingOptions zero = quiet;
  EXPECT_EQ(MessageOf([&] { zero.sequence_length = 0; }),
            "Option sequence_length is expected to be a whole number, 1 or more. 0 came. "
            "[trainnet:InvalidOption]");
  DlArrays short_t = t;
  short_t[2] = Slice(t[2], 'T', 0, 5);
  EXPECT_EQ(message({Sequences(x), Sequences(short_t)}, Tagger(LstmLayer(2)), quiet),
            "Target 1 is sequences; output 1 has a value for each of their 5 time steps (padding "
            "included) in a batch of 4. It is a 3(C) x 4(B) x 6(T) single DlArray. Let the network "
            "return as many time steps, or give one target for each sequence. [data:MaskMismatch]");
  DlArrays swapped = t;
  std::swap(swapped[1], swapped[3]);
  EXPECT_EQ(message({Sequences(x), Sequences(swapped)}, Tagger(LstmLayer(2)), quiet),
            "A sequence of target 1 has as many time steps as that of the input. Sequence 2 of "
            "input 1 has 1, its target 3. Check that both lists have the same order. "
            "[data:SequenceMismatch]");
  DlArrays empty = x;
  empty[1] = Zeros({kChannels, 0}, DataType::kSingle, "CT");
  EXPECT_EQ(message({Sequences(empty), Sequences(t)}, Tagger(LstmLayer(2)), quiet),
            "Input 1 has sequences of one step or more. Sequence 2 is a 2(C) x 0(T) single "
            "DlArray. Leave empty sequences out. [data:EmptySequence]");
  TrainingOptions validated = quiet;
  validated.validation_data = Dataset(Sequences(empty), Sequences(t));
  EXPECT_EQ(message(good, Tagger(LstmLayer(2)), validated),
            "Option validation_data: Input 1 has sequences of one step or more. Sequence 2 is a "
            "2(C) x 0(T) single DlArray. Leave empty sequences out. [data:EmptySequence]");
}

}  // namespace
}  // namespace lamina
