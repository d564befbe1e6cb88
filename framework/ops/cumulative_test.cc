// Scans against loops over indices, gradients against numeric ones, also at zeros.
#include "framework/ops/cumulative.h"

#include <cmath>
#include <complex>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "framework/autodiff/dlgradient.h"
#include "framework/autodiff/testing/gradient_check.h"
#include "framework/dlarray/testing/thrown_error.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "framework/ops/testing/indexing.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

using Complex128 = std::complex<double>;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr CumulativeOptions kReverse{.reverse = true};

using Scan = DlArray (*)(const DlArray&, const DimSet&, const CumulativeOptions&);
using Join = std::function<Complex128(Complex128, Complex128)>;

// y is x joined along each dim in turn, both ways.
void ExpectScanned(Scan scan, const DlArray& x, DataType type, const Join& join,
                   double tolerance = 0) {
  for (int d = 0; d < x.rank(); ++d) {
    for (const bool reverse : {false, true}) {
      const DlArray y = scan(x, d, {.reverse = reverse});
      SCOPED_TRACE(ToString(x.spec()) + " along dim " + std::to_string(d));
      ASSERT_EQ(y.spec(), (ArraySpec{type, x.sizes(), x.format()}));
      ForEachIndex(x.sizes(), [&](const Sizes& at) {
        Sizes from = at;
        from[d] = reverse ? x.size(d) - 1 : 0;
        Complex128 expected = ElementAt(x, from);
        while (from[d] != at[d]) {
          from[d] += reverse ? -1 : 1;
          expected = join(expected, ElementAt(x, from));
        }
        EXPECT_LE(std::abs(ElementAt(y, at) - expected), tolerance * (1 + std::abs(expected)));
      });
    }
  }
}

Complex128 Add(Complex128 a, Complex128 b) { return a + b; }
Complex128 Multiply(Complex128 a, Complex128 b) { return a * b; }
Complex128 Larger(Complex128 a, Complex128 b) { return b.real() > a.real() ? b : a; }
Complex128 Smaller(Complex128 a, Complex128 b) { return b.real() < a.real() ? b : a; }

TEST(CumulativeTest, OfEveryFloatingType) {
  for (const DataType type :
       {DataType::kSingle, DataType::kDouble, DataType::kComplexSingle, DataType::kComplexDouble}) {
    const double tolerance = ToReal(type) == DataType::kSingle ? 1e-7 : 1e-15;
    for (const char* format : {"SSCB", ""}) {
      const DlArray x = RandomInput({3, 9, 5, 2}, format, -1, 1, 1, type);
      ExpectScanned(CumSum, x, type, Add, 4 * tolerance);
      ExpectScanned(CumProd, x, type, Multiply, 4 * tolerance);
      if (IsComplex(type)) continue;
      ExpectScanned(CumMax, x, type, Larger);
      ExpectScanned(CumMin, x, type, Smaller);
    }
  }
}

TEST(CumulativeTest, OfCounts) {
  using enum DataType;
  for (const DataType type : {kLogical, kInt32, kInt64, kUint8}) {
    const DlArray x = Numbered({2, 3, 2}, "SCB", type);
    ExpectScanned(CumSum, x, type == kLogical ? kSingle : kInt64, Add);
    ExpectScanned(CumProd, x, type == kLogical ? kSingle : kInt64, Multiply);
    ExpectScanned(CumMax, x, type, Larger);
    ExpectScanned(CumMin, x, type, Smaller);
  }
}

TEST(CumulativeTest, SingleIsAddedInDouble) {
  const DlArray x = Full({1000}, 0.1F);
  EXPECT_EQ(CumSum(x, 0).At(999), static_cast<float>(1000 * static_cast<double>(0.1F)));
}

TEST(CumulativeTest, ExtremesPassOverNan) {
  const DlArray x = DlArray::FromVector<double>({kNan, 2, kNan, 1, 3, kNan}, {6});
  const std::vector<double> max = CumMax(x, 0).ToVector<double>();
  EXPECT_TRUE(std::isnan(max[0]));
  EXPECT_EQ(std::vector<double>(max.begin() + 1, max.end()), (std::vector<double>{2, 2, 2, 3, 3}));
  const std::vector<double> min = CumMin(x, 0, kReverse).ToVector<double>();
  EXPECT_TRUE(std::isnan(min[5]));
  EXPECT_EQ(std::vector<double>(min.begin(), min.end() - 1), (std::vector<double>{1, 1, 1, 1, 3}));
}

TEST(CumulativeTest, Recurrences) {
  const DlArray a = RandomInput({3, 4, 5}, "CBT"), b = RandomInput({3, 4, 5}, "CBT", -1, 1, 2);
  for (const bool reverse : {false, true}) {
    const DlArray y = LinearRecurrence(a, b, 'T', {.reverse = reverse});
    ASSERT_EQ(y.spec(), b.spec());
    for (int k = 0; k < 5; ++k) {
      const int t = reverse ? 4 - k : k;
      DlArray expected = Slice(b, 'T', t, 1);
      if (k > 0)
        expected = expected + Slice(a, 'T', t, 1) * Slice(y, 'T', reverse ? t + 1 : t - 1, 1);
      EXPECT_LT(MaxOver(Abs(Slice(y, 'T', t, 1) - expected)).Scalar(), 1e-15);
    }
  }
  // One factor for all, or one for each channel.
  EXPECT_TRUE(IsEqual(LinearRecurrence(0.5, b, 'T'), LinearRecurrence(FullLike(b, 0.5), b, 'T')));
  const DlArray of_c = Slice(Slice(a, 'B', 0, 1), 'T', 0, 1);
  EXPECT_TRUE(
      IsEqual(LinearRecurrence(of_c, b, 'T'), LinearRecurrence(of_c + ZerosLike(b), b, 'T')));
  EXPECT_EQ(LinearRecurrence(a, Single(b), 'T').type(), DataType::kSingle);
  EXPECT_EQ(LinearRecurrence(Cast(a, DataType::kComplexDouble), b, 'T').type(),
            DataType::kComplexDouble);
  EXPECT_EQ(LinearRecurrence(2, Numbered({3}, "T", DataType::kInt64), 'T').ToVector<double>(),
            (std::vector<double>{0, 1, 4}));
  // The first factor does not count.
  const DlArray special = DlArray::FromVector<double>({kNan, 2}, {2}), one = Ones({2});
  EXPECT_EQ(LinearRecurrence(special, Double(one), 0).ToVector<double>(),
            (std::vector<double>{1, 3}));
}

TEST(CumulativeTest, Differences) {
  const DlArray x = RandomInput({3, 5, 2}, "CBT");
  const DlArray d = Diff(x, 'B');
  ASSERT_EQ(d.spec(), (ArraySpec{DataType::kDouble, {3, 4, 2}, "CBT"}));
  // The sum of the first element and the differences is the array.
  EXPECT_LT(MaxOver(Abs(CumSum(Cat('B', {Slice(x, 'B', 0, 1), d}), 'B') - x)).Scalar(), 1e-14);
  EXPECT_TRUE(IsEqual(Diff(x, 'B', 2), Diff(d, 'B')));
  EXPECT_TRUE(IsEqual(Diff(x, 'B', 0), x));
  for (const int64_t order : {5, 6, 1'000'000'000}) {
    EXPECT_EQ(Diff(x, 'B', order).sizes(), (Sizes{3, 0, 2}));
  }
  EXPECT_EQ(Diff(DlArray::FromVector<uint8_t>({5, 3}, {2}), 0).ToVector<int64_t>(),
            (std::vector<int64_t>{-2}));
  EXPECT_EQ(Diff(DlArray::FromVector<int64_t>({0, int64_t{1} << 60}, {2}), 0).ToVector<int64_t>(),
            (std::vector<int64_t>{int64_t{1} << 60}));
  EXPECT_EQ(Diff(Numbered({2}, "", DataType::kLogical), 0).ToVector<float>(),
            (std::vector<float>{1}));
  EXPECT_EQ(IdentifierOf([&] { Diff(x, 'B', -1); }), "ops:InvalidOrder");
}

TEST(CumulativeTest, EmptyAndSingleElements) {
  for (const Scan scan : {CumSum, CumProd, CumMax, CumMin}) {
    for (const Sizes& sizes : {Sizes{0, 3}, Sizes{3, 0}, Sizes{1, 3}}) {
      const DlArray x = Numbered(sizes, "CB");
      for (const bool reverse : {false, true}) {
        EXPECT_TRUE(IsEqual(scan(x, 'C', {.reverse = reverse}), x));
        const auto gradient = [&](const DlArray& v) {
          return DlGradient(Sum(scan(v, 'C', {.reverse = reverse})), v);
        };
        EXPECT_TRUE(IsEqual(DlFeval(gradient, x), OnesLike(x)));
      }
    }
  }
  EXPECT_TRUE(IsEqual(LinearRecurrence(2, Numbered({0, 3}, "CB"), 'C'), Numbered({0, 3}, "CB")));
}

// --- Gradients.

TEST(CumulativeTest, GradientsOfBothOrders) {
  for (const DataType type : {DataType::kDouble, DataType::kComplexDouble}) {
    const DlArray x = RandomInput({2, 5, 3}, "CBT", -1, 1, 3, type),
                  b = RandomInput({2, 5, 3}, "CBT", -1, 1, 4, type);
    for (const bool reverse : {false, true}) {
      const CumulativeOptions options{.reverse = reverse};
      for (const char label : {'C', 'B', 'T'}) {
        EXPECT_TRUE(GradientsAgree(
            [&](const DlArrays& in) { return Square(CumSum(in[0], label, options)); }, {x}));
        EXPECT_TRUE(GradientsAgree(
            [&](const DlArrays& in) { return CumProd(in[0], label, options); }, {x}));
        EXPECT_TRUE(GradientsAgree(
            [&](const DlArrays& in) { return LinearRecurrence(in[0], in[1], label, options); },
            {x, b}));
        EXPECT_TRUE(
            GradientsAgree([&](const DlArrays& in) { return Diff(in[0] * in[0], label); }, {x}));
      }
    }
  }
  const DlArray factor = RandomInput({2}, "C"), b = RandomInput({2, 3}, "CT", -1, 1, 5);
  EXPECT_TRUE(GradientsAgree([](const DlArrays& in) { return LinearRecurrence(in[0], in[1], 'T'); },
                             {factor, b}));
}

// No, one, several zeros, and nothing else.
TEST(CumulativeTest, TheGradientOfProductsIsRightAtZeros) {
  const DlArray x = DlArray::FromVector<double>({0.5, 1.5, -2, 0.7,  //
                                                 0.5, 0, -2, 0.7,    //
                                                 0, 1.5, 0, 0.7,     //
                                                 0, 0, 0, 0},
                                                {4, 4}, "TB");
  for (const bool reverse : {false, true}) {
    EXPECT_TRUE(GradientsAgree(
        [&](const DlArrays& in) { return CumProd(in[0], 'T', {.reverse = reverse}); }, {x}));
  }
  const auto gradient = [](const DlArray& v) { return DlGradient(Sum(CumProd(v, 'T')), v); };
  // Of 0 1.5 0 0.7: 1 + 1.5 + 0 + 0, and nothing else.
  EXPECT_EQ(Slice(DlFeval(gradient, x), 'B', 2, 1).ToVector<double>(),
            (std::vector<double>{2.5, 0, 0, 0}));
}

TEST(CumulativeTest, TheFirstOfEqualExtremesHasTheDerivative) {
  const DlArray x = DlArray::FromVector<double>({1, 3, 3, kNan, 2, 4}, {6});
  const auto gradient = [](const DlArray& v) { return DlGradient(Sum(CumMax(v, 0)), v); };
  EXPECT_EQ(DlFeval(gradient, x).ToVector<double>(), (std::vector<double>{1, 4, 0, 0, 0, 1}));
  const auto reverse = [](const DlArray& v) { return DlGradient(Sum(CumMax(v, 0, kReverse)), v); };
  const DlArray y = DlArray::FromVector<double>({1, 3, 3, kNan}, {4});
  const std::vector<double> dy = DlFeval(reverse, y).ToVector<double>();
  EXPECT_EQ(std::vector<double>(dy.begin(), dy.begin() + 3), (std::vector<double>{0, 0, 3}));
}

TEST(CumulativeTest, Errors) {
  const DlArray x = Numbered({3, 2}, "CB"), z = Cast(x, DataType::kComplexSingle);
  for (const Scan scan : {CumSum, CumProd, CumMax, CumMin}) {
    EXPECT_EQ(IdentifierOf([&] { scan(x, 'T', {}); }), "dlarray:LabelNotFound");
    EXPECT_EQ(IdentifierOf([&] { scan(x, -1, {}); }), "dlarray:DimOutOfRange");
    EXPECT_EQ(IdentifierOf([&] { scan(x, 2, {}); }), "dlarray:DimOutOfRange");
    EXPECT_EQ(IdentifierOf([&] { scan(x, "CB", {}); }), "dlarray:SeveralDims");
    EXPECT_EQ(IdentifierOf([&] { scan(DlArray(1.0), 0, {}); }), "dlarray:DimOutOfRange");
  }
  EXPECT_EQ(MessageOf([&] { CumMax(z, 'C'); }),
            "cummax is not defined for complex single arrays. A 3(C) x 2(B) complex single DlArray "
            "came. Use Abs, Real or Imag first. [ops:UnsupportedType]");
  EXPECT_EQ(IdentifierOf([&] { CumMin(z, 'C'); }), "ops:UnsupportedType");
  EXPECT_EQ(IdentifierOf([&] {
              LinearRecurrence(x, Numbered({4, 2}, "CB"), 'C');
            }),
            "dlarray:SizeMismatch");
  EXPECT_EQ(IdentifierOf([&] { LinearRecurrence(x, x, 'T'); }), "dlarray:LabelNotFound");
}

}  // namespace
}  // namespace lamina
