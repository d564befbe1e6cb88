#include "framework/network/network.h"

#include <gtest/gtest.h>

#include "framework/autodiff/dlgradient.h"
#include "framework/dlarray/testing/thrown_error.h"
#include "framework/network/analyze_network.h"
#include "framework/network/nested_network.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/matmul.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"

namespace lamina {
namespace {

// y = w x + b along C: small, so that what comes out can be computed by hand.
struct LinearLayer : Layer, Formattable {
  Property<int64_t> size{*this, "Size", 2};
  Learnable weights{*this, "Weights"};

  LinearLayer() = default;
  explicit LinearLayer(int64_t n) { size = n; }
  void Initialize(const NetworkDataLayout& layout) {
    if (weights.empty()) weights = Rand({size, layout.Size('C')});
  }
  DlArray Predict(const DlArray& x) const { return FullyConnect(x, weights, DlArray()); }
};

struct DoubleLayer : Layer {
  DlArray Predict(const DlArray& x) const { return 2 * x; }
};

struct AddLayer : Layer, Formattable {
  AddLayer() { SetNumInputs(2); }
  DlArray Predict(const DlArray& a, const DlArray& b) const { return a + b; }
};

struct SplitLayer : Layer, Formattable {
  SplitLayer() { SetOutputNames({"plus", "minus"}); }
  std::pair<DlArray, DlArray> Predict(const DlArray& x) const { return {x + 1, x - 1}; }
};

// Counts its calls in a state.
struct CountLayer : Layer, Formattable {
  State count{*this, "Count", DlArray(0.0)};
  std::pair<DlArray, DlArray> Predict(const DlArray& x) const { return {x, count + 1}; }
  void ResetState() { count = DlArray(0.0); }
};

// Decides by a value: cannot be run on sizes alone.
struct BranchLayer : Layer, Formattable {
  DlArray Predict(const DlArray& x) const { return MaxOver(x).Scalar() > 0 ? x : -x; }
};

struct InnerLayer : Layer, Formattable {
  LearnableStateNetwork network{*this, "Network"};
  InnerLayer() { network = DlNetwork({LinearLayer(3), CountLayer()}); }
  void Initialize(const NetworkDataLayout& layout) { network.Initialize(layout); }
  std::pair<DlArray, NetworkState> Predict(const DlArray& x) const {
    return network.PredictWithState(x);
  }
  std::pair<DlArray, NetworkState> Forward(const DlArray& x) const {
    return network.ForwardWithState(x);
  }
};

const NetworkDataLayout kFeatures({2, kUnknown}, "CB");

DlArray X() { return DlArray::FromVector<float>({1, 2, 3, 4, 5, 6}, {2, 3}, "CB"); }

TEST(DlNetworkTest, ConnectsAListAndNamesLayersAfterTheirTypes) {
  DlNetwork net({LinearLayer(4), DoubleLayer(), Named(DoubleLayer(), "last"), DoubleLayer()});
  EXPECT_EQ(net.layer(0)->Name(), "linear");
  EXPECT_EQ(net.layer(1)->Name(), "double");
  EXPECT_EQ(net.layer(3)->Name(), "double_2");
  EXPECT_EQ(net.InputNames(), std::vector<std::string>{"linear"});
  EXPECT_EQ(net.OutputNames(), std::vector<std::string>{"double_2"});
  EXPECT_FALSE(net.IsInitialized());
  net.Initialize(kFeatures);
  EXPECT_TRUE(net.IsInitialized());
  EXPECT_EQ(net.NumLearnables(), 8);
  const DlArray w = net.Learnables()[0].value;
  EXPECT_TRUE(IsEqual(net.Predict(X()), 8 * FullyConnect(X(), w, DlArray())));
  // Without labels the input takes those of the layout.
  EXPECT_TRUE(IsEqual(net.Predict(ExtractData(X())), net.Predict(X())));
}

TEST(DlNetworkTest, CopiesAreIndependentAndInitializeKeepsWhatIsSet) {
  DlNetwork a({LinearLayer(2)});
  a.Initialize(kFeatures);
  DlNetwork b = a;
  b.Initialize(kFeatures);
  EXPECT_TRUE(IsEqual(a, b));
  b.SetLearnableValues(DlArrays{Zeros({2, 2})});
  EXPECT_FALSE(IsEqual(a, b));
  EXPECT_FALSE(IsEqual(a.Learnables()[0].value, b.Learnables()[0].value));
}

TEST(DlNetworkTest, RunsAGraphAndOnlyWhatIsAskedFor) {
  DlNetwork net;
  net.AddLayers({Named(SplitLayer(), "split")});
  net.AddLayers({Named(AddLayer(), "add")});
  net.AddLayers({Named(DoubleLayer(), "twice")});
  net.ConnectLayers("split/plus", "twice");
  net.ConnectLayers("twice", "add/in1");
  net.ConnectLayers("split/minus", "add/in2");
  net.Initialize(kFeatures);
  EXPECT_TRUE(IsEqual(net.Predict(X()), 3 * X() + 1));
  const DlArrays x{X()};
  const NetworkOutput two = net.PredictAll(x, {"split/minus", "twice"});
  EXPECT_TRUE(IsEqual(two.outputs[0], X() - 1));
  EXPECT_TRUE(IsEqual(two.outputs[1], 2 * X() + 2));
  net.SetOutputNames({"twice"});
  EXPECT_TRUE(IsEqual(net.Predict(X()), 2 * X() + 2));
}

TEST(DlNetworkTest, TakesSeveralInputs) {
  DlNetwork net({Named(AddLayer(), "add")});
  EXPECT_EQ(net.InputNames(), (std::vector<std::string>{"add/in1", "add/in2"}));
  net.Initialize({kFeatures, kFeatures});
  const DlArrays x{X(), 2 * X()};
  EXPECT_TRUE(IsEqual(net.PredictAll(x).outputs[0], 3 * X()));
  EXPECT_EQ(MessageOf([&] { net.Predict(X()); }),
            "The network has 2 inputs, [add/in1, add/in2]. 1 array came. Give one for each input. "
            "[network:InputCount]");
}

TEST(DlNetworkTest, CarriesStates) {
  DlNetwork net({LinearLayer(2), CountLayer()});
  net.Initialize(kFeatures);
  const auto [y, state] = net.PredictWithState(X());
  EXPECT_EQ(net.StateTable()[0].value.Scalar(), 0);  // A call changes nothing.
  net.SetState(state);
  EXPECT_EQ(net.StateTable()[0].layer, "count");
  EXPECT_EQ(net.StateTable()[0].value.Scalar(), 1);
  net.ResetState();
  EXPECT_EQ(net.StateTable()[0].value.Scalar(), 0);
  EXPECT_EQ(MessageOf([&] { net.SetState(NetworkState()); }),
            "The network has 1 state arrays. 0 came. Give one for each row of StateTable. "
            "[network:StateCount]");
}

TEST(DlNetworkTest, ReachesIntoNestedNetworksByPath) {
  DlNetwork net({Named(InnerLayer(), "inner"), LinearLayer(1)});
  net.Initialize(kFeatures);
  EXPECT_EQ(net.Learnables()[0].layer, "inner/Network/linear");
  EXPECT_EQ(net.StateTable()[0].layer, "inner/Network/count");
  net.SetLearnRateFactor("inner/Network/linear/Weights", 0.5);
  EXPECT_EQ(net.LearnRateFactor("inner/Network/linear/Weights"), 0.5);
  EXPECT_EQ(net.L2Factor("linear/Weights"), 1);
  net.SetState(net.PredictWithState(X()).second);
  EXPECT_EQ(net.StateTable()[0].value.Scalar(), 1);
  net.ResetState();
  EXPECT_EQ(net.StateTable()[0].value.Scalar(), 0);
  EXPECT_EQ(
      MessageOf([&] { net.SetL2Factor("inner/Weights", 1); }),
      "A learnable \"inner/Weights\" was asked for. The network has "
      "[inner/Network/linear/Weights, linear/Weights]. Write the path as \"layer/Parameter\". "
      "[layer:NoSuchParameter]");
  EXPECT_EQ(MessageOf([&] { net.SetL2Factor("linear/Weights", -1); }),
            "A factor is a finite number, 0 or more. -1 came. [layer:InvalidFactor]");
}

TEST(DlNetworkTest, GradientsReachNestedNetworks) {
  DlNetwork net({InnerLayer(), LinearLayer(1)});
  net.Initialize(kFeatures);
  const auto loss = [](const DlNetwork& n) { return Sum(Square(n.Forward(X()))); };
  const DlArrays gradients =
      DlFeval([&](const DlNetwork& n) { return DlGradient(loss(n), n.LearnableValues()); }, net);
  ASSERT_EQ(gradients.size(), 2u);
  // Numerically, for the first weight of the inner network.
  DlArrays values = net.LearnableValues();
  double at[2];
  for (int side = 0; side < 2; ++side) {
    std::vector<double> w(6);
    for (int i = 0; i < 6; ++i) w[i] = net.LearnableValues()[0].At(i);
    w[0] += side == 0 ? -1e-4 : 1e-4;
    values[0] = DlArray::FromVector(w, {3, 2});
    values[1] = Double(net.LearnableValues()[1]);
    DlNetwork moved = net;
    moved.SetLearnableValues(values);
    at[side] = Sum(Square(moved.Forward(Double(X())))).Scalar();
  }
  EXPECT_NEAR(gradients[0].At(0), (at[1] - at[0]) / 2e-4, 1e-4 * std::abs(gradients[0].At(0)));
}

TEST(DlNetworkTest, KnowsSizesWithoutValuesAndKeepsUnknownOnes) {
  DlNetwork net({LinearLayer(4), BranchLayer()});
  net.Initialize(kFeatures);
  const auto layouts = net.PropagateLayouts(std::vector<NetworkDataLayout>{kFeatures});
  EXPECT_EQ(ToString(layouts[0][0]), "4(C) x NaN(B)");
  EXPECT_EQ(ToString(layouts[1][0]), "4(C) x NaN(B)");
}

TEST(DlNetworkTest, ErrorsNameTheLayersAndTheirLayouts) {
  DlNetwork net({Named(LinearLayer(4), "first"), Named(LinearLayer(2), "second")});
  net.Initialize(kFeatures);
  DlArrays values = net.LearnableValues();
  net.mutable_layer("second")->ForEachLearnable([](DlArray& w) { w = Zeros({2, 3}); });
  const std::string text = MessageOf([&] { net.Predict(X()); });
  EXPECT_NE(text.find("Layer \"second\" (LinearLayer) got 4(C) x 3(B) single DlArray from layer "
                      "\"first\" (LinearLayer): "),
            std::string::npos)
      << text;
  DlNetwork unlabelled({Named(LinearLayer(4), "first")});
  EXPECT_EQ(MessageOf([&] {
              unlabelled.Initialize(NetworkDataLayout({3, 4}, "SB"));
            }),
            "Layer \"first\" (LinearLayer) gets 3(S) x 4(B) from the network's input: layer "
            "\"first\" (LinearLayer), Initialize: The size of dim 'C' was asked for. The layout is "
            "3(S) x 4(B). Give the layer data with this label. [layout:LabelNotFound]");
}

TEST(DlNetworkTest, RefusesWrongWiring) {
  EXPECT_EQ(MessageOf([] {
              DlNetwork({Named(DoubleLayer(), "a"), Named(DoubleLayer(), "a")});
            }),
            "Each layer of a network has a name of its own. \"a\" came twice. Rename one of them, "
            "or leave the name empty. [network:DuplicateName]");
  EXPECT_EQ(MessageOf([] { DlNetwork({Named(DoubleLayer(), "a/b")}); }),
            "The name of a layer has no '/': it separates paths. \"a/b\" came. Rename the layer. "
            "[network:InvalidName]");
  EXPECT_EQ(MessageOf([] {
              DlNetwork({Named(SplitLayer(), "s"), Named(DoubleLayer(), "d")});
            }),
            "Layers of a list are connected one after another, one output to one input. Layer "
            "\"s\" (SplitLayer) has 2 outputs, layer \"d\" (DoubleLayer) has 1 input. Add them "
            "apart with AddLayers and connect them by name with ConnectLayers. "
            "[network:ChainMismatch]");
  DlNetwork net({Named(DoubleLayer(), "a"), Named(DoubleLayer(), "b")});
  EXPECT_EQ(MessageOf([&] { net.ConnectLayers("b", "a"); }),
            "The layers of a network can be put in an order. [a, b] depend on one another. Remove "
            "a connection; loops belong inside a layer. [network:Cycle]");
  EXPECT_EQ(net.InputNames().size(), 1u);  // As before.
  EXPECT_EQ(MessageOf([&] { net.ConnectLayers("a", "b"); }),
            "An input has one connection. \"b\" is connected to \"a\" already. Combine the two "
            "with an addition or concatenation layer. [network:AlreadyConnected]");
  EXPECT_EQ(MessageOf([&] { net.ConnectLayers("a", "c"); }),
            "A layer \"c\" was asked for. The network has [a, b]. [network:NoSuchLayer]");
  EXPECT_EQ(MessageOf([&] { net.ConnectLayers("a/out2", "b"); }),
            "An output \"a/out2\" was asked for. Layer \"a\" (DoubleLayer) has [out]. Write "
            "\"a/out\". [network:NoSuchPort]");
}

TEST(DlNetworkTest, LearnablesAreCounted) {
  DlNetwork net({LinearLayer(2)});
  net.Initialize(kFeatures);
  EXPECT_EQ(MessageOf([&] { net.SetLearnableValues({}); }),
            "The network has 1 learnable arrays. 0 came. Give one for each row of Learnables. "
            "[network:LearnableCount]");
}

TEST(DlNetworkTest, RefusesBadInput) {
  DlNetwork net({Named(LinearLayer(4), "fc")});
  EXPECT_EQ(MessageOf([&] { net.Predict(X()); }),
            "A network is initialised before it is called. Layer \"fc\" (LinearLayer) has unset "
            "parameters. Call Initialize with the layouts of the inputs. [network:NotInitialized]");
  EXPECT_EQ(MessageOf([&] { net.Initialize(); }),
            "A network is initialised from the layouts of its inputs. Input \"fc\" belongs to a "
            "layer that does not know its size. Begin with an input layer, or call Initialize with "
            "a NetworkDataLayout. [network:LayoutNeeded]");
  net.Initialize(kFeatures);
  EXPECT_EQ(MessageOf([&] {
              net.Predict(Zeros({2, 0}, DataType::kSingle, "CB"));
            }),
            "An input has one element at least. A 2(C) x 0(B) single DlArray came for \"fc\". "
            "Leave empty batches out. [network:EmptyInput]");
  EXPECT_EQ(MessageOf([&] {
              net.Predict(Zeros({2, 3, 4}));
            }),
            "Input \"fc\" expects 2(C) x NaN(B). A 2 x 3 x 4 single DlArray without labels came. "
            "Label the array: DlArray(x, \"CB\"). [network:UnlabelledInput]");
  EXPECT_EQ(MessageOf([&] {
              net.SetLearnableValues(DlArrays{Zeros({4, 3})});
            }),
            "\"fc/Weights\" is a 4 x 2 single DlArray. A 4 x 3 single DlArray came. "
            "[network:LearnableSize]");
}

TEST(AnalyzeNetworkTest, ListsLayersAndFindsWhatIsWrong) {
  DlNetwork net({Named(LinearLayer(4), "fc"), Named(DoubleLayer(), "twice")});
  EXPECT_EQ(ToString(AnalyzeNetwork(net, {kFeatures})),
            "layer  type         output         learnables   states\n"
            "------------------------------------------------------\n"
            "fc     LinearLayer  4(C) x NaN(B)  Weights 4x2\n"
            "twice  DoubleLayer  4(C) x NaN(B)\n"
            "\n"
            "8 learnable values, 0 issues\n");
  EXPECT_FALSE(net.IsInitialized());  // A copy was looked at.

  const NetworkAnalysis wrong = AnalyzeNetwork(net, {NetworkDataLayout({3, 4}, "SB")});
  ASSERT_EQ(wrong.issues.size(), 1u);
  EXPECT_EQ(wrong.issues[0].layer, "fc");
  EXPECT_EQ(wrong.issues[0].identifier, "layout:LabelNotFound");
  EXPECT_TRUE(wrong.layers[1].outputs.empty());

  EXPECT_EQ(AnalyzeNetwork(net).issues[0].identifier, "network:LayoutNeeded");
}

TEST(SummaryTest, SaysWhatANetworkIs) {
  DlNetwork net({Named(LinearLayer(4), "fc")});
  EXPECT_EQ(Summary(net), "initialised: no\nlearnable values: 0\ninput \"fc\"\noutput \"fc\"\n");
  net.Initialize(kFeatures);
  EXPECT_EQ(Summary(net),
            "initialised: yes\nlearnable values: 8\ninput \"fc\": 2(C) x NaN(B)\n"
            "output \"fc\"\n");
}

}  // namespace
}  // namespace lamina
