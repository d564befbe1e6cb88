// What the exercise asks for. The solution passes the same test.

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "framework/cpu/allocator.h"
#include HEADER_UNDER_TEST

namespace lamina {
namespace {

TEST(ClipGradientTest, HandsItsInputOn) {
  const DlArray x = Randn({3, 4}, DataType::kSingle, "CB");
  EXPECT_TRUE(IsEqual(DifferentiableFunction(ClipGradient{0.5})(x), x));
}

TEST(ClipGradientTest, Step1CutsTheDerivative) {
  const std::vector<double> arriving = {-7, -0.5, 0, 0.25, 3};
  const DlArray weights = DlArray::FromVector<double>(arriving, {5}, "C");
  for (const double limit : {0.3, 1.0, 5.0}) {
    const DlArray gradient = DlFeval(
        [&](const DlArray& x) {
          return DlGradient(Sum(weights * DifferentiableFunction(ClipGradient{limit})(x)), x);
        },
        Ones({5}, DataType::kDouble, "C"));
    for (size_t i = 0; i < arriving.size(); ++i) {
      EXPECT_EQ(gradient.At(i), std::clamp(arriving[i], -limit, limit))
          << arriving[i] << " arrives, the limit is " << limit << ": Min and Max of arrays";
    }
  }
}

TEST(ClipGradientTest, Step2KeepsNothing) {
  const DlArray x = Rand({1 << 16}, DataType::kSingle, "C");
  const int64_t before = cpu::Stats().bytes_in_use;
  const int64_t kept = DlFeval(
      [&](const DlArray& v) {
        const DlArray y = Sum(
            DifferentiableFunction(ClipGradient())(DifferentiableFunction(ClipGradient())(2 * v)));
        return cpu::Stats().bytes_in_use - before;
      },
      x);
  EXPECT_LT(kept, 1 << 16) << "bytes are kept: which arguments of Backward are not Unused?";
}

}  // namespace
}  // namespace lamina
