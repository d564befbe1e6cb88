#include "framework/io/idx.h"

#include <cstring>
#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace lamina {
namespace {

using Sizes = std::vector<int64_t>;

std::string Bytes(const std::vector<int>& values) { return {values.begin(), values.end()}; }

template <class T>
std::vector<T> Values(const IdxArray& array) {
  std::vector<T> values(array.bytes.size() / sizeof(T));
  std::memcpy(values.data(), array.bytes.data(), array.bytes.size());
  return values;
}

std::string ErrorOf(const std::string& contents) {
  const auto array = ParseIdx(contents);
  return array.ok() ? "no error" : array.status().ToString();
}

// Two pictures of 2 rows and 3 columns.
const std::string kPictures = Bytes({0, 0, 8, 3, 0, 0, 0, 2, 0, 0,   0,   2,  0, 0, 0, 3,  //
                                     1, 2, 3, 4, 5, 6, 7, 8, 9, 250, 251, 252});

TEST(IdxTest, ColumnsAreTheFastestDimension) {
  const auto array = ParseIdx(kPictures);
  ASSERT_TRUE(array.ok()) << array.status();
  EXPECT_EQ(array->type, DataType::kUint8);
  EXPECT_EQ(array->size, (Sizes{3, 2, 2}));
  EXPECT_EQ(Values<uint8_t>(*array),
            (std::vector<uint8_t>{1, 2, 3, 4, 5, 6, 7, 8, 9, 250, 251, 252}));
}

TEST(IdxTest, ReadsNumbersOfSeveralBytes) {
  // -2 and 258; 1.5 and -0.25; 1.5: from the definitions of two's complement and IEEE 754.
  const auto ints =
      ParseIdx(Bytes({0, 0, 0x0C, 1, 0, 0, 0, 2, 0xFF, 0xFF, 0xFF, 0xFE, 0, 0, 1, 2}));
  ASSERT_TRUE(ints.ok()) << ints.status();
  EXPECT_EQ(ints->type, DataType::kInt32);
  EXPECT_EQ(Values<int32_t>(*ints), (std::vector<int32_t>{-2, 258}));
  const auto floats =
      ParseIdx(Bytes({0, 0, 0x0D, 1, 0, 0, 0, 2, 0x3F, 0xC0, 0, 0, 0xBE, 0x80, 0, 0}));
  ASSERT_TRUE(floats.ok()) << floats.status();
  EXPECT_EQ(floats->type, DataType::kSingle);
  EXPECT_EQ(Values<float>(*floats), (std::vector<float>{1.5f, -0.25f}));
  const auto scalar = ParseIdx(Bytes({0, 0, 0x0E, 0, 0x3F, 0xF8, 0, 0, 0, 0, 0, 0}));
  ASSERT_TRUE(scalar.ok()) << scalar.status();
  EXPECT_EQ(scalar->type, DataType::kDouble);
  EXPECT_EQ(scalar->size, Sizes{});
  EXPECT_EQ(Values<double>(*scalar), std::vector<double>{1.5});
}

TEST(IdxTest, MayBeEmpty) {
  EXPECT_EQ(ParseIdx(Bytes({0, 0, 8, 2, 0, 0, 0, 0, 0, 0, 0, 5}))->size, (Sizes{5, 0}));
}

TEST(IdxTest, RefusesWhatIsCutOff) {
  for (size_t n = 0; n < kPictures.size(); ++n) {
    const std::string error = ErrorOf(kPictures.substr(0, n));
    const std::string expected =
        n < 4 ? "it has less than 4 bytes"
        : n < 16
            ? "it is cut off in its sizes"
            : "the size [3 2 2] uint8 asks for 12 bytes, but there are " + std::to_string(n - 16);
    EXPECT_EQ(error, "INVALID_ARGUMENT: not an IDX file: " + expected);
  }
  EXPECT_EQ(ErrorOf(kPictures + "x"),
            "INVALID_ARGUMENT: not an IDX file: the size [3 2 2] uint8 asks for 12 bytes, but "
            "there are 13");
}

TEST(IdxTest, RefusesWhatItIsNot) {
  EXPECT_EQ(ErrorOf("lamina"),
            "INVALID_ARGUMENT: not an IDX file: it does not begin with two zeros");
  EXPECT_EQ(ErrorOf(Bytes({0, 0, 7, 0, 0})), "INVALID_ARGUMENT: not an IDX file: its type is 7");
  EXPECT_EQ(ErrorOf(Bytes({0, 0, 9, 0, 0})),
            "UNIMPLEMENTED: an IDX file with elements of 1 signed byte; Lamina has none: convert "
            "it first");
  EXPECT_EQ(ErrorOf(Bytes({0, 0, 11, 0, 0})),
            "UNIMPLEMENTED: an IDX file with elements of 2 bytes; Lamina has none: convert it "
            "first");
}

TEST(IdxTest, RefusesSizesTooLargeForTheMachine) {
  std::string huge = Bytes({0, 0, 8, 3});
  huge.append(12, '\xFF');
  EXPECT_EQ(ErrorOf(huge),
            "INVALID_ARGUMENT: not an IDX file: the size [4294967295 4294967295 4294967295] is too "
            "large");
  // 255 dimensions are read without harm.
  std::string deep = Bytes({0, 0, 8, 255});
  for (int d = 0; d < 255; ++d) deep += Bytes({0, 0, 0, 1});
  EXPECT_EQ(ParseIdx(deep + "x")->size, Sizes(255, 1));
}

TEST(IdxTest, ReadsFilesPackedOrNot) {
  const std::string path = testing::TempDir() + "/idx_test.idx";
  ASSERT_TRUE(WriteFileAtomically(path, kPictures).ok());
  EXPECT_EQ(ReadIdx(path)->size, (Sizes{3, 2, 2}));
  // printf '\0\0\10\1\0\0\0\2ab' | gzip -n -9
  const std::string packed = Bytes({0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03,
                                    0x63, 0x60, 0xe0, 0x60, 0x64, 0x60, 0x60, 0x60, 0x4a, 0x4c,
                                    0x02, 0x00, 0x8b, 0xf6, 0xc6, 0x4a, 0x0a, 0x00, 0x00, 0x00});
  ASSERT_TRUE(WriteFileAtomically(path, packed).ok());
  const auto array = ReadIdx(path);
  ASSERT_TRUE(array.ok()) << array.status();
  EXPECT_EQ(array->size, Sizes{2});
  EXPECT_EQ(array->bytes, "ab");
}

TEST(IdxTest, ErrorsNameThePath) {
  EXPECT_EQ(ReadIdx("no/such/file").status().code(), absl::StatusCode::kNotFound);
  const std::string path = testing::TempDir() + "/idx_test_bad.idx";
  const auto error_of = [&](const std::string& contents, int64_t max_bytes) {
    EXPECT_TRUE(WriteFileAtomically(path, contents).ok());
    return ReadIdx(path, max_bytes).status().ToString();
  };
  EXPECT_EQ(error_of("lamina", 100),
            "INVALID_ARGUMENT: '" + path + "': not an IDX file: it does not begin with two zeros");
  EXPECT_EQ(error_of("\x1f\x8b\x08", 100),
            "INVALID_ARGUMENT: '" + path + "': it is cut off: its gzip contents do not end");
  EXPECT_EQ(absl::StatusCode::kResourceExhausted,
            (WriteFileAtomically(path, kPictures).ok() ? ReadIdx(path, 10).status().code()
                                                       : absl::StatusCode::kOk));
}

}  // namespace
}  // namespace lamina
