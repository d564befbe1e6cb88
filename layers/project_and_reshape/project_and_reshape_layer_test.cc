// The mathematics of project-and-reshape against its formula, in plain loops.
#include "layers/project_and_reshape/project_and_reshape_layer.h"

#include <string>
#include <vector>

#include "framework/dlarray/testing/thrown_error.h"
#include "framework/network/network_file.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

constexpr int64_t kIn = 3, kHeight = 2, kWidth = 4, kChannels = 5, kN = 2;
constexpr int64_t kOut = kHeight * kWidth * kChannels;

// Numbers without order, exact in binary.
std::vector<double> Numbers(int64_t count, int64_t start) {
  std::vector<double> values;
  for (int64_t i = 0; i < count; ++i) values.push_back((37 * (i + start) % 64 - 31) / 16.0);
  return values;
}

struct Case {
  std::vector<double> x = Numbers(kIn * kN, 5), w = Numbers(kOut * kIn, 11), b = Numbers(kOut, 2);

  DlArray X() const { return DlArray::FromVector(x, {kIn, kN}, "CB"); }
  ProjectAndReshapeLayer Layer() const {
    ProjectAndReshapeLayer layer({kHeight, kWidth, kChannels});
    layer.weights = DlArray::FromVector(w, {kOut, kIn});
    layer.bias = DlArray::FromVector(b, {kOut, 1});
    return layer;
  }
};

// The number of the feature that becomes row i, column j of channel k.
int64_t Feature(int64_t i, int64_t j, int64_t k) { return i + kHeight * j + kHeight * kWidth * k; }

template <class F>
void ForEachPixel(F f) {
  for (int64_t n = 0; n < kN; ++n) {
    for (int64_t k = 0; k < kChannels; ++k) {
      for (int64_t j = 0; j < kWidth; ++j) {
        for (int64_t i = 0; i < kHeight; ++i) f(i, j, k, n);
      }
    }
  }
}

TEST(ProjectAndReshapeLayerTest, FollowsTheFormula) {
  const Case c;
  const DlArray y = AnyLayer(c.Layer()).Predict({c.X()}).outputs[0];
  ASSERT_EQ(ToString(y.spec()), "2(S) x 4(S) x 5(C) x 2(B) double DlArray");
  ForEachPixel([&](int64_t i, int64_t j, int64_t k, int64_t n) {
    const int64_t f = Feature(i, j, k);
    double sum = c.b[f];
    for (int64_t m = 0; m < kIn; ++m) sum += c.w[f + kOut * m] * c.x[m + kIn * n];
    const int64_t at = i + kHeight * (j + kWidth * (k + kChannels * n));
    EXPECT_DOUBLE_EQ(y.At(at), sum) << i << " " << j << " " << k << " " << n;
  });
}

TEST(ProjectAndReshapeLayerTest, DerivativesFollowTheFormula) {
  const Case c;
  const std::vector<double> g = Numbers(kOut * kN, 7);  // Of the loss with respect to y.
  const DlArrays came = DlFeval(
      [&](const AnyLayer& watched, const DlArray& x) {
        AnyLayer layer = watched;
        DlArrays variables = {x};
        layer.ForEachLearnable([&](DlArray& p) { variables.push_back(p); });
        const DlArray weights = DlArray::FromVector(g, {kHeight, kWidth, kChannels, kN}, "SSCB");
        return DlGradient(Sum(weights * layer.Forward({x}).outputs[0]), variables);
      },
      AnyLayer(c.Layer()), c.X());

  std::vector<double> dx(kIn * kN, 0), dw(kOut * kIn, 0), db(kOut, 0);
  ForEachPixel([&](int64_t i, int64_t j, int64_t k, int64_t n) {
    const int64_t f = Feature(i, j, k);
    const double d = g[i + kHeight * (j + kWidth * (k + kChannels * n))];
    db[f] += d;
    for (int64_t m = 0; m < kIn; ++m) {
      dx[m + kIn * n] += d * c.w[f + kOut * m];
      dw[f + kOut * m] += d * c.x[m + kIn * n];
    }
  });
  EXPECT_EQ(came[0].format().str(), "CB");
  // All are sums of few numbers with four binary places: exact.
  EXPECT_EQ(came[0].ToVector<double>(), dx);
  EXPECT_EQ(came[1].ToVector<double>(), dw);
  EXPECT_EQ(came[2].ToVector<double>(), db);
}

TEST(ProjectAndReshapeLayerTest, SizesComeFromTheChannels) {
  AnyLayer layer = ProjectAndReshapeLayer({4, 4, 64});
  EXPECT_FALSE(layer.IsInitialized());
  layer.Initialize({NetworkDataLayout({100, kUnknown}, "CB")});
  const auto* l = layer.As<ProjectAndReshapeLayer>();
  EXPECT_EQ(l->weights.sizes(), Sizes({1024, 100}));
  EXPECT_EQ(l->bias.sizes(), Sizes({1024, 1}));
  EXPECT_EQ(l->weights.type(), DataType::kSingle);
}

TEST(ProjectAndReshapeLayerTest, KeepsWhatIsSet) {
  const Case c;
  AnyLayer layer = c.Layer();
  layer.Initialize({NetworkDataLayout({kIn, kUnknown}, "CB")});
  EXPECT_EQ(layer.As<ProjectAndReshapeLayer>()->weights.ToVector<double>(), c.w);
  EXPECT_EQ(layer.As<ProjectAndReshapeLayer>()->bias.ToVector<double>(), c.b);
}

TEST(ProjectAndReshapeLayerTest, OutputSizeIsThreeNumbers) {
  const auto message_of = [](const Sizes& size) {
    return MessageOf([&] { ProjectAndReshapeLayer layer(size); });
  };
  const std::string expected =
      "ProjectAndReshapeLayer: OutputSize is height, width and channels, "
      "each 1 or more. It is ";
  const std::string fix =
      ". For example: ProjectAndReshapeLayer({4, 4, 64}). [layer:InvalidSetting]";
  EXPECT_EQ(message_of({}), expected + "empty" + fix);
  EXPECT_EQ(message_of({4, 4}), expected + "4x4" + fix);
  EXPECT_EQ(message_of({4, 4, 0}), expected + "4x4x0" + fix);
  EXPECT_EQ(message_of({4, 4, 1, 1}), expected + "4x4x1x1" + fix);
}

TEST(ProjectAndReshapeLayerTest, NeedsChannelsAndTakesNoTime) {
  AnyLayer layer = ProjectAndReshapeLayer({2, 2, 1});
  EXPECT_EQ(MessageOf([&] {
              layer.Initialize({NetworkDataLayout({3, 2}, "SB")});
            }),
            "ProjectAndReshapeLayer, Initialize: The size of dim 'C' was asked for. The "
            "layout is 3(S) x 2(B). Give the layer data with this label. "
            "[layout:LabelNotFound]");
  layer.Initialize({NetworkDataLayout({3, 2}, "CB")});
  const auto message_of = [&](const Sizes& sizes, const char* format) {
    return MessageOf([&] { layer.Predict({Zeros(sizes, DataType::kSingle, format)}); });
  };
  EXPECT_EQ(message_of({3, 2, 4}, "CBT"),
            "ProjectAndReshapeLayer, Predict: Reshape keeps the number of elements, here "
            "32. A 4(C) x 2(B) x 4(T) single DlArray and sizes [2 2 1 2] came. Give sizes "
            "with that product; one of them may be -1 if the others divide it. "
            "[dlarray:ElementCount]");
  EXPECT_EQ(message_of({4, 2}, "CB"),
            "ProjectAndReshapeLayer, Predict: FullyConnect expects unlabelled weights with "
            "a column for each of the 4 features of a 4(C) x 2(B) single DlArray. Weights "
            "of 4 x 3 single DlArray came. Make the weights [outputs x 4]. "
            "[dlarray:SizeMismatch]");
}

TEST(ProjectAndReshapeLayerTest, ComesBackFromAFile) {
  DlNetwork network({Named(ProjectAndReshapeLayer({2, 3, 4}), "project")});
  network.Initialize(NetworkDataLayout({5, kUnknown}, "CB"));
  const std::string path = testing::TempDir() + "/project_and_reshape.safetensors";
  ASSERT_TRUE(SaveNetwork(network, path).ok());
  const auto again = LoadNetwork<ProjectAndReshapeLayer>(path);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(IsEqual(network, *again));
}

}  // namespace
}  // namespace lamina
