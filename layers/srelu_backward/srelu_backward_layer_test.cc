// The derivatives of SReLU against its formulas, written out for one number at a time, and against
// those that the tape takes of layers/srelu; what is kept for them.
#include "layers/srelu_backward/srelu_backward_layer.h"

#include <vector>

#include "framework/cpu/allocator.h"
#include "gtest/gtest.h"
#include "layers/srelu/srelu_layer.h"

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
  const double l = x - u.left_threshold, r = x - u.right_threshold;
  if (l <= 0) {
    return {u.left_threshold + u.left_slope * l, u.left_slope, l, 0, 1 - u.left_slope, 0};
  }
  if (r < 0) return {x, 1, 0, 0, 0, 0};
  return {u.right_threshold + u.right_slope * r, u.right_slope, 0, r, 0, 1 - u.right_slope};
}

// Two channels; in the second the thresholds are crossed, so that pieces overlap.
const Unit kUnits[] = {{0.25, 0.5, -0.5, 0.75}, {-2, 3, 0.5, -0.25}};
// 3(S) x 2(C) x 2(B): each piece of each channel, the overlap, and the thresholds themselves.
const std::vector<double> kX = {-1, 0.25, 2, -0.75, 0, 0.5, -0.5, 0.75, 0.125, 1.5, 0.25, -3};

DlArray X() { return DlArray::FromVector<double>(kX, {3, 2, 2}, "SCB"); }

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

// Derivatives of a weighted sum, with respect to x and each learnable, as training takes them.
DlArrays Gradients(AnyLayer layer) {
  const DlArray weights =
      DlArray::FromVector<double>({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {3, 2, 2}, "SCB");
  Tape tape;
  const ScopedTape listening(&tape);
  DlArrays variables = {tape.Watch(X())};
  layer->ForEachLearnable([&](DlArray& w) { variables.push_back(w = tape.Watch(w)); });
  const DlArray y = layer.Forward({variables[0]}).outputs[0];
  return DlGradient(Sum(weights * y), variables);
}

TEST(SReluBackwardLayerTest, PredictAndForwardFollowTheFormula) {
  const AnyLayer layer = WithUnits<SReluBackwardLayer>();
  for (const DlArray& y : {layer.Predict({X()}).outputs[0], layer.Forward({X()}).outputs[0]}) {
    EXPECT_EQ(y.spec(), X().spec());
    for (size_t i = 0; i < kX.size(); ++i) {
      EXPECT_DOUBLE_EQ(y.At(i), Formula(kUnits[i / 3 % 2], kX[i]).y) << "x = " << kX[i];
    }
  }
}

TEST(SReluBackwardLayerTest, DerivativesFollowTheFormula) {
  const DlArrays gradients = Gradients(WithUnits<SReluBackwardLayer>());
  double sums[4][2] = {};
  for (size_t i = 0; i < kX.size(); ++i) {
    const size_t c = i / 3 % 2;
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

TEST(SReluBackwardLayerTest, DerivativesAreThoseThatTheTapeTakes) {
  const DlArrays own = Gradients(WithUnits<SReluBackwardLayer>()),
                 automatic = Gradients(WithUnits<SReluLayer>());
  ASSERT_EQ(own.size(), automatic.size());
  for (size_t i = 0; i < own.size(); ++i) EXPECT_TRUE(IsEqual(own[i], automatic[i])) << i;
}

// Bytes that are kept for each element of the input, beside the input and the output themselves.
template <class L>
double BytesKept() {
  AnyLayer layer = L();
  const DlArray x = Rand({64, 64, 4, 8}, DataType::kSingle, "SSCB");
  layer.Initialize({NetworkDataLayout::Of(x)});
  const int64_t before = cpu::Stats().bytes_in_use;
  return DlFeval(
      [&](const DlArray& watched, const AnyLayer& l) {
        const DlArray y = l.Forward({watched}).outputs[0];
        const int64_t kept = cpu::Stats().bytes_in_use - before;
        return static_cast<double>(kept) / static_cast<double>(x.numel()) - 4;
      },
      x, layer);
}

TEST(SReluBackwardLayerTest, KeepsTwoLogicalValuesBesideTheInput) {
  EXPECT_NEAR(BytesKept<SReluBackwardLayer>(), 2, 0.1);
  EXPECT_GT(BytesKept<SReluLayer>(), 9);
}

TEST(SReluBackwardLayerTest, HasOneParameterOfEachKindForEveryChannel) {
  AnyLayer layer = SReluBackwardLayer();
  layer.Initialize({NetworkDataLayout({24, 24, 20, 128}, "SSCB")});
  layer->ForEachLearnable([](DlArray& w) { EXPECT_EQ(w.sizes(), Sizes({1, 1, 20})); });
}

}  // namespace
}  // namespace lamina
