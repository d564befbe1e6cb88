#include "framework/trainnet/updates.h"

#include <cmath>
#include <complex>
#include <limits>
#include <string>
#include <vector>

#include "framework/acceleration/dl_accelerate.h"
#include "framework/io/file.h"
#include "framework/io/json.h"
#include "framework/io/runfiles.h"
#include "framework/layers/fully_connected_layer.h"
#include "framework/layers/input_layers.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"
#include "framework/ops/testing/recorded_case.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

using Complex = std::complex<double>;

Json Recorded() {
  const absl::StatusOr<std::string> text =
      ReadFile(RunfilePath("framework/trainnet/testdata/torch_solvers.json"));
  if (!text.ok()) return {};
  return *ParseJson(*text);
}

DlArray ToArray(const Json& values, bool complex, DataType type) {
  const std::vector<double> v = values;
  const int64_t n = static_cast<int64_t>(v.size());
  if (!complex) return Cast(DlArray::FromVector(v, {n}), type);
  std::vector<Complex> c;
  for (size_t i = 0; i < v.size(); i += 2) c.emplace_back(v[i], v[i + 1]);
  return Cast(DlArray::FromVector(c, {n / 2}), ToComplex(type));
}

void ExpectNear(const DlArray& actual, const DlArray& expected, double tolerance) {
  ASSERT_EQ(actual.sizes(), expected.sizes());
  for (int64_t i = 0; i < actual.numel(); ++i) {
    EXPECT_LE(std::abs(actual.ComplexAt(i) - expected.ComplexAt(i)), tolerance) << "element " << i;
  }
}

// One object for all three: calls the function that the name of the case begins with.
struct AnyUpdate {
  Json settings;
  SgdmState sgdm{};
  RmspropState rmsprop{};
  AdamState adam{};

  double Of(const char* name) const { return settings.value(name, 0.0); }
  void Step(const std::string& name, DlArray& w, const DlArray& g) {
    if (name.rfind("sgdm", 0) == 0) {
      SgdmUpdate(w, {g}, sgdm, {Of("learn_rate"), Of("momentum"), Of("l2")});
    } else if (name.rfind("rmsprop", 0) == 0) {
      RmspropUpdate(w, {g}, rmsprop, {Of("learn_rate"), Of("decay"), Of("epsilon"), Of("l2")});
    } else {
      AdamUpdate(w, {g}, adam,
                 {Of("learn_rate"), Of("beta1"), Of("beta2"), Of("epsilon"), Of("l2"),
                  Of("weight_decay")});
    }
  }
};

TEST(UpdatesTest, AgreeWithPyTorchStepByStep) {
  const Json recorded = Recorded();
  int cases = 0;
  for (const auto& [name, recording] : recorded.items()) {
    if (!recording.is_object()) continue;
    ++cases;
    const bool complex = recording["complex"];
    for (const DataType type : {DataType::kDouble, DataType::kSingle}) {
      SCOPED_TRACE(name + (type == DataType::kDouble ? " in double" : " in single"));
      AnyUpdate update{recording["settings"]};
      DlArray w = ToArray(recording["start"], complex, type);
      for (const Json& step : recording["steps"]) {
        update.Step(name, w, ToArray(step["gradient"], complex, type));
        ExpectNear(w, ToArray(step["after"], complex, DataType::kDouble),
                   type == DataType::kDouble ? 1e-13 : 2e-6);
      }
    }
  }
  EXPECT_EQ(cases, 9);
}

// The velocity is a step: after a change of the learn rate the old part goes on as it was.
TEST(UpdatesTest, MomentumKeepsStepsWhenTheLearnRateChanges) {
  DlArray w = DlArray::FromVector<double>({0}, {1});
  const DlArray one = OnesLike(w);
  SgdmState state;
  SgdmUpdate(w, {one}, state, {.learn_rate = 1, .momentum = 0.5});
  EXPECT_DOUBLE_EQ(w.At(0), -1);
  SgdmUpdate(w, {one}, state, {.learn_rate = 0.25, .momentum = 0.5});
  EXPECT_DOUBLE_EQ(w.At(0), -1 - 0.5 - 0.25);
  EXPECT_DOUBLE_EQ(state.velocity[0].At(0), -0.75);
}

// The squared gradient of a complex number is |g|^2: the slow version, number by number.
TEST(UpdatesTest, ComplexAdamAndRmspropUseTheMagnitude) {
  const std::vector<Complex> start{{1, -2}, {0.5, 0.25}, {-3, 1}};
  DlArray adam = DlArray::FromVector(start, {3}), rms = adam;
  std::vector<Complex> w = start, r = start, m(3);
  std::vector<double> v(3), u(3);
  AdamState adam_state;
  RmspropState rms_state;
  for (int t = 1; t <= 4; ++t) {
    std::vector<Complex> g;
    for (int i = 0; i < 3; ++i) g.emplace_back(std::sin(t + i), std::cos(2 * t - i));
    const DlArray gradient = DlArray::FromVector(g, {3});
    AdamUpdate(adam, {gradient}, adam_state, {.learn_rate = 0.1});
    RmspropUpdate(rms, {gradient}, rms_state, {.learn_rate = 0.1});
    for (int i = 0; i < 3; ++i) {
      m[i] = 0.9 * m[i] + 0.1 * g[i];
      v[i] = 0.999 * v[i] + 0.001 * std::norm(g[i]);
      u[i] = 0.9 * u[i] + 0.1 * std::norm(g[i]);
      w[i] -= 0.1 * (m[i] / (1 - std::pow(0.9, t))) /
              (std::sqrt(v[i] / (1 - std::pow(0.999, t))) + 1e-8);
      r[i] -= 0.1 * g[i] / (std::sqrt(u[i]) + 1e-8);
    }
  }
  ExpectNear(adam, DlArray::FromVector(w, {3}), 1e-13);
  ExpectNear(rms, DlArray::FromVector(r, {3}), 1e-13);
  EXPECT_EQ(adam_state.average_squared_gradient[0].type(), DataType::kDouble);
  EXPECT_EQ(adam_state.average_gradient[0].type(), DataType::kComplexDouble);
}

// Large arrays are split over threads: nothing changes.
TEST(UpdatesTest, LargeArraysAreUpdatedAsTheirParts) {
  RandomSource source{.seed = 3};
  const ScopedRandomSource scope(source);
  const int64_t n = 100'003, part = 1009;
  const DlArray w = Randn({n}), g = Randn({n});
  const std::vector<float> wv = w.ToVector<float>(), gv = g.ToVector<float>();
  DlArray whole = w;
  AdamState state;
  for (int k = 0; k < 2; ++k) AdamUpdate(whole, {g}, state);
  for (int64_t begin = 0; begin < n; begin += part) {
    const int64_t size = std::min(part, n - begin);
    DlArray piece = DlArray::FromSpan<float>(std::span(wv).subspan(begin, size), {size});
    const DlArray gradient = DlArray::FromSpan<float>(std::span(gv).subspan(begin, size), {size});
    AdamState own;
    for (int k = 0; k < 2; ++k) AdamUpdate(piece, {gradient}, own);
    for (int64_t i = 0; i < size; ++i) ASSERT_EQ(piece.At(i), whole.At(begin + i));
  }
  EXPECT_TRUE(IsEqual(w, DlArray::FromVector(wv, {n}))) << "a copy is never changed";
}

// A gradient that was there once and stays 0: what is averaged reaches 0 and is never subnormal on
// the way. Recorded and compiled it is the same.
TEST(UpdatesTest, WhatIsAveragedIsNeverSubnormal) {
  const auto steps = [](Arrays in) {
    DlArray w[3] = {in[0], in[0], in[0]};
    SgdmState sgdm{.velocity = {in[1]}};
    RmspropState rmsprop{.average_squared_gradient = {in[2]}};
    AdamState adam{.average_gradient = {in[1]}, .average_squared_gradient = {in[2]}};
    const DlArrays none{ZerosLike(in[0])};
    SgdmUpdate(w[0], none, sgdm, {.momentum = 0.7});
    RmspropUpdate(w[1], none, rmsprop, {.squared_gradient_decay_factor = 0.7});
    AdamUpdate(w[2], none, adam,
               {.gradient_decay_factor = 0.7, .squared_gradient_decay_factor = 0.7});
    return DlArrays{sgdm.velocity[0], rmsprop.average_squared_gradient[0], adam.average_gradient[0],
                    adam.average_squared_gradient[0]};
  };
  for (const DataType type : {DataType::kSingle, DataType::kDouble}) {
    const bool is_single = type == DataType::kSingle;
    const double least =
        is_single ? std::numeric_limits<float>::min() : std::numeric_limits<double>::min();
    const auto recorded = DlAccelerate(steps, {.wait_for_compiler = true});
    const DlArray w = Cast(DlArray::FromVector<double>({1, -1, 0}, {3}), type);
    DlArrays averages(
        4, Cast(DlArray::FromVector<double>({1.5, 2.5, 3}, {3}), type) * Cast(least, type) * 1000);
    for (int step = 0; step < 30; ++step) {
      DlArrays next;
      for (const int first : {0, 2}) {
        const DlArrays in{w, averages[first], averages[first + 1]};
        const DlArrays plain = steps(in), compiled = recorded(Arrays(in));
        for (size_t k = 0; k < plain.size(); ++k) EXPECT_TRUE(IsEqual(plain[k], compiled[k])) << k;
        next.push_back(plain[first]);
        next.push_back(plain[first + 1]);
      }
      averages = next;
      for (const DlArray& a : averages) {
        for (int64_t i = 0; i < 3; ++i) {
          EXPECT_TRUE(a.At(i) == 0 || std::abs(a.At(i)) >= least) << step << " " << a.At(i);
        }
      }
    }
    for (const DlArray& a : averages) EXPECT_TRUE(IsEqual(a, ZerosLike(a))) << a;
  }
}

DlNetwork TwoLayers() {
  RandomSource source{.seed = 1};
  const ScopedRandomSource scope(source);
  DlNetwork network({FeatureInputLayer(3), Named(FullyConnectedLayer(2), "a"),
                     Named(FullyConnectedLayer(1), "b")});
  network.Initialize();
  return network;
}

TEST(UpdatesTest, NetworksBringTheirFactors) {
  DlNetwork network = TwoLayers();
  network.SetLearnRateFactor("a/Bias", 0);
  network.SetLearnRateFactor("b/Weights", 10);
  network.SetL2Factor("a/Weights", 3);
  const std::vector<ParameterRow> before = network.Learnables();
  DlArrays gradients;
  for (const ParameterRow& row : before) gradients.push_back(OnesLike(row.value));
  SgdmState state;
  SgdmUpdate(network, gradients, state, {.learn_rate = 0.5, .l2_regularization = 0.1});
  int seen = 0;
  const std::vector<ParameterRow> after = network.Learnables();
  for (size_t i = 0; i < before.size(); ++i) {
    const std::string path = before[i].layer + "/" + before[i].parameter;
    const double rate = path == "a/Bias" ? 0 : path == "b/Weights" ? 5 : 0.5;
    const double l2 = path == "a/Weights" ? 0.3 : 0.1;
    for (int64_t k = 0; k < before[i].value.numel(); ++k, ++seen) {
      const double w = before[i].value.At(k);
      EXPECT_NEAR(after[i].value.At(k), w - rate * (1 + l2 * w), 1e-6) << path;
    }
  }
  EXPECT_EQ(seen, 3 * 2 + 2 + 2 + 1);
}

TEST(UpdatesTest, WeightDecayIsDecoupledFromTheStep) {
  DlArray w = DlArray::FromVector<double>({2, -4}, {2});
  AdamState state;
  AdamUpdate(w, {ZerosLike(w)}, state, {.learn_rate = 0.1, .weight_decay = 0.5});
  EXPECT_DOUBLE_EQ(w.At(0), 2 * 0.95);
  EXPECT_DOUBLE_EQ(w.At(1), -4 * 0.95);
  EXPECT_EQ(state.iteration, 2);
}

TEST(UpdatesTest, DlUpdateCallsTheFunctionForEachArray) {
  DlNetwork network = TwoLayers();
  const DlArrays before = network.LearnableValues();
  DlUpdate([](const DlArray& w, const DlArray& g, const DlArray& h) { return w - 0.5 * g + h; },
           network, before, before);
  const DlArrays after = network.LearnableValues();
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_TRUE(Near(after[i], 1.5 * before[i], 1e-6)) << i;
  }
  EXPECT_TRUE(Throws("trainnet:GradientSize",
                     [&] { DlUpdate([](const DlArray&) { return DlArray(1.0); }, network); }));
}

TEST(UpdatesTest, WrongArgumentsAreErrors) {
  DlArray w = Ones({3, 2});
  SgdmState sgdm;
  AdamState adam;
  RmspropState rmsprop;
  EXPECT_TRUE(Throws("trainnet:GradientCount", [&] { SgdmUpdate(w, {}, sgdm); }));
  EXPECT_TRUE(Throws("trainnet:GradientSize", [&] { SgdmUpdate(w, {Ones({2, 3})}, sgdm); }));
  EXPECT_TRUE(Throws("trainnet:GradientSize", [&] {
    SgdmUpdate(w, {Ones({3, 2}, DataType::kDouble)}, sgdm);
  }));
  DlArray indices = Zeros({2}, DataType::kInt32);
  EXPECT_TRUE(Throws("trainnet:GradientSize", [&] { SgdmUpdate(indices, {indices}, sgdm); }));
  DlArray unset;
  EXPECT_TRUE(Throws("trainnet:UnsetParameter", [&] { AdamUpdate(unset, {unset}, adam); }));
  adam.iteration = 0;
  EXPECT_TRUE(Throws("trainnet:Iteration", [&] { AdamUpdate(w, {w}, adam); }));
  adam.iteration = 1;
  AdamUpdate(w, {w}, adam);
  DlArray other = Ones({4});
  EXPECT_TRUE(Throws("trainnet:StateMismatch", [&] { AdamUpdate(other, {other}, adam); }));
  DlArrays two{w, w};
  EXPECT_TRUE(Throws("trainnet:StateMismatch", [&] { AdamUpdate(two, two, adam); }));
  const std::string invalid = "trainnet:InvalidOption";
  EXPECT_TRUE(Throws(invalid, [&] { SgdmUpdate(w, {w}, sgdm, {.learn_rate = -1}); }));
  EXPECT_TRUE(Throws(invalid, [&] { SgdmUpdate(w, {w}, sgdm, {.learn_rate = NAN}); }));
  EXPECT_TRUE(Throws(invalid, [&] { SgdmUpdate(w, {w}, sgdm, {.momentum = 1}); }));
  EXPECT_TRUE(Throws(invalid, [&] { RmspropUpdate(w, {w}, rmsprop, {.epsilon = 0}); }));
  EXPECT_TRUE(Throws(invalid, [&] { AdamUpdate(w, {w}, adam, {.gradient_decay_factor = 1.5}); }));
  EXPECT_TRUE(Throws(invalid, [&] { AdamUpdate(w, {w}, adam, {.weight_decay = -0.1}); }));
}

}  // namespace
}  // namespace lamina
