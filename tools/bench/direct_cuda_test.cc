// What of the libraries can be tried without a device.
#include "tools/bench/direct_cuda.h"

#include <iostream>
#include <string>

#include "framework/gpu/testing/header_check.h"
#include "gtest/gtest.h"
#include "tools/bench/cudnn_layers.h"

namespace lamina::bench {
namespace {

// A name that the library does not have would be noticed on a device alone.
TEST(DirectCudaTest, TheLibraryThatIsThereHasAllFunctions) {
  const absl::Status status = FindCudnnLayers().status();
  std::cout << (status.ok() ? "found" : status.ToString()) << "\n";
  EXPECT_TRUE(status.ok() || absl::IsNotFound(status)) << status;
}

TEST(DirectCudaTest, TheFunctionsHaveTheArgumentsOfTheHeader) {
  const absl::Status there = gpu::testing::CheckHeader("cudnn.h", "");
  if (!there.ok()) GTEST_SKIP() << there;
  const absl::Status status = gpu::testing::CheckHeader(
      "cudnn.h", std::string() LAMINA_CUDNN_LAYERS(LAMINA_HEADER_DECLARATION));
  EXPECT_TRUE(status.ok()) << status;
}

TEST(DirectCudaTest, WithoutADeviceTheStatusSaysWhy) {
  const auto device = DirectDevice::Open();
  if (device.ok()) GTEST_SKIP() << "This machine has a device.";
  EXPECT_FALSE(device.status().message().empty());
  std::cout << device.status() << "\n";
}

}  // namespace
}  // namespace lamina::bench
