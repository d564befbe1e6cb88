#include "framework/trainnet/gradient_clipping.h"

#include <cmath>
#include <complex>
#include <limits>
#include <vector>

#include "framework/ops/testing/recorded_case.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

DlArray Vector(const std::vector<double>& v) {
  return DlArray::FromVector(v, {static_cast<int64_t>(v.size())});
}

TEST(GradientClippingTest, EachArrayByItsNorm) {
  DlArrays g{Vector({3, 4}), Vector({0.3, 0.4})};
  ClipGradients(g, 1, GradientThresholdMethod::kL2Norm);
  EXPECT_TRUE(Near(g[0], Vector({0.6, 0.8}), 1e-15));
  EXPECT_TRUE(Near(g[1], Vector({0.3, 0.4}), 0)) << "short ones stay as they are";
}

TEST(GradientClippingTest, AllByTheNormOfAll) {
  DlArrays g{Vector({2, 0}), Vector({0, 2, 1})};  // norm 3
  ClipGradients(g, 1.5, GradientThresholdMethod::kGlobalL2Norm);
  EXPECT_TRUE(Near(g[0], Vector({1, 0}), 1e-15));
  EXPECT_TRUE(Near(g[1], Vector({0, 1, 0.5}), 1e-15));
  ClipGradients(g, 1.5000001, GradientThresholdMethod::kGlobalL2Norm);
  EXPECT_TRUE(Near(g[1], Vector({0, 1, 0.5}), 1e-15));
}

TEST(GradientClippingTest, EachElementByItsSize) {
  DlArrays g{Vector({-3, 0.5, 2, NAN})};
  ClipGradients(g, 1, GradientThresholdMethod::kAbsoluteValue);
  EXPECT_TRUE(Near(g[0], Vector({-1, 0.5, 1, NAN}), 1e-15));
}

TEST(GradientClippingTest, ComplexNumbersKeepTheirAngle) {
  using Complex = std::complex<double>;
  DlArrays g{DlArray::FromVector<Complex>({{3, 4}, {0, 0.1}}, {2})};
  DlArrays by_norm = g;
  ClipGradients(g, 1, GradientThresholdMethod::kAbsoluteValue);
  EXPECT_NEAR(std::abs(g[0].ComplexAt(0) - Complex(0.6, 0.8)), 0, 1e-15);
  EXPECT_EQ(g[0].ComplexAt(1), Complex(0, 0.1));
  ClipGradients(by_norm, 1);
  EXPECT_NEAR(std::abs(by_norm[0].ComplexAt(0)), 5 / std::sqrt(25.01), 1e-15);
}

TEST(GradientClippingTest, SinglePrecisionDoesNotOverflow) {
  DlArrays g{DlArray::FromVector<float>({3e30f, 4e30f}, {2})};
  ClipGradients(g, 1);
  EXPECT_NEAR(g[0].At(0), 0.6, 1e-6);
  EXPECT_NEAR(g[0].At(1), 0.8, 1e-6);
}

TEST(GradientClippingTest, Thresholds) {
  DlArrays g{Vector({3, 4})};
  ClipGradients(g, kInf, GradientThresholdMethod::kGlobalL2Norm);
  EXPECT_TRUE(Near(g[0], Vector({3, 4}), 0));
  for (double threshold : {0.0, -1.0, double(NAN)}) {
    EXPECT_TRUE(Throws("trainnet:InvalidOption", [&] { ClipGradients(g, threshold); }));
  }
}

}  // namespace
}  // namespace lamina
