// The mathematics of the layer against its formula, written out for one number at a time.
#include "layers/srelu_codegen/srelu_codegen_layer.h"

#include <cmath>
#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

struct Unit {
  double left_slope, right_slope, left_threshold, right_threshold;
};

// y and its derivatives with respect to x, the two slopes and the two thresholds.
struct Expected {
  double y, dx, dleft_slope, dright_slope, dleft_threshold, dright_threshold;
};
Expected Formula(const Unit& u, double x) {
  if (x <= u.left_threshold) {
    return {u.left_threshold + u.left_slope * (x - u.left_threshold),
            u.left_slope,
            x - u.left_threshold,
            0,
            1 - u.left_slope,
            0};
  }
  if (x < u.right_threshold) return {x, 1, 0, 0, 0, 0};
  return {u.right_threshold + u.right_slope * (x - u.right_threshold),
          u.right_slope,
          0,
          x - u.right_threshold,
          0,
          1 - u.right_slope};
}

// Two channels; the second has its thresholds the wrong way round.
const Unit kUnits[] = {{0.25, 0.5, -0.5, 0.75}, {-2, 3, 0.5, -0.25}};
// 3(S) x 2(C) x 2(B): each piece of each channel, and the thresholds themselves.
const std::vector<double> kX = {-1, 0.25, 2, -0.75, 0, 0.5, -0.5, 0.75, 0.125, 1.5, 0.25, -3};

DlArray X() { return DlArray::FromVector<double>(kX, {3, 2, 2}, "SCB"); }

SReluCodegenLayer MakeLayer() {
  SReluCodegenLayer layer;
  const auto both = [](double Unit::*p) {
    return DlArray::FromVector<double>({kUnits[0].*p, kUnits[1].*p}, {1, 2});
  };
  layer.left_slope = both(&Unit::left_slope);
  layer.right_slope = both(&Unit::right_slope);
  layer.left_threshold = both(&Unit::left_threshold);
  layer.right_threshold = both(&Unit::right_threshold);
  return layer;
}

int ChannelOf(size_t i) { return static_cast<int>(i / 3 % 2); }

TEST(SReluCodegenLayerTest, FollowsTheFormula) {
  const DlArray y = AnyLayer(MakeLayer()).Predict({X()}).outputs[0];
  EXPECT_EQ(y.spec(), X().spec());
  for (size_t i = 0; i < kX.size(); ++i) {
    EXPECT_DOUBLE_EQ(y.At(i), Formula(kUnits[ChannelOf(i)], kX[i]).y) << "x = " << kX[i];
  }
}

TEST(SReluCodegenLayerTest, DerivativesFollowTheFormula) {
  const DlArray weights =
      DlArray::FromVector<double>({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {3, 2, 2}, "SCB");
  Tape tape;
  const ScopedTape listening(&tape);
  const DlArray x = tape.Watch(X());
  AnyLayer layer = MakeLayer();
  DlArrays variables = {x};
  layer->ForEachLearnable([&](DlArray& w) {
    w = tape.Watch(w);
    variables.push_back(w);
  });
  const DlArray loss = Sum(weights * layer.Forward({x}).outputs[0]);
  const DlArrays gradients = DlGradient(loss, variables);

  double sums[4][2] = {};
  for (size_t i = 0; i < kX.size(); ++i) {
    const int c = ChannelOf(i);
    const Expected e = Formula(kUnits[c], kX[i]);
    const double w = static_cast<double>(i + 1);
    EXPECT_DOUBLE_EQ(gradients[0].At(i), w * e.dx) << "x = " << kX[i];
    sums[0][c] += w * e.dleft_slope;
    sums[1][c] += w * e.dright_slope;
    sums[2][c] += w * e.dleft_threshold;
    sums[3][c] += w * e.dright_threshold;
  }
  for (int p = 0; p < 4; ++p) {
    for (int c = 0; c < 2; ++c) {
      EXPECT_DOUBLE_EQ(gradients[p + 1].At(c), sums[p][c]) << "learnable " << p << " channel " << c;
    }
  }
}

TEST(SReluCodegenLayerTest, HasOneParameterOfEachKindForEveryChannel) {
  for (const NetworkDataLayout& layout :
       {NetworkDataLayout({24, 24, 20, 128}, "SSCB"), NetworkDataLayout({20, 7}, "CB"),
        NetworkDataLayout({20, 3, 9}, "CBT")}) {
    AnyLayer layer = SReluCodegenLayer();
    EXPECT_FALSE(layer.IsInitialized());
    layer.Initialize({layout});
    layer->ForEachLearnable([&](DlArray& w) {
      EXPECT_EQ(w.numel(), 20) << layout;
      EXPECT_EQ(w.type(), DataType::kSingle);
    });
  }
}

TEST(SReluCodegenLayerTest, KeepsWhatIsSet) {
  AnyLayer layer = MakeLayer();
  layer.Initialize({NetworkDataLayout({3, 2, 2}, "SCB")});
  EXPECT_THAT(layer.As<SReluCodegenLayer>()->left_slope.ToVector<double>(),
              testing::ElementsAre(0.25, -2));
}

TEST(SReluCodegenLayerTest, DeclaresThatItIsGenerated) {
  EXPECT_TRUE(AnyLayer(SReluCodegenLayer()).traits().is_code_generatable);
}

TEST(SReluCodegenLayerTest, NeedsChannels) {
  AnyLayer layer = SReluCodegenLayer{};
  EXPECT_THROW(layer.Initialize({NetworkDataLayout({24, 128}, "SB")}), Error);
}

TEST(SReluCodegenLayerTest, HandsNanThrough) {
  AnyLayer layer = MakeLayer();
  const DlArray x =
      DlArray::FromVector<double>({std::numeric_limits<double>::quiet_NaN(), 0}, {1, 2}, "SC");
  EXPECT_TRUE(std::isnan(layer.Predict({x}).outputs[0].At(0)));
}

}  // namespace
}  // namespace lamina
