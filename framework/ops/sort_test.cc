// Order along a dim against std::stable_sort on each line; gradients against numeric ones.
#include "framework/ops/sort.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "framework/autodiff/dlgradient.h"
#include "framework/autodiff/testing/gradient_check.h"
#include "framework/dlarray/testing/thrown_error.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/gather_along.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/testing/indexing.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// The elements of the line of x through `at` along dim d.
std::vector<double> LineOf(const DlArray& x, Sizes at, int d) {
  std::vector<double> line;
  for (at[d] = 0; at[d] < x.size(d); ++at[d]) line.push_back(ElementAt(x, at).real());
  return line;
}

// Elements that are equal now and then.
DlArray Values(DataType type, std::string_view format = "SCB") {
  return ArrayOf(type, {4, 9, 3}, format, [](const Sizes& at) {
    return static_cast<double>((at[0] * 5 + at[1] * 7 + at[2] * 11) % 6);
  });
}

TEST(SortTest, OfEveryRealType) {
  for (const DataType type : kAllTypes) {
    if (IsComplex(type)) continue;
    const DlArray x = Values(type);
    for (int d = 0; d < 3; ++d) {
      for (const bool descending : {false, true}) {
        const SortOptions options{.descending = descending};
        const DlArray y = Sort(x, d, options), order = ArgSort(x, d, options);
        ASSERT_EQ(y.spec(), x.spec());
        ASSERT_EQ(order.spec(), (ArraySpec{DataType::kInt64, x.sizes(), "SCB"}));
        EXPECT_TRUE(IsEqual(y, GatherAlong(x, d, order)));
        ForEachIndex(x.sizes(), [&](const Sizes& at) {
          const std::vector<double> line = LineOf(x, at, d);
          std::vector<double> expected(line.size());
          std::iota(expected.begin(), expected.end(), 0);
          std::stable_sort(expected.begin(), expected.end(), [&](double a, double b) {
            const double u = line[static_cast<size_t>(a)], v = line[static_cast<size_t>(b)];
            return descending ? u > v : u < v;
          });
          ASSERT_EQ(LineOf(order, at, d), expected);
        });
      }
    }
  }
}

TEST(SortTest, NanIsLastAndZerosAreEqual) {
  const DlArray x = DlArray::FromVector<double>({kNan, 0, -0.0, -INFINITY, -kNan, INFINITY}, {6});
  EXPECT_EQ(ArgSort(x, 0).ToVector<int64_t>(), (std::vector<int64_t>{3, 1, 2, 5, 0, 4}));
  EXPECT_EQ(ArgSort(x, 0, {.descending = true}).ToVector<int64_t>(),
            (std::vector<int64_t>{5, 1, 2, 3, 0, 4}));
  EXPECT_TRUE(std::signbit(Sort(x, 0).At(2)));
  EXPECT_TRUE(std::isnan(Sort(x, 0).At(4)));
  EXPECT_EQ(TopK(x, 0, 1).values.Scalar(), INFINITY);
}

TEST(SortTest, TheLargest) {
  const DlArray x = DlArray::FromVector<float>({3, 7, 7, 1, 5, 2}, {3, 2}, "CB");
  const TopKResult best = TopK(x, 'C', 2);
  EXPECT_TRUE(IsEqual(best.values, DlArray::FromVector<float>({7, 7, 5, 2}, {2, 2}, "CB")));
  EXPECT_TRUE(IsEqual(best.positions, DlArray::FromVector<int64_t>({1, 2, 1, 2}, {2, 2}, "CB")));
  EXPECT_TRUE(IsEqual(TopK(x, 'B', 2).values, Sort(x, 'B', {.descending = true})));
  EXPECT_EQ(TopK(x, 'C', 0).values.sizes(), (Sizes{0, 2}));
  EXPECT_TRUE(IsEqual(TopK(x, 'C', 1).positions, ArgMax(x, 'C')));
  EXPECT_EQ(MessageOf([&] { TopK(x, 'C', 4); }),
            "TopK takes 0 to 3 elements along dim 0 of a 3(C) x 2(B) single DlArray. k = 4 came. "
            "Give a k up to the size of the dim. [ops:InvalidCount]");
  EXPECT_EQ(IdentifierOf([&] { TopK(x, 'C', -1); }), "ops:InvalidCount");
}

TEST(SortTest, Medians) {
  const DlArray x = Values(DataType::kDouble);
  for (int d = 0; d < 3; ++d) {
    const DlArray y = Median(x, d);
    Sizes sizes = x.sizes();
    sizes[d] = 1;
    ASSERT_EQ(y.spec(), (ArraySpec{DataType::kDouble, sizes, "SCB"}));
    ForEachIndex(sizes, [&](const Sizes& at) {
      std::vector<double> line = LineOf(x, at, d);
      std::sort(line.begin(), line.end());
      const size_t n = line.size();
      EXPECT_EQ(ElementAt(y, at).real(), (line[n / 2] + line[(n - 1) / 2]) / 2);
    });
  }
  const auto of = [](const std::vector<double>& values) {
    return Median(DlArray::FromVector(values, {static_cast<int64_t>(values.size())}), 0).Scalar();
  };
  EXPECT_EQ(of({5}), 5);
  EXPECT_EQ(of({1.5e308, 1.6e308}), 1.55e308);
  EXPECT_EQ(of({INFINITY, 3, INFINITY}), INFINITY);
  EXPECT_TRUE(std::isnan(of({1, kNan, 2})));
  EXPECT_TRUE(std::isnan(of({})));
  EXPECT_EQ(Median(Numbered({0, 3}, "CB"), 'C').sizes(), (Sizes{1, 3}));
  EXPECT_EQ(Median(Numbered({3, 0}, "CB"), 'C').sizes(), (Sizes{1, 0}));
  EXPECT_EQ(Median(Numbered({4}, "", DataType::kUint8), 0).ToVector<float>(),
            (std::vector<float>{1.5}));
}

TEST(SortTest, EmptyAndSingleElements) {
  for (const Sizes& sizes : {Sizes{0, 3}, Sizes{3, 0}, Sizes{1, 3}}) {
    const DlArray x = Numbered(sizes, "CB");
    EXPECT_TRUE(IsEqual(Sort(x, 'C'), x));
    EXPECT_EQ(ArgSort(x, 'C').sizes(), sizes);
    const auto gradient = [](const DlArray& v) { return DlGradient(Sum(Sort(v, 'C')), v); };
    EXPECT_TRUE(IsEqual(DlFeval(gradient, x), OnesLike(x)));
  }
}

TEST(SortTest, GradientsOfBothOrders) {
  // No two elements are near each other.
  const DlArray x = ArrayOf(DataType::kDouble, {3, 4, 2}, "CBT", [](const Sizes& at) {
    return static_cast<double>((at[0] + 3 * at[1] + 12 * at[2]) * 7 % 25) / 25 - 0.5;
  });
  for (int d = 0; d < 3; ++d) {
    EXPECT_TRUE(GradientsAgree([&](const DlArrays& in) { return Square(Sort(in[0], d)); }, {x}));
    EXPECT_TRUE(
        GradientsAgree([&](const DlArrays& in) { return Square(TopK(in[0], d, 2).values); }, {x}));
    EXPECT_TRUE(GradientsAgree([&](const DlArrays& in) { return Square(Median(in[0], d)); }, {x}));
  }
}

TEST(SortTest, Errors) {
  const DlArray x = Numbered({3, 2}, "CB"), z = Cast(x, DataType::kComplexSingle);
  EXPECT_EQ(MessageOf([&] { Sort(z, 'C'); }),
            "Real numbers have an order, complex ones have none. A 3(C) x 2(B) complex single "
            "DlArray came. Use Abs, Real or Imag first. [ops:UnsupportedType]");
  EXPECT_EQ(IdentifierOf([&] { ArgSort(z, 'C'); }), "ops:UnsupportedType");
  EXPECT_EQ(IdentifierOf([&] { TopK(z, 'C', 1); }), "ops:UnsupportedType");
  EXPECT_EQ(IdentifierOf([&] { Median(z, 'C'); }), "ops:UnsupportedType");
  EXPECT_EQ(IdentifierOf([&] { Sort(x, 'T'); }), "dlarray:LabelNotFound");
  EXPECT_EQ(IdentifierOf([&] { ArgSort(x, -1); }), "dlarray:DimOutOfRange");
  EXPECT_EQ(IdentifierOf([&] { Median(x, "CB"); }), "dlarray:SeveralDims");
  EXPECT_EQ(IdentifierOf([&] { TopK(DlArray(1.0), 0, 1); }), "dlarray:DimOutOfRange");
}

}  // namespace
}  // namespace lamina
