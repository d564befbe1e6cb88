// Networks in layers: shared weights, loops, predict inside predict and forward inside forward,
// states, factors by path, copies; and what is refused.
#include "framework/network/nested_network.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "framework/dlarray/testing/thrown_error.h"
#include "framework/layers/builtin_layers.h"
#include "framework/layers/testing/layer_gradients.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"

namespace lamina {
namespace {

AnyLayer Initialized(AnyLayer layer, const std::vector<NetworkDataLayout>& layouts) {
  RandomSource source{.seed = 7};
  const ScopedRandomSource scope(source);
  layer.Initialize(layouts);
  EXPECT_TRUE(layer.IsInitialized());
  return layer;
}

const NetworkDataLayout kFeatures({3, kUnknown}, "CB");

int NumLearnableArrays(AnyLayer layer) {
  int n = 0;
  layer.ForEachLearnable([&](DlArray&) { ++n; });
  return n;
}

// The distance of two inputs after the same network.
struct DistanceLayer : Layer, Formattable {
  LearnableNetwork twin{*this, "Twin"};
  DistanceLayer() {
    SetNumInputs(2);
    twin = DlNetwork({FullyConnectedLayer(4), TanhLayer()});
  }
  void Initialize(const NetworkDataLayout& a, const NetworkDataLayout&) { twin.Initialize(a); }
  DlArray Predict(const DlArray& a, const DlArray& b) const {
    return Sum(Square(twin.Predict(a) - twin.Predict(b)), "C");
  }
};

TEST(NestedNetworkTest, WeightsAreShared) {
  const AnyLayer layer = Initialized(DistanceLayer(), {kFeatures, kFeatures});
  EXPECT_EQ(NumLearnableArrays(layer), 2);
  const DlArray a = RandomInput({3, 2}, "CB", -1, 1, 1), b = RandomInput({3, 2}, "CB", -1, 1, 2);
  EXPECT_TRUE(IsEqual(layer.Predict({a, b}).outputs[0], layer.Predict({b, a}).outputs[0]));
  EXPECT_TRUE(IsEqual(layer.Predict({a, a}).outputs[0], Zeros({1, 2}, DataType::kSingle, "CB")));
  EXPECT_TRUE(LayerGradientsAgree(layer, {a, b}));
}

// The same network over and over, as often as a setting says, with a branch that depends on sizes.
struct RepeatLayer : Layer, Formattable {
  Property<int64_t> times{*this, "Times", 3};
  LearnableNetwork step{*this, "Step", DlNetwork({FullyConnectedLayer(3), TanhLayer()})};
  void Initialize(const NetworkDataLayout& layout) { step.Initialize(layout); }
  DlArray Predict(const DlArray& x) const {
    DlArray y = x;
    for (int64_t i = 0; i < times; ++i) y = step.Predict(y);
    return Size(x, 'B') > 1 ? y - Mean(y, "B") : y;
  }
};

TEST(NestedNetworkTest, LoopsAndBranches) {
  RepeatLayer two;
  two.times = 2;
  const AnyLayer layer = Initialized(two, {kFeatures});
  const DlNetwork& step = layer.As<RepeatLayer>()->step;
  const DlArray one = RandomInput({3, 1}, "CB");
  EXPECT_TRUE(IsEqual(layer.Predict({one}).outputs[0], step.Predict(step.Predict(one))));
  EXPECT_TRUE(LayerGradientsAgree(layer, {one}));
  EXPECT_TRUE(LayerGradientsAgree(layer, {RandomInput({3, 4}, "CB")}));
}

// --- Predict inside Predict, Forward inside Forward ----------------------------------------------

struct DropoutBlock : Layer, Formattable {
  LearnableNetwork network{*this, "Network", DlNetwork({DropoutLayer(0.5)})};
  DlArray Predict(const DlArray& x) const { return network.Predict(x); }
  DlArray Forward(const DlArray& x) const { return network.Forward(x); }
};

TEST(NestedNetworkTest, PredictInsidePredictAndForwardInsideForward) {
  const DlArray x = Ones({3, 50}, DataType::kSingle, "CB");
  const DlNetwork net({DropoutBlock()});
  EXPECT_TRUE(IsEqual(AnyLayer(DropoutBlock()).Predict({x}).outputs[0], x));
  const DlArray trained = AnyLayer(DropoutBlock()).Forward({x}).outputs[0];
  EXPECT_EQ(MinOver(trained).Scalar(), 0);
  EXPECT_EQ(MaxOver(trained).Scalar(), 2);
}

// --- States --------------------------------------------------------------------------------------

// A learnable of its own, a state of its own, a network with states.
struct NormalizedLayer : Layer, Formattable {
  LearnableStateNetwork network{*this, "Network", DlNetwork({BatchNormalizationLayer()})};
  State calls{*this, "Calls", DlArray(0.0)};
  Learnable gain{*this, "Gain", DlArray(2.0)};
  void Initialize(const NetworkDataLayout& layout) { network.Initialize(layout); }
  std::tuple<DlArray, NetworkState, DlArray> Predict(const DlArray& x) const {
    auto [y, state] = network.PredictWithState(x);
    return {gain * y, state, calls + 1};
  }
  std::tuple<DlArray, NetworkState, DlArray> Forward(const DlArray& x) const {
    auto [y, state] = network.ForwardWithState(x);
    return {gain * y, state, calls + 1};
  }
  void ResetState() { calls = DlArray(0.0); }
};

TEST(NestedNetworkTest, StatesOfTheNetworkAreReturnedAndSet) {
  AnyLayer layer = Initialized(NormalizedLayer(), {kFeatures});
  EXPECT_EQ(layer.NumStateArrays(), 3);  // Mean, variance, Calls.
  const DlArray x = RandomInput({3, 6}, "CB", 2, 3);
  const LayerResult trained = layer.Forward({x}), predicted = layer.Predict({x});
  EXPECT_NEAR(trained.states[0].At(0), 0.1 * Mean(x, "B").At(0), 1e-6);  // MeanDecay is 0.1.
  EXPECT_EQ(predicted.states[0].At(0), 0);
  EXPECT_EQ(layer.As<NormalizedLayer>()->calls.Scalar(), 0);  // A call changes nothing.
  layer.SetStates(trained.states);
  EXPECT_TRUE(IsEqual(layer.Predict({x}).states[0], trained.states[0]));
  EXPECT_EQ(layer.Predict({x}).states[2].Scalar(), 2);
  layer.ResetState();
  EXPECT_EQ(layer.As<NormalizedLayer>()->calls.Scalar(), 0);
  EXPECT_TRUE(LayerGradientsAgree(layer, {x}));
}

// --- Paths
// -----------------------------------------------------------------------------------------

// A layer with a network, in a network of a layer.
struct OuterLayer : Layer, Formattable {
  LearnableNetwork network{*this, "Network", DlNetwork({Named(RepeatLayer(), "repeat")})};
  void Initialize(const NetworkDataLayout& layout) { network.Initialize(layout); }
  DlArray Predict(const DlArray& x) const { return network.Predict(x); }
};

TEST(NestedNetworkTest, FactorsAreReachedByPathThroughTwoNetworks) {
  DlNetwork net({Named(OuterLayer(), "outer")});
  net.Initialize(kFeatures);
  const std::string path = "outer/Network/repeat/Step/fullyconnected/Weights";
  net.SetLearnRateFactor(path, 0.5);
  net.SetL2Factor(path, 0.25);
  EXPECT_EQ(net.LearnRateFactor(path), 0.5);
  EXPECT_EQ(net.L2Factor(path), 0.25);
  EXPECT_EQ(net.LearnRateFactor("outer/Network/repeat/Step/fullyconnected/Bias"), 1);
  // The same from the layer, by the rest of the path.
  const std::string rest = "Network/repeat/Step/fullyconnected/Weights";
  EXPECT_EQ(net.layer("outer")->LearnRateFactor(rest), 0.5);
  net.mutable_layer("outer")->SetLearnRateFactor(rest, 2);
  EXPECT_EQ(net.LearnRateFactor(path), 2);
  EXPECT_EQ(MessageOf([&] { net.SetLearnRateFactor("outer/Network/repeat/Weights", 2); }),
            "A learnable \"outer/Network/repeat/Weights\" was asked for. The network has "
            "[outer/Network/repeat/Step/fullyconnected/Weights, "
            "outer/Network/repeat/Step/fullyconnected/Bias]. Write the path as "
            "\"layer/Parameter\". [layer:NoSuchParameter]");
}

TEST(NestedNetworkTest, CopiesAreIndependent) {
  const AnyLayer original = Initialized(RepeatLayer(), {kFeatures});
  AnyLayer copy = original;
  copy.ForEachLearnable([](DlArray& w) { w = ZerosLike(w); });
  copy->SetLearnRateFactor("Step/fullyconnected/Weights", 0);
  const DlArray x = RandomInput({3, 1}, "CB");
  EXPECT_EQ(copy.Predict({x}).outputs[0].At(0), 0);
  EXPECT_NE(original.Predict({x}).outputs[0].At(0), 0);
  EXPECT_EQ(original->LearnRateFactor("Step/fullyconnected/Weights"), 1);
}

// --- Refusals
// --------------------------------------------------------------------------------------

TEST(NestedNetworkTest, NoBackwardBesideANetwork) {
  struct Own : RepeatLayer {
    std::array<DlArray, 3> Backward(const DlArray&, Unused, const DlArray& dy, Unused) const {
      return {dy, dy, dy};
    }
  };
  EXPECT_EQ(MessageOf([] { AnyLayer{Own()}; }),
            "Own: a layer with a nested network has no Backward of its own. It has both. Remove "
            "Backward: the derivative is then taken automatically. "
            "[layer:BackwardWithNestedNetwork]");
  struct OwnWithStates : NormalizedLayer {
    std::tuple<DlArray, NetworkState, DlArray, Memory> Forward(const DlArray& x) const {
      auto [y, state, calls] = NormalizedLayer::Forward(x);
      return {y, state, calls, Memory()};
    }
    DlArrays Backward(const DlArrays& a, const Memory&) const { return a; }
  };
  EXPECT_EQ(MessageOf([] { AnyLayer{OwnWithStates()}; }),
            "OwnWithStates: a layer with a nested network has no Backward of its own. It has both. "
            "Remove Backward: the derivative is then taken automatically. "
            "[layer:BackwardWithNestedNetwork]");
}

TEST(NestedNetworkTest, TheStatesOfANetworkAreReturned) {
  struct Forgets : Layer, Formattable {
    LearnableStateNetwork network{*this, "Network", DlNetwork({BatchNormalizationLayer()})};
    void Initialize(const NetworkDataLayout& layout) { network.Initialize(layout); }
    DlArray Predict(const DlArray& x) const { return network.Predict(x); }
  };
  EXPECT_EQ(MessageOf([] { AnyLayer{Forgets()}; }),
            "Forgets: Predict returns 1 output and 1 state, 2 in all. It returns 1. Return each "
            "new state after the outputs, in the order of the State properties. "
            "[layer:ResultCount]");
}

}  // namespace
}  // namespace lamina
