#include "framework/io/tensor_view.h"

#include "gtest/gtest.h"

namespace lamina {
namespace {

TEST(TensorViewTest, CountsBytes) {
  EXPECT_EQ(*ByteCount(DataType::kSingle, {}), 4);
  EXPECT_EQ(*ByteCount(DataType::kComplexDouble, {2, 3}), 96);
  EXPECT_EQ(*ByteCount(DataType::kUint8, {2, 0, 3}), 0);
  EXPECT_EQ(*ByteCount(DataType::kUint8, {INT64_MAX}), INT64_MAX);
}

TEST(TensorViewTest, RefusesSizesThatNoMachineHas) {
  for (const std::vector<int64_t>& size : std::vector<std::vector<int64_t>>{
           {-1}, {INT64_MAX, 2}, {int64_t{1} << 62}, {0, int64_t{1} << 40, int64_t{1} << 40}}) {
    EXPECT_EQ(ByteCount(DataType::kSingle, size).status().code(),
              absl::StatusCode::kInvalidArgument);
  }
}

TEST(TensorViewTest, ChecksBytesAgainstSizes) {
  const float numbers[6] = {1, 2, 3, 4, 5, 6};
  TensorView view{"w", DataType::kSingle, {3, 2}, BytesOf(numbers)};
  EXPECT_EQ(view.bytes.size(), 24u);
  EXPECT_TRUE(CheckTensor(view).ok());
  view.size = {3, 3};
  EXPECT_EQ(CheckTensor(view).message(),
            "the size [3 3] single asks for 36 bytes, but there are 24");
  EXPECT_TRUE(CheckTensor({"l", DataType::kLogical, {2}, std::string_view("\0\1", 2)}).ok());
  EXPECT_EQ(CheckTensor({"l", DataType::kLogical, {2}, "\1\2"}).message(),
            "a logical value is 2, not 0 or 1");
}

}  // namespace
}  // namespace lamina
