// Elements by positions of each line against loops over indices; gradients against numeric ones.
#include "framework/ops/gather_along.h"

#include <complex>
#include <string>

#include "framework/autodiff/testing/gradient_check.h"
#include "framework/dlarray/testing/thrown_error.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/shape.h"
#include "framework/ops/testing/indexing.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

// `count` positions below `n` along dim `d` of `sizes`: some twice, some not at all.
DlArray Positions(Sizes sizes, int d, int64_t count, int64_t n, DataType type = DataType::kInt64) {
  sizes[static_cast<size_t>(d)] = count;
  return ArrayOf(type, sizes, "", [n](const Sizes& at) {
    int64_t mixed = 5;
    for (const int64_t i : at) mixed = 7 * mixed + 3 * i;
    return static_cast<double>(mixed % n);
  });
}

TEST(GatherAlongTest, TakesFromEachLine) {
  for (const DataType type : kAllTypes) {
    const DlArray x = Numbered({4, 5, 3}, "SCB", type);
    for (int d = 0; d < 3; ++d) {
      for (const int64_t count : {0, 1, 7}) {
        const DlArray p = Positions(x.sizes(), d, count, x.size(d), DataType::kInt32);
        const DlArray y = GatherAlong(x, d, p);
        ASSERT_EQ(y.spec(), (ArraySpec{type, p.sizes(), "SCB"}));
        ForEachIndex(y.sizes(), [&](const Sizes& at) {
          Sizes from = at;
          from[d] = static_cast<int64_t>(ElementAt(p, at).real());
          EXPECT_EQ(ElementAt(y, at), ElementAt(x, from));
        });
      }
    }
  }
}

TEST(ScatterAddAlongTest, AddsInEachLine) {
  for (const DataType type : {DataType::kSingle, DataType::kComplexDouble}) {
    const DlArray x = Numbered({4, 5, 3}, "SCB", type);
    for (int d = 0; d < 3; ++d) {
      const DlArray p = Positions(x.sizes(), d, x.size(d), 6);
      const DlArray y = ScatterAddAlong(x, d, p, 6);
      Sizes sizes = x.sizes();
      sizes[d] = 6;
      ASSERT_EQ(y.spec(), (ArraySpec{type, sizes, "SCB"}));
      ForEachIndex(sizes, [&](const Sizes& at) {
        std::complex<double> sum = 0;
        for (Sizes from = at, i = {0}; i[0] < x.size(d); ++i[0]) {
          from[d] = i[0];
          if (ElementAt(p, from).real() == static_cast<double>(at[d])) sum += ElementAt(x, from);
        }
        EXPECT_EQ(ElementAt(y, at), sum);
      });
    }
  }
  EXPECT_EQ(ScatterAddAlong(Numbered({2, 0}, "CB"), 'B', Positions({2, 0}, 1, 0, 1), 3).sizes(),
            (Sizes{2, 3}));
  EXPECT_EQ(ScatterAddAlong(Numbered({2, 0}, "CB"), 'B', Positions({2, 0}, 1, 0, 1), 0).sizes(),
            (Sizes{2, 0}));
}

TEST(GatherAlongTest, GradientsOfBothOrders) {
  for (const DataType type : {DataType::kDouble, DataType::kComplexDouble}) {
    const DlArray x = RandomInput({3, 4, 2}, "CBT", -1, 1, 1, type);
    for (int d = 0; d < 3; ++d) {
      const DlArray p = Positions(x.sizes(), d, 5, x.size(d)),
                    q = Positions(x.sizes(), d, x.size(d), 6);
      EXPECT_TRUE(GradientsAgree(
          [&](const DlArrays& in) { return Square(GatherAlong(in[0], d, p)); }, {x}));
      EXPECT_TRUE(GradientsAgree(
          [&](const DlArrays& in) { return Square(ScatterAddAlong(in[0], d, q, 6)); }, {x}));
    }
  }
}

TEST(GatherAlongTest, Errors) {
  const DlArray x = Numbered({3, 2}, "CB"), p = DlArray::FromVector<int64_t>({0, 3}, {1, 2});
  EXPECT_EQ(MessageOf([&] { GatherAlong(x, 'C', p); }),
            "GatherAlong takes positions from 0 to 2. Index number 1 is 3. Positions count from 0. "
            "[dlarray:IndexOutOfRange]");
  EXPECT_EQ(MessageOf([&] { ScatterAddAlong(Slice(x, 'C', 0, 1), 'C', p, 3); }),
            "ScatterAddAlong takes positions from 0 to 2. Index number 1 is 3. Positions count "
            "from 0. [dlarray:IndexOutOfRange]");
  EXPECT_EQ(IdentifierOf([&] { GatherAlong(x, 'C', Cast(-p, DataType::kInt64)); }),
            "dlarray:IndexOutOfRange");
  EXPECT_EQ(MessageOf([&] { GatherAlong(x, 'B', p); }),
            "GatherAlong expects a position for each element of the result, with the sizes of x "
            "but along dim 1. A 3(C) x 2(B) single DlArray and positions in a 1 x 2 int64 DlArray "
            "came. Give each line positions of its own; Gather and ScatterAdd take the same for "
            "all lines. [dlarray:SizeMismatch]");
  EXPECT_EQ(MessageOf([&] { ScatterAddAlong(x, 'C', p, 3); }),
            "ScatterAddAlong expects a position for each element of x. A 3(C) x 2(B) single "
            "DlArray and positions in a 1 x 2 int64 DlArray came. Give each line positions of its "
            "own; Gather and ScatterAdd take the same for all lines. [dlarray:SizeMismatch]");
  EXPECT_EQ(IdentifierOf([&] { GatherAlong(x, 'C', Single(p)); }), "ops:UnsupportedType");
  EXPECT_EQ(IdentifierOf([&] { GatherAlong(x, 'C', DlArray(p, "CT")); }), "dlarray:FormatMismatch");
  EXPECT_EQ(IdentifierOf([&] { GatherAlong(StripDims(x), 0, DlArray(p, "CB")); }),
            "dlarray:FormatMismatch");
  EXPECT_EQ(IdentifierOf([&] { GatherAlong(x, 'C', Reshape(p, {2})); }), "dlarray:SizeMismatch");
  EXPECT_EQ(IdentifierOf([&] { GatherAlong(x, "CB", p); }), "dlarray:SeveralDims");
  EXPECT_EQ(IdentifierOf([&] { GatherAlong(x, -1, p); }), "dlarray:DimOutOfRange");
  EXPECT_EQ(IdentifierOf([&] { ScatterAddAlong(Slice(x, 'C', 0, 1), 'C', p, -1); }),
            "dlarray:InvalidSize");
  EXPECT_EQ(IdentifierOf([&] { ScatterAddAlong(Cast(p, DataType::kInt32), 0, p, 4); }),
            "ops:UnsupportedType");
}

}  // namespace
}  // namespace lamina
