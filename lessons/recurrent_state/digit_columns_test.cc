#include "lessons/recurrent_state/digit_columns.h"

#include "framework/ops/dims.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"
#include "gtest/gtest.h"
#include "lessons/data/digits/split_digits.h"

namespace lamina {
namespace {

TEST(DigitColumnsTest, HaveAllTheInkAndNoMargin) {
  const auto digits = ReadDigitColumns(1);
  const auto split = SplitDigits({.seed = 1});
  ASSERT_TRUE(digits.ok() && split.ok());
  const DlArray& images = split->test.inputs[0];
  ASSERT_EQ(static_cast<int64_t>(digits->test.x.size()), Size(images, 'B'));
  for (int64_t i = 0; i < Size(images, 'B'); ++i) {
    const DlArray& x = digits->test.x[i];
    ASSERT_EQ(Dims(x), "CT");
    ASSERT_EQ(Size(x, 'C'), 8);
    const int64_t last = Size(x, 'T') - 1;
    ASSERT_EQ(Sum(x).Scalar(), Sum(Slice(images, 'B', i, 1)).Scalar()) << i;
    ASSERT_GT(MaxOver(Slice(x, 'T', 0, 1)).Scalar(), 0) << i;
    ASSERT_GT(MaxOver(Slice(x, 'T', last, 1)).Scalar(), 0) << i;
  }
  EXPECT_TRUE(IsEqual(digits->test.t, split->test.targets[0]));
}

}  // namespace
}  // namespace lamina
