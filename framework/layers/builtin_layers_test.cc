// The built-in layers from outside: what each makes of sizes and labels, what it says of itself,
// what it refuses, and that its settings are all that is to be saved.
#include "framework/layers/builtin_layers.h"

#include <set>
#include <string>
#include <vector>

#include "framework/dlarray/testing/thrown_error.h"
#include "framework/layers/testing/builtin_layer_table.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

AnyLayer Initialized(AnyLayer layer, const DlArrays& inputs) {
  RandomSource source{.seed = 11};
  const ScopedRandomSource scope(source);
  std::vector<NetworkDataLayout> layouts;
  for (const DlArray& x : inputs) layouts.push_back(NetworkDataLayout::Of(x));
  layer.Initialize(layouts);
  return layer;
}

DlArray Data(const Sizes& sizes, std::string_view format) {
  RandomSource source{.seed = 5};
  const ScopedRandomSource scope(source);
  return Rand(sizes, DataType::kSingle, format) - 0.5;
}

TEST(BuiltinLayersTest, SizesAndLabels) {
  for (const BuiltinLayerRow& row : BuiltinLayerTable()) {
    SCOPED_TRACE(row.layer->Type() + " of " + ToString(row.sizes) + " " + row.format);
    const DlArrays x(static_cast<size_t>(row.num_inputs), Data(row.sizes, row.format));
    const AnyLayer layer = Initialized(row.layer, x);
    ASSERT_TRUE(layer.IsInitialized());
    const LayerResult predicted = layer.Predict(x), trained = layer.Forward(x);
    const std::string expected =
        std::string(row.expected) + (row.is_complex ? " complex" : "") + " single DlArray";
    EXPECT_EQ(ToString(predicted.outputs[0].spec()), expected);
    EXPECT_EQ(ToString(trained.outputs[0].spec()), expected);
    // Double in with single parameters gives single; without parameters it stays double.
    DlArrays doubles;
    for (const DlArray& array : x) doubles.push_back(Double(array));
    bool has_parameters = false;
    AnyLayer(layer)->VisitParameters("", [&](const ParameterRef&) { has_parameters = true; });
    EXPECT_EQ(ToReal(layer.Predict(doubles).outputs[0].type()),
              has_parameters ? DataType::kSingle : DataType::kDouble);
  }
}

TEST(BuiltinLayersTest, TheTableHasEveryLayer) {
  std::set<std::string> in_table;
  for (const BuiltinLayerRow& row : BuiltinLayerTable()) in_table.insert(row.layer->Type());
  const auto check = [&]<class... T>(LayerTypes<T...>) {
    for (const AnyLayer& layer : {AnyLayer(T())...}) {
      EXPECT_EQ(in_table.count(layer->Type()), 1u) << layer->Type();
      EXPECT_TRUE(layer.traits().is_formattable && layer.traits().is_acceleratable)
          << layer->Type();
    }
    EXPECT_EQ(in_table.size(), sizeof...(T));
  };
  check(BuiltinLayers());
}

TEST(BuiltinLayersTest, DeclareWhatIsOutOfTheOrdinary) {
  for (const BuiltinLayerRow& row : BuiltinLayerTable()) {
    const std::string& type = row.layer->Type();
    const LayerTraits& traits = row.layer.traits();
    EXPECT_EQ(traits.joins_observations, type == "BatchNormalizationLayer") << type;
    EXPECT_EQ(traits.draws_random_numbers, type == "DropoutLayer") << type;
    EXPECT_FALSE(traits.not_differentiable_at_points) << type;
  }
}

// What a file keeps of a layer is its settings, names and arrays: put into a layer made without
// arguments they make the same layer.
template <class T>
AnyLayer Remade(const AnyLayer& original) {
  AnyLayer made = T();
  Layer& from = const_cast<AnyLayer&>(original).layer();
  made->SetInputNames(from.InputNames());
  for (size_t i = 0; i < from.Properties().size(); ++i) {
    const PropertyDescriptor& p = from.Properties()[i];
    const PropertyDescriptor& q = made->Properties()[i];
    EXPECT_EQ(p.name, q.name);
    if (p.access->get != nullptr) {
      EXPECT_TRUE(made->SetProperty(q, from.GetProperty(p)));
    } else {
      *made->ArrayOf(q) = *from.ArrayOf(p);
      EXPECT_EQ(p.l2_factor, q.l2_factor);
    }
  }
  return made;
}

TEST(BuiltinLayersTest, SettingsAreAllThereIs) {
  const auto remake = []<class... T>(LayerTypes<T...>, const AnyLayer& layer) {
    AnyLayer made = IdentityLayer();
    ((layer.As<T>() != nullptr ? void(made = Remade<T>(layer)) : void()), ...);
    return made;
  };
  for (const BuiltinLayerRow& row : BuiltinLayerTable()) {
    SCOPED_TRACE(row.layer->Type() + " of " + ToString(row.sizes) + " " + row.format);
    const DlArrays x(static_cast<size_t>(row.num_inputs), Data(row.sizes, row.format));
    const AnyLayer layer = Initialized(row.layer, x), made = remake(BuiltinLayers(), layer);
    EXPECT_EQ(made->Type(), layer->Type());
    for (bool training : {false, true}) {
      Rng(3);
      const LayerResult a = training ? layer.Forward(x) : layer.Predict(x);
      Rng(3);
      const LayerResult b = training ? made.Forward(x) : made.Predict(x);
      EXPECT_TRUE(IsEqual(a.outputs[0], b.outputs[0]));
      ASSERT_EQ(a.states.size(), b.states.size());
      for (size_t i = 0; i < a.states.size(); ++i) EXPECT_TRUE(IsEqual(a.states[i], b.states[i]));
    }
  }
}

TEST(BuiltinLayersTest, DescribeThemselves) {
  const auto description = [](const AnyLayer& layer) { return layer->Description(); };
  EXPECT_EQ(description(ImageInputLayer({28, 28, 1})), "28x28x1 images");
  EXPECT_EQ(description(FeatureInputLayer(1)), "1 feature");
  EXPECT_EQ(description(SequenceInputLayer(12)), "Sequences of 12 features");
  EXPECT_EQ(description(InputLayer({3, kUnknown}, "CB")), "Data 3(C) x NaN(B)");
  EXPECT_EQ(description(FullyConnectedLayer(10)), "10 fully connected outputs");
  EXPECT_EQ(description(Convolution2dLayer({3, 3}, 16, {.padding = "same"})),
            "16 3x3 convolutions with stride [1 1] and padding \"same\"");
  EXPECT_EQ(description(Convolution2dLayer(5, 8,
                                           {.stride = {2},
                                            .dilation = {1, 2},
                                            .padding = Padding::BeginEnd({0, 1}, {2, 3}),
                                            .groups = 4})),
            "8 5x5 convolutions in 4 groups with stride [2 2], dilation factor [1 2], and padding "
            "[0 1 2 3]");
  EXPECT_EQ(description(Convolution1dLayer(3, 4, {.padding = "causal"})),
            "4 3 convolutions with stride [1] and padding \"causal\"");
  EXPECT_EQ(description(MaxPooling2dLayer(2, {.stride = {2}})),
            "2x2 max pooling with stride [2 2] and padding [0 0 0 0]");
  EXPECT_EQ(description(GlobalAveragePooling2dLayer()), "2-d global average pooling");
  EXPECT_EQ(description(DropoutLayer(0.25)), "25% dropout");
  EXPECT_EQ(description(LstmLayer(16, {.output_mode = "last"})),
            "LSTM with 16 hidden units, last step");
  EXPECT_EQ(description(AdditionLayer(3)), "Elementwise sum of 3 inputs");
  EXPECT_EQ(description(ConcatenationLayer('T', 2)), "Concatenation along T of 2 inputs");
  EXPECT_EQ(description(ReluLayer()), "ReluLayer");
}

TEST(BuiltinLayersTest, SettingsThatMakeNoSenseAreRefused) {
  const std::string end = " [layer:InvalidSetting]";
  EXPECT_EQ(MessageOf([] { FullyConnectedLayer(0); }),
            "FullyConnectedLayer: OutputSize is a whole number, 1 or more. 0 came." + end);
  EXPECT_EQ(MessageOf([] { Convolution2dLayer(3, 0); }),
            "Convolution2dLayer: NumFilters is a whole number, 1 or more. 0 came." + end);
  EXPECT_EQ(MessageOf([] { Convolution2dLayer(3, 8, {.stride = {-1}}); }),
            "Convolution2dLayer: Stride is one whole number for all dims or one for each of 2, 1 "
            "or more. [-1] came." +
                end);
  EXPECT_EQ(MessageOf([] {
              Convolution2dLayer({3, 3, 3}, 8);
            }),
            "Convolution2dLayer: FilterSize is one whole number for all dims or one for each of 2, "
            "1 or more. [3 3 3] came." +
                end);
  EXPECT_EQ(MessageOf([] { Convolution1dLayer(0, 8); }),
            "Convolution1dLayer: FilterSize is one whole number, 1 or more. [0] came." + end);
  EXPECT_EQ(MessageOf([] { Convolution2dLayer(3, 8, {.padding = "causal"}); }),
            "Convolution2dLayer: Padding is \"causal\" for one dim only. \"causal\" came." + end);
  EXPECT_EQ(MessageOf([] { Convolution2dLayer(3, 8, {.dilation = {0}}); }),
            "Convolution2dLayer: DilationFactor is one whole number for all dims or one for each "
            "of 2, 1 or more. [0] came." +
                end);
  EXPECT_EQ(MessageOf([] { Convolution2dLayer(3, 8, {.groups = 0}); }),
            "Convolution2dLayer: NumGroups is a whole number, 1 or more. 0 came." + end);
  EXPECT_EQ(MessageOf([] {
              Initialized(Convolution2dLayer(3, 8, {.groups = 3}), {Data({5, 5, 6, 1}, "SSCB")});
            }),
            "Convolution2dLayer, Initialize: Convolution2dLayer: NumGroups divides the channels "
            "and NumFilters. 3 groups came for 6 channels and 8 filters." +
                end);
  EXPECT_EQ(MessageOf([] { MaxPooling2dLayer(0); }),
            "MaxPooling2dLayer: PoolSize is one whole number for all dims or one for each of 2, 1 "
            "or more. [0] came." +
                end);
  EXPECT_EQ(MessageOf([] { MaxPooling1dLayer(2, {.padding = "causal"}); }),
            "MaxPooling1dLayer: PaddingMode is \"manual\" or \"same\". \"causal\" came." + end);
  EXPECT_EQ(MessageOf([] { DropoutLayer(1); }),
            "DropoutLayer: Probability is a number from 0 up to, but not, 1. 1 came." + end);
  EXPECT_EQ(MessageOf([] { DropoutLayer(-0.5); }),
            "DropoutLayer: Probability is a number from 0 up to, but not, 1. -0.5 came." + end);
  EXPECT_EQ(MessageOf([] { LeakyReluLayer(1.5); }),
            "LeakyReluLayer: Scale is a number from 0 up to, but not, 1. 1.5 came." + end);
  EXPECT_EQ(MessageOf([] { ClippedReluLayer(0); }),
            "ClippedReluLayer: Ceiling is a finite number above 0. 0 came." + end);
  EXPECT_EQ(MessageOf([] { EluLayer(-1); }),
            "EluLayer: Alpha is a finite number above 0. -1 came." + end);
  EXPECT_EQ(MessageOf([] { GeluLayer("sigmoid"); }),
            "GeluLayer: Approximation is \"none\" or \"tanh\". \"sigmoid\" came." + end);
  EXPECT_EQ(
      MessageOf([] { BatchNormalizationLayer({.mean_decay = 1.5}); }),
      "BatchNormalizationLayer: MeanDecay is a number from 0 up to, but not, 1. 1.5 came." + end);
  EXPECT_EQ(MessageOf([] { BatchNormalizationLayer({.epsilon = 0}); }),
            "BatchNormalizationLayer: Epsilon is a finite number above 0. 0 came." + end);
  EXPECT_EQ(MessageOf([] { LayerNormalizationLayer({.operation_dimension = "rows"}); }),
            "LayerNormalizationLayer: OperationDimension is \"auto\", \"channel-only\", "
            "\"spatial-channel\" or \"batch-excluded\". \"rows\" came." +
                end);
  EXPECT_EQ(MessageOf([] { GroupNormalizationLayer(0); }),
            "GroupNormalizationLayer: NumGroups is a whole number, 1 or more. 0 came." + end);
  EXPECT_EQ(MessageOf([] { LstmLayer(0); }),
            "LstmLayer: NumHiddenUnits is a whole number, 1 or more. 0 came." + end);
  EXPECT_EQ(MessageOf([] { LstmLayer(2, {.output_mode = "first"}); }),
            "LstmLayer: OutputMode is \"sequence\" or \"last\". \"first\" came." + end);
  EXPECT_EQ(MessageOf([] { AdditionLayer(0); }),
            "AdditionLayer: NumInputs is a whole number, 1 or more. 0 came." + end);
  EXPECT_EQ(MessageOf([] { ConcatenationLayer('X', 2); }),
            "ConcatenationLayer: Label is \"S\", \"C\", \"B\", \"T\" or \"U\". \"X\" came." + end);
  EXPECT_EQ(MessageOf([] { ConcatenationLayer(-1, 2); }),
            "ConcatenationLayer: Dim is a whole number, 0 or more. -1 came." + end);
  EXPECT_EQ(MessageOf([] { FeatureInputLayer(3, {.normalization = "unit"}); }),
            "FeatureInputLayer: Normalization is \"none\", \"zerocenter\", \"zscore\", "
            "\"rescale-zero-one\" or \"rescale-symmetric\". \"unit\" came." +
                end);
  EXPECT_EQ(MessageOf([] {
              ImageInputLayer({28, 28});
            }),
            "ImageInputLayer: InputSize is height, width and channels. [28 28] came." + end);
  EXPECT_EQ(
      MessageOf([] {
        Image3dInputLayer({28, 28, 3});
      }),
      "Image3dInputLayer: InputSize is height, width, depth and channels. [28 28 3] came." + end);
  EXPECT_EQ(MessageOf([] { FullyConnectedLayer(2, {.weights_initializer = "zero"}); }),
            "An initializer is \"glorot\", \"he\", \"orthogonal\", \"narrow-normal\", \"zeros\", "
            "\"ones\" or \"unit-forget-gate\". \"zero\" came. Use one of these, or set the "
            "parameter itself before the network is initialized. [layer:InvalidInitializer]");
}

TEST(BuiltinLayersTest, WrongInputsAreRefused) {
  const auto message = [](const AnyLayer& layer, const DlArray& x) {
    return MessageOf([&] { Initialized(layer, {x}).Predict({x}); });
  };
  const std::string end =
      " Look at the layer before this one, or at the labels of the data. [layer:InputFormat]";
  EXPECT_EQ(message(Convolution2dLayer(3, 4), Data({3, 8}, "CB")),
            "Convolution2dLayer, Initialize: Convolution2dLayer expects data with 2 S dims, such "
            "as \"SSCB\", or 1 and T, such as \"SCBT\". A 3(C) x 8(B) single DlArray came." +
                end);
  EXPECT_EQ(message(MaxPooling1dLayer(2), Data({3, 8}, "CB")),
            "MaxPooling1dLayer, Predict: MaxPooling1dLayer expects data with 1 S dim, such as "
            "\"SCB\", or none and T, such as \"CBT\". A 3(C) x 8(B) single DlArray came." +
                end);
  EXPECT_EQ(message(FlattenLayer(), Data({3, 8}, "CU")),
            "FlattenLayer, Predict: FlattenLayer expects data without U dims. A 3(C) x 8(U) single "
            "DlArray came." +
                end);
  EXPECT_EQ(message(ImageInputLayer({28, 28, 1}), Data({28, 28, 3, 2}, "SSCB")),
            "ImageInputLayer, Predict: ImageInputLayer expects 28(S) x 28(S) x 1(C) x NaN(B), NaN "
            "being any size. A 28(S) x 28(S) x 3(C) x 2(B) single DlArray came." +
                end);
  EXPECT_EQ(message(FeatureInputLayer(3), Data({3, 2, 4}, "CBT")),
            "FeatureInputLayer, Predict: FeatureInputLayer expects 3(C) x NaN(B), NaN being any "
            "size. A 3(C) x 2(B) x 4(T) single DlArray came." +
                end);
}

}  // namespace
}  // namespace lamina
