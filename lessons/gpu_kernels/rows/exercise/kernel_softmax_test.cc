// What the exercise asks for. The solution passes the same test.
#include <gtest/gtest.h>

#include "framework/gpu/gpu.h"
#include "framework/gpu/testing/emulated_device.h"
#include HEADER_UNDER_TEST

namespace lamina {
namespace {

TEST(KernelSoftmaxTest, GivesTheFunction) {
  const auto gpu = gpu::Gpu::Make(gpu::testing::MakeEmulatedDevice());
  for (const Sizes& sizes : {Sizes{1, 2}, Sizes{10, 3}, Sizes{256, 2}, Sizes{1000, 2}}) {
    const DlArray x = 20 * Rand(sizes, DataType::kSingle, "CB") - 10;
    const DlArray y = Gather(kernel_softmax(gpu->ToDevice(x))), expected = Softmax(x);
    for (int64_t i = 0; i < y.numel(); ++i) ASSERT_NEAR(y.At(i), expected.At(i), 2e-6) << i;
  }
}

TEST(KernelSoftmaxTest, NeighbouringThreadsLoadNeighbouringElements) {
  const auto device = gpu::testing::MakeEmulatedDevice();
  const auto gpu = gpu::Gpu::Make(device);
  const DlArray x = gpu->ToDevice(Rand({512, 64}, DataType::kSingle, "CB"));
  const gpu::testing::AccessCounts counts = device->Count([&] { kernel_softmax(x); });
  EXPECT_GT(counts.loads.requests, 0);
  EXPECT_LE(counts.loads.SectorsPerRequest(), 4) << "sectors of 32 bytes in a load of a warp";
}

}  // namespace
}  // namespace lamina
