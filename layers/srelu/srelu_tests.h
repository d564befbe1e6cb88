// What every layer that computes SReLU must do, against the formula, written out for one number at
// a time:
//
//   INSTANTIATE_TYPED_TEST_SUITE_P(MySReluLayer, SReluTest, MySReluLayer);
#ifndef LAYERS_SRELU_SRELU_TESTS_H_
#define LAYERS_SRELU_SRELU_TESTS_H_

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

#include "framework/lamina.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace lamina::srelu {

struct Unit {
  double left_slope, right_slope, left_threshold, right_threshold;
};

// y and its derivatives with respect to x, the two slopes and the two thresholds.
struct Expected {
  double y, dx, dleft_slope, dright_slope, dleft_threshold, dright_threshold;
};
inline Expected Formula(const Unit& u, double x) {
  const double l = x - u.left_threshold, r = x - u.right_threshold;
  if (l <= 0) {
    return {u.left_threshold + u.left_slope * l, u.left_slope, l, 0, 1 - u.left_slope, 0};
  }
  if (r < 0) return {x, 1, 0, 0, 0, 0};
  return {u.right_threshold + u.right_slope * r, u.right_slope, 0, r, 0, 1 - u.right_slope};
}

// Two channels; in the second the thresholds are crossed, so that pieces overlap.
inline const Unit kUnits[] = {{0.25, 0.5, -0.5, 0.75}, {-2, 3, 0.5, -0.25}};
// 3(S) x 2(C) x 2(B): each piece of each channel, the overlap, and the thresholds themselves.
inline const std::vector<double> kX = {-1,   0.25, 2,     -0.75, 0,    0.5,
                                       -0.5, 0.75, 0.125, 1.5,   0.25, -3};
inline size_t ChannelOf(size_t i) { return i / 3 % 2; }

inline DlArray X() { return DlArray::FromVector<double>(kX, {3, 2, 2}, "SCB"); }

template <class L>
L WithUnits() {
  L layer;
  const auto both = [](double Unit::*p) {
    return DlArray::FromVector<double>({kUnits[0].*p, kUnits[1].*p}, {1, 2});
  };
  layer.left_slope = both(&Unit::left_slope);
  layer.right_slope = both(&Unit::right_slope);
  layer.left_threshold = both(&Unit::left_threshold);
  layer.right_threshold = both(&Unit::right_threshold);
  return layer;
}

// Derivatives of the sum of (i + 1) y_i, with respect to x and each learnable, as training takes
// them.
inline DlArrays Gradients(AnyLayer layer) {
  const DlArray weights =
      DlArray::FromVector<double>({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {3, 2, 2}, "SCB");
  Tape tape;
  const ScopedTape listening(&tape);
  DlArrays variables = {tape.Watch(X())};
  layer->ForEachLearnable([&](DlArray& w) { variables.push_back(w = tape.Watch(w)); });
  const DlArray y = layer.Forward({variables[0]}).outputs[0];
  return DlGradient(Sum(weights * y), variables);
}

template <class L>
class SReluTest : public testing::Test {};
TYPED_TEST_SUITE_P(SReluTest);

TYPED_TEST_P(SReluTest, PredictAndForwardFollowTheFormula) {
  const AnyLayer layer = WithUnits<TypeParam>();
  for (const DlArray& y : {layer.Predict({X()}).outputs[0], layer.Forward({X()}).outputs[0]}) {
    EXPECT_EQ(y.spec(), X().spec());
    for (size_t i = 0; i < kX.size(); ++i) {
      EXPECT_DOUBLE_EQ(y.At(i), Formula(kUnits[ChannelOf(i)], kX[i]).y) << "x = " << kX[i];
    }
  }
}

TYPED_TEST_P(SReluTest, DerivativesFollowTheFormula) {
  const DlArrays gradients = Gradients(WithUnits<TypeParam>());
  double sums[4][2] = {};
  for (size_t i = 0; i < kX.size(); ++i) {
    const size_t c = ChannelOf(i);
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

TYPED_TEST_P(SReluTest, HasOneParameterOfEachKindForEveryChannel) {
  for (const NetworkDataLayout& layout :
       {NetworkDataLayout({24, 24, 20, 128}, "SSCB"), NetworkDataLayout({20, 7}, "CB"),
        NetworkDataLayout({20, 3, 9}, "CBT")}) {
    AnyLayer layer = TypeParam();
    EXPECT_FALSE(layer.IsInitialized());
    layer.Initialize({layout});
    layer->ForEachLearnable([&](DlArray& w) {
      EXPECT_EQ(w.sizes(), layout.Only('C')) << layout;
      EXPECT_EQ(w.numel(), 20) << layout;
      EXPECT_EQ(w.type(), DataType::kSingle);
    });
  }
}

TYPED_TEST_P(SReluTest, KeepsWhatIsSet) {
  AnyLayer layer = WithUnits<TypeParam>();
  layer.Initialize({NetworkDataLayout({3, 2, 2}, "SCB")});
  EXPECT_THAT(layer.As<TypeParam>()->left_slope.template ToVector<double>(),
              testing::ElementsAre(0.25, -2));
}

TYPED_TEST_P(SReluTest, NeedsChannels) {
  AnyLayer layer = TypeParam{};
  EXPECT_THROW(layer.Initialize({NetworkDataLayout({24, 128}, "SB")}), Error);
}

TYPED_TEST_P(SReluTest, HandsNanThrough) {
  const AnyLayer layer = WithUnits<TypeParam>();
  const DlArray x =
      DlArray::FromVector<double>({std::numeric_limits<double>::quiet_NaN(), 0}, {1, 2}, "SC");
  EXPECT_TRUE(std::isnan(layer.Predict({x}).outputs[0].At(0)));
}

REGISTER_TYPED_TEST_SUITE_P(SReluTest, PredictAndForwardFollowTheFormula,
                            DerivativesFollowTheFormula, HasOneParameterOfEachKindForEveryChannel,
                            KeepsWhatIsSet, NeedsChannels, HandsNanThrough);

}  // namespace lamina::srelu

#endif  // LAYERS_SRELU_SRELU_TESTS_H_
