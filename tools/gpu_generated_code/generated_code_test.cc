// Code in C99, C++17 and CUDA, of the reference layers and of whole networks: it compiles without a
// warning, and computes what the framework computes. CUDA runs on the CPU here, by an emulator; the
// real compilers of CUDA try it where a toolkit is found.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <ostream>

#include "framework/codegen/driver.h"
#include "framework/codegen/testing/cuda_toolkit.h"
#include "framework/codegen/testing/emulated.h"
#include "framework/gpu/cuda_device.h"
#include "framework/gpu/cuda_library.h"
#include "framework/layers/builtin_layers.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/random.h"
#include "tools/gpu_generated_code/networks.h"

namespace lamina {

void PrintTo(const TriedNetwork& tried, std::ostream* out) { *out << tried.name; }

namespace {

// The greatest |a - b| relative to the greatest |b| of the array.
double Difference(const DlArray& a, const DlArray& b) {
  EXPECT_EQ(a.numel(), b.numel());
  double difference = 0, scale = 1e-30;
  for (int64_t i = 0; i < b.numel(); ++i) {
    const double apart = std::abs(a.ComplexAt(i) - b.ComplexAt(i));
    difference = std::isnan(apart) ? INFINITY : std::max(difference, apart);
    scale = std::max(scale, std::abs(b.ComplexAt(i)));
  }
  return difference / scale;
}

CodegenOptions OptionsFor(const TriedNetwork& tried, Language language) {
  return {.name = tried.name, .language = language};
}

void ExpectAgreement(const TriedNetwork& tried, Language language,
                     const std::string& flags = testing::kEmulatedFlags) {
  SCOPED_TRACE(tried.name);
  const CodegenOptions options = OptionsFor(tried, language);
  GeneratedCode code = GenerateCode(tried.network, tried.layouts, options);
  if (language == Language::kCuda) code = testing::Emulated(code);
  const std::vector<DlArrays> inputs = InputsFor(tried);
  const std::vector<DlArrays> expected = ExpectedFrom(tried, code, inputs);
  const auto ran = RunGenerated(code, options, inputs, flags);
  ASSERT_TRUE(ran.ok()) << ran.status() << code.files[1].text;
  for (size_t call = 0; call < inputs.size(); ++call) {
    DlArrays came = (*ran)[call].outputs;
    came.insert(came.end(), (*ran)[call].states.begin(), (*ran)[call].states.end());
    ASSERT_EQ(came.size(), expected[call].size());
    for (size_t k = 0; k < came.size(); ++k) {
      EXPECT_LE(Difference(came[k], expected[call][k]), ToleranceOf(tried))
          << "call " << call << ", array " << k << "\n"
          << code.files[1].text;
    }
  }
}

class GeneratedCodeTest : public ::testing::TestWithParam<TriedNetwork> {};

TEST_P(GeneratedCodeTest, AgreesInCpp) { ExpectAgreement(GetParam(), Language::kCpp17); }

TEST_P(GeneratedCodeTest, AgreesInCAndCppUnderSanitizers) {
  const std::string sanitized = " -g -fsanitize=address,undefined -fno-sanitize-recover=all";
  ExpectAgreement(GetParam(), Language::kC99, kStrictC + sanitized);
  ExpectAgreement(GetParam(), Language::kCpp17, kStrictCpp + sanitized);
}

TEST_P(GeneratedCodeTest, AgreesInCuda) { ExpectAgreement(GetParam(), Language::kCuda); }

INSTANTIATE_TEST_SUITE_P(All, GeneratedCodeTest, ::testing::ValuesIn(NetworksToTry()),
                         [](const auto& info) { return info.param.name; });

std::vector<GeneratedCode> AllCuda() {
  std::vector<GeneratedCode> all;
  for (const TriedNetwork& tried : NetworksToTry()) {
    all.push_back(GenerateCode(tried.network, tried.layouts, OptionsFor(tried, Language::kCuda)));
  }
  return all;
}

TEST(CudaTest, TheCompilerOfTheToolkitTakesIt) {
  const std::string nvcc = testing::FindNvcc();
  if (nvcc.empty()) GTEST_SKIP() << "no nvcc in $CUDA_HOME, /usr/local/cuda or PATH";
  std::vector<SourceFile> files;
  std::string all;
  for (const GeneratedCode& code : AllCuda()) {
    files.insert(files.end(), code.files.begin(), code.files.end());
    all += "#include \"" + code.files[1].name + "\"\n";
  }
  files.push_back({"all.cu", all});
  EXPECT_EQ(testing::CompileCuda(nvcc, files, "all.cu"), "");
}

TEST(CudaTest, TheRunTimeCompilerTakesTheKernels) {
  if (!gpu::FindCudaCompiler().ok()) GTEST_SKIP() << gpu::FindCudaCompiler().status();
  std::string all;
  for (const GeneratedCode& code : AllCuda()) all += code.files[1].text;
  for (const char* architecture : {"sm_80", "sm_90"}) {
    const auto image = gpu::CompileCudaKernels({.text = all, .kernels = {}}, architecture);
    EXPECT_TRUE(image.ok()) << architecture << ": " << image.status();
  }
}

TEST(CudaTest, TheNumberOfObservationsMayVaryUpToABound) {
  Rng(3);
  DlNetwork network({Convolution2dLayer(3, 4, {.padding = "same"}), ReluLayer(),
                     MaxPooling2dLayer(2, {.stride = {2}}), FullyConnectedLayer(3),
                     SoftmaxLayer()});
  network.Initialize(NetworkDataLayout({6, 6, 2, 1}, "SSCB"));
  const CodegenOptions options{.name = "net", .language = Language::kCuda, .max_observations = 4};
  GeneratedCode code = testing::Emulated(
      GenerateCode(network, {NetworkDataLayout({6, 6, 2, kUnknown}, "SSCB")}, options));
  code.files.push_back({"main.cc", R"(
#include <stdio.h>
#include "net.h"
static float x[net::input_size], y[net::output_size];
int main() {
  net::Context context;
  if (net::Create(&context, &net::trained) != cudaSuccess) return 1;
  if (net::Predict(&context, 0, x, y) != cudaErrorInvalidValue) return 2;
  if (net::Predict(&context, 5, x, y) != cudaErrorInvalidValue) return 3;
  for (int n = 1; n <= 4; ++n) {
    if (fread(x, sizeof *x * net::input_size / 4, (size_t)n, stdin) != (size_t)n) return 4;
    if (net::Predict(&context, n, x, y) != cudaSuccess) return 5;
    fwrite(y, sizeof *y * net::output_size / 4, (size_t)n, stdout);
  }
  net::Destroy(&context);
  return 0;
}
)"});
  std::string input, expected;
  for (int64_t n = 1; n <= 4; ++n) {
    const DlArray x = Rand({6, 6, 2, n}, DataType::kSingle, "SSCB"), y = network.Predict(x);
    input.append(static_cast<const char*>(x.data()->bytes()), x.numel() * sizeof(float));
    expected.append(static_cast<const char*>(y.data()->bytes()), y.numel() * sizeof(float));
  }
  const auto output = CompileAndRun(code.files, testing::kEmulatedFlags, input);
  ASSERT_TRUE(output.ok()) << output.status();
  ASSERT_EQ(output->size(), expected.size());
  const int64_t count = static_cast<int64_t>(expected.size() / sizeof(float));
  EXPECT_LE(Difference(DlArray::FromBytes(DataType::kSingle, output->data(), count, {count}),
                       DlArray::FromBytes(DataType::kSingle, expected.data(), count, {count})),
            1e-5)
      << code.files[1].text;
}

// Kernels that have four elements at once have a second form for arrays that begin anywhere.
TEST(CudaTest, ArraysMayBeginAnywhere) {
  for (const TriedNetwork& tried : NetworksToTry()) {
    if (tried.name != "large") continue;
    GeneratedCode code = testing::Emulated(
        GenerateCode(tried.network, tried.layouts, OptionsFor(tried, Language::kCuda)));
    ASSERT_NE(code.files[1].text.find("<false>"), std::string::npos);
    code.files.push_back({"main.cc", R"(
#include <stdio.h>
#include <string.h>
#include "large.h"
constexpr int n = large::input_size;
static_assert(n == large::output_size);
alignas(16) static float values[n], x[n + 4], y[n + 4];
int main() {
  large::Context context;
  if (large::Create(&context, &large::trained) != cudaSuccess) return 1;
  if (fread(values, sizeof *x, n, stdin) != n) return 2;
  const int begins[4][2] = {{0, 0}, {1, 0}, {0, 1}, {3, 2}};
  for (const auto &begin : begins) {
    memcpy(x + begin[0], values, sizeof values);
    if (large::PredictDevice(&context, x + begin[0], y + begin[1], nullptr) != cudaSuccess) return 3;
    fwrite(y + begin[1], sizeof *y, n, stdout);
  }
  large::Destroy(&context);
  return 0;
}
)"});
    const DlArray x = InputsFor(tried)[0][0], y = tried.network.Predict(x);
    const size_t bytes = x.numel() * sizeof(float);
    // An access of 16 bytes in another place ends the program.
    const auto output = CompileAndRun(
        code.files,
        std::string(testing::kEmulatedFlags) + " -fsanitize=alignment -fno-sanitize-recover=all",
        {static_cast<const char*>(x.data()->bytes()), bytes});
    ASSERT_TRUE(output.ok()) << output.status();
    ASSERT_EQ(output->size(), 4 * bytes);
    const auto came = [&](size_t k) {
      return DlArray::FromBytes(DataType::kSingle, output->data() + k * bytes, y.numel(),
                                {y.numel()});
    };
    EXPECT_LE(Difference(came(0), y), ToleranceOf(tried));
    for (size_t k = 1; k < 4; ++k) EXPECT_TRUE(IsEqual(came(k), came(0))) << k;
  }
}

TEST(CudaTest, ResetSetsTheStatesBack) {
  for (const TriedNetwork& tried : NetworksToTry()) {
    if (tried.name != "recurrent") continue;
    for (Language language : {Language::kCpp17, Language::kCuda}) {
      const CodegenOptions options = OptionsFor(tried, language);
      GeneratedCode code = GenerateCode(tried.network, tried.layouts, options);
      if (language == Language::kCuda) code = testing::Emulated(code);
      const DlArrays x = InputsFor(tried)[0];
      const auto ran =
          RunGenerated(code, options, {x, x, x}, testing::kEmulatedFlags, /*reset_before=*/2);
      ASSERT_TRUE(ran.ok()) << ran.status();
      EXPECT_TRUE(IsEqual((*ran)[0].outputs[0], (*ran)[2].outputs[0]));
      EXPECT_GT(Difference((*ran)[1].outputs[0], (*ran)[2].outputs[0]), 1e-3);
    }
  }
}

}  // namespace
}  // namespace lamina
