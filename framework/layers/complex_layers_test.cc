// The layers between complex and real data by hand, and what every built-in layer makes of complex
// data: a result, or an error that names the layer.
#include "framework/layers/complex_layers.h"

#include <cmath>
#include <complex>
#include <set>
#include <string>
#include <vector>

#include "framework/dlarray/testing/thrown_error.h"
#include "framework/layers/builtin_layers.h"
#include "framework/layers/testing/layer_gradients.h"
#include "framework/network/network.h"
#include "framework/ops/creation.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

using Number = std::complex<double>;
using testing::ElementsAre;

// 2(C) x 2(B)
const DlArray kZ = DlArray::FromVector<Number>({{1, -2}, {-3, 4}, {5, 6}, {-7, -8}}, {2, 2}, "CB");

DlArray Call(const AnyLayer& layer, const DlArray& x) { return layer.Predict({x}).outputs[0]; }

TEST(ComplexLayersTest, ComplexToRealPutsImaginaryPartsBehindRealOnes) {
  const DlArray y = Call(ComplexToRealLayer(), kZ);
  EXPECT_EQ(ToString(y.spec()), "4(C) x 2(B) double DlArray");
  EXPECT_THAT(y.ToVector<double>(), ElementsAre(1, -3, -2, 4, 5, -7, 6, -8));
  const DlArray real = Call(ComplexToRealLayer(), Real(kZ));
  EXPECT_THAT(real.ToVector<double>(), ElementsAre(1, -3, 0, 0, 5, -7, 0, 0));
}

TEST(ComplexLayersTest, RealToComplexBringsItBack) {
  EXPECT_TRUE(IsEqual(Call(RealToComplexLayer(), Call(ComplexToRealLayer(), kZ)), kZ));
}

TEST(ComplexLayersTest, ComplexReluCutsEachPart) {
  EXPECT_THAT(Call(ComplexReluLayer(), kZ).ToVector<Number>(),
              ElementsAre(Number(1, 0), Number(0, 4), Number(5, 6), Number(0, 0)));
  EXPECT_THAT(Call(ComplexReluLayer(), Real(kZ)).ToVector<double>(), ElementsAre(1, 0, 5, 0));
}

TEST(ComplexLayersTest, DerivativesAreTheNumericOnes) {
  const DlArray z = RandomInput({2, 3, 4}, "CBT", -1, 1, 1, DataType::kComplexDouble);
  const DlArray x = RandomInput({3, 4, 2}, "SCB");
  EXPECT_TRUE(LayerGradientsAgree(ComplexToRealLayer(), {z}));
  EXPECT_TRUE(LayerGradientsAgree(RealToComplexLayer(), {x}));
  EXPECT_TRUE(LayerGradientsAgree(ComplexReluLayer(), {z}));
}

TEST(ComplexLayersTest, RealToComplexRefuses) {
  EXPECT_EQ(MessageOf([] { Call(RealToComplexLayer(), kZ); }),
            "RealToComplexLayer, Predict: RealToComplexLayer expects real data with an even number "
            "of channels. A 2(C) x 2(B) complex double DlArray came. Look at the layer before this "
            "one, or at the labels of the data. [layer:InputFormat]");
  EXPECT_EQ(
      MessageOf([] {
        Call(RealToComplexLayer(), Randn({3, 2}, DataType::kSingle, "CB"));
      }),
      "RealToComplexLayer, Predict: RealToComplexLayer expects real data with an even number of "
      "channels. A 3(C) x 2(B) single DlArray came. Look at the layer before this one, or at the "
      "labels of the data. [layer:InputFormat]");
}

// Every built-in layer, with sizes that it takes.
struct Row {
  AnyLayer layer;
  bool takes_complex;
  Sizes sizes;
  const char* format;
  int num_inputs = 1;
};
std::vector<Row> Table() {
  const Sizes cb = {4, 3}, cbt = {4, 3, 5}, s1 = {6, 2, 3}, s2 = {6, 6, 2, 3}, s3 = {6, 6, 6, 2, 3};
  return {{FeatureInputLayer(4), true, cb, "CB"},
          {ImageInputLayer({6, 6, 2}), true, s2, "SSCB"},
          {Image3dInputLayer({6, 6, 6, 2}), true, s3, "SSSCB"},
          {SequenceInputLayer(4), true, cbt, "CBT"},
          {InputLayer({4, kUnknown}, "CB"), true, cb, "CB"},
          {FullyConnectedLayer(5), true, cb, "CB"},
          {Convolution1dLayer(3, 5), true, s1, "SCB"},
          {Convolution2dLayer(3, 5), true, s2, "SSCB"},
          {Convolution3dLayer(3, 5), true, s3, "SSSCB"},
          {ReluLayer(), false, cb, "CB"},
          {LeakyReluLayer(), false, cb, "CB"},
          {ClippedReluLayer(), false, cb, "CB"},
          {EluLayer(), false, cb, "CB"},
          {PReluLayer(), false, cb, "CB"},
          {GeluLayer(), false, cb, "CB"},
          {SoftplusLayer(), false, cb, "CB"},
          {SwishLayer(), false, cb, "CB"},
          {TanhLayer(), true, cb, "CB"},
          {SigmoidLayer(), true, cb, "CB"},
          {SoftmaxLayer(), false, cb, "CB"},
          {BatchNormalizationLayer(), false, s2, "SSCB"},
          {LayerNormalizationLayer(), false, s2, "SSCB"},
          {GroupNormalizationLayer(2), false, s2, "SSCB"},
          {InstanceNormalizationLayer(), false, s2, "SSCB"},
          {MaxPooling1dLayer(2), false, s1, "SCB"},
          {MaxPooling2dLayer(2), false, s2, "SSCB"},
          {MaxPooling3dLayer(2), false, s3, "SSSCB"},
          {AveragePooling1dLayer(2), false, s1, "SCB"},
          {AveragePooling2dLayer(2), false, s2, "SSCB"},
          {AveragePooling3dLayer(2), false, s3, "SSSCB"},
          {GlobalMaxPooling1dLayer(), false, s1, "SCB"},
          {GlobalMaxPooling2dLayer(), false, s2, "SSCB"},
          {GlobalMaxPooling3dLayer(), false, s3, "SSSCB"},
          {GlobalAveragePooling1dLayer(), false, s1, "SCB"},
          {GlobalAveragePooling2dLayer(), false, s2, "SSCB"},
          {GlobalAveragePooling3dLayer(), false, s3, "SSSCB"},
          {DropoutLayer(), true, cb, "CB"},
          {FlattenLayer(), true, s2, "SSCB"},
          {IdentityLayer(), true, cb, "CB"},
          {AdditionLayer(2), true, cb, "CB", 2},
          {MultiplicationLayer(2), true, cb, "CB", 2},
          {ConcatenationLayer('C', 2), true, cb, "CB", 2},
          {DepthConcatenationLayer(2), true, s2, "SSCB", 2},
          {LstmLayer(3), true, cbt, "CBT"},
          {ComplexToRealLayer(), true, cb, "CB"},
          {RealToComplexLayer(), false, cb, "CB"},
          {ComplexReluLayer(), true, cb, "CB"}};
}

template <class... T>
std::set<std::string> TypesOf(LayerTypes<T...>) {
  return {AnyLayer(T())->Type()...};
}

TEST(ComplexLayersTest, EveryLayerTakesComplexDataOrNamesItself) {
  std::set<std::string> missing = TypesOf(BuiltinLayers());
  for (const Row& row : Table()) {
    const std::string type = row.layer->Type();
    SCOPED_TRACE(type);
    missing.erase(type);
    const DlArray x = Complex(Randn(row.sizes, DataType::kSingle, row.format),
                              Randn(row.sizes, DataType::kSingle, row.format));
    AnyLayer layer = row.layer;
    layer->SetName("it");
    DlNetwork net({layer});
    net.Initialize(std::vector<NetworkDataLayout>(row.num_inputs, NetworkDataLayout::Of(x)));
    for (const bool training : {false, true}) {
      const std::string message = MessageOf([&] {
        const DlArrays in(row.num_inputs, x);
        const DlArray y = (training ? net.ForwardAll(in) : net.PredictAll(in)).outputs[0];
        EXPECT_EQ(IsComplex(y.type()), type != "ComplexToRealLayer");
        EXPECT_FALSE(std::isnan(std::abs(Sum(Abs(y)).ComplexAt(0))));
      });
      if (row.takes_complex) {
        EXPECT_EQ(message, "no error");
        continue;
      }
      EXPECT_THAT(message, testing::StartsWith("Layer \"it\" (" + type + ") got "));
      EXPECT_THAT(message, testing::HasSubstr(" complex single DlArray came."));
    }
  }
  EXPECT_THAT(missing, testing::IsEmpty()) << "give them a row in the table";
}

// A layer in the middle that makes complex numbers of real ones is met when the sizes are worked
// out, before any data comes.
TEST(ComplexLayersTest, ANetworkIsRefusedWhenItIsInitialized) {
  DlNetwork net({Named(InputLayer({4, kUnknown}, "CB"), "x"), Named(RealToComplexLayer(), "z"),
                 Named(ReluLayer(), "relu")});
  EXPECT_EQ(MessageOf([&] { net.Initialize(); }),
            "Layer \"relu\" (ReluLayer) got 2(C) x 64(B) complex single DlArray from layer \"z\" "
            "(RealToComplexLayer): layer \"relu\" (ReluLayer), Predict: relu is not defined for "
            "complex single arrays. A 2(C) x 64(B) complex single DlArray came. Use Real, Imag or "
            "Abs first. [ops:UnsupportedType]");
}

TEST(ComplexLayersTest, ARefusalTellsWhereItCameFromAndWhatToDo) {
  DlNetwork net({Named(InputLayer({4, kUnknown}, "CB"), "z"), Named(ReluLayer(), "relu")});
  net.Initialize();
  const DlArray z = Complex(Randn({4, 3}), Randn({4, 3}));
  EXPECT_EQ(MessageOf([&] { net.Predict(z); }),
            "Layer \"relu\" (ReluLayer) got 4(C) x 3(B) complex single DlArray from layer \"z\" "
            "(InputLayer): "
            "layer \"relu\" (ReluLayer), Predict: relu is not defined for complex single arrays. A "
            "4(C) x 3(B) complex single DlArray came. Use Real, Imag or Abs first. "
            "[ops:UnsupportedType]");
}

TEST(ComplexLayersTest, DropoutDropsWholeNumbers) {
  Rng(1);
  const DlArray y =
      AnyLayer(DropoutLayer(0.5))
          .Forward({DlArray(Full({200, 1}, Number(1, 2), DataType::kComplexSingle), "CB")})
          .outputs[0];
  int64_t kept = 0;
  for (int64_t i = 0; i < 200; ++i) {
    kept += y.ComplexAt(i) != 0.0;
    EXPECT_TRUE(y.ComplexAt(i) == 0.0 || y.ComplexAt(i) == Number(2, 4)) << y.ComplexAt(i);
  }
  EXPECT_NEAR(static_cast<double>(kept), 100, 35);  // five standard deviations
}

}  // namespace
}  // namespace lamina
