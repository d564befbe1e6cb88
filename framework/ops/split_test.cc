#include "framework/ops/split.h"

#include "framework/autodiff/testing/gradient_check.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/shape.h"
#include "framework/ops/testing/recorded_case.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

TEST(SplitTest, PartsStandOneAfterAnother) {
  const DlArray x = DlArray::FromVector<float>({1, 2, 3, 4, 5, 6, 7, 8}, {4, 2}, "CB");
  const DlArrays rows = Split(x, 'C', {1, 0, 3});
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_TRUE(IsEqual(rows[0], DlArray::FromVector<float>({1, 5}, {1, 2}, "CB")));
  EXPECT_EQ(rows[1].sizes(), (Sizes{0, 2}));
  EXPECT_TRUE(IsEqual(rows[2], DlArray::FromVector<float>({2, 3, 4, 6, 7, 8}, {3, 2}, "CB")));
  const DlArrays columns = Split(StripDims(x), 1, {1, 1});
  EXPECT_TRUE(IsEqual(columns[1], DlArray::FromVector<float>({5, 6, 7, 8}, {4, 1})));
  const DlArray indices = DlArray::FromVector<int64_t>({7, 8, 9}, {3});
  EXPECT_TRUE(IsEqual(Split(indices, 0, {1, 2})[1], DlArray::FromVector<int64_t>({8, 9}, {2})));
}

TEST(SplitTest, CatJoinsThemAgain) {
  const DlArray x = RandomInput({3, 5, 2}, "SCB");
  for (int dim = 0; dim < 3; ++dim) {
    const DlArrays parts = Split(x, dim, {1, x.size(dim) - 1});
    EXPECT_TRUE(IsEqual(Cat(dim, parts), x));
  }
}

TEST(SplitTest, FirstAndSecondDerivatives) {
  EXPECT_TRUE(GradientsAgree(
      [](const DlArrays& in) {
        const DlArrays parts = Split(in[0], 1, {2, 1, 2});
        return parts[0] * Sin(parts[2]) * parts[1];
      },
      {RandomInput({3, 5, 2}, "SCB")}));
  // A part that is not used.
  EXPECT_TRUE(GradientsAgree(
      [](const DlArrays& in) {
        return Exp(Split(in[0], 0, {1, 2})[1]);
      },
      {RandomInput({3, 2})}));
}

TEST(SplitTest, Errors) {
  const DlArray x = RandomInput({4, 2}, "CB");
  EXPECT_TRUE(Throws("dlarray:SizeMismatch", [&] { Split(x, 'C', {1, 2}); }));
  EXPECT_TRUE(Throws("dlarray:SizeMismatch", [&] { Split(x, 'C', {5, -1}); }));
  EXPECT_TRUE(Throws("dlarray:EmptyList", [&] { Split(x, 'C', {}); }));
  EXPECT_TRUE(Throws("dlarray:LabelNotFound", [&] { Split(x, 'T', {1}); }));
  EXPECT_TRUE(Throws("dlarray:DimOutOfRange", [&] { Split(x, 2, {1}); }));
}

}  // namespace
}  // namespace lamina
