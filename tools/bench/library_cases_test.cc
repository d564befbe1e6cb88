// That both sides of each case compute the same, as far as sizes tell without a device, and that
// Lamina's is one call of the library where it should be.
#include "tools/bench/library_cases.h"

#include "framework/gpu/device_kernels.h"
#include "framework/gpu/device_parts.h"
#include "framework/gpu/testing/emulated_device.h"
#include "framework/graph/optimize.h"
#include "framework/ops/random.h"
#include "gtest/gtest.h"

namespace lamina::bench {
namespace {

TEST(LibraryCasesTest, ProductsAndConvolutionsAreOneCall) {
  Rng(1);
  const std::shared_ptr<gpu::Device> device = gpu::testing::MakeEmulatedDevice(true);
  int calls = 0;
  for (const LibraryCase& c : LibraryCases()) {
    SCOPED_TRACE(c.name);
    std::vector<ArraySpec> specs;
    for (const DlArray& x : c.inputs) {
      EXPECT_EQ(x.type(), DataType::kSingle);
      specs.push_back(x.spec());
    }
    const Graph graph = Optimize(
        RecordGraph([&](Arrays in) { return c.function(DlArrays(in.begin(), in.end())); }, specs),
        ImageLayouts::kPlain);
    EXPECT_FALSE(graph.outputs().empty());
    if (!c.is_call) continue;
    ++calls;
    const gpu::DeviceKernels kernels(gpu::PartsForDevice(graph, *device).graph, device);
    EXPECT_EQ(kernels.num_launches(), 1U);
    EXPECT_EQ(kernels.num_library_calls(), 1U);
  }
  EXPECT_EQ(calls, 1 + 9 + 3);
}

}  // namespace
}  // namespace lamina::bench
