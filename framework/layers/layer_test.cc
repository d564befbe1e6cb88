#include "framework/layers/layer.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "framework/dlarray/testing/thrown_error.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

enum class Mode { kFast, kExact };

struct EverythingLayer : Layer {
  Learnable weights{*this, "Weights"};
  State memory{*this, "Memory", DlArray(3.0)};
  Property<bool> flag{*this, "Flag", true};
  Property<int64_t> count{*this, "Count", 4};
  Property<int> small{*this, "Small", -1};
  Property<double> rate{*this, "Rate", 0.5};
  Property<std::string> word{*this, "Word", "abc"};
  Property<Sizes> sizes{*this, "Sizes", {1, 2}};
  Property<std::vector<double>> numbers{*this, "Numbers", {0.5, 1}};
  Property<Mode> mode{*this, "Mode", Mode::kExact};
  Learnable bias{*this, "Bias"};
};

const PropertyDescriptor& Descriptor(const Layer& layer, std::string_view name) {
  for (const PropertyDescriptor& p : layer.Properties()) {
    if (p.name == name) return p;
  }
  ADD_FAILURE() << "no property " << name;
  return layer.Properties()[0];
}

TEST(LayerTest, PropertiesAreListedAsTheyAreNamed) {
  const EverythingLayer layer;
  std::string list;
  for (const PropertyDescriptor& p : layer.Properties()) {
    list += p.name + ":" + std::string(ToString(p.kind)) + " ";
  }
  EXPECT_EQ(list,
            "Weights:Learnable Memory:State Flag:Property Count:Property Small:Property "
            "Rate:Property Word:Property Sizes:Property Numbers:Property Mode:Property "
            "Bias:Learnable ");
}

TEST(LayerTest, ValuesAreReadAndPrinted) {
  const EverythingLayer layer;
  const auto text = [&](std::string_view name) {
    return ToString(layer.GetProperty(Descriptor(layer, name)));
  };
  EXPECT_EQ(text("Flag"), "true");
  EXPECT_EQ(text("Count"), "4");
  EXPECT_EQ(text("Small"), "-1");
  EXPECT_EQ(text("Rate"), "0.5");
  EXPECT_EQ(text("Word"), "\"abc\"");
  EXPECT_EQ(text("Sizes"), "[1 2]");
  EXPECT_EQ(text("Numbers"), "[0.5 1]");
  EXPECT_EQ(text("Mode"), "1");
  try {
    text("Weights");
    FAIL();
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(),
                 "GetProperty reads a plain property, a Property<T>. \"Weights\" is a Learnable. "
                 "Read its array by ArrayOf, a nested network by TreeOf. [layer:NoPlainValue]");
  }
}

TEST(LayerTest, ValuesAreSetWhenTheKindFits) {
  EverythingLayer layer;
  const auto set = [&](std::string_view name, const PropertyValue& value) {
    return layer.SetProperty(Descriptor(layer, name), value);
  };
  EXPECT_TRUE(set("Flag", false));
  EXPECT_TRUE(set("Count", int64_t{7}));
  EXPECT_TRUE(set("Small", int64_t{8}));
  EXPECT_TRUE(set("Rate", int64_t{2}));
  EXPECT_TRUE(set("Word", std::string("xyz")));
  EXPECT_TRUE(set("Sizes", std::vector<int64_t>{5}));
  EXPECT_TRUE(set("Numbers", std::vector<int64_t>{3, 4}));
  EXPECT_TRUE(set("Mode", int64_t{0}));
  EXPECT_FALSE(layer.flag);
  EXPECT_EQ(layer.count, 7);
  EXPECT_EQ(layer.small, 8);
  EXPECT_EQ(layer.rate, 2);
  EXPECT_EQ(layer.word, "xyz");
  EXPECT_EQ(layer.sizes, Sizes({5}));
  EXPECT_EQ(layer.numbers, std::vector<double>({3, 4}));
  EXPECT_EQ(layer.mode.get(), Mode::kFast);

  EXPECT_FALSE(set("Flag", int64_t{1}));
  EXPECT_FALSE(set("Count", 1.5));
  EXPECT_FALSE(set("Rate", std::string("1")));
  EXPECT_FALSE(set("Word", 1.0));
  EXPECT_FALSE(set("Sizes", std::vector<double>{1}));
  EXPECT_FALSE(set("Numbers", std::string("1")));
  EXPECT_FALSE(set("Weights", 1.0));
  EXPECT_EQ(layer.count, 7);
}

TEST(LayerTest, PropertiesAreUsedAsTheirValues) {
  EverythingLayer layer;
  const DlArray x = DlArray::FromVector<float>({1, 2}, {2});
  EXPECT_EQ((layer.rate * x).ToVector<float>(), std::vector<float>({0.5f, 1}));
  EXPECT_EQ((layer.count - x).ToVector<float>(), std::vector<float>({3, 2}));
  EXPECT_EQ(1 - layer.rate, 0.5);
  EXPECT_EQ(layer.sizes[1], 2);
  EXPECT_TRUE(layer.word == "abc" && layer.flag && layer.count < 5);
  const std::string_view view = layer.word;
  EXPECT_EQ(view, "abc");
}

TEST(LayerTest, CopiesAreIndependent) {
  EverythingLayer a;
  a.weights = Ones({2});
  a.SetLearnRateFactor("Weights", 3);
  EverythingLayer b = a;
  b.weights = Zeros({2});
  b.rate = 0.25;
  b.SetName("b");
  b.SetLearnRateFactor("Weights", 4);
  EXPECT_EQ(a.weights.At(0), 1);
  EXPECT_EQ(a.rate, 0.5);
  EXPECT_EQ(a.Name(), "");
  EXPECT_EQ(a.LearnRateFactor("Weights"), 3);
  // Each copy's descriptors lead to its own members.
  EXPECT_EQ(a.ArrayOf(Descriptor(a, "Weights")), &a.weights);
  EXPECT_EQ(b.ArrayOf(Descriptor(b, "Weights")), &b.weights);
  a = b;
  EXPECT_EQ(a.weights.At(0), 0);
  EXPECT_EQ(a.ArrayOf(Descriptor(a, "Weights")), &a.weights);
  b.weights = Ones({2});
  EXPECT_EQ(a.weights.At(0), 0);
}

TEST(LayerTest, ParametersAreVisitedInOrder) {
  EverythingLayer layer;
  std::string seen;
  layer.VisitParameters("block", [&](const ParameterRef& p) {
    seen += p.layer + "/" + p.parameter + (p.learn_rate_factor == nullptr ? " " : "* ");
  });
  EXPECT_EQ(seen, "block/Weights* block/Memory block/Bias* ");
  int learnables = 0, states = 0;
  layer.ForEachLearnable(
      [&](DlArray& x) { learnables += &x == &layer.weights || &x == &layer.bias; });
  layer.ForEachState([&](DlArray& x) { states += &x == &layer.memory; });
  EXPECT_EQ(learnables, 2);
  EXPECT_EQ(states, 1);
}

TEST(LayerTest, FactorsAreOneUnlessSet) {
  EverythingLayer layer;
  EXPECT_EQ(layer.LearnRateFactor("Bias"), 1);
  EXPECT_EQ(layer.L2Factor("Bias"), 1);
  layer.SetLearnRateFactor("Bias", 0);
  layer.SetL2Factor("Bias", 2.5);
  EXPECT_EQ(layer.LearnRateFactor("Bias"), 0);
  EXPECT_EQ(layer.L2Factor("Bias"), 2.5);
  EXPECT_EQ(layer.LearnRateFactor("Weights"), 1);
}

TEST(LayerTest, WrongFactorsAreRefused) {
  EverythingLayer layer;
  layer.SetName("all");
  layer.SetType("EverythingLayer");
  const std::string no_such =
      "Layer \"all\" (EverythingLayer) was asked for its learnable \"Wights\". It has [Weights, "
      "Bias]. [layer:NoSuchParameter]";
  EXPECT_EQ(MessageOf([&] { layer.SetLearnRateFactor("Wights", 1); }), no_such);
  EXPECT_EQ(MessageOf([&] { layer.SetL2Factor("Wights", 1); }), no_such);
  EXPECT_EQ(MessageOf([&] { layer.LearnRateFactor("Wights"); }), no_such);
  EXPECT_EQ(MessageOf([&] { layer.L2Factor("Wights"); }), no_such);
  EXPECT_EQ(MessageOf([&] { layer.L2Factor("Memory"); }),
            "Layer \"all\" (EverythingLayer) was asked for its learnable \"Memory\". It has "
            "[Weights, Bias]. [layer:NoSuchParameter]");
  EXPECT_EQ(MessageOf([&] { layer.SetLearnRateFactor("Bias", -1); }),
            "A factor is a finite number, 0 or more. -1 came. [layer:InvalidFactor]");
  EXPECT_EQ(MessageOf([&] { layer.SetL2Factor("Bias", NAN); }),
            "A factor is a finite number, 0 or more. nan came. [layer:InvalidFactor]");
  EXPECT_EQ(MessageOf([&] { layer.SetL2Factor("Bias", INFINITY); }),
            "A factor is a finite number, 0 or more. inf came. [layer:InvalidFactor]");
  EXPECT_EQ(layer.L2Factor("Bias"), 1);
}

TEST(LayerTest, NumbersAndNamesFollowEachOther) {
  struct Ports : Layer {};
  Ports layer;
  EXPECT_EQ(layer.InputNames(), std::vector<std::string>({"in"}));
  EXPECT_EQ(layer.OutputNames(), std::vector<std::string>({"out"}));
  layer.SetNumInputs(3);
  layer.SetNumOutputs(2);
  EXPECT_EQ(layer.NumInputs(), 3);
  EXPECT_EQ(layer.InputNames(), std::vector<std::string>({"in1", "in2", "in3"}));
  EXPECT_EQ(layer.OutputNames(), std::vector<std::string>({"out1", "out2"}));
  layer.SetInputNames({"query", "key"});
  EXPECT_EQ(layer.NumInputs(), 2);
  layer.SetNumInputs(1);
  EXPECT_EQ(layer.InputNames(), std::vector<std::string>({"in"}));
  EXPECT_EQ(MessageOf([&] { layer.SetNumInputs(0); }),
            "A layer has one input and one output at least. 0 came. [layer:InvalidCount]");
  EXPECT_EQ(MessageOf([&] { layer.SetOutputNames({}); }),
            "A layer has one input and one output at least. 0 came. [layer:InvalidCount]");
  EXPECT_EQ(MessageOf([&] {
              layer.SetInputNames({"a", "a"});
            }),
            "Names of inputs or outputs are different and not empty. [a, a] came. "
            "[layer:DuplicateName]");
  EXPECT_EQ(MessageOf([&] {
              layer.SetOutputNames({"a", ""});
            }),
            "Names of inputs or outputs are different and not empty. [a, ] came. "
            "[layer:DuplicateName]");
}

TEST(LayerTest, TwoPropertiesOfOneNameAreRefused) {
  struct Twice : Layer {
    Learnable a{*this, "Weights"};
    State b{*this, "Weights"};
  };
  EXPECT_EQ(MessageOf([] { Twice(); }),
            "Each property of a layer has a name of its own. \"Weights\" came twice. Rename one of "
            "them. [layer:DuplicateName]");
}

TEST(LayerTest, DescriptionIsTheTypeUnlessSet) {
  struct Plain : Layer {};
  Plain layer;
  layer.SetType("Plain");
  EXPECT_EQ(layer.Description(), "Plain");
  layer.SetDescription("A plain layer");
  EXPECT_EQ(layer.Description(), "A plain layer");
  EXPECT_EQ(Named(layer, "p").Name(), "p");
}

}  // namespace
}  // namespace lamina
