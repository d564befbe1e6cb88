// Complex numbers through a whole training: TrainNet and loops of one's own, each solver, against
// the same training written out for one number at a time; files; what cannot take complex numbers.
#include <cmath>
#include <complex>
#include <string>
#include <vector>

#include "framework/autodiff/dlgradient.h"
#include "framework/dlarray/testing/thrown_error.h"
#include "framework/layers/builtin_layers.h"
#include "framework/network/network_file.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/loss.h"
#include "framework/ops/matmul.h"
#include "framework/ops/reduction.h"
#include "framework/trainnet/train_net.h"
#include "framework/trainnet/updates.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

using Number = std::complex<double>;
using Numbers = std::vector<Number>;

constexpr int kIn = 2, kOut = 3, kObservations = 5, kSteps = 12;
constexpr double kRate = 0.05;

Numbers Draw(int n, double phase) {
  Numbers z;
  for (int i = 0; i < n; ++i) z.emplace_back(std::sin(2.3 * i + phase), std::cos(1.7 * i - phase));
  return z;
}
const Numbers kX = Draw(kIn * kObservations, 0.1), kT = Draw(kOut * kObservations, 0.2),
              kW = Draw(kOut * kIn, 0.3);

// y = W x with complex weights.
struct MixLayer : Layer, Formattable {
  Learnable weights{*this, "Weights", DlArray::FromVector<Number>(kW, {kOut, kIn})};
  DlArray Predict(const DlArray& x) const { return FullyConnect(x, weights, /*b=*/{}); }
};

Dataset Data() {
  return {DlArray::FromVector<Number>(kX, {kIn, kObservations}, "CB"),
          DlArray::FromVector<Number>(kT, {kOut, kObservations}, "CB")};
}

// dL/dRe W + i dL/dIm W of L = 1/(2 N) sum |W x - t|^2: 1/N sum (W x - t) conj(x).
Numbers SlowGradient(const Numbers& w) {
  Numbers g(w.size());
  for (int n = 0; n < kObservations; ++n) {
    for (int o = 0; o < kOut; ++o) {
      Number e = -kT[o + kOut * n];
      for (int i = 0; i < kIn; ++i) e += w[o + kOut * i] * kX[i + kIn * n];
      for (int i = 0; i < kIn; ++i) {
        g[o + kOut * i] += e * std::conj(kX[i + kIn * n]) / double{kObservations};
      }
    }
  }
  return g;
}

// The steps of each solver with its default settings (framework/trainnet/updates.h).
Numbers SlowTraining(const std::string& solver) {
  Numbers w = kW, m(w.size());
  std::vector<double> v(w.size());
  for (int t = 1; t <= kSteps; ++t) {
    const Numbers g = SlowGradient(w);
    for (size_t i = 0; i < w.size(); ++i) {
      if (solver == "sgdm") {
        m[i] = 0.9 * m[i] - kRate * g[i];
        w[i] += m[i];
      } else if (solver == "rmsprop") {
        v[i] = 0.9 * v[i] + 0.1 * std::norm(g[i]);
        w[i] -= kRate * g[i] / (std::sqrt(v[i]) + 1e-8);
      } else {
        m[i] = 0.9 * m[i] + 0.1 * g[i];
        v[i] = 0.999 * v[i] + 0.001 * std::norm(g[i]);
        w[i] -= kRate * m[i] / (1 - std::pow(0.9, t)) /
                (std::sqrt(v[i] / (1 - std::pow(0.999, t))) + 1e-8);
      }
    }
  }
  return w;
}

void ExpectWeights(const DlArray& actual, const Numbers& expected) {
  ASSERT_EQ(ToString(actual.spec()), "3 x 2 complex double DlArray");
  for (int i = 0; i < kOut * kIn; ++i) {
    EXPECT_LE(std::abs(actual.ComplexAt(i) - expected[i]), 1e-13) << "weight " << i;
    EXPECT_GE(std::abs(actual.ComplexAt(i) - kW[i]), 1e-3) << "weight " << i << " has moved";
  }
}

TrainingOptions Options(const std::string& solver) {
  return {.solver = solver,
          .initial_learn_rate = kRate,
          .max_epochs = kSteps,
          .l2_regularization = 0,
          .verbose = false};
}

class ComplexTrainingTest : public testing::TestWithParam<const char*> {};

TEST_P(ComplexTrainingTest, TrainNetTakesTheStepsOfTheSlowVersion) {
  const DlNetwork trained = TrainNet(Data(), {MixLayer()}, "mse", Options(GetParam())).network;
  ExpectWeights(trained.LearnableValues()[0], SlowTraining(GetParam()));
}

TEST_P(ComplexTrainingTest, ALoopOfOnesOwnTakesThemToo) {
  const std::string solver = GetParam();
  const Dataset data = Data();
  DlNetwork network({MixLayer()});
  network.Initialize(NetworkDataLayout::Of(data.inputs[0]));
  SgdmState sgdm;
  RmspropState rmsprop;
  AdamState adam;
  for (int step = 0; step < kSteps; ++step) {
    const DlArrays gradients = DlFeval(
        [&](const DlNetwork& net) {
          return DlGradient(Mse(net.Forward(data.inputs[0]), data.targets[0]),
                            net.LearnableValues());
        },
        network);
    if (solver == "sgdm") SgdmUpdate(network, gradients, sgdm, {.learn_rate = kRate});
    if (solver == "rmsprop") RmspropUpdate(network, gradients, rmsprop, {.learn_rate = kRate});
    if (solver == "adam") AdamUpdate(network, gradients, adam, {.learn_rate = kRate});
  }
  ExpectWeights(network.LearnableValues()[0], SlowTraining(solver));
}

INSTANTIATE_TEST_SUITE_P(Solvers, ComplexTrainingTest, testing::Values("sgdm", "rmsprop", "adam"),
                         [](const auto& info) { return std::string(info.param); });

// Real data, complex in the middle, a real loss: the usual case.
TEST(ComplexTrainingTest, TrainsBetweenRealLayers) {
  const DlArray x = DlArray::FromVector<Number>(kX, {kIn, kObservations}, "CB");
  const Dataset data(Real(x), Imag(Single(x)));
  const auto loss_of = [&](int epochs) {
    TrainingOptions options = Options("adam");
    options.max_epochs = epochs;
    return TrainNet(data,
                    {FeatureInputLayer(kIn), MixLayer(), ComplexReluLayer(), ComplexToRealLayer(),
                     FullyConnectedLayer(kIn)},
                    "mse", options)
        .info.training_history.back()
        .loss;
  };
  EXPECT_LT(loss_of(200), 0.05 * loss_of(1));
}

TEST(ComplexTrainingTest, ComplexLearnablesAreSavedBitForBit) {
  for (const DataType type : {DataType::kComplexSingle, DataType::kComplexDouble}) {
    MixLayer mix;
    mix.weights = Cast(mix.weights, type);
    DlNetwork network({mix, ComplexReluLayer(), ComplexToRealLayer(), RealToComplexLayer()});
    network.Initialize(NetworkDataLayout({kIn, kUnknown}, "CB"));
    const std::string path = testing::TempDir() + "/complex.safetensors";
    ASSERT_TRUE(SaveNetwork(network, path).ok());
    const auto loaded = LoadNetwork<MixLayer>(path);
    ASSERT_TRUE(loaded.ok()) << loaded.status();
    EXPECT_EQ(loaded->LearnableValues()[0].type(), type);
    EXPECT_TRUE(IsEqual(network, *loaded));
    EXPECT_TRUE(IsEqual(network.Predict(Data().inputs[0]), loaded->Predict(Data().inputs[0])));
  }
}

// What a loss or metric that cannot take complex numbers says.
std::string TrainingError(const LossFunction& loss, const TrainingOptions& options) {
  return MessageOf([&] { TrainNet(Data(), {MixLayer()}, loss, options); });
}

TEST(ComplexTrainingTest, LossesTakeComplexNumbersOrNameThemselves) {
  const TrainingOptions once = [] {
    TrainingOptions options = Options("sgdm");
    options.max_epochs = 1;
    return options;
  }();
  for (const char* name : {"mse", "l2loss", "mae", "l1loss"}) {
    EXPECT_EQ(TrainingError(name, once), "no error") << name;
  }
  for (const auto& [name, function] :
       {std::pair("crossentropy", "CrossEntropy"), std::pair("huber", "Huber"),
        std::pair("binary-crossentropy", "BinaryCrossEntropy")}) {
    EXPECT_EQ(
        TrainingError(name, once),
        std::string("Loss \"") + name +
            "\" of outputs 3(C) x 5(B) complex double DlArray and targets 3(C) x 5(B) complex "
            "double DlArray: " +
            function +
            " works on real arrays. A 3(C) x 5(B) complex double DlArray came. Take Real, "
            "Imag or Abs of it first. [ops:UnsupportedType]");
  }
  EXPECT_EQ(
      TrainingError([](const DlArray& y, const DlArray& t) { return Sum(y - t); }, once),
      "A loss is one real number. A scalar complex double DlArray came. Sum or average what the "
      "function returns. [trainnet:LossNotScalar]");
}

TEST(ComplexTrainingTest, MetricsTakeComplexNumbersOrNameThemselves) {
  TrainingOptions options = Options("sgdm");
  options.metrics = {"rmse"};
  EXPECT_EQ(TrainingError("mse", options), "no error");
  for (const char* name : {"accuracy", "precision", "recall", "fscore"}) {
    options.metrics = {name};
    EXPECT_EQ(TrainingError("mse", options),
              std::string("Metric \"") + name +
                  "\": Scores of classes are real: the largest one decides. A 3(C) x 5(B) complex "
                  "double DlArray came. Let the network end with real numbers: ComplexToRealLayer, "
                  "or Abs. [ops:UnsupportedType]");
  }
}

TEST(ComplexTrainingTest, AnInputLayerThatNormalizesNamesItself) {
  for (const char* normalization : {"zerocenter", "zscore", "rescale-zero-one"}) {
    EXPECT_EQ(MessageOf([&] {
                TrainNet(Data(),
                         {FeatureInputLayer(kIn, {.normalization = normalization}), MixLayer()},
                         "mse", Options("sgdm"));
              }),
              "FeatureInputLayer takes the statistics of its normalization from real data. A 2(C) "
              "x 5(B) complex double DlArray came. Set Normalization to \"none\", or set the "
              "statistics yourself. [ops:UnsupportedType]");
  }
}

}  // namespace
}  // namespace lamina
