#include "framework/dlarray/dlarray.h"

#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/dlarray/testing/thrown_error.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

using ComplexF = std::complex<float>;
using ComplexD = std::complex<double>;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

DlArray WithoutValues(ArraySpec spec) {
  return DlArray(internal::ArrayData::MakeAbstract(std::move(spec)));
}

TEST(DlArrayTest, AnUnsetArrayIsEmpty) {
  const DlArray x;
  EXPECT_TRUE(x.empty());
  EXPECT_EQ(x.numel(), 0);
  EXPECT_EQ(x.sizes(), (Sizes{0, 0}));
  EXPECT_EQ(x.type(), DataType::kSingle);
  EXPECT_EQ(ToString(x), "0 x 0 single DlArray");
}

TEST(DlArrayTest, NumbersAreScalarsWithoutDims) {
  EXPECT_EQ(DlArray(int64_t{1} << 40).Scalar(), std::ldexp(1.0, 40));
  const DlArray d = 0.5, f = 0.5f, i = 3, c = ComplexD(1, -2);
  EXPECT_EQ(d.type(), DataType::kDouble);
  EXPECT_EQ(f.type(), DataType::kSingle);
  EXPECT_EQ(i.type(), DataType::kDouble);
  EXPECT_EQ(c.type(), DataType::kComplexDouble);
  for (const DlArray& x : {d, f, i, c}) {
    EXPECT_EQ(x.rank(), 0);
    EXPECT_EQ(x.numel(), 1);
    EXPECT_FALSE(x.empty());
  }
  EXPECT_EQ(d.Scalar(), 0.5);
  EXPECT_EQ(f.Scalar(), 0.5);
  EXPECT_EQ(i.Scalar(), 3);
  EXPECT_EQ(c.ComplexAt(0), ComplexD(1, -2));
}

TEST(DlArrayTest, KeepsValuesInColumnMajorOrder) {
  const DlArray x = DlArray::FromVector<float>({1, 2, 3, 4, 5, 6}, {3, 2}, "CB");
  EXPECT_EQ(x.sizes(), (Sizes{3, 2}));
  EXPECT_EQ(Size(x), (Sizes{3, 2}));
  EXPECT_EQ(Dims(x), "CB");
  EXPECT_EQ(x.rank(), 2);
  EXPECT_EQ(x.size(0), 3);
  EXPECT_EQ(x.size(1), 2);
  EXPECT_EQ(x.size(2), 1);
  EXPECT_EQ(x.ToVector<float>(), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(x.At(4), 5);
}

TEST(DlArrayTest, LabelsPermuteTheDataGiven) {
  // A(t, c) = 10 t + c, t = 0..1 fastest.
  const DlArray x = DlArray::FromVector<float>({0, 10, 1, 11, 2, 12}, {2, 3}, "TC");
  EXPECT_EQ(Dims(x), "CT");
  EXPECT_EQ(x.sizes(), (Sizes{3, 2}));
  EXPECT_EQ(x.ToVector<float>(), (std::vector<float>{0, 1, 2, 10, 11, 12}));

  // Equal labels keep their order: a(u, s, v, w) with labels U S U C.
  std::vector<int32_t> values(2 * 3 * 4 * 5);
  const auto at = [](int u, int s, int v, int c) { return u + 2 * (s + 3 * (v + 4 * c)); };
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int32_t>(i);
  const DlArray y = DlArray::FromVector(values, {2, 3, 4, 5}, "USUC");
  EXPECT_EQ(Dims(y), "SCUU");
  EXPECT_EQ(y.sizes(), (Sizes{3, 5, 2, 4}));
  const int32_t* p = y.Data<int32_t>();
  for (int v = 0; v < 4; ++v) {
    for (int u = 0; u < 2; ++u) {
      for (int c = 0; c < 5; ++c) {
        for (int s = 0; s < 3; ++s) EXPECT_EQ(*p++, at(u, s, v, c));
      }
    }
  }
}

TEST(DlArrayTest, LabelsMayAddTrailingDimsOfSizeOne) {
  const DlArray x = DlArray::FromVector<double>({1, 2, 3}, {3}, "CBT");
  EXPECT_EQ(x.sizes(), (Sizes{3, 1, 1}));
  EXPECT_EQ(DlArray::FromVector<double>({1, 2, 3}, {3, 1}, "C").sizes(), (Sizes{3}));
  EXPECT_EQ(DlArray::FromVector<double>({1}, {}, "SS").sizes(), (Sizes{1, 1}));
}

TEST(DlArrayTest, KnowsItsDimsByLabel) {
  const DlArray x = DlArray::FromVector(std::vector<float>(4 * 5 * 3 * 2), {4, 5, 3, 2}, "SSCB");
  EXPECT_EQ(FindDim(x, 'C'), 2);
  EXPECT_EQ(FindDim(x, 'S'), 0);
  EXPECT_EQ(FindDim(x, 'T'), -1);
  EXPECT_EQ(Size(x, 'C'), 3);
  EXPECT_EQ(Size(x, 'S'), 20);
  EXPECT_EQ(Size(x, 'T'), 1);
}

TEST(DlArrayTest, HoldsEveryType) {
  EXPECT_EQ(DlArray::FromVector<float>({1.5f}, {1}).type(), DataType::kSingle);
  EXPECT_EQ(DlArray::FromVector<double>({1.5}, {1}).type(), DataType::kDouble);
  EXPECT_EQ(DlArray::FromVector<ComplexF>({{1, 2}}, {1}).ComplexAt(0), ComplexD(1, 2));
  EXPECT_EQ(DlArray::FromVector<ComplexD>({{1, 2}}, {1}).ComplexAt(0), ComplexD(1, 2));
  EXPECT_EQ(DlArray::FromVector<int32_t>({-7}, {1}).At(0), -7);
  EXPECT_EQ(DlArray::FromVector<int64_t>({int64_t{1} << 40}, {1}).At(0), std::ldexp(1, 40));
  EXPECT_EQ(DlArray::FromVector<uint8_t>({200}, {1}).At(0), 200);
  const uint8_t bits[] = {1, 0, 1};
  const DlArray mask = DlArray::FromBytes(DataType::kLogical, bits, 3, {3}, "C");
  EXPECT_EQ(mask.type(), DataType::kLogical);
  EXPECT_EQ(mask.ToVector<uint8_t>(), (std::vector<uint8_t>{1, 0, 1}));
}

TEST(DlArrayTest, EmptyDimsAreSizes) {
  const DlArray x = DlArray::FromVector<float>({}, {3, 0}, "CB");
  EXPECT_TRUE(x.empty());
  EXPECT_TRUE(x.has_values());
  EXPECT_EQ(x.ToVector<float>(), std::vector<float>{});
  EXPECT_EQ(DlArray::FromVector<float>({}, {0, 3}, "BC").sizes(), (Sizes{3, 0}));
}

TEST(DlArrayTest, CopiesShareElements) {
  const DlArray x = DlArray::FromVector<double>({1, 2, 3, 4}, {4});
  const DlArray y = x;
  EXPECT_TRUE(y.SharesDataWith(x));
  EXPECT_FALSE(DlArray::FromVector<double>({1, 2, 3, 4}, {4}).SharesDataWith(x));
  const ArraySpec spec{DataType::kSingle, {4}, {}};
  EXPECT_FALSE(WithoutValues(spec).SharesDataWith(WithoutValues(spec)));
  DlArray z = x;
  z = DlArray::FromVector<double>({5}, {1});
  EXPECT_EQ(x.At(0), 1);
}

TEST(DlArrayTest, CopiesInManyThreads) {
  DlArray x = DlArray::FromVector(std::vector<float>(1000, 1.0f), {1000});
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([x] {
      for (int i = 0; i < 1000; ++i) {
        const DlArray y = x;
        ASSERT_EQ(y.At(999), 1);
      }
    });
  }
  x = DlArray();
  for (std::thread& t : threads) t.join();
}

TEST(DlArrayTest, ExtractDataDropsLabelsAndSharesElements) {
  const DlArray x = DlArray::FromVector<float>({1, 2, 3, 4, 5, 6}, {3, 2}, "CB");
  const DlArray y = ExtractData(x);
  EXPECT_EQ(Dims(y), "");
  EXPECT_EQ(y.sizes(), (Sizes{3, 2}));
  EXPECT_TRUE(y.SharesDataWith(x));
}

TEST(DlArrayTest, IsEqualComparesEverything) {
  // 2^53 + 1 is no double.
  const auto whole = [](int64_t v) { return DlArray::FromVector<int64_t>({v}, {1}); };
  EXPECT_FALSE(IsEqual(whole(9007199254740993), whole(9007199254740992)));
  EXPECT_TRUE(IsEqual(whole(9007199254740993), whole(9007199254740993)));
  const DlArray x = DlArray::FromVector<double>({1, kNan, 0}, {3}, "C");
  EXPECT_TRUE(IsEqual(x, DlArray::FromVector<double>({1, kNan, -0.0}, {3}, "C")));
  EXPECT_FALSE(IsEqual(x, DlArray::FromVector<double>({1, kNan, 1e-300}, {3}, "C")));
  EXPECT_FALSE(IsEqual(x, DlArray::FromVector<double>({1, kNan, 0}, {3}, "B")));
  EXPECT_FALSE(IsEqual(x, DlArray::FromVector<double>({1, kNan, 0}, {3, 1}, "CB")));
  EXPECT_FALSE(IsEqual(x, DlArray::FromVector<float>({1, NAN, 0}, {3}, "C")));
  EXPECT_TRUE(IsEqual(DlArray::FromVector<ComplexD>({{1, kNan}}, {1}),
                      DlArray::FromVector<ComplexD>({{1, kNan}}, {1})));
  EXPECT_FALSE(IsEqual(DlArray::FromVector<ComplexD>({{1, 2}}, {1}),
                       DlArray::FromVector<ComplexD>({{1, 3}}, {1})));
}

TEST(DlArrayTest, Prints) {
  EXPECT_EQ(ToString(DlArray::FromVector<float>({1, 2, 3, 4, 5, 6.5}, {3, 2}, "CB")),
            "3(C) x 2(B) single DlArray\n"
            "          1         4\n"
            "          2         5\n"
            "          3       6.5");
  EXPECT_EQ(ToString(DlArray::FromVector<int32_t>({1, 2, 3, 4, 5, 6, 7, 8}, {2, 1, 2, 2}, "SSCB")),
            "2(S) x 1(S) x 2(C) x 2(B) int32 DlArray\n"
            "  (:, :, 0, 0)\n"
            "          1\n"
            "          2\n"
            "  (:, :, 1, 0)\n"
            "          3\n"
            "          4\n"
            "  (:, :, 0, 1)\n"
            "          5\n"
            "          6\n"
            "  (:, :, 1, 1)\n"
            "          7\n"
            "          8");
  EXPECT_EQ(ToString(DlArray(2.5)), "scalar double DlArray\n  2.5");
  EXPECT_EQ(ToString(DlArray::FromVector<ComplexD>({{1, -2}}, {1})),
            "1 complex double DlArray\n       1-2i");
  EXPECT_EQ(ToString(DlArray::FromVector<double>({kNan, -INFINITY}, {2})),
            "2 double DlArray\n        nan\n       -inf");
  EXPECT_EQ(ToString(DlArray::FromVector<ComplexD>({{-kNan, -kNan}}, {1})),
            "1 complex double DlArray\n   nan+nani");
  EXPECT_EQ(ToString(DlArray::FromVector<int32_t>({2147483647, -1}, {2})),
            "2 int32 DlArray\n  2147483647\n         -1");
  EXPECT_EQ(ToString(DlArray::FromVector<int64_t>({9007199254740993}, {1})),
            "1 int64 DlArray\n  9007199254740993");
  EXPECT_EQ(ToString(WithoutValues({DataType::kSingle, {3, 2}, Format("CB")})),
            "3(C) x 2(B) single DlArray (no values)");
  std::ostringstream out;
  out << DlArray(1);
  EXPECT_EQ(out.str(), "scalar double DlArray\n  1");
}

TEST(DlArrayTest, PrintsAtMostSoManyValues) {
  const DlArray x = DlArray::FromVector<float>({1, 2, 3, 4, 5, 6}, {3, 2});
  EXPECT_EQ(ToString(x, 3),
            "3 x 2 single DlArray\n"
            "          1         4\n"
            "          2\n"
            "  ... 3 more");
}

TEST(DlArrayTest, TellsWrongConstruction) {
  const std::vector<float> six(6);
  EXPECT_EQ(MessageOf([&] {
              DlArray::FromVector(six, {4, 2});
            }),
            "Sizes 4x2 need 8 values. 6 came. Give as many values as the sizes' product. "
            "[dlarray:ElementCount]");
  EXPECT_EQ(MessageOf([&] {
              DlArray::FromVector(six, {3, 2}, "C");
            }),
            "A format has one label for each dim. \"C\" has 1 for sizes 3x2. Label each dim; U "
            "marks dims without a meaning of their own. [dlarray:FormatRank]");
  EXPECT_EQ(MessageOf([&] {
              DlArray::FromVector(six, {-1, 6});
            }),
            "Sizes of an array are 0 or more. Sizes NaNx6 came. Give each dim its size; unknown "
            "sizes belong to layouts only. [dlarray:InvalidSize]");
  EXPECT_EQ(MessageOf([&] {
              DlArray::FromVector(six, {int64_t{1} << 30, int64_t{1} << 30});
            }),
            "An array has at most 2^46 elements. Sizes 1073741824x1073741824 came. Check the "
            "sizes. [dlarray:InvalidSize]");
  EXPECT_NE(MessageOf([&] {
              DlArray::FromVector(six, {3, 2}, "CX");
            }).find("[dlarray:InvalidLabel]"),
            std::string::npos);
  EXPECT_NE(MessageOf([&] {
              DlArray::FromVector(six, {3, 2}, "BB");
            }).find("[dlarray:DuplicateLabel]"),
            std::string::npos);
}

TEST(DlArrayTest, TellsWrongReading) {
  const DlArray x = DlArray::FromVector<float>({1, 2, 3}, {3}, "C");
  EXPECT_EQ(MessageOf([&] { x.Data<double>(); }),
            "Elements were read as double. The array is a 3(C) single DlArray. Read them as the "
            "type they have, or Cast the array first. [dlarray:TypeMismatch]");
  EXPECT_EQ(MessageOf([&] { x.Scalar(); }),
            "One element was asked for. A 3(C) single DlArray came. Reduce it first, or index it. "
            "[dlarray:NotScalar]");
  for (int64_t index : {int64_t{-1}, int64_t{3}}) {
    EXPECT_EQ(MessageOf([&] { x.At(index); }), "An element from 0 to 2 may be asked for. " +
                                                   std::to_string(index) +
                                                   " came. [dlarray:IndexOutOfRange]");
  }
  const DlArray z = DlArray::FromVector<ComplexF>({{1, 2}}, {1});
  EXPECT_EQ(MessageOf([&] { z.Scalar(); }),
            "A real element was asked for. A 1 complex single DlArray came. Use ComplexAt, Real or "
            "Imag. [dlarray:TypeMismatch]");
  const DlArray traced = WithoutValues({DataType::kSingle, {1}, Format("C")});
  const auto no_values = [](int line) {
    return absl::StrCat(
        "The values of an array were read in framework/dlarray/dlarray_test.cc:", line,
        ". This 1(C) single DlArray has none: it stands for any values inside a "
        "trace. Write the computation with array functions (Where instead of if), "
        "or leave it untraced. [dlarray:NoValues]");
  };
  EXPECT_EQ(MessageOf([&] { traced.Data<float>(); }), no_values(__LINE__));
  EXPECT_EQ(MessageOf([&] { traced.ToVector<float>(); }), no_values(__LINE__));
  EXPECT_EQ(MessageOf([&] { traced.Scalar(); }), no_values(__LINE__));
  EXPECT_EQ(MessageOf([&] { traced.At(0); }), no_values(__LINE__));
  EXPECT_EQ(MessageOf([&] { traced.ComplexAt(0); }), no_values(__LINE__));
  EXPECT_EQ(MessageOf([&] { ExtractData(traced); }), no_values(__LINE__));
  EXPECT_EQ(MessageOf([&] { Gather(traced); }), no_values(__LINE__));
  EXPECT_EQ(MessageOf([&] { IsEqual(traced, traced); }), no_values(__LINE__));
}

TEST(ErrorTest, GathersPlacesOnItsWayUp) {
  Error e("dlarray:SizeMismatch", "Expected this.", "", "Do that.");
  EXPECT_STREQ(e.what(), "Expected this. Do that. [dlarray:SizeMismatch]");
  e.AddPlace("function Predict");
  e.AddPlace("Layer \"fc\"");
  EXPECT_STREQ(e.what(),
               "Layer \"fc\": function Predict: Expected this. Do that. [dlarray:SizeMismatch]");
  EXPECT_EQ(e.identifier(), "dlarray:SizeMismatch");
  EXPECT_EQ(e.message(), "Expected this. Do that.");
  EXPECT_EQ(e.fix(), "Do that.");
}

}  // namespace
}  // namespace lamina
