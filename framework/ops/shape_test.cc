// Every function that moves elements, against the index formula of its docstring.
#include "framework/ops/shape.h"

#include <vector>

#include "framework/autodiff/testing/gradient_check.h"
#include "framework/dlarray/testing/thrown_error.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/testing/indexing.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

TEST(ReshapeTest, KeepsElementsInOrder) {
  for (DataType type : kAllTypes) {
    const DlArray x = Numbered({6, 5}, "CB", type);
    const DlArray y = Reshape(x, {2, 15});
    EXPECT_TRUE(IsEqual(y, Numbered({2, 15}, "", type))) << Name(type);
    EXPECT_TRUE(y.SharesDataWith(x));
  }
}

TEST(ReshapeTest, TakesLabels) {
  const DlArray x = Numbered({12});
  EXPECT_TRUE(IsEqual(Reshape(x, {3, 4}, "CB"), Numbered({3, 4}, "CB")));
  EXPECT_TRUE(IsEqual(Reshape(x, {12}, "CB"), Numbered({12, 1}, "CB")));
  // In another order they permute, as everywhere.
  const DlArray y = Reshape(x, {3, 4}, "TC");
  EXPECT_EQ(Dims(y), "CT");
  ForEachIndex({4, 3}, [&](const Sizes& i) {
    EXPECT_EQ(ElementAt(y, i), static_cast<double>(i[1] + 3 * i[0]));
  });
}

TEST(ReshapeTest, ComputesOneSize) {
  EXPECT_EQ(Reshape(Numbered({3, 4}), {-1, 2}).sizes(), (Sizes{6, 2}));
  EXPECT_EQ(Reshape(Numbered({3, 4}), {-1}).sizes(), (Sizes{12}));
  EXPECT_EQ(Reshape(Numbered({}), {-1, 1}).sizes(), (Sizes{1, 1}));
  EXPECT_EQ(Reshape(Numbered({0, 3}), {-1, 3}).sizes(), (Sizes{0, 3}));
  EXPECT_EQ(Reshape(Numbered({1, 1}), {}).sizes(), Sizes{});
}

TEST(ReshapeTest, TellsWrongSizes) {
  const DlArray x = Numbered({3, 4}, "CB");
  EXPECT_EQ(MessageOf([&] {
              Reshape(x, {5, -1});
            }),
            "Reshape keeps the number of elements, here 12. A 3(C) x 4(B) single DlArray and sizes "
            "[5 -1] came. Give sizes with that product; one of them may be -1 if the others divide "
            "it. [dlarray:ElementCount]");
  const Sizes kWrong[] = {{3, 5},  {3},    {},      {-1, -1},
                          {-2, 6}, {0, 4}, {-1, 0}, {1 << 30, 1 << 30, 1 << 30}};
  for (const Sizes& sizes : kWrong) {
    EXPECT_EQ(IdentifierOf([&] { Reshape(x, sizes); }), "dlarray:ElementCount") << ToString(sizes);
  }
  EXPECT_EQ(IdentifierOf([&] { Reshape(Numbered({0}), {-1, 0}); }), "dlarray:ElementCount");
  EXPECT_EQ(IdentifierOf([&] { Reshape(x, {3, 4}, "C"); }), "dlarray:FormatRank");
  EXPECT_EQ(IdentifierOf([&] { Reshape(x, {3, 4}, "CX"); }), "dlarray:InvalidLabel");
  EXPECT_EQ(IdentifierOf([&] { Reshape(x, {3, 4}, "CC"); }), "dlarray:DuplicateLabel");
}

TEST(PermuteTest, FollowsTheOrder) {
  for (DataType type : kAllTypes) {
    const DlArray x = Numbered({2, 3, 4}, "", type);
    const DlArray y = Permute(x, {2, 0, 1});
    ASSERT_EQ(y.sizes(), (Sizes{4, 2, 3}));
    EXPECT_EQ(y.type(), type);
    ForEachIndex(y.sizes(), [&](const Sizes& i) {
      EXPECT_EQ(ElementAt(y, i), ElementAt(x, {i[1], i[2], i[0]}));
    });
  }
}

TEST(PermuteTest, MovesNothingWhenOnlyDimsOfSizeOneMove) {
  const DlArray x = Numbered({1, 5, 1, 3});
  const DlArray y = Permute(x, {1, 0, 3, 2});
  EXPECT_EQ(y.sizes(), (Sizes{5, 1, 3, 1}));
  EXPECT_TRUE(y.SharesDataWith(x));
  EXPECT_EQ(Permute(Numbered({3, 0}), {1, 0}).sizes(), (Sizes{0, 3}));
}

TEST(PermuteTest, MayNameFurtherDims) {
  const DlArray y = Permute(Numbered({3}), {1, 0});
  EXPECT_TRUE(IsEqual(y, Numbered({1, 3})));
}

TEST(PermuteTest, OfALabelledArrayOnlyEqualLabelsChangePlaces) {
  const DlArray x = Numbered({2, 3, 4, 5}, "SSCB");
  EXPECT_TRUE(IsEqual(Permute(x, {3, 2, 0, 1}), x));
  const DlArray y = Permute(x, {1, 3, 2, 0});
  EXPECT_EQ(Dims(y), "SSCB");
  ASSERT_EQ(y.sizes(), (Sizes{3, 2, 4, 5}));
  ForEachIndex(y.sizes(), [&](const Sizes& i) {
    EXPECT_EQ(ElementAt(y, i), ElementAt(x, {i[1], i[0], i[2], i[3]}));
  });
}

TEST(PermuteTest, TellsWrongOrders) {
  const DlArray x = Numbered({2, 3}, "CB");
  EXPECT_EQ(MessageOf([&] {
              Permute(x, {0, 2});
            }),
            "Permute expects each dim of the array once, from 0 to 1. The order [0 2] for a 2(C) x "
            "3(B) single DlArray came. Write a permutation of the dims. [dlarray:DimOutOfRange]");
  for (const std::vector<int>& order :
       {std::vector<int>{0}, {0, 0}, {-1, 0}, {1, 2}, {2, 1, 0}, {}}) {
    EXPECT_EQ(IdentifierOf([&] { Permute(x, order); }), "dlarray:DimOutOfRange");
  }
}

TEST(TransposeTest, SwapsRowsAndColumnsOfEachPage) {
  EXPECT_EQ(Transpose(Numbered({3})).sizes(), (Sizes{1, 3}));
  EXPECT_EQ(Transpose(Numbered({})).sizes(), Sizes{});
  const DlArray x = Numbered({2, 3, 4}), y = Transpose(x);
  ASSERT_EQ(y.sizes(), (Sizes{3, 2, 4}));
  ForEachIndex(y.sizes(), [&](const Sizes& i) {
    EXPECT_EQ(ElementAt(y, i), ElementAt(x, {i[1], i[0], i[2]}));
  });
  EXPECT_EQ(IdentifierOf([] { Transpose(Numbered({2, 3}, "CB")); }), "dlarray:FormatMismatch");
}

TEST(StripDimsTest, OrdersDimsAsAsked) {
  const DlArray x = Numbered({2, 3, 4, 5}, "SSCB");
  EXPECT_TRUE(IsEqual(StripDims(x), Numbered({2, 3, 4, 5})));
  const DlArray y = StripDims(x, "BTSCS");
  ASSERT_EQ(y.sizes(), (Sizes{5, 1, 2, 4, 3}));
  EXPECT_TRUE(y.format().empty());
  ForEachIndex(y.sizes(), [&](const Sizes& i) {
    EXPECT_EQ(ElementAt(y, i), ElementAt(x, {i[2], i[4], i[3], i[0]}));
  });
  EXPECT_TRUE(IsEqual(StripDims(Numbered({2, 3}, "CB"), "BC"), Transpose(Numbered({2, 3}))));
  EXPECT_TRUE(IsEqual(StripDims(Numbered({2, 3}), "BC"), Numbered({2, 3})));
}

TEST(StripDimsTest, TellsMissingLabels) {
  EXPECT_EQ(MessageOf([] {
              StripDims(Numbered({2, 3}, "SS"), "SCB");
            }),
            "StripDims needs each label of the array in the format. A 2(S) x 3(S) single DlArray "
            "and the format \"SCB\" came. Add the missing labels to the format. "
            "[dlarray:FormatMismatch]");
  EXPECT_EQ(IdentifierOf([] { StripDims(Numbered({2}, "C"), "CX"); }), "dlarray:InvalidLabel");
}

TEST(LabelTest, ConstructorLabelsAndPermutes) {
  const DlArray x = Numbered({2, 3, 4});
  const DlArray y = DlArray(x, "TCS");
  EXPECT_EQ(Dims(y), "SCT");
  ASSERT_EQ(y.sizes(), (Sizes{4, 3, 2}));
  ForEachIndex(y.sizes(), [&](const Sizes& i) {
    EXPECT_EQ(ElementAt(y, i), ElementAt(x, {i[2], i[1], i[0]}));
  });
  EXPECT_EQ(Dims(DlArray(y, "SCB")), "SCB");  // Labels of a labelled array are replaced.
  EXPECT_TRUE(DlArray(x, "SCB").SharesDataWith(x));
  EXPECT_EQ(DlArray(Numbered({3}), "CB").sizes(), (Sizes{3, 1}));
  EXPECT_EQ(IdentifierOf([&] { DlArray(x, "SC"); }), "dlarray:FormatRank");
  EXPECT_EQ(IdentifierOf([&] { DlArray(x, "SCX"); }), "dlarray:InvalidLabel");
  EXPECT_EQ(IdentifierOf([&] { DlArray(x, "BBC"); }), "dlarray:DuplicateLabel");
}

TEST(CatTest, PutsArraysSideBySide) {
  for (DataType type : kAllTypes) {
    const DlArray a = Numbered({2, 1, 3}, "SCB", type), b = Numbered({2, 4, 3}, "SCB", type);
    const DlArray y = Cat('C', {a, b, a});
    ASSERT_EQ(y.sizes(), (Sizes{2, 6, 3}));
    EXPECT_EQ(Dims(y), "SCB");
    EXPECT_EQ(y.type(), type);
    ForEachIndex(y.sizes(), [&](const Sizes& i) {
      const auto expected = i[1] == 0  ? ElementAt(a, {i[0], 0, i[2]})
                            : i[1] < 5 ? ElementAt(b, {i[0], i[1] - 1, i[2]})
                                       : ElementAt(a, {i[0], 0, i[2]});
      EXPECT_EQ(ElementAt(y, i), expected);
    });
  }
}

TEST(CatTest, MakesANewDim) {
  const DlArray y = Cat(1, {Numbered({3}), 10 * Numbered({3})});
  ASSERT_EQ(y.sizes(), (Sizes{3, 2}));
  EXPECT_EQ(y.ToVector<float>(), (std::vector<float>{0, 1, 2, 0, 10, 20}));
  EXPECT_EQ(Cat(0, {DlArray(1.0), DlArray(2.0)}).sizes(), (Sizes{2}));
}

TEST(CatTest, PromotesTypesAndTakesLabels) {
  const DlArray y = Cat('B', {Numbered({2, 1}, "", DataType::kDouble), Numbered({2, 2}, "CB"),
                              Numbered({2}, "", DataType::kInt32)});
  EXPECT_EQ(y.type(), DataType::kSingle);
  EXPECT_EQ(Dims(y), "CB");
  EXPECT_EQ(y.ToVector<float>(), (std::vector<float>{0, 1, 0, 1, 2, 3, 0, 1}));
}

TEST(CatTest, PassesOverNoElements) {
  EXPECT_TRUE(
      IsEqual(Cat('B', {Numbered({2, 0}, "CB"), Numbered({2, 3}, "CB")}), Numbered({2, 3}, "CB")));
  EXPECT_EQ(Cat('B', {Numbered({0, 2}, "CB"), Numbered({0, 3}, "CB")}).sizes(), (Sizes{0, 5}));
  EXPECT_TRUE(IsEqual(Cat(0, {Numbered({4})}), Numbered({4})));
}

TEST(CatTest, TellsWhatDoesNotFit) {
  const DlArray a = Numbered({2, 3}, "CB"), b = Numbered({4, 3}, "CB");
  EXPECT_EQ(MessageOf([&] {
              Cat('B', {a, b});
            }),
            "Cat along dim 1 expects equal sizes in the others. Array 0 is a 2(C) x 3(B) single "
            "DlArray, array 1 a 4(C) x 3(B) single DlArray. Dim 0 differs. Make the sizes agree, "
            "or put them side by side along the other dim. [dlarray:SizeMismatch]");
  EXPECT_EQ(MessageOf([&] {
              Cat('C', {a, Numbered({2, 3}, "CT")});
            }),
            "Cat expects arrays with the same labels. Array 0 is a 2(C) x 3(B) single DlArray, "
            "array 1 a 2(C) x 3(T) single DlArray. Relabel one of them, or add the missing dims. "
            "[dlarray:FormatMismatch]");
  EXPECT_EQ(IdentifierOf([] { Cat(0, std::span<const DlArray>()); }), "dlarray:EmptyList");
  EXPECT_EQ(IdentifierOf([&] { Cat('T', {a, a}); }), "dlarray:LabelNotFound");
  EXPECT_EQ(IdentifierOf([&] { Cat(2, {a, a}); }), "dlarray:DimOutOfRange");
  EXPECT_EQ(IdentifierOf([] { Cat(2, {Numbered({3}), Numbered({3})}); }), "dlarray:DimOutOfRange");
  EXPECT_EQ(IdentifierOf([] {
              Cat('S', {Numbered({2, 2}, "SS"), Numbered({2, 2}, "SS")});
            }),
            "dlarray:SeveralDims");
}

TEST(SliceTest, TakesEveryStepth) {
  for (DataType type : kAllTypes) {
    const DlArray x = Numbered({3, 7, 2}, "SCB", type);
    const int64_t kCases[][3] = {{0, 7, 1},  {2, 3, 1},  {1, 3, 2}, {6, 1, 1},
                                 {6, 7, -1}, {5, 3, -2}, {3, 0, 1}, {0, 1, 100}};
    for (const auto& [start, count, step] : kCases) {
      const DlArray y = Slice(x, 'C', start, count, step);
      ASSERT_EQ(y.sizes(), (Sizes{3, count, 2}));
      EXPECT_EQ(Dims(y), "SCB");
      ForEachIndex(y.sizes(), [&, start = start, step = step](const Sizes& i) {
        EXPECT_EQ(ElementAt(y, i), ElementAt(x, {i[0], start + i[1] * step, i[2]}));
      });
    }
  }
}

TEST(SliceTest, OfAWholeDimIsTheArray) {
  const DlArray x = Numbered({3, 7});
  EXPECT_TRUE(Slice(x, 1, 0, 7).SharesDataWith(x));
  EXPECT_TRUE(IsEqual(Slice(Numbered({0, 2}), 1, 1, 1), Numbered({0, 1})));
}

TEST(SliceTest, TellsPositionsOutside) {
  const DlArray x = Numbered({3, 7}, "CB");
  EXPECT_EQ(MessageOf([&] { Slice(x, 'B', 5, 3); }),
            "Slice takes positions from 0 to 6 along dim 1 of a 3(C) x 7(B) single DlArray. Start "
            "5, count 3, step 1 came. Keep start and start + (count - 1) step within the dim; the "
            "step is not 0. [dlarray:IndexOutOfRange]");
  constexpr int64_t kMost = INT64_MAX, kLeast = INT64_MIN;
  const int64_t kWrong[][3] = {{-1, 1, 1},       {7, 1, 1},      {0, 8, 1},          {0, -1, 1},
                               {0, 3, 0},        {2, 4, -1},     {0, 2, 7},          {6, 2, kMost},
                               {kMost, 1, 1},    {kLeast, 1, 1}, {6, kMost, kLeast}, {0, kMost, 1},
                               {0, kMost, kMost}};
  for (const auto& [start, count, step] : kWrong) {
    EXPECT_EQ(IdentifierOf([&, start = start, count = count, step = step] {
                Slice(x, 'B', start, count, step);
              }),
              "dlarray:IndexOutOfRange")
        << start << " " << count << " " << step;
  }
  EXPECT_EQ(IdentifierOf([&] { Slice(x, 'T', 0, 1); }), "dlarray:LabelNotFound");
  EXPECT_EQ(IdentifierOf([&] { Slice(x, 2, 0, 1); }), "dlarray:DimOutOfRange");
  EXPECT_EQ(IdentifierOf([&] { Slice(x, {0, 1}, 0, 1); }), "dlarray:SeveralDims");
}

TEST(CircShiftTest, MovesAround) {
  for (const DataType type : kAllTypes) {
    const DlArray x = Numbered({4, 3, 5}, "SCB", type);
    for (int d = 0; d < 3; ++d) {
      const int64_t n = x.size(d);
      for (const int64_t shift : {int64_t{0}, int64_t{1}, int64_t{2}, int64_t{-1}, n, 3 * n + 1,
                                  -2 * n - 2, INT64_MAX, INT64_MIN}) {
        const DlArray y = CircShift(x, d, shift);
        ASSERT_EQ(y.spec(), x.spec());
        ForEachIndex(x.sizes(), [&](const Sizes& at) {
          Sizes to = at;
          to[d] = (at[d] + shift % n + n) % n;
          EXPECT_EQ(ElementAt(y, to), ElementAt(x, at));
        });
      }
    }
  }
  EXPECT_EQ(CircShift(Numbered({0, 2}), 0, 3).sizes(), (Sizes{0, 2}));
  EXPECT_EQ(IdentifierOf([&] { CircShift(Numbered({2}, "C"), 'B', 1); }), "dlarray:LabelNotFound");
  EXPECT_EQ(IdentifierOf([&] {
              CircShift(Numbered({2, 2}, "SS"), 'S', 1);
            }),
            "dlarray:SeveralDims");
}

TEST(FlipTest, ReversesEachDim) {
  const DlArray x = Numbered({2, 3, 4}, "SSC");
  const DlArray y = Flip(x, "S");
  EXPECT_EQ(Dims(y), "SSC");
  ForEachIndex(y.sizes(), [&](const Sizes& i) {
    EXPECT_EQ(ElementAt(y, i), ElementAt(x, {1 - i[0], 2 - i[1], i[2]}));
  });
  EXPECT_EQ(Flip(Numbered({0, 1}), {0, 1}).sizes(), (Sizes{0, 1}));
  EXPECT_EQ(IdentifierOf([&] { Flip(x, 'B'); }), "dlarray:LabelNotFound");
}

TEST(RepmatTest, RepeatsWholeArrays) {
  for (DataType type : kAllTypes) {
    const DlArray x = Numbered({2, 3}, "CB", type);
    const int64_t counts[] = {3, 2};
    const DlArray y = Repmat(x, counts);
    ASSERT_EQ(y.sizes(), (Sizes{6, 6}));
    EXPECT_EQ(Dims(y), "CB");
    ForEachIndex(y.sizes(), [&](const Sizes& i) {
      EXPECT_EQ(ElementAt(y, i), ElementAt(x, {i[0] % 2, i[1] % 3}));
    });
  }
  const int64_t kMore[] = {1, 2, 2}, kNone[] = {0}, kOnes[] = {1, 1};
  EXPECT_EQ(Repmat(Numbered({3}), kMore).sizes(), (Sizes{3, 2, 2}));
  EXPECT_EQ(Repmat(Numbered({3, 2}), kNone).sizes(), (Sizes{0, 2}));
  EXPECT_TRUE(IsEqual(Repmat(Numbered({3, 2}, "CB"), kOnes), Numbered({3, 2}, "CB")));
}

TEST(RepmatTest, TellsWrongCounts) {
  const int64_t kNegative[] = {1, -2}, kMany[] = {1, 1, 2};
  EXPECT_EQ(MessageOf([&] { Repmat(Numbered({3}), kNegative); }),
            "Repmat expects for each dim how often it is repeated, 0 or more. Counts [1 -2] for a "
            "3 single DlArray came. Give at most one count for each dim of a labelled array. "
            "[dlarray:InvalidSize]");
  EXPECT_EQ(IdentifierOf([&] { Repmat(Numbered({3, 2}, "CB"), kMany); }), "dlarray:DimOutOfRange");
}

TEST(SqueezeTest, DropsDimsOfSizeOne) {
  EXPECT_TRUE(IsEqual(Squeeze(Numbered({1, 3, 1, 2}, "SSCB")), Numbered({3, 2}, "SB")));
  EXPECT_TRUE(IsEqual(Squeeze(Numbered({1, 1}, "CB")), Numbered({})));
  EXPECT_TRUE(IsEqual(Squeeze(Numbered({2, 0, 1})), Numbered({2, 0})));
}

TEST(GatherTest, TakesPositions) {
  const DlArray indices = DlArray::FromVector<int64_t>({4, 0, 4, 2}, {4});
  for (DataType type : kAllTypes) {
    const DlArray x = Numbered({2, 5, 3}, "SCB", type);
    const DlArray y = Gather(x, 'C', indices);
    ASSERT_EQ(y.sizes(), (Sizes{2, 4, 3}));
    EXPECT_EQ(Dims(y), "SCB");
    ForEachIndex(y.sizes(), [&](const Sizes& i) {
      EXPECT_EQ(ElementAt(y, i), ElementAt(x, {i[0], indices.Data<int64_t>()[i[1]], i[2]}));
    });
    EXPECT_TRUE(IsEqual(Gather(x, 1, Cast(indices, DataType::kInt32)), y));
    EXPECT_TRUE(IsEqual(Gather(x, 1, Reshape(indices, {1, 4})), y));
  }
  EXPECT_EQ(Gather(Numbered({3}), 0, DlArray::FromVector<int32_t>({}, {0})).sizes(), (Sizes{0}));
}

TEST(ScatterAddTest, AddsInPlaces) {
  const DlArray indices = DlArray::FromVector<int32_t>({4, 0, 4, 2}, {4});
  for (DataType type : kAllTypes) {
    const DlArray x = Numbered({2, 4, 3}, "SCB", type);
    if (!IsFloating(type)) {
      EXPECT_EQ(IdentifierOf([&] { ScatterAdd(x, 'C', indices, 5); }), "ops:UnsupportedType");
      continue;
    }
    const DlArray y = ScatterAdd(x, 'C', indices, 5);
    ASSERT_EQ(y.sizes(), (Sizes{2, 5, 3}));
    ForEachIndex(y.sizes(), [&](const Sizes& i) {
      std::complex<double> sum = 0;
      for (int64_t k = 0; k < 4; ++k) {
        if (indices.At(k) == static_cast<double>(i[1])) sum += ElementAt(x, {i[0], k, i[2]});
      }
      EXPECT_EQ(ElementAt(y, i), sum);
    });
  }
  const DlArray none = DlArray::FromVector<int32_t>({}, {0});
  EXPECT_EQ(ScatterAdd(Numbered({0, 2}), 0, none, 3).ToVector<float>(), std::vector<float>(6, 0));
}

TEST(GatherTest, TellsWrongIndices) {
  const DlArray x = Numbered({3, 2}, "CB");
  EXPECT_EQ(MessageOf([&] {
              Gather(x, 'C', DlArray::FromVector<int32_t>({0, 3}, {2}));
            }),
            "Gather takes positions from 0 to 2. Index number 1 is 3. Positions count from 0. "
            "[dlarray:IndexOutOfRange]");
  EXPECT_EQ(IdentifierOf([&] { Gather(x, 'C', DlArray::FromVector<int64_t>({-1}, {1})); }),
            "dlarray:IndexOutOfRange");
  EXPECT_EQ(MessageOf([&] { Gather(x, 'C', DlArray(1.0)); }),
            "Gather takes positions as int32 or int64, from 0. Indices in a scalar double DlArray "
            "came. Cast them to int64. [ops:UnsupportedType]");
  const DlArray square = DlArray::FromVector<int32_t>({0, 0, 0, 0}, {2, 2});
  EXPECT_EQ(IdentifierOf([&] { Gather(x, 'C', square); }), "dlarray:SizeMismatch");
  const DlArray two = DlArray::FromVector<int32_t>({0, 1}, {2});
  EXPECT_EQ(IdentifierOf([&] { ScatterAdd(x, 'C', two, 4); }), "dlarray:SizeMismatch");
  EXPECT_EQ(IdentifierOf([&] { ScatterAdd(x, 'B', two, 1); }), "dlarray:IndexOutOfRange");
  EXPECT_EQ(IdentifierOf([&] { ScatterAdd(x, 'B', two, -1); }), "dlarray:InvalidSize");
}

// Gradients. The squares before and after make the gradient's own gradient go through each function
// and through its transpose.
TEST(ShapeGradientTest, OfEveryFunction) {
  const DlArray indices = DlArray::FromVector<int64_t>({2, 2, 0}, {3});
  const DlArray one_each = DlArray::FromVector<int64_t>({4, 4, 0}, {3});
  const int64_t counts[] = {2, 3};
  const std::pair<const char*, std::function<DlArray(const DlArrays&)>> kFunctions[] = {
      {"reshape",
       [](const DlArrays& x) {
         return Reshape(Square(x[0]), {6, 2});
       }},
      {"labelling",
       [](const DlArrays& x) {
         return Reshape(Square(x[0]), {6, 2}, "TC");
       }},
      {"relabel", [](const DlArrays& x) { return DlArray(Square(x[0]), "BC"); }},
      {"strip", [](const DlArrays& x) { return StripDims(Square(x[0]), "BTC"); }},
      {"permute",
       [](const DlArrays& x) {
         return Permute(StripDims(Square(x[0])), {1, 0});
       }},
      {"permute in a cycle",
       [](const DlArrays& x) {
         return Permute(Reshape(Square(x[0]), {2, 3, 2}), {2, 0, 1});
       }},
      {"relabel in a cycle",
       [](const DlArrays& x) {
         return DlArray(Reshape(Square(x[0]), {2, 3, 2}), "TSC");
       }},
      {"strip in a cycle",
       [](const DlArrays& x) {
         return StripDims(Reshape(Square(x[0]), {2, 3, 2}, "SCB"), "BSTC");
       }},
      {"transpose", [](const DlArrays& x) { return Transpose(StripDims(Square(x[0]))); }},
      {"cat",
       [](const DlArrays& x) {
         return Cat('B', {Square(x[0]), x[1], Square(x[1])});
       }},
      {"cat with unlabelled",
       [](const DlArrays& x) {
         return Cat('B', {Square(x[0]), StripDims(Square(x[1]))});
       }},
      {"cat with a constant",
       [](const DlArrays& x) {
         return Cat('B', {Square(x[0]), RandomInput({3, 2}, "CB")});
       }},
      {"slice", [](const DlArrays& x) { return Slice(Square(x[0]), 'B', 1, 2); }},
      {"slice by steps", [](const DlArrays& x) { return Slice(Square(x[0]), 'B', 3, 2, -2); }},
      {"circshift", [](const DlArrays& x) { return CircShift(Square(x[0]), 'C', -2); }},
      {"flip", [](const DlArrays& x) { return Flip(Square(x[0]), "CB"); }},
      {"gather", [&](const DlArrays& x) { return Gather(Square(x[0]), 'C', indices); }},
      {"scatter", [&](const DlArrays& x) { return ScatterAdd(Square(x[0]), 'C', one_each, 5); }},
      {"repmat", [&](const DlArrays& x) { return Repmat(Square(x[0]), counts); }},
      {"squeeze", [](const DlArrays& x) { return Squeeze(Slice(Square(x[0]), 'B', 1, 1)); }},
  };
  for (const auto& [name, f] : kFunctions) {
    for (DataType type : {DataType::kDouble, DataType::kComplexDouble}) {
      EXPECT_TRUE(GradientsAgree(
          [&, f = f](const DlArrays& x) { return Square(f(x)); },
          {RandomInput({3, 4}, "CB", -1, 1, 1, type), RandomInput({3, 2}, "CB", -1, 1, 2, type)}))
          << name << " of " << Name(type);
    }
  }
}

}  // namespace
}  // namespace lamina
