#include "framework/layers/network_data_layout.h"

#include "framework/dlarray/testing/thrown_error.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

TEST(NetworkDataLayoutTest, PutsDimsInOrder) {
  const NetworkDataLayout layout({128, 7, 20, 5}, "BTCS");
  EXPECT_EQ(layout.format().str(), "SCBT");
  EXPECT_EQ(layout.sizes(), Sizes({5, 20, 128, 7}));
  EXPECT_EQ(layout, NetworkDataLayout({5, 20, 128, 7}, "SCBT"));
  EXPECT_FALSE(layout == NetworkDataLayout({5, 20, 128, 8}, "SCBT"));
  EXPECT_EQ(ToString(layout), "5(S) x 20(C) x 128(B) x 7(T)");
}

TEST(NetworkDataLayoutTest, FindsSizesByLabel) {
  const NetworkDataLayout layout({24, 12, 20, kUnknown}, "SSCB");
  EXPECT_EQ(layout.Size('C'), 20);
  EXPECT_EQ(layout.Size('S'), 24);
  EXPECT_EQ(layout.FindDim('C'), 2);
  EXPECT_EQ(layout.FindDim('T'), -1);
  EXPECT_EQ(layout.Count("SC"), 24 * 12 * 20);
  EXPECT_EQ(layout.Count("T"), 1);
  EXPECT_EQ(layout.rank(), 4);
  EXPECT_EQ(MessageOf([&] { layout.Size('T'); }),
            "The size of dim 'T' was asked for. The layout is 24(S) x 12(S) x 20(C) x NaN(B). Give "
            "the layer data with this label. [layout:LabelNotFound]");
  const std::string unknown =
      "The size of dim 'B' must be known. The layout is 24(S) x 12(S) x 20(C) x NaN(B). Give a "
      "layout with this size. [layout:UnknownSize]";
  EXPECT_EQ(MessageOf([&] { layout.Size('B'); }), unknown);
  EXPECT_EQ(MessageOf([&] { layout.Only('B'); }), unknown);
  EXPECT_EQ(MessageOf([&] { layout.Count("CB"); }), unknown);
}

TEST(NetworkDataLayoutTest, OnlyKeepsOneLabel) {
  const NetworkDataLayout layout({24, 12, 20, 128}, "SSCB");
  EXPECT_EQ(layout.Only('C'), Sizes({1, 1, 20}));
  EXPECT_EQ(layout.Only('S'), Sizes({24, 12}));
  EXPECT_EQ(layout.Only('B'), Sizes({1, 1, 1, 128}));
  EXPECT_EQ(NetworkDataLayout({3, 8}, "CB").Only('C'), Sizes({3}));
  EXPECT_EQ(NetworkDataLayout({1, 8}, "CB").Only('C'), Sizes({1}));
}

TEST(NetworkDataLayoutTest, UnknownSizesAreFilledIn) {
  const NetworkDataLayout layout({3, kUnknown, kUnknown}, "CBT");
  EXPECT_TRUE(layout.has_unknown());
  EXPECT_EQ(layout.WithUnknown(4).sizes(), Sizes({3, 4, 4}));
  EXPECT_FALSE(layout.WithUnknown(4).has_unknown());
  EXPECT_EQ(ToString(layout), "3(C) x NaN(B) x NaN(T)");
}

TEST(NetworkDataLayoutTest, OfAnArray) {
  const DlArray x = DlArray::FromVector<float>({1, 2, 3, 4, 5, 6}, {3, 2}, "TC");
  EXPECT_EQ(NetworkDataLayout::Of(x), NetworkDataLayout({2, 3}, "CT"));
  EXPECT_EQ(ToString(NetworkDataLayout({4, 5})), "4 x 5");
  EXPECT_EQ(ToString(NetworkDataLayout({})), "scalar");
}

TEST(NetworkDataLayoutTest, WrongLayoutsAreRefused) {
  EXPECT_EQ(
      MessageOf([] {
        NetworkDataLayout({0, 3}, "CB");
      }),
      "Sizes of a layout are 1 or more, or kUnknown. Sizes [0 3] came. Write kUnknown where a "
      "size may be any. [layout:InvalidSize]");
  EXPECT_EQ(MessageOf([] { NetworkDataLayout({-2}, "C"); }),
            "Sizes of a layout are 1 or more, or kUnknown. Sizes [-2] came. Write kUnknown where a "
            "size may be any. [layout:InvalidSize]");
  EXPECT_EQ(MessageOf([] {
              NetworkDataLayout({3, 4}, "C");
            }),
            "A layout has one label for each size. \"C\" came with sizes 3x4. Give each size its "
            "label. [layout:FormatRank]");
  EXPECT_EQ(
      MessageOf([] {
        NetworkDataLayout({3, 4}, "CC");
      }),
      "A format has C, B and T at most once. \"CC\" has 'C' 2 times. Label the other dim S or "
      "U. [dlarray:DuplicateLabel]");
  EXPECT_EQ(MessageOf([] { NetworkDataLayout({3}, "c"); }),
            "A format is made of the labels S (spatial), C (channel), B (batch), T (time) and U "
            "(unspecified). \"c\" has 'c'. Write one of these letters for each dim, in upper case. "
            "[dlarray:InvalidLabel]");
}

}  // namespace
}  // namespace lamina
