#include "framework/layers/initializers.h"

#include <algorithm>
#include <cmath>

#include "framework/dlarray/testing/thrown_error.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/matmul.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

// 10^5 draws: a sample mean is off by chance at most 5 sigma / sqrt(n), a sample variance at most
// 5 sqrt(2 / n), relative, for normal numbers and less for uniform ones.
constexpr int64_t kRows = 250, kColumns = 400;
constexpr double kMeanBound = 5 / 316.0, kVarianceBound = 5 * 1.41421356 / 316.0;

void ExpectMoments(const DlArray& w, double variance) {
  EXPECT_EQ(w.type(), DataType::kSingle);
  EXPECT_NEAR(Mean(Double(w)).Scalar(), 0, kMeanBound * std::sqrt(variance));
  EXPECT_NEAR(Variance(Double(w)).Scalar(), variance, kVarianceBound * variance);
}

TEST(InitializersTest, RandomOnesHaveTheirVariance) {
  Rng(1);
  const DlArray glorot = GlorotUniform({kRows, kColumns}, kColumns, kRows);
  ExpectMoments(glorot, 2.0 / (kRows + kColumns));
  EXPECT_LE(MaxOver(Abs(glorot)).Scalar(), std::sqrt(6.0 / (kRows + kColumns)) * (1 + 1e-6));
  ExpectMoments(HeNormal({kRows, kColumns}, kColumns), 2.0 / kColumns);
  ExpectMoments(NarrowNormal({kRows, kColumns}), 1e-4);
}

TEST(InitializersTest, AreRepeatedByTheSeed) {
  Rng(7);
  const DlArray a = GlorotUniform({3, 4}, 4, 3), b = GlorotUniform({3, 4}, 4, 3);
  Rng(7);
  EXPECT_TRUE(IsEqual(a, GlorotUniform({3, 4}, 4, 3)));
  EXPECT_FALSE(IsEqual(a, b));
}

double DistanceToIdentity(const DlArray& product, int64_t n) {
  double worst = 0;
  for (int64_t i = 0; i < n * n; ++i) {
    worst = std::max(worst, std::abs(product.At(i) - (i % (n + 1) == 0 ? 1 : 0)));
  }
  return worst;
}

TEST(InitializersTest, OrthogonalColumnsOrRows) {
  Rng(2);
  const DlArray tall = Orthogonal({20, 5}), wide = Orthogonal({5, 20}), square = Orthogonal({7, 7});
  EXPECT_EQ(tall.sizes(), Sizes({20, 5}));
  EXPECT_LT(DistanceToIdentity(MatMul(tall, tall, true, false), 5), 1e-6);
  EXPECT_LT(DistanceToIdentity(MatMul(wide, wide, false, true), 5), 1e-6);
  EXPECT_LT(DistanceToIdentity(MatMul(square, square, true, false), 7), 1e-6);
  EXPECT_EQ(Orthogonal({3, 2, 4}).sizes(), Sizes({3, 2, 4}));
  EXPECT_TRUE(Orthogonal({0, 3}).empty());
  // All rotations are equally likely: entries have mean 0, not the sign of Householder's steps.
  double sum = 0;
  for (int i = 0; i < 1000; ++i) sum += Orthogonal({3, 3}).At(0);
  EXPECT_NEAR(sum / 1000, 0, 5 * std::sqrt(1 / 3.0 / 1000));
}

TEST(InitializersTest, UnitForgetGateIsOneInTheSecondQuarter) {
  EXPECT_TRUE(
      IsEqual(UnitForgetGate(2), DlArray::FromVector<float>({0, 0, 1, 1, 0, 0, 0, 0}, {8, 1})));
}

TEST(InitializersTest, ByName) {
  EXPECT_TRUE(IsEqual(InitialValue("zeros", {2, 3}, {3, 2}), Zeros({2, 3})));
  EXPECT_TRUE(IsEqual(InitialValue("ones", {2, 3}, {3, 2}), Ones({2, 3})));
  EXPECT_TRUE(IsEqual(InitialValue("unit-forget-gate", {8, 1}, {1, 1}), UnitForgetGate(2)));
  Rng(3);
  const DlArray glorot = InitialValue("glorot", {2, 3}, {3, 2}),
                he = InitialValue("he", {2, 3}, {3, 2}),
                orthogonal = InitialValue("orthogonal", {2, 3}, {3, 2}),
                narrow = InitialValue("narrow-normal", {2, 3}, {3, 2});
  Rng(3);
  EXPECT_TRUE(IsEqual(glorot, GlorotUniform({2, 3}, 3, 2)));
  EXPECT_TRUE(IsEqual(he, HeNormal({2, 3}, 3)));
  EXPECT_TRUE(IsEqual(orthogonal, Orthogonal({2, 3})));
  EXPECT_TRUE(IsEqual(narrow, NarrowNormal({2, 3})));
  EXPECT_EQ(MessageOf([] {
              InitialValue("xavier", {2, 3}, {3, 2});
            }),
            "An initializer is \"glorot\", \"he\", \"orthogonal\", \"narrow-normal\", \"zeros\", "
            "\"ones\" or \"unit-forget-gate\". \"xavier\" came. Use one of these, or set the "
            "parameter itself before the network is initialized. [layer:InvalidInitializer]");
  EXPECT_EQ(MessageOf([] {
              InitialValue("unit-forget-gate", {6, 1}, {1, 1});
            }),
            "\"unit-forget-gate\" is for the bias of an LSTM, four gates in one column. A "
            "parameter of sizes 6x1 came. Use \"zeros\" here. [layer:InvalidInitializer]");
}

}  // namespace
}  // namespace lamina
