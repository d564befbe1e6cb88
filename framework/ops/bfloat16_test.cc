#include "framework/ops/bfloat16.h"

#include <string>

#include "framework/autodiff/dlgradient.h"
#include "framework/dlarray/testing/thrown_error.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"
#include "framework/ops/testing/bfloat16_numbers.h"
#include "framework/ops/testing/indexing.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

TEST(Bfloat16Test, RoundsToTheNearestWithTiesToEven) {
  const DlArray x = NumbersAroundBfloat16(), y = RoundToBfloat16(x);
  EXPECT_TRUE(IsNearestBfloat16(x, y));
  EXPECT_TRUE(IsEqual(RoundToBfloat16(y), y));
  // What the comment of the header says.
  EXPECT_EQ(RoundToBfloat16(DlArray(1.00390625F)).Scalar(), 1);
  EXPECT_EQ(RoundToBfloat16(DlArray(1.01171875F)).Scalar(), 1.015625);
}

TEST(Bfloat16Test, DerivativeIsStraightThrough) {
  const DlArray x = Numbered({2, 3}, "CB") * 0.1, weights = Numbered({2, 3}, "CB");
  const DlArray dx = DlFeval(
      [&](const DlArray& v) { return DlGradient(Sum(weights * RoundToBfloat16(v)), v); }, x);
  EXPECT_TRUE(IsEqual(dx, weights));
  // Also of the second order: the derivative of the sum of y^2 is 2 y.
  const DlArray second = DlFeval(
      [](const DlArray& v) {
        const DlArray y = RoundToBfloat16(v);
        return DlGradient(Sum(DlGradient(Sum(y * y), v, {.enable_higher_derivatives = true})), v);
      },
      x);
  EXPECT_TRUE(IsEqual(second, 2 + 0 * x));
}

TEST(Bfloat16Test, IsForSingleAlone) {
  for (const DataType type : kAllTypes) {
    const auto call = [&] { RoundToBfloat16(Numbered({3}, "", type)); };
    EXPECT_EQ(IdentifierOf(call), type == DataType::kSingle ? "no error" : "ops:UnsupportedType");
  }
}

}  // namespace
}  // namespace lamina
