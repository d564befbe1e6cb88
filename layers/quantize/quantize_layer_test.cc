// The staircase and its two derivatives against their formulas, written out for one number at a
// time; the derivative that goes straight through against the slope of the staircase's mean.
#include "layers/quantize/quantize_layer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace lamina {
namespace {

struct Expected {
  double y, dx, dstep;
};
Expected Formula(double x, double step, double highest) {
  const double v = x / step, level = std::round(std::clamp(v, 0.0, highest));
  if (v <= 0) return {0, 0, 0};
  if (v >= highest) return {step * highest, 0, highest};
  return {step * level, 1, level - v};
}

QuantizeLayer WithStep(int64_t bits, double step) {
  QuantizeLayer layer(bits);
  layer.step = DlArray::FromVector<double>({step}, {1});
  return layer;
}

// Below, in and above the range of 2 bits with a step of 0.5, near the edges of levels and at both
// ends of the range.
const std::vector<double> kX = {-3, -0.1, 0, 0.2, 0.26, 0.5, 0.7, 0.8, 1.1, 1.3, 1.5, 4};

DlArray X() { return DlArray::FromVector<double>(kX, {2, 2, 3}, "SCB"); }

// Derivatives of a weighted sum of the outputs, with respect to x and the step.
DlArrays Gradients(AnyLayer layer, const DlArray& x, const DlArray& weights) {
  Tape tape;
  const ScopedTape listening(&tape);
  DlArrays variables = {tape.Watch(x)};
  layer.ForEachLearnable([&](DlArray& w) { variables.push_back(w = tape.Watch(w)); });
  return DlGradient(Sum(weights * layer.Forward({variables[0]}).outputs[0]), variables);
}

TEST(QuantizeLayerTest, FollowsTheFormulas) {
  for (const int64_t bits : {1, 2, 3}) {
    const double highest = std::exp2(bits) - 1, step = 0.5;
    const AnyLayer layer = WithStep(bits, step);
    const DlArray weights =
        DlArray::FromVector<double>({1, -2, 3, 4, -5, 6, 7, 8, 9, -10, 11, 12}, {2, 2, 3}, "SCB");
    const DlArray y = layer.Predict({X()}).outputs[0];
    const DlArrays gradients = Gradients(layer, X(), weights);
    EXPECT_EQ(y.spec(), X().spec());
    double dstep = 0;
    for (size_t i = 0; i < kX.size(); ++i) {
      const Expected e = Formula(kX[i], step, highest);
      EXPECT_DOUBLE_EQ(y.At(i), e.y) << "x = " << kX[i] << ", " << bits << " bits";
      EXPECT_EQ(gradients[0].At(i), weights.At(i) * e.dx) << "x = " << kX[i];
      dstep += weights.At(i) * e.dstep;
    }
    EXPECT_NEAR(gradients[1].At(0), dstep, 1e-12) << bits << " bits";
  }
}

// Moved by all offsets within one step, the staircase's mean is a ramp: its slope is 1 inside the
// range and 0 outside, half a step away from the ends.
TEST(QuantizeLayerTest, TheDerivativeIsTheSlopeOfTheMeanStaircase) {
  constexpr double kStep = 0.5, kDistance = 0.05;
  constexpr int kOffsets = 2000;
  const AnyLayer layer = WithStep(2, kStep);
  const auto mean = [&](double x) {
    std::vector<double> moved(kOffsets);
    for (int i = 0; i < kOffsets; ++i) {
      moved[static_cast<size_t>(i)] = x + kStep * ((i + 0.5) / kOffsets - 0.5);
    }
    return Mean(layer.Predict({DlArray::FromVector(moved, {kOffsets}, "B")}).outputs[0]).Scalar();
  };
  for (const double x : {-1.0, -0.4, 0.4, 0.6, 0.75, 1.1, 2.0, 5.0}) {
    const double slope = (mean(x + kDistance) - mean(x - kDistance)) / (2 * kDistance);
    const DlArray one = DlArray::FromVector<double>({x}, {1}, "B");
    EXPECT_NEAR(Gradients(layer, one, OnesLike(one))[0].At(0), slope, 0.01) << "x = " << x;
  }
}

// A plain staircase has the derivative zero: what stands below it would not learn.
TEST(QuantizeLayerTest, AutomaticDerivativesOfAStaircaseAreZero) {
  const DlArray automatic = DlFeval(
      [](const DlArray& x) {
        return DlGradient(Sum(QuantizeFunction().Forward(x, DlArray(0.5))), x);
      },
      X());
  EXPECT_TRUE(IsEqual(automatic, ZerosLike(X())));
}

TEST(QuantizeLayerTest, ComputesWhatIsNeeded) {
  const DlArray step = DlArray::FromVector<double>({0.5}, {1});
  const bool only_x[] = {true, false}, only_step[] = {false, true};
  const auto backward = [&](std::span<const bool> needed) {
    return QuantizeFunction().Backward(X(), step, Unused(), OnesLike(X()), Unused(),
                                       NeededGradients(needed));
  };
  EXPECT_FALSE(backward(only_x)[0].empty());
  EXPECT_TRUE(backward(only_x)[1].empty());
  EXPECT_TRUE(backward(only_step)[0].empty());
  EXPECT_FALSE(backward(only_step)[1].empty());
}

TEST(QuantizeLayerTest, BeginsWithLevelsFrom0To2) {
  for (const int64_t bits : {1, 2, 4, 8}) {
    const QuantizeLayer layer(bits);
    EXPECT_NEAR(layer.step.At(0) * layer.HighestLevel(), 2, 1e-6);
  }
}

TEST(QuantizeLayerTest, RefusesOtherNumbersOfBits) {
  for (const int64_t bits : {0, 9}) {
    try {
      const QuantizeLayer layer(bits);
      ADD_FAILURE() << bits;
    } catch (const Error& e) {
      EXPECT_EQ(std::string(e.what()), "QuantizeLayer: Bits is a whole number from 1 to 8. " +
                                           std::to_string(bits) + " came. [layer:InvalidSetting]");
    }
  }
}

TEST(QuantizeLayerTest, HandsNanThrough) {
  const DlArray x =
      DlArray::FromVector<double>({std::numeric_limits<double>::quiet_NaN()}, {1}, "B");
  EXPECT_TRUE(std::isnan(AnyLayer(WithStep(2, 0.5)).Predict({x}).outputs[0].At(0)));
}

}  // namespace
}  // namespace lamina
