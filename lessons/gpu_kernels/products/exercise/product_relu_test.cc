// What the exercise asks for. The solution passes the same test.
#include <gtest/gtest.h>

#include "framework/gpu/gpu.h"
#include "framework/gpu/testing/emulated_device.h"
#include HEADER_UNDER_TEST

namespace lamina {
namespace {

struct Sizes3 {
  int64_t m, n, k;
};

TEST(ProductReluTest, GivesTheFunction) {
  const auto gpu = gpu::Gpu::Make(gpu::testing::MakeEmulatedDevice());
  const auto random = [](int64_t m, int64_t n) { return 2 * Rand({m, n}, DataType::kSingle) - 1; };
  for (const auto& [m, n, k] : {Sizes3{1, 1, 1}, Sizes3{16, 16, 16}, Sizes3{33, 20, 40}}) {
    const DlArray w = random(m, k), x = random(k, n), b = random(m, 1);
    const DlArray expected = Relu(MatMul(w, x) + b);
    const DlArray y =
        Gather(kernel_product_relu(gpu->ToDevice(w), gpu->ToDevice(x), gpu->ToDevice(b)));
    for (int64_t i = 0; i < y.numel(); ++i) ASSERT_NEAR(y.At(i), expected.At(i), 1e-5) << i;
  }
}

}  // namespace
}  // namespace lamina
