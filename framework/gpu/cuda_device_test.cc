// What of CUDA can be tried without a device: its libraries, where a toolkit is found.
#include "framework/gpu/cuda_device.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstring>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "framework/gpu/cuda_library.h"

namespace lamina::gpu {
namespace {

// Kernels whose C++ names are not those in the code.
constexpr char kSource[] = R"(
template <bool twice>
__global__ void Scale(const float *x, float *y) {
  y[threadIdx.x] = (twice ? 2 : 1) * x[threadIdx.x];
}
__global__ void Plain(float *y) { y[threadIdx.x] = 0; }
)";

TEST(CudaDeviceTest, WithoutADeviceTheStatusSaysWhy) {
  const auto device = OpenCudaDevice();
  if (device.ok()) GTEST_SKIP() << "This machine has " << (*device)->Name() << ".";
  EXPECT_FALSE(device.status().message().empty());
  std::cout << device.status() << "\n";
  EXPECT_FALSE(OpenCudaDevice(1000).ok());
}

TEST(CudaDeviceTest, TheCompilerNamesTheKernelsOfAnArchitecture) {
  if (!FindCudaCompiler().ok()) GTEST_SKIP() << FindCudaCompiler().status();
  for (const char* const architecture : {"sm_80", "sm_90"}) {
    const auto image = CompileCudaKernels(
        {.text = kSource, .kernels = {"Scale<true>", "Plain", "Scale<false>"}}, architecture);
    ASSERT_TRUE(image.ok()) << image.status();
    ASSERT_EQ(image->symbols.size(), 3u);
    EXPECT_NE(image->symbols[0].find("Scale"), std::string::npos);
    EXPECT_NE(image->symbols[0], image->symbols[2]);
    for (const std::string& symbol : image->symbols) {
      EXPECT_NE(image->code.find(symbol), std::string::npos) << symbol;
    }
    EXPECT_EQ(image->code.substr(1, 3), "ELF");
  }
}

TEST(CudaDeviceTest, TheCompilersMessagesAreTold) {
  if (!FindCudaCompiler().ok()) GTEST_SKIP() << FindCudaCompiler().status();
  const auto wrong = CompileCudaKernels(
      {.text = "__global__ void F() { unknown = 1; }", .kernels = {"F"}}, "sm_90");
  EXPECT_EQ(wrong.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(wrong.status().message().find("unknown"), std::string::npos) << wrong.status();
  const auto missing = CompileCudaKernels({.text = kSource, .kernels = {"Absent"}}, "sm_90");
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kInvalidArgument);
}

// A toolkit has a driver's library without contents, to link with.
TEST(CudaDeviceTest, ADriverHasAllFunctionsThatAreCalled) {
  void* driver = nullptr;
  for (const char* const path : {"/usr/local/cuda/lib64/stubs/libcuda.so", "libcuda.so.1"}) {
    if (driver == nullptr) driver = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
  }
  if (driver == nullptr) GTEST_SKIP() << "There is neither a toolkit nor a driver.";
  for (const std::string& symbol : CudaDriverSymbols()) {
    EXPECT_NE(dlsym(driver, symbol.c_str()), nullptr) << symbol;
  }
}

// A name that a library does not have would leave it out without a word.
TEST(CudaLibraryTest, LibrariesThatAreThereHaveAllFunctions) {
  for (const auto& [name, status] :
       std::vector<std::pair<const char*, absl::Status>>{{"driver", FindCudaDriver().status()},
                                                         {"NVRTC", FindCudaCompiler().status()},
                                                         {"cuBLASLt", FindCudaBlas().status()},
                                                         {"cuFFT", FindCufft().status()},
                                                         {"cuDNN", FindCudnn().status()},
                                                         {"NCCL", FindNccl().status()}}) {
    std::cout << name << ": " << (status.ok() ? "found" : status.ToString()) << "\n";
    EXPECT_TRUE(status.ok() || absl::IsNotFound(status)) << status;
  }
}

TEST(CudaLibraryTest, NcclIsOfTheVersionWhoseDeclarationsThereAre) {
  if (!FindNccl().ok()) GTEST_SKIP() << FindNccl().status();
  int version = 0;
  ASSERT_EQ(FindNccl()->GetVersion(&version), 0);
  std::cout << "NCCL " << version << "\n";
  EXPECT_GE(version, 20000);
  EXPECT_LT(version, 30000);
  EXPECT_EQ(sizeof(NcclId), 128u);
}

}  // namespace
}  // namespace lamina::gpu
