#include "framework/io/safetensors.h"

#include <complex>
#include <cstring>
#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "framework/io/runfiles.h"
#include "gtest/gtest.h"

namespace lamina {
namespace {

template <class T>
std::vector<T> Values(const TensorView* tensor) {
  if (tensor == nullptr) return {};
  std::vector<T> values(tensor->bytes.size() / sizeof(T));
  std::memcpy(values.data(), tensor->bytes.data(), tensor->bytes.size());
  return values;
}

std::string File(const std::string& header, size_t zeros) {
  const uint64_t size = header.size();
  std::string file(reinterpret_cast<const char*>(&size), sizeof size);
  return file + header + std::string(zeros, '\0');
}

std::string ErrorOf(const std::string& contents) {
  const auto file = SafetensorsFile::Parse(contents);
  return file.ok() ? "no error" : std::string(file.status().message());
}

using Sizes = std::vector<int64_t>;

TEST(SafetensorsTest, ReadsWhatPythonWrote) {
  const auto file = ReadSafetensors(RunfilePath("framework/io/testdata/python.safetensors"));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->tensors().size(), 9u);
  EXPECT_EQ(file->metadata(),
            (std::map<std::string, std::string>{{"format", "np"}, {"who", "∂L/∂X"}}));

  // Recorded so that PyTorch's element [n, c, w, h] is 1000 n + 100 c + 10 w + h.
  const TensorView* weights = file->Find("conv/Weights");
  ASSERT_NE(weights, nullptr);
  EXPECT_EQ(weights->type, DataType::kSingle);
  EXPECT_EQ(weights->size, (Sizes{3, 4, 1, 2})) << "[h w c n]";
  const std::vector<float> w = Values<float>(weights);
  for (int n = 0; n < 2; ++n) {
    for (int x = 0; x < 4; ++x) {
      for (int y = 0; y < 3; ++y) EXPECT_EQ(w[y + 3 * (x + 4 * n)], 1000 * n + 10 * x + y);
    }
  }
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(Values<double>(file->Find("double")), (std::vector{0.1, -1e300, infinity, 5e-324}));
  EXPECT_EQ(file->Find("logical")->size, (Sizes{2, 3}));
  EXPECT_EQ(Values<uint8_t>(file->Find("logical")), (std::vector<uint8_t>{1, 0, 0, 0, 1, 1}));
  EXPECT_EQ(Values<int32_t>(file->Find("int32")), (std::vector<int32_t>{INT32_MIN, INT32_MAX}));
  EXPECT_EQ(Values<int64_t>(file->Find("int64")), (std::vector<int64_t>{INT64_MIN, INT64_MAX}));
  EXPECT_EQ(Values<uint8_t>(file->Find("uint8")), (std::vector<uint8_t>{0, 255, 7}));
  EXPECT_EQ(file->Find("uint8")->type, DataType::kUint8);
  EXPECT_EQ(file->Find("empty")->size, (Sizes{5, 0}));
  EXPECT_EQ(file->Find("scalar")->size, Sizes{});
  EXPECT_EQ(Values<double>(file->Find("scalar")), std::vector{3.5});
  EXPECT_NE(file->Find("Größe"), nullptr);
  EXPECT_EQ(file->Find("nothing"), nullptr);

  const auto complex =
      ReadSafetensors(RunfilePath("framework/io/testdata/python_complex.safetensors"));
  ASSERT_TRUE(complex.ok()) << complex.status();
  EXPECT_EQ(complex->Find("z")->type, DataType::kComplexSingle);
  EXPECT_EQ(complex->Find("z")->size, (Sizes{3, 1}));
  EXPECT_EQ(Values<std::complex<float>>(complex->Find("z")),
            (std::vector<std::complex<float>>{{1, 2}, {3, -4}, {0, 0.5f}}));
}

// The numbers behind a file with every type, and a size of every kind.
struct EveryType {
  std::vector<float> single = {1, -2, 3, 4, 5, std::numeric_limits<float>::quiet_NaN()};
  std::vector<double> real = {0.1};
  std::vector<std::complex<float>> complex_single = {{1, 2}};
  std::vector<std::complex<double>> complex_double = {{1, 2}, {-3, 4}};
  std::vector<int32_t> int32 = {-7};
  std::vector<int64_t> int64 = {int64_t{1} << 60};
  std::vector<uint8_t> bytes = {1, 0, 1};

  std::vector<TensorView> Views() const {
    return {{"u", DataType::kUint8, {3}, BytesOf(bytes)},
            {"layer/Weights", DataType::kSingle, {2, 1, 3}, BytesOf(single)},
            {"l", DataType::kLogical, {1, 3}, BytesOf(bytes)},
            {"\"quoted\"\n∂", DataType::kDouble, {}, BytesOf(real)},
            {"zs", DataType::kComplexSingle, {1}, BytesOf(complex_single)},
            {"zd", DataType::kComplexDouble, {1, 2}, BytesOf(complex_double)},
            {"i", DataType::kInt32, {1}, BytesOf(int32)},
            {"j", DataType::kInt64, {1}, BytesOf(int64)},
            {"empty", DataType::kComplexDouble, {4, 0}, ""}};
  }
};

TEST(SafetensorsTest, GivesBackWhatWasWritten) {
  const EveryType numbers;
  const std::map<std::string, std::string> metadata = {{"a", "b"}, {"", "\"\n"}};
  const std::string path = testing::TempDir() + "/safetensors_test.safetensors";
  ASSERT_TRUE(WriteSafetensors(path, numbers.Views(), metadata).ok());
  auto read = ReadSafetensors(path);
  ASSERT_TRUE(read.ok()) << read.status();
  const SafetensorsFile file = *std::move(read);
  EXPECT_EQ(file.metadata(), metadata);
  EXPECT_EQ(file.tensors().size(), numbers.Views().size());
  for (const TensorView& view : numbers.Views()) {
    const TensorView* again = file.Find(view.name);
    ASSERT_NE(again, nullptr) << view.name;
    EXPECT_EQ(again->type, view.type) << view.name;
    EXPECT_EQ(again->size, view.size) << view.name;
    EXPECT_EQ(again->bytes, view.bytes) << view.name;
  }
  // Aligned where the file is: in memory that is aligned to 8, each view is aligned to its element.
  const std::string bytes = *SerializeSafetensors(numbers.Views(), metadata);
  const auto parsed = SafetensorsFile::Parse(bytes);
  const size_t data_begin =
      8 + static_cast<uint8_t>(bytes[0]) + 256 * static_cast<uint8_t>(bytes[1]);
  EXPECT_EQ(data_begin % 8, 0u);
  const char* begin = parsed->Find("zd")->bytes.data();
  for (const TensorView& t : parsed->tensors()) begin = std::min(begin, t.bytes.data());
  for (const TensorView& t : parsed->tensors()) {
    EXPECT_EQ((t.bytes.data() - begin) % std::min<size_t>(SizeOf(t.type), 8), 0u) << t.name;
  }
}

TEST(SafetensorsTest, TheBytesAreThoseOfTheFormat) {
  const float x[2] = {1, 2};
  const std::string header = R"({"x":{"data_offsets":[0,8],"dtype":"F32","shape":[1,2]}})";
  EXPECT_EQ(*SerializeSafetensors({{"x", DataType::kSingle, {2, 1}, BytesOf(x)}}),
            File(header, 0) + std::string(BytesOf(x)));
  EXPECT_EQ(*SerializeSafetensors({}), File("{}      ", 0));
  const std::complex<double> z[1] = {{1, 2}};
  const auto pairs = SerializeSafetensors({{"z", DataType::kComplexDouble, {1}, BytesOf(z)}});
  EXPECT_NE(pairs->find(R"("__metadata__":{"complex_double/z":"F64 pairs"})"), std::string::npos);
  EXPECT_NE(pairs->find(R"("dtype":"F64","shape":[1,2])"), std::string::npos);
}

TEST(SafetensorsTest, AgreesWithTheFormatsOwnLibrary) {
  const auto text = ReadFile(RunfilePath("framework/io/testdata/header_cases.txt"));
  ASSERT_TRUE(text.ok()) << text.status();
  std::istringstream lines(*text);
  int cases = 0;
  for (std::string verdict, name, header, zeros;
       std::getline(lines, verdict, '\t') && std::getline(lines, name, '\t') &&
       std::getline(lines, header, '\t') && std::getline(lines, zeros);
       ++cases) {
    const auto file = SafetensorsFile::Parse(File(header, std::stoul(zeros)));
    EXPECT_EQ(file.ok(), verdict == "accepted") << name << ": " << file.status();
  }
  EXPECT_EQ(cases, 43);
}

TEST(SafetensorsTest, RefusesWhatTheFormatForbidsAndItsLibraryLetsPass) {
  const std::string u8 = R"({"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
  EXPECT_NE(ErrorOf(File("{\"a\":" + u8 + ",\"a\":" + u8 + "}", 1)).find("\"a\" stands twice"),
            std::string::npos);
  EXPECT_NE(ErrorOf(File(R"({"__metadata__":{"k":"1","k":"2"}})", 0)).find("twice"),
            std::string::npos);
  EXPECT_NE(ErrorOf(File(" {}", 0)).find("begin with '{'"), std::string::npos);
  EXPECT_NE(ErrorOf(File(R"({"__metadata__":null})", 0)).find("not an object"), std::string::npos);
  EXPECT_NE(ErrorOf(File(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1],"x":1}})", 1))
                .find("nothing else"),
            std::string::npos);
  EXPECT_NE(ErrorOf(File(R"({"a":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}})", 0) + "\2")
                .find("logical"),
            std::string::npos);
}

TEST(SafetensorsTest, ErrorsSayWhatIsWrong) {
  EXPECT_NE(ErrorOf("1234567").find("7 bytes"), std::string::npos);
  EXPECT_NE(ErrorOf(std::string(8, '\xff')).find("more than the format's"), std::string::npos);
  EXPECT_NE(ErrorOf(std::string("\x10\0\0\0\0\0\0\0{}", 10)).find("cut off"), std::string::npos);
  const auto half =
      SafetensorsFile::Parse(File(R"({"a":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}})", 2));
  EXPECT_EQ(half.status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_NE(std::string(half.status().message()).find("BF16"), std::string::npos);
  const std::string f64 = R"(,"z":{"dtype":"F64","shape":[3],"data_offsets":[0,24]}})";
  EXPECT_NE(ErrorOf(File(R"({"__metadata__":{"complex_double/z":"F64 pairs"})" + f64, 24))
                .find("last dimension of 2"),
            std::string::npos);
  EXPECT_NE(ErrorOf(File(R"({"__metadata__":{"complex_double/y":"F64 pairs"})" + f64, 24))
                .find("there is none"),
            std::string::npos);
  const absl::Status missing = ReadSafetensors("no/such.safetensors").status();
  EXPECT_NE(std::string(missing.message()).find("no/such.safetensors"), std::string::npos);
}

TEST(SafetensorsTest, RefusesToWriteWhatCannotBeRead) {
  const float x[1] = {1};
  const TensorView good{"x", DataType::kSingle, {1}, BytesOf(x)};
  const auto with = [&](auto change) {
    TensorView bad = good;
    change(bad);
    return SerializeSafetensors({bad}).status().code();
  };
  EXPECT_EQ(with([](TensorView&) {}), absl::StatusCode::kOk);
  EXPECT_EQ(with([](TensorView& t) { t.name = "__metadata__"; }),
            absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(with([](TensorView& t) { t.name = "\xff"; }), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(with([](TensorView& t) { t.size = {2}; }), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(with([](TensorView& t) { t.size = {-1}; }), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(SerializeSafetensors({good, good}).status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(SerializeSafetensors({good}, {{"complex_double/x", ""}}).ok());
  EXPECT_FALSE(SerializeSafetensors({good}, {{"k", "\xff"}}).ok());
}

// What must hold of any file that is accepted, whatever its bytes.
void ExpectSound(const SafetensorsFile& file, size_t file_bytes) {
  size_t total = 0;
  for (const TensorView& t : file.tensors()) {
    ASSERT_TRUE(CheckTensor(t).ok()) << t.name;
    ASSERT_EQ(file.Find(t.name), &t);
    total += t.bytes.size();
    // The address sanitizer looks at each byte here.
    ASSERT_EQ(std::string(t.bytes), t.bytes);
  }
  ASSERT_LE(total, file_bytes);
}

TEST(SafetensorsTest, NoCorruptionCrashes) {
  const std::string good = *SerializeSafetensors(EveryType().Views(), {{"who", "me"}});
  for (size_t n = 0; n < good.size(); ++n) {
    EXPECT_FALSE(SafetensorsFile::Parse(good.substr(0, n)).ok()) << "the first " << n << " bytes";
  }
  std::mt19937 random(20240607);
  const size_t header = good.rfind("}}") + 2;
  int accepted = 0, refused = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string bad = good;
    // Mostly in the header, where the structure is; one byte, or a few.
    for (int changes = 1 + (i % 4 == 0) * static_cast<int>(random() % 4); changes > 0; --changes) {
      const size_t at = random() % (i % 8 == 1 ? bad.size() : header);
      switch (random() % 3) {
        case 0:
          bad[at] = static_cast<char>(random());
          break;
        case 1:
          bad[at] = "0123456789[]{},:\"-"[random() % 18];
          break;
        case 2:
          bad[at] ^= static_cast<char>(1 << random() % 8);
          break;
      }
    }
    if (i % 16 == 3) bad.erase(random() % bad.size(), random() % 9);
    if (i % 16 == 5) bad.insert(random() % bad.size(), std::string(random() % 9, '1'));
    const auto file = SafetensorsFile::Parse(bad);
    if (file.ok()) {
      ExpectSound(*file, bad.size());
      ++accepted;
    } else {
      EXPECT_FALSE(file.status().message().empty());
      ++refused;
    }
  }
  // Changes of a name, a text or an element are fine; both outcomes must have been met.
  EXPECT_GT(accepted, 100);
  EXPECT_GT(refused, 10000);
}

TEST(SafetensorsTest, ManyArraysTakeLittleTime) {
  std::vector<TensorView> views;
  for (int i = 0; i < 30000; ++i)
    views.push_back({"a" + std::to_string(i), DataType::kUint8, {1}, "x"});
  const auto file = SafetensorsFile::Parse(*SerializeSafetensors(views));
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->tensors().size(), 30000u);
  EXPECT_NE(file->Find("a12345"), nullptr);
}

}  // namespace
}  // namespace lamina
