// What the exercise asks for. The solution passes the same test.

#include <gtest/gtest.h>

#include "checks/check_layer.h"
#include HEADER_UNDER_TEST

namespace lamina {
namespace {

constexpr int64_t kHeight = 4, kWidth = 3, kChannels = 2, kN = 5;

DlArray Pictures() { return Randn({kHeight, kWidth, kChannels, kN}, DataType::kSingle, "SSCB"); }

TEST(RowsToSequenceTest, Step1SaysThatItHandlesLabels) {
  EXPECT_TRUE(AnyLayer(RowsToSequenceLayer()).traits().is_formattable)
      << "derive from Formattable too";
}

TEST(RowsToSequenceTest, Step2And3TurnRowsIntoTime) {
  const DlArray x = Pictures(), y = AnyLayer(RowsToSequenceLayer()).Predict({x}).outputs[0];
  ASSERT_EQ(ToString(y.spec()), "6(C) x 5(B) x 4(T) single DlArray");
  for (int64_t n = 0; n < kN; ++n) {
    for (int64_t k = 0; k < kChannels; ++k) {
      for (int64_t j = 0; j < kWidth; ++j) {
        for (int64_t i = 0; i < kHeight; ++i) {
          EXPECT_EQ(y.At(j + kWidth * k + kWidth * kChannels * (n + kN * i)),
                    x.At(i + kHeight * (j + kWidth * (k + kChannels * n))))
              << "row " << i << ", column " << j << ", channel " << k << ", observation " << n;
        }
      }
    }
  }
}

TEST(RowsToSequenceTest, PassesCheckLayer) {
  const NetworkDataLayout layout({kHeight, kWidth, kChannels, kN}, "SSCB");
  const AnyLayer layer = RowsToSequenceLayer();
  ASSERT_EQ(Dims(layer.Predict({Pictures()}).outputs[0]), "CBT") << "first steps 1 to 3";
  const CheckReport report = CheckLayer(layer, {layout}, {.quiet = true});
  EXPECT_TRUE(report.ok()) << report;
}

}  // namespace
}  // namespace lamina
