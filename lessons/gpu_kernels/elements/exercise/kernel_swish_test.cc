// What the exercise asks for. The solution passes the same test.
#include <gtest/gtest.h>

#include <cmath>

#include "checks/check_layer.h"
#include "framework/gpu/gpu.h"
#include "framework/gpu/testing/emulated_device.h"
#include HEADER_UNDER_TEST

namespace lamina {
namespace {

TEST(KernelSwishTest, GivesTheFunctionForAnyNumberOfElements) {
  const auto gpu = gpu::Gpu::Make(gpu::testing::MakeEmulatedDevice());
  const DlArray beta(2.0F);
  for (const int64_t n : {1, 256, 257, 1000}) {
    const DlArray x = 2 * Rand({n, 1}, DataType::kSingle) - 1;
    const DlArray y = Gather(kernel_swish(gpu->ToDevice(x), beta));
    for (int64_t i = 0; i < n; ++i) {
      ASSERT_NEAR(y.At(i), x.At(i) / (1 + std::exp(-2 * x.At(i))), 1e-6)
          << "element " << i << " of " << n;
    }
  }
}

TEST(KernelSwishTest, PassesCheckLayer) {
  const gpu::ScopedGpu device(gpu::Gpu::Make(gpu::testing::MakeEmulatedDevice()));
  const CheckReport report =
      CheckLayer(KernelSwishLayer(), {NetworkDataLayout({5, 4, 3, 2}, "SSCB")}, {.quiet = true});
  EXPECT_TRUE(report.ok()) << report;
}

}  // namespace
}  // namespace lamina
