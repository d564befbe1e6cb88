#include "lessons/data/digits/split_digits.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

#include "framework/io/digits.h"
#include "framework/io/runfiles.h"

namespace lamina {
namespace {

// Pixels of one picture, times 16.
std::vector<float> Picture(const DlArray& images, int64_t n) {
  const float* first = images.Data<float>() + 64 * n;
  std::vector<float> pixels(first, first + 64);
  for (float& pixel : pixels) pixel *= 16;
  return pixels;
}

int Label(const DlArray& targets, int64_t n) {
  int label = -1;
  for (int c = 0; c < 10; ++c) {
    const double value = targets.At(10 * n + c);
    EXPECT_TRUE(value == 0 || value == 1);
    if (value == 1) label = label < 0 ? c : 99;
  }
  return label;
}

TEST(SplitDigitsTest, EveryPictureIsInOnePartWithItsLabel) {
  const auto digits = LoadDigits(RunfilePath(kDigitsPath));
  ASSERT_TRUE(digits.ok()) << digits.status();
  std::multiset<std::pair<std::vector<float>, int>> expected, came;
  for (int64_t n = 0; n < digits->count; ++n) {
    const auto first = digits->images.begin() + 64 * n;
    expected.insert({std::vector<float>(first, first + 64), digits->labels[n]});
  }
  const auto split = SplitDigits();
  ASSERT_TRUE(split.ok()) << split.status();
  for (const Dataset* part : {&split->train, &split->validation, &split->test}) {
    const DlArray &images = part->inputs[0], &targets = part->targets[0];
    EXPECT_EQ(Dims(images), "SSCB");
    EXPECT_EQ(Dims(targets), "CB");
    for (int64_t n = 0; n < images.size(3); ++n) {
      came.insert({Picture(images, n), Label(targets, n)});
    }
  }
  EXPECT_EQ(split->train.inputs[0].sizes(), (Sizes{8, 8, 1, 1257}));
  EXPECT_EQ(split->validation.inputs[0].size(3), 180);
  EXPECT_EQ(split->test.inputs[0].size(3), 360);
  EXPECT_TRUE(came == expected);
}

TEST(SplitDigitsTest, TestPositionsAreThoseOfTheFile) {
  const auto digits = LoadDigits(RunfilePath(kDigitsPath));
  const auto split = SplitDigits({.seed = 5});
  ASSERT_TRUE(digits.ok() && split.ok());
  ASSERT_EQ(split->test_positions.size(), 360u);
  for (int64_t n = 0; n < 360; ++n) {
    const auto first = digits->images.begin() + 64 * split->test_positions[n];
    EXPECT_EQ(Picture(split->test.inputs[0], n), std::vector<float>(first, first + 64));
  }
}

TEST(SplitDigitsTest, DependsOnTheSeedAlone) {
  const auto a = SplitDigits({.seed = 3}), b = SplitDigits({.seed = 3}), c = SplitDigits();
  ASSERT_TRUE(a.ok() && b.ok() && c.ok());
  EXPECT_EQ(a->test_positions, b->test_positions);
  EXPECT_NE(a->test_positions, c->test_positions);
}

TEST(SplitDigitsTest, EveryPartHasPictures) {
  EXPECT_FALSE(SplitDigits({.num_validation = 0}).ok());
  EXPECT_FALSE(SplitDigits({.num_test = -1}).ok());
  EXPECT_FALSE(SplitDigits({.num_validation = 897, .num_test = 900}).ok());
  EXPECT_TRUE(SplitDigits({.num_validation = 896, .num_test = 900}).ok());
}

}  // namespace
}  // namespace lamina
