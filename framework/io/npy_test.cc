#include "framework/io/npy.h"

#include <complex>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "framework/io/runfiles.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

using Sizes = std::vector<int64_t>;

std::string TestData(const std::string& name) {
  return RunfilePath("framework/io/testdata/" + name + ".npy");
}

template <class T>
std::vector<T> Values(const NpyArray& array) {
  std::vector<T> values(array.bytes.size() / sizeof(T));
  std::memcpy(values.data(), array.bytes.data(), array.bytes.size());
  return values;
}

// A file with this header, version 1, and these elements.
std::string File(const std::string& header, const std::string& elements) {
  std::string file("\x93NUMPY\1\0", 8);
  file += static_cast<char>(header.size() & 0xFF);
  file += static_cast<char>(header.size() >> 8);
  return file + header + elements;
}

// Element (i, j, k) was recorded as 100 i + 10 j + k.
template <class T>
void ExpectRecorded(const std::string& name, DataType type) {
  for (const char* order : {"_c", "_fortran"}) {
    const auto array = ReadNpy(TestData(name + order));
    ASSERT_TRUE(array.ok()) << array.status();
    EXPECT_EQ(array->type, type);
    EXPECT_EQ(array->size, (Sizes{2, 3, 4}));
    const std::vector<T> values = Values<T>(*array);
    for (int i = 0; i < 2; ++i) {
      for (int j = 0; j < 3; ++j) {
        for (int k = 0; k < 4; ++k) {
          T expected = static_cast<T>(100 * i + 10 * j + k);
          if constexpr (std::is_same_v<T, std::complex<float>> ||
                        std::is_same_v<T, std::complex<double>>) {
            expected -= T(0, 1);
          }
          if (type == DataType::kLogical) expected = static_cast<T>(k % 2);
          EXPECT_EQ(values[i + 2 * (j + 3 * k)], expected) << name << order << " " << i << j << k;
        }
      }
    }
  }
}

TEST(NpyTest, ReadsWhatNumPyWrote) {
  ExpectRecorded<float>("f4", DataType::kSingle);
  ExpectRecorded<double>("f8", DataType::kDouble);
  ExpectRecorded<int32_t>("i4", DataType::kInt32);
  ExpectRecorded<int64_t>("i8", DataType::kInt64);
  ExpectRecorded<uint8_t>("u1", DataType::kUint8);
  ExpectRecorded<std::complex<float>>("c8", DataType::kComplexSingle);
  ExpectRecorded<std::complex<double>>("c16", DataType::kComplexDouble);
  ExpectRecorded<uint8_t>("b1", DataType::kLogical);

  EXPECT_EQ(ReadNpy(TestData("scalar"))->size, Sizes{});
  EXPECT_EQ(Values<double>(*ReadNpy(TestData("scalar"))), std::vector{3.5});
  EXPECT_EQ(ReadNpy(TestData("vector"))->size, Sizes{3});
  EXPECT_EQ(Values<int32_t>(*ReadNpy(TestData("vector"))), (std::vector<int32_t>{1, 2, 3}));
  EXPECT_EQ(ReadNpy(TestData("empty"))->size, (Sizes{3, 0, 2}));
  for (const char* name : {"version2", "version3"}) {
    const auto array = ReadNpy(TestData(name));
    ASSERT_TRUE(array.ok()) << array.status();
    EXPECT_EQ(Values<double>(*array), (std::vector{1.5, 2.5}));
  }
}

TEST(NpyTest, WritesTheBytesThatNumPyWrites) {
  for (const char* name :
       {"f4_fortran", "f8_fortran", "b1_fortran", "i4_fortran", "i8_fortran", "u1_fortran",
        "c8_fortran", "c16_fortran", "scalar", "vector", "empty"}) {
    const std::string recorded = *ReadFile(TestData(name));
    const auto array = ParseNpy(recorded);
    ASSERT_TRUE(array.ok()) << array.status();
    const auto written = SerializeNpy({"", array->type, array->size, array->bytes});
    ASSERT_TRUE(written.ok()) << written.status();
    EXPECT_EQ(*written, recorded) << name;
  }
}

TEST(NpyTest, GivesBackWhatWasWritten) {
  const std::vector<float> x = {1, 2, 3, 4, 5, 6};
  const std::string path = testing::TempDir() + "/npy_test.npy";
  ASSERT_TRUE(WriteNpy(path, {"", DataType::kSingle, {3, 2, 1}, BytesOf(x)}).ok());
  const auto again = ReadNpy(path);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->size, (Sizes{3, 2, 1}));
  EXPECT_EQ(Values<float>(*again), x);
}

TEST(NpyTest, RefusesTypesThatLaminaDoesNotHave) {
  for (const char* name : {"big_endian", "records"}) {
    const absl::Status status = ReadNpy(TestData(name)).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented) << status;
    EXPECT_NE(std::string(status.message()).find(TestData(name)), std::string::npos) << status;
  }
}

TEST(NpyTest, RefusesBadHeaders) {
  const std::string good = "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }\n";
  EXPECT_TRUE(ParseNpy(File(good, "ab")).ok());
  EXPECT_TRUE(ParseNpy(File("{\"shape\":(1,2),'fortran_order':True,'descr':'|u1'}", "ab")).ok());
  for (const char* header : {
           "",
           "{",
           "{}",
           "x",
           "{'descr': '|u1', 'fortran_order': False}",
           "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), 'shape': (2,)}",
           "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), 'more': 1}",
           "{'descr': '|u1', 'fortran_order': False, 'shape': 2}",
           "{'descr': '|u1', 'fortran_order': False, 'shape': (2,)",
           "{'descr': '|u1', 'fortran_order': False, 'shape': (2",
           "{'descr': '|u1', 'fortran_order': False, 'shape': (-2, -1)}",
           "{'descr': '|u1', 'fortran_order': False, 'shape': (2L,)}",
           "{'descr': '|u1', 'fortran_order': False, 'shape': (2 1)}",
           "{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999,)}",
           "{'descr': '|u1', 'fortran_order': False, 'shape': (4294967296, 4294967296)}",
           "{'descr': '|u1', 'fortran_order': False, 'shape': (0, 4294967296, 4294967296)}",
           "{'descr': '|u1', 'fortran_order': 0, 'shape': (2,)}",
           "{'descr': 1, 'fortran_order': False, 'shape': (2,)}",
           "{'descr': '|u1, 'fortran_order': False, 'shape': (2,)}",
           "{'descr': '|u1', 'fortran_order': False, 'shape': (2,)} x",
           "{'descr': '|u1', 'fortran_order': False, 'shape': (3,)}",
           "{'descr': '|b1', 'fortran_order': False, 'shape': (2,)}",
       }) {
    EXPECT_EQ(ParseNpy(File(header, "ab")).status().code(), absl::StatusCode::kInvalidArgument)
        << header;
  }
  std::string many = "{'descr': '|u1', 'fortran_order': False, 'shape': (2,";
  for (int i = 0; i < 64; ++i) many += "1,";
  EXPECT_FALSE(ParseNpy(File(many + ")}", "ab")).ok()) << "65 dimensions";
  EXPECT_FALSE(ParseNpy(File(good, "abc")).ok()) << "bytes after the end";
  std::string version = File(good, "ab");
  version[6] = 4;
  EXPECT_FALSE(ParseNpy(version).ok());
}

TEST(NpyTest, RefusesToWriteWhatCannotBeRead) {
  EXPECT_FALSE(SerializeNpy({"", DataType::kUint8, {3}, "ab"}).ok());
  EXPECT_FALSE(SerializeNpy({"", DataType::kUint8, Sizes(65, 1), "a"}).ok());
  EXPECT_EQ(WriteNpy("no/such/folder/x.npy", {"", DataType::kUint8, {1}, "a"}).code(),
            absl::StatusCode::kNotFound);
}

TEST(NpyTest, NoCorruptionCrashes) {
  const std::string good = *ReadFile(TestData("f4_c"));
  for (size_t n = 0; n < good.size(); ++n) {
    EXPECT_FALSE(ParseNpy(good.substr(0, n)).ok()) << "the first " << n << " bytes";
  }
  std::mt19937 random(20240607);
  int accepted = 0, refused = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string bad = good;
    bad[random() % 128] = i % 2 ? static_cast<char>(random()) : "0123456789(){},:'"[random() % 17];
    const auto array = ParseNpy(bad);
    if (array.ok()) {
      EXPECT_TRUE(CheckTensor({"", array->type, array->size, array->bytes}).ok());
    }
    ++(array.ok() ? accepted : refused);
  }
  EXPECT_GT(accepted, 0);
  EXPECT_GT(refused, 10000);
}

}  // namespace
}  // namespace lamina
