#include "framework/layers/any_layer.h"

#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "framework/autodiff/tape.h"
#include "framework/dlarray/testing/thrown_error.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

DlArray Ramp(const Sizes& sizes, std::string_view format = "") {
  std::vector<float> values(static_cast<size_t>(NumElements(sizes)));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i + 1);
  return DlArray::FromVector(values, sizes, format);
}

struct ScaleLayer : Layer {
  Learnable scale{*this, "Scale"};
  Property<double> shift{*this, "Shift", 0};
  void Initialize(const NetworkDataLayout& layout) {
    if (scale.empty()) scale = Full(layout.Only('C'), 2);
  }
  DlArray Predict(const DlArray& x) const { return scale * x + shift; }
};

// --- A value ------------------------------------------------------------------------------------

TEST(AnyLayerTest, IsAValue) {
  AnyLayer a = ScaleLayer();
  a.Initialize({NetworkDataLayout({3, 2}, "CB")});
  AnyLayer b = a;
  b->ForEachLearnable([](DlArray& x) { x = ZerosLike(x); });
  EXPECT_EQ(a.As<ScaleLayer>()->scale.At(0), 2);
  EXPECT_EQ(b.As<ScaleLayer>()->scale.At(0), 0);
  a = b;
  b->ForEachLearnable([](DlArray& x) { x = OnesLike(x); });
  EXPECT_EQ(a.As<ScaleLayer>()->scale.At(0), 0);
  const AnyLayer moved = std::move(b);
  EXPECT_EQ(moved.As<ScaleLayer>()->scale.At(2), 1);
}

TEST(AnyLayerTest, KnowsItsType) {
  const AnyLayer layer = ScaleLayer();
  EXPECT_EQ(layer->Type(), "ScaleLayer");
  EXPECT_EQ(layer->Description(), "ScaleLayer");
  EXPECT_TRUE(layer.type() == typeid(ScaleLayer));
  EXPECT_NE(layer.As<ScaleLayer>(), nullptr);
  struct Other : ScaleLayer {};
  EXPECT_EQ(layer.As<Other>(), nullptr);
  ScaleLayer named;
  named.SetType("Scale");
  EXPECT_EQ(AnyLayer(named)->Type(), "Scale");
}

TEST(AnyLayerTest, ReadsWhatTheLayerCanDo) {
  const LayerTraits scale = AnyLayer(ScaleLayer()).traits();
  EXPECT_TRUE(scale.has_initialize);
  EXPECT_FALSE(scale.has_forward || scale.has_backward || scale.has_reset_state);
  EXPECT_FALSE(scale.is_formattable || scale.is_acceleratable || scale.is_code_generatable);
  EXPECT_FALSE(scale.joins_observations || scale.draws_random_numbers ||
               scale.not_differentiable_at_points);
  EXPECT_EQ(scale.num_inputs, 1);
  EXPECT_EQ(scale.num_results, 1);

  struct Rich : Layer,
                Formattable,
                CodeGeneratable,
                Acceleratable,
                JoinsObservations,
                DrawsRandomNumbers,
                NotDifferentiableAtPoints {
    State a{*this, "A", Zeros({1})};
    Rich() { SetNumInputs(2); }
    std::array<DlArray, 2> Predict(const DlArray& x, const DlArray&) const { return {x, a}; }
    std::tuple<DlArray, DlArray, Memory> Forward(const DlArray& x, const DlArray&) const {
      return {x, a, Memory()};
    }
    DlArrays Backward(Unused, const DlArray&, Unused, const DlArray& dy, const DlArray& ds,
                      const Memory&) const {
      return {dy, dy, ds};
    }
    void ResetState() {}
  };
  const LayerTraits rich = AnyLayer(Rich()).traits();
  EXPECT_TRUE(rich.has_forward && rich.has_backward && rich.has_reset_state);
  EXPECT_TRUE(rich.is_formattable && rich.is_acceleratable);
  EXPECT_TRUE(rich.joins_observations && rich.draws_random_numbers &&
              rich.not_differentiable_at_points);
  EXPECT_TRUE(rich.is_code_generatable);
  EXPECT_FALSE(rich.has_initialize);
  EXPECT_EQ(rich.num_inputs, 2);
  EXPECT_EQ(rich.num_results, 2);
  EXPECT_EQ(rich.backward_arguments, 5);
  EXPECT_EQ(rich.backward_results, -1);
  EXPECT_EQ(rich.backward_used & 31, 0b11010u);
}

// --- Calls --------------------------------------------------------------------------------------

// Says what labels it was called with.
struct SpyLayer : Layer {
  static inline std::string seen;
  DlArray Predict(const DlArray& x) const {
    seen = ToString(x.spec());
    return x + 1;
  }
};
struct FormattableSpyLayer : SpyLayer, Formattable {};

TEST(AnyLayerTest, LabelsAreTakenAwayAndGivenBack) {
  const DlArray x = Ramp({2, 2, 3, 4}, "SSCB");
  const DlArray y = AnyLayer(SpyLayer()).Predict({x}).outputs[0];
  EXPECT_EQ(SpyLayer::seen, "2 x 2 x 3 x 4 single DlArray");
  EXPECT_TRUE(IsEqual(y, x + 1));
  EXPECT_TRUE(IsEqual(AnyLayer(SpyLayer()).Forward({x}).outputs[0], x + 1));

  AnyLayer(FormattableSpyLayer()).Predict({x});
  EXPECT_EQ(SpyLayer::seen, "2(S) x 2(S) x 3(C) x 4(B) single DlArray");

  // Data without labels stays so.
  EXPECT_TRUE(IsEqual(AnyLayer(SpyLayer()).Predict({StripDims(x)}).outputs[0], StripDims(x) + 1));
}

TEST(AnyLayerTest, DimsOfSizeOneAtTheEndAreFilledUpOrLeftOut) {
  struct First : Layer {
    DlArray Predict(const DlArray& x) const { return Reshape(Slice(x, 1, 0, 1), {x.size(0)}); }
  };
  const DlArray x = Ramp({3, 2}, "CB");
  EXPECT_EQ(ToString(AnyLayer(First()).Predict({x}).outputs[0].spec()),
            "3(C) x 1(B) single DlArray");
  struct More : Layer {
    DlArray Predict(const DlArray& x) const { return Reshape(x, {x.size(0), x.size(1), 1, 1}); }
  };
  EXPECT_EQ(ToString(AnyLayer(More()).Predict({x}).outputs[0].spec()),
            "3(C) x 2(B) single DlArray");
}

TEST(AnyLayerTest, MoreDimsThanTheInputNeedLabels) {
  struct Raise : Layer {
    DlArray Predict(const DlArray& x) const { return Reshape(x, {1, x.size(0), x.size(1)}); }
  };
  AnyLayer layer = Raise();
  layer->SetName("raise");
  EXPECT_EQ(
      MessageOf([&] {
        layer.Predict({Ramp({3, 2}, "CB")});
      }),
      "layer \"raise\" (Raise), Predict: A layer without Formattable returns at most the dims "
      "of its first input, \"CB\". A 1 x 3 x 2 single DlArray came. Derive the layer from "
      "Formattable and label what it returns. [layer:OutputRank]");
}

TEST(AnyLayerTest, AFormattableLayerLabelsWhatItReturns) {
  struct Forgets : Layer, Formattable {
    DlArray Predict(const DlArray& x) const { return StripDims(x); }
  };
  EXPECT_EQ(MessageOf([] {
              AnyLayer(Forgets()).Predict({Ramp({3, 2}, "CB")});
            }),
            "Forgets, Predict: A Formattable layer labels what it returns: output \"out\". A 3 x 2 "
            "single DlArray without labels came. Return DlArray(y, \"SSCB\") with the labels of y. "
            "[layer:OutputFormat]");
  struct Total : Layer, Formattable {
    DlArray Predict(const DlArray& x) const { return Sum(x); }
  };
  EXPECT_EQ(AnyLayer(Total()).Predict({Ramp({3, 2}, "CB")}).outputs[0].Scalar(), 21);
}

TEST(AnyLayerTest, ForwardIsForTraining) {
  struct Noisy : Layer {
    DlArray Predict(const DlArray& x) const { return x; }
    DlArray Forward(const DlArray& x) const { return x + 100; }
  };
  const AnyLayer layer = Noisy();
  const DlArray x = Ramp({2}, "C");
  EXPECT_EQ(layer.Predict({x}).outputs[0].At(0), 1);
  EXPECT_EQ(layer.Forward({x}).outputs[0].At(0), 101);
  EXPECT_EQ(AnyLayer(SpyLayer()).Forward({x}).outputs[0].At(0), 2);
}

TEST(AnyLayerTest, LearnablesAreWatchedByDlFeval) {
  AnyLayer layer = ScaleLayer();
  layer.Initialize({NetworkDataLayout({2, 2}, "CB")});
  const DlArray gradient = DlFeval(
      [](AnyLayer watched, const DlArray& x) {
        const DlArray loss = Sum(watched.Forward({x}).outputs[0]);
        DlArray scale;
        watched.ForEachLearnable([&](DlArray& p) { scale = p; });
        return DlGradient(loss, scale);
      },
      layer, Ramp({2, 2}, "CB"));
  EXPECT_TRUE(IsEqual(gradient, DlArray::FromVector<float>({4, 6}, {2})));
}

TEST(AnyLayerTest, ErrorsNameTheLayerAndTheFunction) {
  struct Picky : Layer {
    void Initialize(const NetworkDataLayout& layout) { layout.Size('T'); }
    DlArray Predict(const DlArray& x) const { return x + Zeros({7}); }
    DlArray Forward(const DlArray& x) const { return x + Zeros({7}); }
  };
  AnyLayer layer = Picky();
  layer->SetName("p");
  const auto starts = [](const std::string& text, const std::string& start) {
    return text.rfind(start, 0) == 0;
  };
  const DlArray x = Ramp({3}, "C");
  EXPECT_TRUE(starts(MessageOf([&] { layer.Predict({x}); }), "layer \"p\" (Picky), Predict: "));
  EXPECT_TRUE(starts(MessageOf([&] { layer.Forward({x}); }), "layer \"p\" (Picky), Forward: "));
  EXPECT_TRUE(starts(MessageOf([&] { layer.Initialize({NetworkDataLayout({3}, "C")}); }),
                     "layer \"p\" (Picky), Initialize: The size of dim 'T' was asked for."));
}

// --- Wrong numbers ------------------------------------------------------------------------------

TEST(AnyLayerTest, InputsAreCounted) {
  struct Two : Layer {
    DlArray Predict(const DlArray& x, const DlArray& y) const { return x + y; }
  };
  EXPECT_EQ(
      MessageOf([] { AnyLayer{Two()}; }),
      "Two: Predict takes as many arrays as the layer has inputs. It takes 2; NumInputs is 1. "
      "Call SetNumInputs(2) in the constructor, or take the inputs as one DlArrays. "
      "[layer:InputCount]");
  EXPECT_EQ(MessageOf([] {
              AnyLayer(ScaleLayer()).Predict({Ramp({1}), Ramp({1})});
            }),
            "ScaleLayer has 1 input. 2 came. [layer:InputCount]");
  EXPECT_EQ(MessageOf([] {
              AnyLayer(ScaleLayer())
                  .Initialize({NetworkDataLayout({1}, "C"), NetworkDataLayout({1}, "C")});
            }),
            "ScaleLayer: Initialize takes 1 layout, one for each input. 2 came. "
            "[layer:InputCount]");
}

TEST(AnyLayerTest, ResultsAreCounted) {
  struct Stateless : Layer {
    State a{*this, "A"};
    DlArray Predict(const DlArray& x) const { return x; }
  };
  EXPECT_EQ(MessageOf([] { AnyLayer{Stateless()}; }),
            "Stateless: Predict returns 1 output and 1 state, 2 in all. It returns 1. Return each "
            "new state after the outputs, in the order of the State properties. "
            "[layer:ResultCount]");
  struct Pair : Layer {
    std::pair<DlArray, DlArray> Predict(const DlArray& x) const { return {x, x}; }
  };
  EXPECT_EQ(MessageOf([] { AnyLayer{Pair()}; }),
            "Pair: Predict returns 1 output and 0 states, 1 in all. It returns 2. Call "
            "SetNumOutputs in the constructor. [layer:ResultCount]");
  struct Some : Layer {
    Some() { SetNumOutputs(2); }
    DlArrays Predict(const DlArray& x) const { return {x, x, x}; }
  };
  EXPECT_EQ(MessageOf([] { AnyLayer(Some()).Predict({Ramp({1})}); }),
            "Some, Predict: The layer returns 2 outputs and 0 state arrays. 3 arrays came. Return "
            "each output, then each new state. [layer:ResultCount]");
}

TEST(AnyLayerTest, OutputsThatWereNeverSetAreNamed) {
  struct Halves : Layer {
    Halves() {
      SetNumOutputs(2);
      SetOutputNames({"low", "high"});
    }
    std::pair<DlArray, DlArray> Predict(const DlArray& x) const {
      DlArray high;
      if (x.numel() > 4) high = x;
      return {x, high};
    }
  };
  const std::string message =
      "Halves, Predict: A layer sets each output that it returns. Output \"high\" is a DlArray "
      "that "
      "was never set. Look for a variable, DlArray y;, that no branch assigned to. "
      "[layer:UnsetOutput]";
  EXPECT_EQ(MessageOf([] { AnyLayer(Halves()).Predict({Ramp({1})}); }), message);
  EXPECT_EQ(MessageOf([] { AnyLayer(Halves()).Predict({Ramp({5})}); }), "no error");
  // A size of 0 is a size.
  struct None : Layer {
    DlArray Predict(const DlArray&) const { return Zeros({0, 0}); }
  };
  EXPECT_EQ(MessageOf([] { AnyLayer(None()).Predict({Ramp({1})}); }), "no error");
}

TEST(AnyLayerTest, UnsetOutputsOfALayerWithABackwardAreNamed) {
  struct Own : Layer {
    std::pair<DlArray, Memory> Forward(const DlArray&) const { return {DlArray(), Memory{}}; }
    DlArray Predict(const DlArray& x) const { return x; }
    DlArray Backward(Unused, Unused, const DlArray& dy, const Memory&) const { return dy; }
  };
  const std::string message = MessageOf([] {
    Tape tape;
    const ScopedTape listening(&tape);
    AnyLayer(Own()).Forward({tape.Watch(Ramp({2}))});
  });
  EXPECT_NE(message.find("Output \"out\" is a DlArray that was never set."), std::string::npos)
      << message;
}

TEST(AnyLayerTest, VariableNumbersOfInputsAndOutputs) {
  struct Rotate : Layer {
    Sizes layouts;
    Rotate() {
      SetNumInputs(3);
      SetNumOutputs(3);
    }
    void Initialize(std::span<const NetworkDataLayout> all) {
      for (const NetworkDataLayout& l : all) layouts.push_back(l.Size('C'));
    }
    DlArrays Predict(const DlArrays& x) const { return {x[1], x[2], x[0]}; }
  };
  AnyLayer layer = Rotate();
  layer.Initialize(
      {NetworkDataLayout({1}, "C"), NetworkDataLayout({2}, "C"), NetworkDataLayout({3}, "C")});
  EXPECT_EQ(layer.As<Rotate>()->layouts, Sizes({1, 2, 3}));
  const LayerResult r = layer.Predict({Ramp({1}, "C"), Ramp({2}, "C"), Ramp({3}, "C")});
  EXPECT_EQ(r.outputs[0].numel(), 2);
  EXPECT_EQ(r.outputs[2].numel(), 1);
}

TEST(AnyLayerTest, APropertyIsAMember) {
  struct Outside : Layer {
    std::shared_ptr<Learnable> w = std::make_shared<Learnable>(*this, "W");
    DlArray Predict(const DlArray& x) const { return x; }
  };
  EXPECT_EQ(MessageOf([] { AnyLayer{Outside()}; }),
            "Outside: a property is a member of the layer. \"W\" stands elsewhere. Declare it as a "
            "member: Learnable weights{*this, \"Weights\"}; [layer:PropertyOutside]");
}

// --- States -------------------------------------------------------------------------------------

struct CountingLayer : Layer {
  State count{*this, "Count", Zeros({1})};
  Property<double> step{*this, "Step", 1};
  Property<double> unknown{*this, "Unknown", NAN};
  bool spoil = false;
  std::pair<DlArray, DlArray> Predict(const DlArray& x) const {
    const DlArray next = count + step;
    return {x * next, next};
  }
  void ResetState() {
    count = Zeros({1});
    if (spoil) step = 0.5;
  }
};

TEST(AnyLayerTest, StatesAreReturnedNotChanged) {
  AnyLayer layer = CountingLayer();
  EXPECT_EQ(layer.NumStateArrays(), 1);
  const DlArray x = Ramp({2}, "C");
  LayerResult r = layer.Predict({x});
  EXPECT_EQ(r.states[0].At(0), 1);
  EXPECT_TRUE(IsEqual(layer.Predict({x}).outputs[0], r.outputs[0]));
  layer.SetStates(r.states);
  r = layer.Forward({x});
  EXPECT_EQ(r.states[0].At(0), 2);
  layer.ResetState();
  EXPECT_EQ(layer.As<CountingLayer>()->count.At(0), 0);
  EXPECT_EQ(MessageOf([&] { layer.SetStates({}); }),
            "CountingLayer has 1 state array. 0 came. Give the states of a LayerResult. "
            "[layer:StateCount]");
}

TEST(AnyLayerTest, ResetStateChangesNothingElse) {
  CountingLayer spoilt;
  spoilt.spoil = true;
  spoilt.count = Ones({1});
  AnyLayer layer = spoilt;
  EXPECT_EQ(MessageOf([&] { layer.ResetState(); }),
            "CountingLayer: ResetState sets learnables and states only. It changed \"Step\" from 1 "
            "to 0.5. Leave the property alone, or make it a State. "
            "[layer:ResetStateChangedProperty]");
  EXPECT_EQ(layer.As<CountingLayer>()->step, 1);
  EXPECT_EQ(layer.As<CountingLayer>()->count.At(0), 1);
}

TEST(AnyLayerTest, AFailedResetStateChangesNothing) {
  struct Throws : Layer {
    State a{*this, "A", Ones({1})};
    std::pair<DlArray, DlArray> Predict(const DlArray& x) const { return {x, a}; }
    void ResetState() {
      a = Zeros({1});
      throw Error("own:Reason", "It cannot be.", "", "");
    }
  };
  AnyLayer layer = Throws();
  EXPECT_EQ(MessageOf([&] { layer.ResetState(); }),
            "Throws, ResetState: It cannot be. [own:Reason]");
  EXPECT_EQ(layer.As<Throws>()->a.At(0), 1);
}

}  // namespace
}  // namespace lamina
