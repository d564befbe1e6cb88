#include "framework/ops/creation.h"

#include <limits>

#include "framework/dlarray/testing/thrown_error.h"
#include "framework/ops/testing/indexing.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

TEST(CreationTest, FillsEveryType) {
  for (DataType type : kAllTypes) {
    const DlArray zeros = Zeros({3, 2}, type), ones = Ones({3, 2}, type);
    EXPECT_EQ(zeros.type(), type);
    EXPECT_EQ(zeros.sizes(), (Sizes{3, 2}));
    for (int64_t i = 0; i < 6; ++i) {
      EXPECT_EQ(zeros.ComplexAt(i), 0.0);
      EXPECT_EQ(ones.ComplexAt(i), 1.0);
    }
  }
  EXPECT_EQ(Zeros({2}).type(), DataType::kSingle);
}

TEST(CreationTest, ConvertsTheValue) {
  EXPECT_EQ(Full({2}, 0.1).At(1), static_cast<double>(0.1f));
  EXPECT_EQ(Full({2}, 0.1, DataType::kDouble).At(1), 0.1);
  EXPECT_EQ(Full({2}, -2.5, DataType::kInt32).At(0), -3);
  EXPECT_EQ(Full({2}, 0.5, DataType::kLogical).At(0), 1);
  EXPECT_EQ(Full({2}, {1, 2}, DataType::kComplexSingle).ComplexAt(1), (std::complex<double>(1, 2)));
  EXPECT_EQ(Full({2}, {1, 2}, DataType::kDouble).At(1), 1);
  EXPECT_EQ(Full({}, std::numeric_limits<double>::infinity()).Scalar(),
            std::numeric_limits<double>::infinity());
}

TEST(CreationTest, TakesLabelsInAnyOrder) {
  EXPECT_EQ(ToString(Zeros({5, 3, 2}, DataType::kDouble, "BCS").spec()),
            "2(S) x 3(C) x 5(B) double DlArray");
  EXPECT_EQ(Ones({3}, DataType::kSingle, "CB").sizes(), (Sizes{3, 1}));
}

TEST(CreationTest, LikeNeedsNoValues) {
  const ArraySpec spec{DataType::kComplexDouble, {3, 2}, Format("CB")};
  const DlArray x(internal::ArrayData::MakeAbstract(spec));
  EXPECT_EQ(ZerosLike(x).spec(), spec);
  EXPECT_EQ(OnesLike(x).ComplexAt(5), 1.0);
  EXPECT_EQ(FullLike(x, {0, 2}).ComplexAt(5), (std::complex<double>(0, 2)));
  EXPECT_EQ(ZerosLike(DlArray()).sizes(), (Sizes{0, 0}));
}

TEST(CreationTest, TellsWrongSizesAndLabels) {
  EXPECT_EQ(IdentifierOf([] { Zeros({3, -1}); }), "dlarray:InvalidSize");
  EXPECT_EQ(IdentifierOf([] {
              Zeros({int64_t{1} << 40, int64_t{1} << 40});
            }),
            "dlarray:InvalidSize");
  EXPECT_EQ(IdentifierOf([] { Ones({3, 2}, DataType::kSingle, "C"); }), "dlarray:FormatRank");
  EXPECT_EQ(IdentifierOf([] { Ones({3, 2}, DataType::kSingle, "CX"); }), "dlarray:InvalidLabel");
}

}  // namespace
}  // namespace lamina
