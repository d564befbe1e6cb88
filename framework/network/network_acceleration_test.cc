// Do Predict and Forward of a network give what they give op by op, and is that done by kernels?
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/autodiff/dlgradient.h"
#include "framework/layers/builtin_layers.h"
#include "framework/layers/function_layer.h"
#include "framework/network/nested_network.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/testing/recorded_case.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

constexpr double kRounding = 1e-12;

class NetworkAccelerationTest : public testing::Test {
 protected:
  // Layers are recorded at the second call of a size, kernels run from the third on.
  static void SetUpTestSuite() { setenv("LAMINA_WAIT_FOR_COMPILER", "1", 1); }

  RandomSource source_{.seed = 5};
  ScopedRandomSource scope_{source_};
};

DlArray Data(const Sizes& sizes, std::string_view format) {
  return Randn(sizes, DataType::kDouble, format);
}

DlNetwork InDouble(DlNetwork network, const NetworkDataLayout& layout) {
  network.Initialize(layout);
  network.ForEachLearnable([](DlArray& w) { w = Double(w); });
  network.ForEachState([](DlArray& s) { s = Double(s); });
  return network;
}

DlNetwork TwoLayers() {
  return InDouble({FullyConnectedLayer(4), TanhLayer(), FullyConnectedLayer(2)},
                  NetworkDataLayout({3, kUnknown}, "CB"));
}

// A layer that nobody declared Acceleratable.
struct TripleLayer : Layer, Formattable {
  DlArray Predict(const DlArray& x) const { return 3 * x; }
};

bool Contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
int Count(const std::string& text, const std::string& part) {
  int n = 0;
  for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++n;
  return n;
}
bool UsesKernels(const std::string& report) {
  return Contains(report, "compiled in") || Contains(report, "loaded in");
}

void ExpectNear(const DlArrays& a, const DlArrays& b) {
  ASSERT_EQ(a.size(), b.size());
  for (size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(Near(a[i], b[i], kRounding)) << i;
}

// Outputs, new states, derivatives of inputs and learnables of Forward. The network is copied, as
// in every training loop.
DlArrays Training(const DlNetwork& network, const DlArray& x, Acceleration acceleration) {
  return DlFeval(
      [&](const DlNetwork& net, const DlArray& in) {
        const NetworkOutput out = net.ForwardAll(Arrays(&in, 1), {}, acceleration);
        DlArray loss = Sum(in);
        for (const DlArray& y : out.outputs) loss = loss + Sum(y * y);
        DlArrays variables = net.LearnableValues();
        variables.push_back(in);
        DlArrays all = DlGradient(loss, variables);
        all.insert(all.end(), out.outputs.begin(), out.outputs.end());
        for (const DlArray& s : out.state.values()) all.push_back(s);
        return all;
      },
      network, x);
}

DlArrays Predicted(const DlNetwork& network, const DlArray& x, Acceleration acceleration) {
  NetworkOutput out = network.PredictAll(Arrays(&x, 1), {}, acceleration);
  for (const DlArray& s : out.state.values()) out.outputs.push_back(s);
  return out.outputs;
}

// Both ways of calling, four times with other values.
void ExpectSame(const DlNetwork& network, const Sizes& sizes, std::string_view format) {
  for (int i = 0; i < 4; ++i) {
    const DlArray x = Data(sizes, format);
    ExpectNear(Predicted(network, x, Acceleration::kAuto),
               Predicted(network, x, Acceleration::kNone));
    Rng(i);
    const DlArrays accelerated = Training(network, x, Acceleration::kAuto);
    Rng(i);
    ExpectNear(accelerated, Training(network, x, Acceleration::kNone));
  }
}

TEST_F(NetworkAccelerationTest, AcceleratableLayersRunAsOneTrace) {
  const DlNetwork network = InDouble({ImageInputLayer({8, 8, 1}), Convolution2dLayer({3, 3}, 4),
                                      BatchNormalizationLayer(), ReluLayer(), DropoutLayer(0.25),
                                      MaxPooling2dLayer(2), FullyConnectedLayer(3), SoftmaxLayer()},
                                     NetworkDataLayout({8, 8, 1, kUnknown}, "SSCB"));
  ExpectSame(network, {8, 8, 1, 5}, "SSCB");
  const std::string report = network.AccelerationReport();
  EXPECT_EQ(Count(report, ": 1 of 4 calls ran op by op, "), 2) << report;
  EXPECT_EQ(Count(report, "\n1 trace of at most 50, "), 2) << report;
  EXPECT_EQ(Count(report,
                  "layer \"imageinput\" (ImageInputLayer) to layer \"softmax\" "
                  "(SoftmaxLayer): "),
            2)
      << report;
  EXPECT_TRUE(UsesKernels(report));
}

TEST_F(NetworkAccelerationTest, StatesGoThroughTheTrace) {
  DlNetwork network = InDouble({LstmLayer(5), FullyConnectedLayer(2)},
                               NetworkDataLayout({3, kUnknown, kUnknown}, "CBT"));
  ExpectSame(network, {3, 2, 6}, "CBT");
  DlNetwork plain = network;
  for (int i = 0; i < 4; ++i) {
    const DlArray x = Data({3, 2, 6}, "CBT");
    const auto [y, state] = network.PredictWithState(x);
    const auto [expected, next] = plain.PredictWithState(x, Acceleration::kNone);
    ExpectNear({y}, {expected});
    network.SetState(state);
    plain.SetState(next);
  }
  EXPECT_TRUE(UsesKernels(network.AccelerationReport()));
}

TEST_F(NetworkAccelerationTest, OtherLayersRunOpByOpBetweenTraces) {
  DlNetwork network({Named(FullyConnectedLayer(4), "a"), Named(TanhLayer(), "b"),
                     Named(TripleLayer(), "c"), Named(FullyConnectedLayer(4), "d")});
  network.AddLayers({Named(AdditionLayer(2), "sum")});
  network.ConnectLayers("b", "sum/in1");
  network.ConnectLayers("d", "sum/in2");
  network = InDouble(network, NetworkDataLayout({3, kUnknown}, "CB"));
  ExpectSame(network, {3, 7}, "CB");
  const std::string report = network.AccelerationReport();
  EXPECT_EQ(
      Count(report, "layer \"a\" (FullyConnectedLayer) to layer \"b\" (TanhLayer): 1 of 4 calls "),
      2)
      << report;
  EXPECT_EQ(Count(report, "\nop by op: Layer \"c\" (TripleLayer) is not Acceleratable.\n"), 2);
  EXPECT_EQ(Count(report, "layer \"d\" (FullyConnectedLayer) to layer \"sum\" (AdditionLayer): "),
            2);
  // Only what leads to the outputs runs, each choice in a way of its own.
  for (int i = 0; i < 4; ++i) {
    const DlArray x = Data({3, 7}, "CB");
    const std::vector<std::string> names{"c", "a"};
    ExpectNear(network.PredictAll(Arrays(&x, 1), names).outputs,
               network.PredictAll(Arrays(&x, 1), names, Acceleration::kNone).outputs);
  }
  EXPECT_TRUE(Contains(network.AccelerationReport(), "Predict, outputs [c, a]:\n"));
}

TEST_F(NetworkAccelerationTest, CopiesShareTracesAndParametersMayChange) {
  DlNetwork network = TwoLayers();
  const DlArray x = Data({3, 6}, "CB");
  for (int i = 0; i < 5; ++i) {
    const DlNetwork copy = network;
    ExpectNear({copy.Predict(x)}, {network.Predict(x, Acceleration::kNone)});
    DlArrays values = network.LearnableValues();
    for (DlArray& w : values) w = 1.5 * w;
    network.SetLearnableValues(values);
  }
  EXPECT_TRUE(Contains(network.AccelerationReport(), ": 1 of 5 calls ran op by op, "))
      << network.AccelerationReport();
  const DlNetwork moved = std::move(network);
  EXPECT_TRUE(UsesKernels(moved.AccelerationReport()));
}

TEST_F(NetworkAccelerationTest, ChangedSettingsAndLayersAreNoticed) {
  DlNetwork network = TwoLayers();
  network.AddLayers({Named(LeakyReluLayer(0.5), "leaky")});
  network.ConnectLayers("fullyconnected_2", "leaky");
  const auto function = [](double factor) {
    return Named(
        FunctionLayer([factor](const DlArray& x) { return factor * x; }, {.acceleratable = true}),
        "function");
  };
  network.AddLayers({function(2)});
  network.ConnectLayers("leaky", "function");
  const DlArray x = Data({3, 6}, "CB");
  const auto expect_same = [&] {
    for (int i = 0; i < 3; ++i) {
      ExpectNear({network.Predict(x)}, {network.Predict(x, Acceleration::kNone)});
    }
    EXPECT_TRUE(UsesKernels(network.AccelerationReport()));
  };
  expect_same();
  AnyLayer& leaky = network.mutable_layer("leaky");
  const DlArray before = network.Predict(x);
  leaky->SetProperty(leaky->Properties()[0], 0.25);
  EXPECT_FALSE(Near(network.Predict(x), before, kRounding));
  expect_same();
  network.mutable_layer("function") = function(3);
  expect_same();
  network.SetOutputNames({"leaky"});
  expect_same();
}

// A nested network in a layer that is not Acceleratable.
struct BlockLayer : Layer, Formattable {
  LearnableStateNetwork network{*this, "Network"};
  void Initialize(const NetworkDataLayout& layout) {
    network = DlNetwork({FullyConnectedLayer(4), BatchNormalizationLayer(), TanhLayer()});
    network.Initialize(layout);
  }
  std::pair<DlArray, NetworkState> Predict(const DlArray& x) const {
    return network.PredictWithState(x);
  }
  std::pair<DlArray, NetworkState> Forward(const DlArray& x) const {
    return network.ForwardWithState(x);
  }
};

TEST_F(NetworkAccelerationTest, ANestedNetworkIsAcceleratedByItself) {
  const DlNetwork network = InDouble({Named(BlockLayer(), "block"), FullyConnectedLayer(2)},
                                     NetworkDataLayout({3, kUnknown}, "CB"));
  const DlNetwork& nested = network.layer("block").As<BlockLayer>()->network;
  const DlArray x = Data({3, 6}, "CB");
  for (int i = 0; i < 3; ++i) network.Predict(x, Acceleration::kNone);
  EXPECT_TRUE(Contains(nested.AccelerationReport(), ": no call yet\n"))
      << nested.AccelerationReport();
  {
    const ScopedAcceleration scope(Acceleration::kNone);
    for (int i = 0; i < 3; ++i) network.Predict(x, Acceleration::kAuto);
  }
  EXPECT_FALSE(Contains(network.AccelerationReport(), "trace"));
  ExpectSame(network, {3, 6}, "CB");
  EXPECT_TRUE(UsesKernels(nested.AccelerationReport())) << nested.AccelerationReport();
}

TEST_F(NetworkAccelerationTest, DerivativesOfDerivativesPass) {
  const DlNetwork network = TwoLayers();
  const auto second = [&](const DlArray& x, Acceleration acceleration) {
    return DlFeval(
        [&](const DlNetwork& net, const DlArray& in) {
          const DlArray y = Sum(net.Forward(in, acceleration));
          const DlArray g = DlGradient(y, in, {.enable_higher_derivatives = true});
          return DlGradient(Sum(g * g), net.LearnableValues());
        },
        network, x);
  };
  for (int i = 0; i < 4; ++i) {
    const DlArray x = Data({3, 6}, "CB");
    ExpectNear(second(x, Acceleration::kAuto), second(x, Acceleration::kNone));
  }
  EXPECT_TRUE(UsesKernels(network.AccelerationReport())) << network.AccelerationReport();
}

TEST_F(NetworkAccelerationTest, ThreadsMayCallAtOnce) {
  const DlNetwork network = TwoLayers();
  const DlArray x = Data({3, 6}, "CB"), y = Data({3, 4}, "CB");
  const DlArray of_x = network.Predict(x, Acceleration::kNone),
                of_y = network.Predict(y, Acceleration::kNone);
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        wrong[t] += !Near(network.Predict(x), of_x, kRounding);
        wrong[t] += !Near(network.Predict(y), of_y, kRounding);
      }
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
  EXPECT_TRUE(Contains(network.AccelerationReport(), "\n2 traces of at most 50, "))
      << network.AccelerationReport();
}

// Declared Acceleratable, but it looks at a value.
constexpr int kReadingLine = __LINE__ + 2;
struct BranchLayer : Layer, Formattable, Acceleratable {
  DlArray Predict(const DlArray& x) const { return Sum(x).Scalar() > 0 ? x : -x; }
};

TEST_F(NetworkAccelerationTest, ALayerThatReadsAValueIsNamed) {
  const DlNetwork network =
      InDouble({FullyConnectedLayer(4), Named(BranchLayer(), "branch"), TanhLayer()},
               NetworkDataLayout({3, kUnknown}, "CB"));
  ExpectSame(network, {3, 6}, "CB");
  EXPECT_TRUE(Contains(
      network.AccelerationReport(),
      absl::StrCat(
          "runs unaccelerated: Layer \"branch\" (BranchLayer) got 4(C) x 6(B) double DlArray from "
          "layer "
          "\"fullyconnected\" (FullyConnectedLayer): layer \"branch\" (BranchLayer), Predict: The "
          "values of an array were read in framework/network/network_acceleration_test.cc:",
          kReadingLine,
          ". This scalar double DlArray has none: it stands for any values inside "
          "a trace. Write the computation with array functions (Where instead of if), or leave it "
          "untraced. [dlarray:NoValues] This was after sum(4(C) x 6(B) double DlArray), "
          "reshape(1(C) x 1(B) double DlArray), which gave a scalar double DlArray.\n")))
      << network.AccelerationReport();
}

// Declared Acceleratable, but it looks at a value, and hides that it may not.
struct CatchingLayer : Layer, Formattable, Acceleratable {
  DlArray Predict(const DlArray& x) const {
    try {
      return Sum(x).Scalar() > 0 ? x : -x;
    } catch (const Error&) {
      return x;
    }
  }
};

TEST_F(NetworkAccelerationTest, ALayerThatHidesARefusedReadIsNamedToo) {
  const DlNetwork network =
      InDouble({FullyConnectedLayer(4), Named(CatchingLayer(), "catching"), TanhLayer()},
               NetworkDataLayout({3, kUnknown}, "CB"));
  ExpectSame(network, {3, 6}, "CB");
  EXPECT_TRUE(Contains(
      network.AccelerationReport(),
      "runs unaccelerated: Layer \"catching\" (CatchingLayer) got 4(C) x 6(B) double DlArray from "
      "layer \"fullyconnected\" (FullyConnectedLayer): The values of an array were read in "))
      << network.AccelerationReport();
}

TEST_F(NetworkAccelerationTest, ShortWorkIsNotRecorded) {
  unsetenv("LAMINA_WAIT_FOR_COMPILER");
  const DlNetwork network = TwoLayers();
  const DlArray x = Data({3, 6}, "CB"), first = network.Predict(x);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(IsEqual(network.Predict(x), first));
  EXPECT_EQ(network.AccelerationReport(),
            "Predict:\nlayer \"fullyconnected\" (FullyConnectedLayer) to layer "
            "\"fullyconnected_2\" (FullyConnectedLayer): 21 of 21 calls ran op by op, since what "
            "there was of their size was not worth a recording\n");
  setenv("LAMINA_WAIT_FOR_COMPILER", "1", 1);
}

}  // namespace
}  // namespace lamina
