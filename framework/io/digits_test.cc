#include "framework/io/digits.h"

#include <numeric>
#include <string>
#include <vector>

#include "framework/io/npy.h"
#include "framework/io/runfiles.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

TEST(DigitsTest, ReadsAllPictures) {
  const auto digits = LoadDigits(RunfilePath(kDigitsPath));
  ASSERT_TRUE(digits.ok()) << digits.status();
  ASSERT_EQ(digits->count, 1797);
  ASSERT_EQ(digits->images.size(), 1797u * 64);
  // The number of pictures of each digit, as UCI's description of optdigits.tes gives it.
  std::vector<int> counts(10);
  for (const int label : digits->labels) ++counts.at(label);
  EXPECT_EQ(counts, (std::vector{178, 182, 177, 183, 181, 182, 181, 179, 174, 180}));
  // The sum of all pixels, by NumPy.
  EXPECT_EQ(std::accumulate(digits->images.begin(), digits->images.end(), 0.0), 561718);
}

TEST(DigitsTest, RowsAreRows) {
  const auto digits = LoadDigits(RunfilePath(kDigitsPath));
  ASSERT_TRUE(digits.ok()) << digits.status();
  // The first two lines of the source's text: a 0 and a 1.
  const std::vector<float> zero = {0, 0, 5,  13, 9,  1,  0, 0, 0, 0, 13, 15, 10, 15, 5, 0,
                                   0, 3, 15, 2,  0,  11, 8, 0, 0, 4, 12, 0,  0,  8,  8, 0,
                                   0, 5, 8,  0,  0,  9,  8, 0, 0, 4, 11, 0,  1,  12, 7, 0,
                                   0, 2, 14, 5,  10, 12, 0, 0, 0, 0, 6,  13, 10, 0,  0, 0};
  for (int row = 0; row < 8; ++row) {
    for (int col = 0; col < 8; ++col) {
      EXPECT_EQ(digits->images[row + 8 * col], zero[8 * row + col]) << row << " " << col;
    }
  }
  EXPECT_EQ(digits->labels[0], 0);
  EXPECT_EQ(digits->labels[1], 1);
  EXPECT_EQ(digits->images[64 + 0 + 8 * 3], 12) << "second picture, row 0, column 3";
}

TEST(DigitsTest, RefusesOtherFiles) {
  EXPECT_EQ(LoadDigits("no/such/file").status().code(), absl::StatusCode::kNotFound);
  const std::string path = testing::TempDir() + "/digits_test.npy";
  const auto error_of = [&](const TensorView& table) {
    EXPECT_TRUE(WriteNpy(path, table).ok());
    return std::string(LoadDigits(path).status().message());
  };
  std::string row(65, '\0');
  EXPECT_EQ(error_of({"", DataType::kUint8, {1, 65}, row}), "");
  EXPECT_EQ(error_of({"", DataType::kUint8, {0, 65}, ""}), "");
  EXPECT_NE(error_of({"", DataType::kUint8, {65}, row}).find("65 columns"), std::string::npos);
  EXPECT_NE(error_of({"", DataType::kLogical, {1, 65}, row}).find("uint8"), std::string::npos);
  row[64] = 10;
  EXPECT_NE(error_of({"", DataType::kUint8, {1, 65}, row}).find("label 10"), std::string::npos);
  row[64] = 9;
  row[3] = 17;
  EXPECT_NE(error_of({"", DataType::kUint8, {1, 65}, row}).find("pixel of 17"), std::string::npos);
  EXPECT_NE(error_of({"", DataType::kUint8, {1, 65}, row}).find(path), std::string::npos);
}

}  // namespace
}  // namespace lamina
