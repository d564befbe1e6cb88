// Sums, means and extremes against loops over indices; gradients against numeric ones.
#include "framework/ops/reduction.h"

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "framework/autodiff/dlgradient.h"
#include "framework/autodiff/testing/gradient_check.h"
#include "framework/dlarray/testing/thrown_error.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/testing/indexing.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

using Complex128 = std::complex<double>;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// --- Dims.

TEST(DimSetTest, NamesDims) {
  const ArraySpec x{DataType::kSingle, {4, 5, 3, 2}, Format("SSCB")};
  EXPECT_EQ(DimSet("S").Mask("Sum", x), 0b0011u);
  EXPECT_EQ(DimSet("SB").Mask("Sum", x), 0b1011u);
  EXPECT_EQ(DimSet("BT").Mask("Sum", x), 0b1000u);  // What it has of them.
  EXPECT_EQ(DimSet('C').Mask("Sum", x), 0b0100u);
  EXPECT_EQ(DimSet(3).Mask("Sum", x), 0b1000u);
  EXPECT_EQ(DimSet({0, 2}).Mask("Sum", x), 0b0101u);
  EXPECT_EQ(DimSet::All().Mask("Sum", x), 0b1111u);
  EXPECT_EQ(DimSet("C").Only("Slice", x), 2);
  EXPECT_EQ(DimSet(3).Only("Slice", x), 3);
}

TEST(DimSetTest, TellsDimsThatAreNotThere) {
  const ArraySpec x{DataType::kSingle, {3, 2}, Format("CB")}, y{DataType::kSingle, {3, 2}, {}};
  EXPECT_EQ(MessageOf([&] { DimSet("T").Mask("Sum", x); }),
            "Sum was asked for the dims labelled \"T\". A 3(C) x 2(B) single DlArray came. Name a "
            "label that the array has. [dlarray:LabelNotFound]");
  EXPECT_EQ(MessageOf([&] { DimSet("C").Mask("Sum", y); }),
            "Sum was asked for the dims labelled \"C\". A 3 x 2 single DlArray came. Label the "
            "array, or name dims by position. [dlarray:LabelNotFound]");
  EXPECT_EQ(MessageOf([&] { DimSet(2).Mask("Sum", x); }),
            "Sum was asked for dim 2; dims count from 0. A 3(C) x 2(B) single DlArray came. Name a "
            "dim below 2. [dlarray:DimOutOfRange]");
  EXPECT_EQ(IdentifierOf([&] { DimSet(-1).Mask("Sum", x); }), "dlarray:DimOutOfRange");
  EXPECT_EQ(IdentifierOf([&] { DimSet("X").Mask("Sum", x); }), "dlarray:InvalidLabel");
  EXPECT_EQ(IdentifierOf([&] { DimSet("CB").Only("Slice", x); }), "dlarray:SeveralDims");
  EXPECT_EQ(IdentifierOf([&] { DimSet({0, 1}).Only("Slice", x); }), "dlarray:SeveralDims");
}

// --- Values.

// The elements of x that fall together in element `i` of a result reduced over `mask`.
std::vector<Complex128> Group(const DlArray& x, uint32_t mask, const Sizes& i) {
  std::vector<Complex128> group;
  ForEachIndex(x.sizes(), [&](const Sizes& j) {
    bool in = true;
    for (int d = 0; d < x.rank(); ++d) in = in && ((mask >> d & 1) || i.empty() || j[d] == i[d]);
    if (in) group.push_back(ElementAt(x, j));
  });
  return group;
}

using Reduce = DlArray (*)(const DlArray&, const DimSet&);
using Value = std::function<Complex128(const std::vector<Complex128>&)>;

void ExpectReduced(const char* name, Reduce reduce, const DlArray& x, DataType type,
                   const Value& value, double tolerance = 0) {
  const std::pair<DimSet, uint32_t> kSets[] = {{DimSet("S"), 0b0011},
                                               {DimSet('C'), 0b0100},
                                               {DimSet("SB"), 0b1011},
                                               {DimSet({1, 3}), 0b1010},
                                               {DimSet::All(), 0b1111}};
  for (const auto& [dims, mask] : kSets) {
    const DlArray y = reduce(x, dims);
    SCOPED_TRACE(std::string(name) + " of a " + ToString(x.spec()) + " over " +
                 std::to_string(mask));
    EXPECT_EQ(y.type(), type);
    if (mask == 0b1111) {
      ASSERT_EQ(y.sizes(), Sizes{});
      EXPECT_EQ(Dims(y), "");
    } else {
      Sizes sizes = x.sizes();
      for (int d = 0; d < 4; ++d) {
        if (mask >> d & 1) sizes[d] = 1;
      }
      ASSERT_EQ(y.sizes(), sizes);
      EXPECT_EQ(Dims(y), Dims(x));
    }
    ForEachIndex(y.sizes(), [&, mask = mask](const Sizes& i) {
      const Complex128 a = ElementAt(y, i), e = value(Group(x, mask, i));
      EXPECT_LE(std::abs(a - e), tolerance * (1 + std::abs(e))) << a << " instead of " << e;
    });
  }
}

Complex128 SumOf(const std::vector<Complex128>& v) {
  Complex128 sum = 0;
  for (Complex128 x : v) sum += x;
  return sum;
}
Complex128 ProdOf(const std::vector<Complex128>& v) {
  Complex128 product = 1;
  for (Complex128 x : v) product *= x;
  return product;
}
Complex128 MeanOf(const std::vector<Complex128>& v) {
  return SumOf(v) / static_cast<double>(v.size());
}
Complex128 VarianceOf(const std::vector<Complex128>& v) {
  double sum = 0;
  for (Complex128 x : v) sum += std::norm(x - MeanOf(v));
  return sum / static_cast<double>(v.size());
}
Complex128 MaxOf(const std::vector<Complex128>& v) {
  double most = -INFINITY;
  for (Complex128 x : v) most = std::max(most, x.real());
  return most;
}
Complex128 MinOf(const std::vector<Complex128>& v) {
  double least = INFINITY;
  for (Complex128 x : v) least = std::min(least, x.real());
  return least;
}

TEST(ReductionTest, OfEveryFloatingType) {
  for (DataType type :
       {DataType::kSingle, DataType::kDouble, DataType::kComplexSingle, DataType::kComplexDouble}) {
    const DlArray x = RandomInput({4, 5, 3, 2}, "SSCB", -1, 1, 1, type);
    const double tolerance = ToReal(type) == DataType::kSingle ? 1e-5 : 1e-14;
    ExpectReduced("Sum", Sum, x, type, SumOf, tolerance);
    ExpectReduced("Prod", Prod, x * 2, type, ProdOf, 4 * tolerance);
    ExpectReduced("Mean", Mean, x, type, MeanOf, tolerance);
    ExpectReduced("Variance", Variance, x, ToReal(type), VarianceOf, tolerance);
    if (IsComplex(type)) continue;
    ExpectReduced("MaxOver", MaxOver, x, type, MaxOf);
    ExpectReduced("MinOver", MinOver, x, type, MinOf);
  }
}

TEST(ReductionTest, OfCounts) {
  using enum DataType;
  for (DataType type : {kLogical, kInt32, kInt64, kUint8}) {
    const DlArray x = Numbered({4, 5, 3, 2}, "SSCB", type);
    ExpectReduced("Sum", Sum, x, type == kLogical ? kSingle : kInt64, SumOf);
    const DlArray few_twos = ArrayOf(type, {4, 5, 3, 2}, "SSCB", [&](const Sizes& i) {
      const int64_t twos = (i[0] + 2 * i[1] + 3 * i[2] + i[3]) % 7 == 0;
      return static_cast<double>(type == kLogical ? 1 - twos : 1 + twos);
    });
    ExpectReduced("Prod", Prod, few_twos, type == kLogical ? kSingle : kInt64, ProdOf);
    ExpectReduced("Mean", Mean, x, kSingle, MeanOf, 1e-6);
    ExpectReduced("MaxOver", MaxOver, x, type, MaxOf);
    ExpectReduced("MinOver", MinOver, x, type, MinOf);
  }
}

TEST(ReductionTest, AnyAndAll) {
  for (DataType type : kAllTypes) {
    const DlArray x = ArrayOf(type, {4, 5, 3, 2}, "SSCB", [](const Sizes& i) {
      return static_cast<double>(i[2] == 0 ? 0 : i[2] == 1 ? 1 : (i[0] + i[1] + i[3]) % 2);
    });
    ExpectReduced("Any", Any, x, DataType::kLogical, [](const std::vector<Complex128>& v) {
      for (Complex128 e : v) {
        if (e != 0.0) return 1.0;
      }
      return 0.0;
    });
    ExpectReduced("All", All, x, DataType::kLogical, [](const std::vector<Complex128>& v) {
      for (Complex128 e : v) {
        if (e == 0.0) return 0.0;
      }
      return 1.0;
    });
  }
}

TEST(ReductionTest, PositionsOfExtremes) {
  const DlArray x = DlArray::FromVector<double>({3, 7, 7, kNan, 1, 1}, {3, 2}, "CB");
  EXPECT_EQ(ArgMax(x, 'C').ToVector<int64_t>(), (std::vector<int64_t>{1, 1}));
  EXPECT_EQ(ArgMin(x, 'C').ToVector<int64_t>(), (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(ArgMax(x, 'C').sizes(), (Sizes{1, 2}));
  EXPECT_EQ(Dims(ArgMax(x, 1)), "CB");
  EXPECT_EQ(IdentifierOf([&] { ArgMax(x, "CB"); }), "dlarray:SeveralDims");
}

TEST(ReductionTest, NanIsPassedOverByExtremesOnly) {
  const DlArray x = DlArray::FromVector<double>({kNan, 2, 1}, {3});
  EXPECT_EQ(MaxOver(x).Scalar(), 2);
  EXPECT_EQ(MinOver(x).Scalar(), 1);
  EXPECT_TRUE(std::isnan(MaxOver(DlArray(kNan)).Scalar()));
  EXPECT_TRUE(std::isnan(Sum(x).Scalar()));
  EXPECT_TRUE(std::isnan(Mean(x).Scalar()));
}

TEST(ReductionTest, OverNoElements) {
  const DlArray x = Numbered({3, 0}, "CB");
  EXPECT_EQ(Sum(x, 'B').ToVector<float>(), (std::vector<float>{0, 0, 0}));
  EXPECT_EQ(Sum(x).Scalar(), 0);
  EXPECT_EQ(Sum(x, 'C').sizes(), (Sizes{1, 0}));
  EXPECT_EQ(Prod(x, 'B').ToVector<float>(), (std::vector<float>{1, 1, 1}));
  EXPECT_EQ(Prod(x).Scalar(), 1);
  EXPECT_TRUE(std::isnan(Mean(x).Scalar()));
  EXPECT_TRUE(std::isnan(Variance(x).Scalar()));
  EXPECT_EQ(Any(x).Scalar(), 0);
  EXPECT_EQ(All(x).Scalar(), 1);
}

TEST(ReductionTest, OfAScalar) {
  EXPECT_EQ(Sum(DlArray(3.0)).Scalar(), 3);
  EXPECT_EQ(Variance(DlArray(3.0)).Scalar(), 0);
  EXPECT_EQ(MaxOver(DlArray(3.0)).rank(), 0);
}

TEST(ReductionTest, TellsTypesWithoutMeaning) {
  const DlArray z = Numbered({2}, "C", DataType::kComplexSingle);
  EXPECT_EQ(MessageOf([&] { MaxOver(z); }),
            "max_over is not defined for complex single arrays. A 2(C) complex single DlArray "
            "came. Use Abs, Real or Imag first. [ops:UnsupportedType]");
  EXPECT_EQ(IdentifierOf([&] { ArgMin(z, 'C'); }), "ops:UnsupportedType");
  EXPECT_EQ(IdentifierOf([&] { Sum(z, 'B'); }), "dlarray:LabelNotFound");
}

// --- Broadcasting to a spec and back.

TEST(BroadcastToTest, RepeatsAndSums) {
  for (DataType type : kAllTypes) {
    const DlArray x = Numbered({3}, "C", type);
    const ArraySpec spec{DataType::kSingle, {2, 3, 4}, Format("SCB")};
    const DlArray y = BroadcastTo(x, spec);
    EXPECT_EQ(y.sizes(), spec.sizes);
    EXPECT_EQ(Dims(y), "SCB");
    EXPECT_EQ(y.type(), type);
    ForEachIndex(y.sizes(),
                 [&](const Sizes& i) { EXPECT_EQ(ElementAt(y, i), ElementAt(x, {i[1]})); });
  }
  const DlArray y = Numbered({2, 3, 4}, "SCB", DataType::kDouble);
  const DlArray sum = SumTo(y, {DataType::kSingle, {3}, Format("C")});
  EXPECT_EQ(ToString(sum.spec()), "3(C) single DlArray");
  EXPECT_TRUE(
      IsEqual(sum, Single(DlArray::FromVector<double>(Sum(y, "SB").ToVector<double>(), {3}, "C"))));
  // The real part, for a real type.
  const DlArray z = Numbered({2, 2}, "", DataType::kComplexDouble);
  EXPECT_EQ(SumTo(z, {DataType::kDouble, {}, {}}).Scalar(), 6);
}

TEST(SumToTest, TellsWhatDoesNotMeet) {
  const DlArray x = Numbered({3, 4}, "CB");
  const auto identifier = [&](const Sizes& sizes, const char* format) {
    return IdentifierOf([&] { SumTo(x, {DataType::kSingle, sizes, Format(format)}); });
  };
  EXPECT_EQ(identifier({0, 0}, ""), "dlarray:SizeMismatch");
  EXPECT_EQ(identifier({2}, "C"), "dlarray:SizeMismatch");
  EXPECT_EQ(identifier({3, 4, 5}, ""), "dlarray:SizeMismatch");
  EXPECT_EQ(identifier({3, 5}, "CT"), "dlarray:FormatMismatch");
  EXPECT_EQ(IdentifierOf([&] {
              SumTo(Numbered({3, 4}, ""), {DataType::kSingle, {3}, Format("C")});
            }),
            "dlarray:FormatMismatch");
}

TEST(BroadcastToTest, TellsWhatDoesNotMeet) {
  const DlArray x = Numbered({3, 4}, "CB");
  EXPECT_EQ(IdentifierOf([&] {
              BroadcastTo(x, {DataType::kSingle, {3, 1}, Format("CB")});
            }),
            "dlarray:SizeMismatch");
  EXPECT_EQ(IdentifierOf([&] {
              BroadcastTo(x, {DataType::kSingle, {3, 5}, Format("CB")});
            }),
            "dlarray:SizeMismatch");
  EXPECT_EQ(IdentifierOf([&] {
              BroadcastTo(x, {DataType::kSingle, {3}, Format("C")});
            }),
            "dlarray:SizeMismatch");
}

// --- Gradients.

TEST(ReductionGradientTest, OfEveryReduction) {
  const std::pair<const char*, Reduce> kReductions[] = {
      {"Sum", Sum},         {"Mean", Mean},       {"Variance", Variance},
      {"MaxOver", MaxOver}, {"MinOver", MinOver},
  };
  const DimSet kSets[] = {DimSet("S"), DimSet("SB"), DimSet({0, 2}), DimSet::All()};
  for (const auto& [name, reduce] : kReductions) {
    for (size_t s = 0; s < 4; ++s) {
      const auto f = [&, reduce = reduce](const DlArrays& x) {
        return reduce(x[0] * x[0] * x[0], kSets[s]);
      };
      EXPECT_TRUE(GradientsAgree(f, {RandomInput({2, 2, 3, 2}, "SSCB")})) << name << " " << s;
      if (reduce == MaxOver || reduce == MinOver) continue;
      EXPECT_TRUE(GradientsAgree(
          f, {RandomInput({2, 2, 3, 2}, "SSCB", -1, 1, 2, DataType::kComplexDouble)}))
          << name << " " << s << ", complex";
    }
  }
}

// With no, one and several zeros in what is multiplied.
TEST(ReductionGradientTest, OfProducts) {
  for (const DataType type : {DataType::kDouble, DataType::kComplexDouble}) {
    const DlArray x = RandomInput({2, 3, 4}, "SCB", 0.5, 2, 1, type);
    const DlArray mask = ArrayOf(type, {2, 3, 4}, "SCB", [](const Sizes& at) {
      return static_cast<double>(at[2] == 0 || (at[0] + at[1]) % at[2] != 0);
    });
    for (const DimSet& dims :
         {DimSet("S"), DimSet('C'), DimSet("CB"), DimSet({0, 2}), DimSet::All()}) {
      const auto f = [&](const DlArrays& in) { return Prod(in[0], dims); };
      EXPECT_TRUE(GradientsAgree(f, {x}));
      EXPECT_TRUE(GradientsAgree(f, {x * mask}));
    }
  }
  const auto gradient = [](const DlArray& v) { return DlGradient(Prod(v), v); };
  EXPECT_EQ(DlFeval(gradient, DlArray::FromVector<double>({2, 0, 3}, {3})).ToVector<double>(),
            (std::vector<double>{0, 6, 0}));
  EXPECT_EQ(DlFeval(gradient, DlArray::FromVector<double>({2, 0, 0}, {3})).ToVector<double>(),
            (std::vector<double>{0, 0, 0}));
  EXPECT_EQ(DlFeval(gradient, DlArray(2.0)).Scalar(), 1);
  EXPECT_EQ(DlFeval(gradient, Numbered({0, 3}, "CB")).sizes(), (Sizes{0, 3}));
}

TEST(ReductionGradientTest, OfBroadcastsAndSums) {
  const ArraySpec large{DataType::kDouble, {2, 3, 4}, Format("SCB")};
  const ArraySpec small{DataType::kDouble, {3, 1}, Format("CB")};
  EXPECT_TRUE(GradientsAgree([&](const DlArrays& x) { return BroadcastTo(Square(x[0]), large); },
                             {RandomInput({3, 1}, "CB")}));
  EXPECT_TRUE(GradientsAgree(
      [&](const DlArrays& x) {
        ArraySpec spec = small;
        spec.type = x[0].type();
        return SumTo(Square(x[0]), spec);
      },
      {RandomInput({2, 3, 4}, "SCB")}));
}

TEST(ReductionGradientTest, EqualExtremesShare) {
  const DlArray x = DlArray::FromVector<double>({1, 5, 5, 0}, {4});
  const DlArray g = DlFeval([](const DlArray& w) { return DlGradient(MaxOver(w) * 3, w); }, x);
  EXPECT_EQ(g.ToVector<double>(), (std::vector<double>{0, 1.5, 1.5, 0}));
}

}  // namespace
}  // namespace lamina
