#include "lessons/data/fashion_mnist/fashion_mnist.h"

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "framework/io/file.h"
#include "framework/ops/reduction.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

int Label(const Dataset& data, int64_t n) {
  int label = -1;
  for (int c = 0; c < 10; ++c) {
    const double value = data.targets[0].At(10 * n + c);
    EXPECT_TRUE(value == 0 || value == 1);
    if (value == 1) label = label < 0 ? c : 99;
  }
  return label;
}

double PixelSum(const Dataset& data, int64_t first, int64_t count) {
  double sum = 0;
  const float* pixels = data.inputs[0].Data<float>() + 784 * first;
  for (int64_t i = 0; i < 784 * count; ++i) sum += pixels[i];
  return sum * 255;
}

// What is expected here was computed by NumPy, which read the files by its own means.
TEST(FashionMnistTest, ReadsAllPictures) {
  const auto fashion = LoadFashionMnist();
  ASSERT_TRUE(fashion.ok()) << fashion.status();
  const Dataset &train = fashion->train, &test = fashion->test;
  EXPECT_EQ(ToString(train.inputs[0].spec()), "28(S) x 28(S) x 1(C) x 60000(B) single DlArray");
  EXPECT_EQ(ToString(test.inputs[0].spec()), "28(S) x 28(S) x 1(C) x 10000(B) single DlArray");
  EXPECT_EQ(ToString(train.targets[0].spec()), "10(C) x 60000(B) single DlArray");
  EXPECT_NEAR(PixelSum(train, 0, 60000), 3431114169, 200);
  EXPECT_NEAR(PixelSum(test, 0, 10000), 573469082, 50);
  EXPECT_NEAR(PixelSum(train, 0, 1), 76247, 0.01);
  EXPECT_NEAR(PixelSum(train, 59999, 1), 16684, 0.01);
  const std::vector<int> first = {9, 0, 0, 3, 0, 2, 7, 2, 5, 5};
  for (int n = 0; n < 10; ++n) EXPECT_EQ(Label(train, n), first[n]);
  std::vector<int> counts(10, 0);
  for (int64_t n = 0; n < 60000; ++n) ++counts.at(Label(train, n));
  EXPECT_EQ(counts, std::vector<int>(10, 6000));
  // Rows 3 to 5 and columns 10 to 15 of the first picture: rows are rows.
  const int corner[3][6] = {{0, 0, 1, 0, 0, 13}, {0, 0, 3, 0, 36, 136}, {0, 0, 6, 0, 102, 204}};
  for (int row = 0; row < 3; ++row) {
    for (int column = 0; column < 6; ++column) {
      EXPECT_FLOAT_EQ(train.inputs[0].Data<float>()[row + 3 + 28 * (column + 10)],
                      static_cast<float>(corner[row][column]) / 255);
    }
  }
}

TEST(FashionMnistTest, DrawsAPartByTheSeedAlone) {
  const auto a = LoadFashionMnist({.num_train = 500, .num_test = 100, .seed = 3});
  const auto b = LoadFashionMnist({.num_train = 500, .num_test = 100, .seed = 3});
  const auto c = LoadFashionMnist({.num_train = 500, .num_test = 100, .seed = 4});
  ASSERT_TRUE(a.ok() && b.ok() && c.ok());
  EXPECT_EQ(a->train.inputs[0].size(3), 500);
  EXPECT_EQ(a->test.targets[0].size(1), 100);
  EXPECT_TRUE(IsEqual(a->train.inputs[0], b->train.inputs[0]));
  EXPECT_FALSE(IsEqual(a->train.inputs[0], c->train.inputs[0]));
  std::set<int> classes;
  std::set<double> sums;
  for (int64_t n = 0; n < 500; ++n) {
    classes.insert(Label(a->train, n));
    sums.insert(PixelSum(a->train, n, 1));
  }
  EXPECT_EQ(classes.size(), 10u);
  EXPECT_GT(sums.size(), 490u) << "no picture is drawn twice";
}

TEST(FashionMnistTest, RefusesOtherNumbersOfPictures) {
  const auto error_of = [](int64_t train, int64_t test) {
    return LoadFashionMnist({.num_train = train, .num_test = test}).status().ToString();
  };
  EXPECT_EQ(error_of(0, 1),
            "INVALID_ARGUMENT: of the 60000 pictures of the part train, from 1 to all may be asked "
            "for; 0 were");
  EXPECT_EQ(error_of(1, 10001),
            "INVALID_ARGUMENT: of the 10000 pictures of the part t10k, from 1 to all may be asked "
            "for; 10001 were");
}

TEST(FashionMnistTest, SaysWhatToDoWhereItIsNot) {
  EXPECT_EQ(LoadFashionMnist({.folder = "no/such/folder"}).status().ToString(),
            "NOT_FOUND: Fashion-MNIST is not on this machine: there is no "
            "'no/such/folder/train-images-idx3-ubyte.gz'. Run tools/setup, which installs it "
            "(Debian's package dataset-fashion-mnist).");
}

TEST(FashionMnistTest, RefusesOtherFiles) {
  const std::string folder = testing::TempDir() + "/fashion_mnist_test";
  std::filesystem::create_directories(folder);
  const auto error_with = [&](const std::string& images) {
    EXPECT_TRUE(WriteFileAtomically(folder + "/train-images-idx3-ubyte.gz", images).ok());
    return LoadFashionMnist({.folder = folder}).status().ToString();
  };
  const std::string start = "INVALID_ARGUMENT: '" + folder + "/train-images-idx3-ubyte.gz': ";
  EXPECT_EQ(error_with("lamina"), start + "not an IDX file: it does not begin with two zeros");
  EXPECT_EQ(error_with(std::string("\0\0\x08\1\0\0\0\1a", 9)),
            start + "not a file of Fashion-MNIST: other sizes");
  const auto real = ReadFile(std::string(kFashionMnistFolder) + "/t10k-images-idx3-ubyte.gz");
  ASSERT_TRUE(real.ok());
  EXPECT_EQ(error_with(*real), start + "not a file of Fashion-MNIST: other sizes");
  EXPECT_EQ(error_with(real->substr(0, real->size() / 2)),
            start + "it is cut off: its gzip contents do not end");
}

}  // namespace
}  // namespace lamina
