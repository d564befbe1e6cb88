// The tables here are written from the rules (labels S C B T U in this order, stable among equal
// ones; how labelled arrays meet), not from the code.
#include "framework/dlarray/format.h"

#include <string>
#include <vector>

#include "framework/dlarray/error.h"
#include "framework/dlarray/testing/thrown_error.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

struct Sorting {
  std::string given;
  std::string sorted;
  std::vector<int> from;  // For each sorted dim, which of the given ones.
};

TEST(FormatTest, DimsStandInTheOrderSCBTU) {
  const Sorting kTable[] = {
      {"", "", {}},
      {"S", "S", {0}},
      {"TS", "ST", {1, 0}},
      {"ST", "ST", {0, 1}},
      {"BC", "CB", {1, 0}},
      {"CBT", "CBT", {0, 1, 2}},
      {"TBC", "CBT", {2, 1, 0}},
      {"TCB", "CBT", {1, 2, 0}},
      {"SSBC", "SSCB", {0, 1, 3, 2}},
      {"CSSB", "SSCB", {1, 2, 0, 3}},
      {"BSCST", "SSCBT", {1, 3, 2, 0, 4}},
      {"USUS", "SSUU", {1, 3, 0, 2}},
      {"UTBCS", "SCBTU", {4, 3, 2, 1, 0}},
      {"UUUUC", "CUUUU", {4, 0, 1, 2, 3}},
      {"TSBSCSU", "SSSCBTU", {1, 3, 5, 4, 2, 0, 6}},
  };
  for (const Sorting& row : kTable) {
    SCOPED_TRACE(row.given);
    EXPECT_EQ(Format::Sorted(row.given).str(), row.sorted);
    EXPECT_EQ(Format::SortingPermutation(row.given), row.from);
  }
}

TEST(FormatTest, AnswersAboutLabels) {
  const Format format("SSCBTUU");
  EXPECT_EQ(format.rank(), 7);
  EXPECT_FALSE(format.empty());
  EXPECT_TRUE(Format().empty());
  EXPECT_EQ(format.Find('S'), 0);
  EXPECT_EQ(format.Find('C'), 2);
  EXPECT_EQ(format.Find('B'), 3);
  EXPECT_EQ(format.Find('T'), 4);
  EXPECT_EQ(format.Find('U'), 5);
  EXPECT_EQ(Format("SB").Find('C'), -1);
  EXPECT_EQ(format.Count('S'), 2);
  EXPECT_EQ(format.Count('U'), 2);
  EXPECT_EQ(Format("CB").Count('S'), 0);
  EXPECT_EQ(format[3], 'B');
  EXPECT_TRUE(Format("CB") == Format("CB"));
  EXPECT_FALSE(Format("CB") == Format("CT"));
}

TEST(FormatTest, RefusesWrongWords) {
  EXPECT_EQ(MessageOf([] { Format("SXC"); }),
            "A format is made of the labels S (spatial), C (channel), B (batch), T (time) and U "
            "(unspecified). \"SXC\" has 'X'. Write one of these letters for each dim, in upper "
            "case. [dlarray:InvalidLabel]");
  EXPECT_EQ(MessageOf([] { Format("CBC"); }),
            "A format has C, B and T at most once. \"CBC\" has 'C' 2 times. Label the other dim S "
            "or U. [dlarray:DuplicateLabel]");
  EXPECT_EQ(MessageOf([] { Format("BC"); }),
            "A format has its labels in the order S C B T U. \"BC\" came. Write \"CB\". "
            "[dlarray:LabelOrder]");
  for (const char* word : {"c", "sscb", "S C", "S\n", "\xc3\xbc", "0"}) {
    EXPECT_NE(MessageOf([&] { Format::Sorted(word); }).find("[dlarray:InvalidLabel]"),
              std::string::npos)
        << word;
  }
  for (const char* word : {"CC", "BB", "TT", "SCBTUSCBTU", "TSST"}) {
    EXPECT_NE(MessageOf([&] { Format::Sorted(word); }).find("[dlarray:DuplicateLabel]"),
              std::string::npos)
        << word;
  }
}

TEST(FormatTest, CombineTakesOfEachLabelTheLargerNumber) {
  const std::string kTable[][3] = {
      {"", "", ""},        {"CB", "", "CB"},       {"CB", "CB", "CB"},   {"SCB", "SSC", "SSCB"},
      {"CB", "CT", "CBT"}, {"B", "T", "BT"},       {"S", "C", "SC"},     {"SSCB", "C", "SSCB"},
      {"U", "UU", "UU"},   {"SSU", "SUU", "SSUU"}, {"TU", "SC", "SCTU"}, {"SSSCBT", "B", "SSSCBT"},
  };
  for (const auto& [a, b, both] : kTable) {
    EXPECT_EQ(Combine(Format(a), Format(b)).str(), both) << a << " and " << b;
    EXPECT_EQ(Combine(Format(b), Format(a)).str(), both) << b << " and " << a;
  }
}

TEST(FormatTest, EqualLabelsAlignFromTheFirst) {
  EXPECT_EQ(AlignLabels(Format("SCB"), Format("SSCB")), (std::vector<int>{0, 2, 3}));
  EXPECT_EQ(AlignLabels(Format("SSC"), Format("SSCB")), (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(AlignLabels(Format("UU"), Format("CTUUU")), (std::vector<int>{2, 3}));
  EXPECT_EQ(AlignLabels(Format(), Format("CB")), std::vector<int>{});
}

struct Meeting {
  std::string format_a;
  Sizes sizes_a;
  std::string format_b;
  Sizes sizes_b;
  std::string format;
  Sizes sizes;
  Sizes seen_a, seen_b;  // As the result sees them.
};

TEST(BroadcastTest, FollowsTheTable) {
  const Meeting kTable[] = {
      // Both labelled, same labels.
      {"CB", {3, 2}, "CB", {3, 2}, "CB", {3, 2}, {3, 2}, {3, 2}},
      {"CB", {3, 2}, "CB", {3, 1}, "CB", {3, 2}, {3, 2}, {3, 1}},
      {"CB", {1, 2}, "CB", {3, 1}, "CB", {3, 2}, {1, 2}, {3, 1}},
      // A missing label becomes a dim of size 1 at the end of its label's block.
      {"SSCB", {4, 5, 3, 2}, "C", {3}, "SSCB", {4, 5, 3, 2}, {4, 5, 3, 2}, {1, 1, 3, 1}},
      {"SSCB", {4, 5, 3, 2}, "B", {2}, "SSCB", {4, 5, 3, 2}, {4, 5, 3, 2}, {1, 1, 1, 2}},
      {"SCB", {5, 3, 2}, "SSC", {5, 4, 3}, "SSCB", {5, 4, 3, 2}, {5, 1, 3, 2}, {5, 4, 3, 1}},
      {"S", {5}, "SSS", {5, 6, 7}, "SSS", {5, 6, 7}, {5, 1, 1}, {5, 6, 7}},
      {"CB", {3, 2}, "CT", {3, 4}, "CBT", {3, 2, 4}, {3, 2, 1}, {3, 1, 4}},
      {"B", {2}, "T", {4}, "BT", {2, 4}, {2, 1}, {1, 4}},
      {"T", {4}, "B", {2}, "BT", {2, 4}, {1, 4}, {2, 1}},
      {"CU", {3, 6}, "CUU", {3, 6, 7}, "CUU", {3, 6, 7}, {3, 6, 1}, {3, 6, 7}},
      {"U", {6}, "S", {5}, "SU", {5, 6}, {1, 6}, {5, 1}},
      // One labelled: by position.
      {"CB", {3, 2}, "", {}, "CB", {3, 2}, {3, 2}, {1, 1}},
      {"CB", {3, 2}, "", {3}, "CB", {3, 2}, {3, 2}, {3, 1}},
      {"CB", {3, 2}, "", {3, 1}, "CB", {3, 2}, {3, 2}, {3, 1}},
      {"CB", {3, 2}, "", {1, 2}, "CB", {3, 2}, {3, 2}, {1, 2}},
      {"CB", {1, 2}, "", {3, 2}, "CB", {3, 2}, {1, 2}, {3, 2}},
      {"CB", {3, 2}, "", {3, 2, 1, 1}, "CB", {3, 2}, {3, 2}, {3, 2}},
      {"SSCB", {4, 5, 3, 2}, "", {1, 1, 3}, "SSCB", {4, 5, 3, 2}, {4, 5, 3, 2}, {1, 1, 3, 1}},
      {"C", {1}, "", {3}, "C", {3}, {1}, {3}},
      // None labelled.
      {"", {3, 2}, "", {}, "", {3, 2}, {3, 2}, {1, 1}},
      {"", {3}, "", {1, 2}, "", {3, 2}, {3, 1}, {1, 2}},
      {"", {3, 1, 4}, "", {1, 2}, "", {3, 2, 4}, {3, 1, 4}, {1, 2, 1}},
      {"", {}, "", {}, "", {}, {}, {}},
      // Empty dims meet empty dims and those of size 1.
      {"CB", {3, 0}, "CB", {3, 1}, "CB", {3, 0}, {3, 0}, {3, 1}},
      {"", {0}, "", {}, "", {0}, {0}, {1}},
  };
  for (const Meeting& m : kTable) {
    const ArraySpec a{DataType::kSingle, m.sizes_a, Format(m.format_a)};
    const ArraySpec b{DataType::kSingle, m.sizes_b, Format(m.format_b)};
    SCOPED_TRACE(ToString(a) + " and " + ToString(b));
    for (const bool swapped : {false, true}) {
      const ArraySpec out = swapped ? Broadcast("plus", {&b, &a}) : Broadcast("plus", {&a, &b});
      EXPECT_EQ(out.format.str(), m.format);
      EXPECT_EQ(out.sizes, m.sizes);
      EXPECT_EQ(AlignSizes(a, out), m.seen_a);
      EXPECT_EQ(AlignSizes(b, out), m.seen_b);
    }
  }
}

TEST(BroadcastTest, ThreeArraysMeetAtOnce) {
  const ArraySpec mask{DataType::kLogical, {3, 1}, Format("CB")};
  const ArraySpec x{DataType::kSingle, {2}, Format("B")}, y{DataType::kSingle, {}, {}};
  const ArraySpec out = Broadcast("where", {&mask, &x, &y});
  EXPECT_EQ(out.format.str(), "CB");
  EXPECT_EQ(out.sizes, (Sizes{3, 2}));
}

TEST(BroadcastTest, TellsWhatDoesNotMeet) {
  const ArraySpec image{DataType::kSingle, {4, 5, 3, 2}, Format("SSCB")};
  const ArraySpec channels{DataType::kDouble, {7}, Format("C")};
  EXPECT_EQ(MessageOf([&] {
              Broadcast("plus", {&image, &channels});
            }),
            "plus expects sizes that are equal or 1 in each dim. 4(S) x 5(S) x 3(C) x 2(B) single "
            "DlArray and 7(C) double DlArray came. Dim 2 (C) is 3 in one and 7 in another. Make "
            "the sizes agree, or relabel one of the arrays. [dlarray:SizeMismatch]");

  // The only S of one stands beside the first S of the other, whatever would fit.
  const ArraySpec rows{DataType::kSingle, {5}, Format("S")};
  EXPECT_NE(MessageOf([&] {
              Broadcast("plus", {&image, &rows});
            }).find("[dlarray:SizeMismatch]"),
            std::string::npos);

  const ArraySpec vectors{DataType::kSingle, {3, 2}, Format("CB")};
  const ArraySpec pages{DataType::kSingle, {3, 2, 4}, {}};
  EXPECT_EQ(MessageOf([&] {
              Broadcast("times", {&vectors, &pages});
            }),
            "times of a labelled and an unlabelled array matches dims by position; the unlabelled "
            "one may not add dims to \"CB\". 3(C) x 2(B) single DlArray and 3 x 2 x 4 single "
            "DlArray came. Label both arrays, or reshape the unlabelled one. "
            "[dlarray:FormatMismatch]");

  const ArraySpec a{DataType::kSingle, {3, 2}, {}}, b{DataType::kSingle, {2}, {}};
  EXPECT_EQ(MessageOf([&] {
              Broadcast("minus", {&a, &b});
            }),
            "minus expects sizes that are equal or 1 in each dim. 3 x 2 single DlArray and 2 "
            "single DlArray came. Dim 0 is 3 in one and 2 in another. Permute or reshape one of "
            "them so that the dims match. [dlarray:SizeMismatch]");

  const ArraySpec empty{DataType::kSingle, {0}, {}};
  EXPECT_NE(MessageOf([&] {
              Broadcast("plus", {&a, &empty});
            }).find("[dlarray:SizeMismatch]"),
            std::string::npos);
}

TEST(ArraySpecTest, PrintsSizesLabelsAndType) {
  EXPECT_EQ(ToString(ArraySpec{DataType::kSingle, {3, 2, 20, 128}, Format("SSCB")}),
            "3(S) x 2(S) x 20(C) x 128(B) single DlArray");
  EXPECT_EQ(ToString(ArraySpec{DataType::kComplexDouble, {3, 2}, {}}),
            "3 x 2 complex double DlArray");
  EXPECT_EQ(ToString(ArraySpec{DataType::kLogical, {}, {}}), "scalar logical DlArray");
  EXPECT_EQ(ToString(ArraySpec{DataType::kSingle, {-1, 4}, Format("SC")}),
            "NaN(S) x 4(C) single DlArray");
  EXPECT_EQ(ToString(Sizes{3, -1, 0}), "3xNaNx0");
  EXPECT_EQ(ToString(Sizes{}), "scalar");
}

TEST(ArraySpecTest, TrailingOnesDoNotMatterToSameSizes) {
  EXPECT_TRUE(SameSizes({3, 2}, {3, 2, 1, 1}));
  EXPECT_TRUE(SameSizes({}, {1}));
  EXPECT_FALSE(SameSizes({3, 2}, {3}));
  EXPECT_FALSE(SameSizes({3}, {3, 0}));
  EXPECT_FALSE(SameSizes({1, 3}, {3, 1}));
}

TEST(DataTypeTest, TheLessPreciseTypeWins) {
  using enum DataType;
  const DataType kTable[][3] = {
      {kSingle, kSingle, kSingle},
      {kSingle, kDouble, kSingle},
      {kDouble, kDouble, kDouble},
      {kLogical, kSingle, kSingle},
      {kLogical, kDouble, kDouble},
      {kLogical, kLogical, kLogical},
      {kLogical, kInt64, kInt64},
      {kInt32, kSingle, kSingle},
      {kInt64, kDouble, kDouble},
      {kUint8, kComplexSingle, kComplexSingle},
      {kInt32, kInt64, kInt64},
      {kInt32, kUint8, kInt64},
      {kUint8, kUint8, kUint8},
      {kComplexSingle, kSingle, kComplexSingle},
      {kComplexSingle, kDouble, kComplexSingle},
      {kComplexDouble, kDouble, kComplexDouble},
      {kComplexDouble, kSingle, kComplexSingle},
      {kComplexDouble, kComplexSingle, kComplexSingle},
      {kComplexDouble, kLogical, kComplexDouble},
  };
  for (const auto& [a, b, result] : kTable) {
    EXPECT_EQ(Promote(a, b), result) << Name(a) << " with " << Name(b);
    EXPECT_EQ(Promote(b, a), result) << Name(b) << " with " << Name(a);
  }
}

}  // namespace
}  // namespace lamina
