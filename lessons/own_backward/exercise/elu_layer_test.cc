// What the exercise asks for. It compiles before there is a Backward. The solution passes the same
// test.

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "checks/check_layer.h"
#include "framework/cpu/allocator.h"
#include HEADER_UNDER_TEST

namespace lamina {
namespace {

TEST(OwnEluTest, Step1HasABackward) {
  EXPECT_TRUE(AnyLayer(OwnEluLayer()).traits().has_backward)
      << "DlArray Backward(Unused, const DlArray& y, const DlArray& dLdY, Unused) const";
}

TEST(OwnEluTest, Step2IsTheDerivative) {
  const std::vector<double> x = {-3, -1, -0.25, 0.5, 2};
  const DlArray gradient = DlFeval(
      [](const DlArray& v) {
        return DlGradient(Sum(3 * AnyLayer(OwnEluLayer()).Forward({v}).outputs[0]), v);
      },
      DlArray::FromVector(x, {5, 1}, "CB"));
  for (size_t i = 0; i < x.size(); ++i) {
    EXPECT_NEAR(gradient.At(i), 3 * (x[i] > 0 ? 1 : std::exp(x[i])), 1e-12)
        << "x = " << x[i] << "; is it multiplied by dLdY, which is 3 here?";
  }
}

TEST(OwnEluTest, Step3KeepsTheOutputAlone) {
  const AnyLayer layer = OwnEluLayer();
  ASSERT_TRUE(layer.traits().has_backward) << "first step 1";
  EXPECT_EQ(layer.traits().backward_used & 1, 0u) << "the input is not Unused";
  const DlArray x = Rand({1 << 16}, DataType::kSingle, "C");
  const int64_t before = cpu::Stats().bytes_in_use;
  const int64_t kept = DlFeval(
      [&](const DlArray& v) {
        const DlArray y = layer.Forward({v}).outputs[0];
        return cpu::Stats().bytes_in_use - before;
      },
      x);
  EXPECT_LT(kept, 5 << 16) << "bytes are kept beside the output; is there a memory?";
}

TEST(OwnEluTest, PassesCheckLayer) {
  const CheckReport report =
      CheckLayer(OwnEluLayer(), {NetworkDataLayout({2, 2, 3, 4}, "SSCB")}, {.quiet = true});
  EXPECT_TRUE(report.ok()) << report;
}

}  // namespace
}  // namespace lamina
