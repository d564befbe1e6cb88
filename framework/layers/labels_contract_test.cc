// What a layer gets and what it may return: kinds of data by their labels, with and without
// Formattable, with and without a Backward of its own.
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "framework/layers/any_layer.h"
#include "framework/layers/testing/layer_gradients.h"
#include "framework/ops/creation.h"
#include "framework/ops/dims.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

struct Kind {
  Sizes sizes;
  const char* format;
};
// Images, volumes, sequences, sequences of images and of volumes, features.
const std::vector<Kind> kKinds = {
    {{3, 2, 4, 2}, "SSCB"},     {{3, 2, 2, 4, 2}, "SSSCB"},     {{4, 2, 3}, "CBT"},
    {{3, 2, 4, 2, 3}, "SSCBT"}, {{3, 2, 2, 4, 2, 3}, "SSSCBT"}, {{4, 2}, "CB"}};

std::string SpecOf(const AnyLayer& layer, const DlArray& x) {
  return ToString(layer.Predict({x}).outputs[0].spec());
}

// y = w x with a w for each channel; keeps what its Predict was called with.
struct ChannelScale : Layer {
  static inline std::string seen;
  Learnable w{*this, "W"};
  void Initialize(const NetworkDataLayout& layout) {
    if (w.empty()) w = Full(layout.Only('C'), 1.5);
  }
  DlArray Predict(const DlArray& x) const {
    seen = ToString(x.spec());
    return w * x;
  }
};
struct FormattableChannelScale : Layer, Formattable {
  Learnable w{*this, "W"};
  void Initialize(const NetworkDataLayout& layout) {
    if (w.empty()) w = DlArray(Full({layout.Size('C')}, 1.5), "C");
  }
  DlArray Predict(const DlArray& x) const {
    ChannelScale::seen = ToString(x.spec());
    return w * x;
  }
};

TEST(LabelsContractTest, EveryKindOfDataGoesThrough) {
  for (const Kind& kind : kKinds) {
    SCOPED_TRACE(kind.format);
    const DlArray x = RandomInput(kind.sizes, kind.format);
    for (AnyLayer layer : {AnyLayer(ChannelScale()), AnyLayer(FormattableChannelScale())}) {
      layer.Initialize({NetworkDataLayout::Of(x)});
      const DlArray single = Single(x);  // As the parameter.
      EXPECT_TRUE(IsEqual(layer.Predict({single}).outputs[0], 1.5 * single));
      const DlArray handed = layer.traits().is_formattable ? single : StripDims(single);
      EXPECT_EQ(ChannelScale::seen, ToString(handed.spec()));
      EXPECT_TRUE(LayerGradientsAgree(layer, {x}, {.second_derivatives = false}));
    }
  }
}

// With a Backward of its own each gets arrays in its own form: with labels or without.
struct OwnChannelScale : ChannelScale {
  std::array<DlArray, 2> Backward(const DlArray& x, Unused, const DlArray& dy, Unused) const {
    EXPECT_TRUE(x.format().empty() && dy.format().empty());
    return {w * dy, SumTo(x * dy, w.spec())};
  }
};
struct OwnFormattableChannelScale : FormattableChannelScale {
  std::array<DlArray, 2> Backward(const DlArray& x, Unused, const DlArray& dy, Unused) const {
    EXPECT_FALSE(x.format().empty() || dy.format().empty());
    return {w * dy, SumTo(x * dy, w.spec())};
  }
};

TEST(LabelsContractTest, BackwardGetsWhatForwardGot) {
  for (const Kind& kind : kKinds) {
    SCOPED_TRACE(kind.format);
    const DlArray x = RandomInput(kind.sizes, kind.format);
    for (AnyLayer layer : {AnyLayer(OwnChannelScale()), AnyLayer(OwnFormattableChannelScale())}) {
      layer.Initialize({NetworkDataLayout::Of(x)});
      EXPECT_TRUE(LayerGradientsAgree(layer, {x}, {.second_derivatives = false}));
    }
  }
}

// --- A Formattable layer may permute, add and drop dims ------------------------------------------

TEST(LabelsContractTest, DimsMayBeDropped) {
  struct MeanPixel : Layer, Formattable {
    DlArray Predict(const DlArray& x) const {
      return DlArray(Reshape(StripDims(Mean(x, "S")), {Size(x, 'C'), Size(x, 'B')}), "CB");
    }
  };
  const DlArray x = RandomInput({3, 2, 4, 2}, "SSCB");
  EXPECT_EQ(SpecOf(MeanPixel(), x), "4(C) x 2(B) double DlArray");
  EXPECT_TRUE(LayerGradientsAgree(MeanPixel(), {x}));
}

TEST(LabelsContractTest, DimsMayBeAdded) {
  struct Columns : Layer, Formattable {  // The columns of an image as steps of time.
    DlArray Predict(const DlArray& x) const {
      const DlArray raw = Permute(StripDims(x), {0, 2, 3, 1});  // height, channels, batch, width
      return DlArray(raw, "SCBT");
    }
  };
  const DlArray x = RandomInput({3, 5, 4, 2}, "SSCB");
  EXPECT_EQ(SpecOf(Columns(), x), "3(S) x 4(C) x 2(B) x 5(T) double DlArray");
  EXPECT_TRUE(LayerGradientsAgree(Columns(), {x}));
}

TEST(LabelsContractTest, DimsMayBePermuted) {
  struct Transposed : Layer, Formattable {
    DlArray Predict(const DlArray& x) const {
      return DlArray(Permute(StripDims(x), {1, 0, 2, 3}), "SSCB");
    }
  };
  const DlArray x = RandomInput({3, 5, 4, 2}, "SSCB");
  EXPECT_EQ(SpecOf(Transposed(), x), "5(S) x 3(S) x 4(C) x 2(B) double DlArray");
  EXPECT_TRUE(LayerGradientsAgree(Transposed(), {x}));
  // With a Backward of its own the derivative has the labels and sizes of the input.
  struct OwnTransposed : Transposed {
    DlArray Backward(Unused, Unused, const DlArray& dy, Unused) const { return Predict(dy); }
  };
  EXPECT_TRUE(LayerGradientsAgree(OwnTransposed(), {x}));
}

// --- Time ----------------------------------------------------------------------------------------

TEST(LabelsContractTest, OutputsHaveAnyLengthOrNoTime) {
  struct EverySecond : Layer, Formattable {
    DlArray Predict(const DlArray& x) const {
      DlArrays steps;
      for (int64_t t = 0; t < Size(x, 'T'); t += 2) steps.push_back(Slice(x, 'T', t, 1));
      return Cat('T', steps);
    }
  };
  struct Twice : Layer, Formattable {
    DlArray Predict(const DlArray& x) const { return Cat('T', {x, x}); }
  };
  struct Last : Layer, Formattable {
    DlArray Predict(const DlArray& x) const {
      const DlArray last = Slice(x, 'T', Size(x, 'T') - 1, 1);
      return DlArray(Reshape(StripDims(last), {Size(x, 'C'), Size(x, 'B')}), "CB");
    }
  };
  const DlArray x = RandomInput({4, 2, 5}, "CBT");
  EXPECT_EQ(SpecOf(EverySecond(), x), "4(C) x 2(B) x 3(T) double DlArray");
  EXPECT_EQ(SpecOf(Twice(), x), "4(C) x 2(B) x 10(T) double DlArray");
  EXPECT_EQ(SpecOf(Last(), x), "4(C) x 2(B) double DlArray");
  for (const AnyLayer& layer : {AnyLayer(EverySecond()), AnyLayer(Twice()), AnyLayer(Last())}) {
    EXPECT_TRUE(LayerGradientsAgree(layer, {x}));
  }
}

}  // namespace
}  // namespace lamina
