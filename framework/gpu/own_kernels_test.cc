// Kernels of a user's own on a device, and their functions here.
#include "framework/gpu/own_kernels.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "framework/acceleration/dl_accelerate.h"
#include "framework/autodiff/dlgradient.h"
#include "framework/autodiff/kernel_function.h"
#include "framework/autodiff/testing/gradient_check.h"
#include "framework/gpu/device_kernels.h"
#include "framework/gpu/device_parts.h"
#include "framework/gpu/testing/each_device.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/reduction.h"

namespace lamina::gpu {
namespace {

using testing::Identifier;

class OwnKernelsTest : public testing::EachDevice {
 protected:
  static void ExpectNear(const DlArray& there, const DlArray& expected, double bound) {
    EXPECT_TRUE(there.on_device());
    EXPECT_EQ(there.spec(), expected.spec());
    const DlArray y = Gather(there);
    for (int64_t i = 0; i < y.numel(); ++i) ASSERT_NEAR(y.At(i), expected.At(i), bound) << i;
  }
};
INSTANTIATE_TEST_SUITE_P(Devices, OwnKernelsTest, ::testing::Bool(), testing::DeviceKind);

DlArray Array(const Sizes& sizes, uint64_t seed = 1) {
  return Cast(RandomInput(sizes, "SCB", -1, 1, seed), DataType::kSingle);
}

constexpr char kSnake[] = R"(
__global__ void Snake(const T* x, const T* a, T* y, long long n) {
  const long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
  if (i >= n) return;
  const T s = sin(a[0] * x[i]);
  y[i] = x[i] + s * s / a[0];
})";
const KernelFunction snake(
    {.name = "Snake", .source = kSnake, .types = {DataType::kSingle, DataType::kDouble}},
    [](const DlArray& x, const DlArray& a) { return x + Square(Sin(a * x)) / a; });
const DlArray kFrequency = DlArray(1.5F);

// Says whether kernel or function ran.
const KernelFunction which({.name = "Which", .source = R"(
__global__ void Which(const T*, T* y, long long n) {
  const long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
  if (i < n) y[i] = 1;
})"},
                           [](const DlArray& x) { return 0 * x; });

TEST_P(OwnKernelsTest, TheKernelComputesOnADeviceAndTheFunctionHere) {
  const DlArray x = Array({5, 4, 3});
  EXPECT_TRUE(IsEqual(which(x), ZerosLike(x)));
  EXPECT_TRUE(IsEqual(Gather(which(gpu_->ToDevice(x))), OnesLike(x)));
  // More elements than a block has threads; both types.
  const DlArray more = Array({50, 4, 3});
  ExpectNear(snake(gpu_->ToDevice(more), kFrequency), snake(more, kFrequency), 1e-6);
  const DlArray wide = RandomInput({5, 4, 3}, "SCB");
  ExpectNear(snake(gpu_->ToDevice(wide), DlArray(1.5)), snake(wide, DlArray(1.5)), 1e-14);
  const DlArray none = Array({0, 4, 3});
  EXPECT_TRUE(IsEqual(Gather(snake(gpu_->ToDevice(none), kFrequency)), none));
}

TEST_P(OwnKernelsTest, OtherTypesAreComputedByTheFunction) {
  for (const DataType type : {DataType::kDouble, DataType::kInt32, DataType::kComplexSingle}) {
    const DlArray x = Cast(Array({5, 4, 3}), type);
    const DlArray there = Gather(which(gpu_->ToDevice(x)));
    EXPECT_TRUE(IsEqual(there, which(x))) << there << which(x);
  }
  // All inputs have one type.
  ExpectNear(snake(gpu_->ToDevice(Array({5, 4, 3})), DlArray(int64_t{2})),
             snake(Array({5, 4, 3}), DlArray(int64_t{2})), 1e-6);
}

TEST_P(OwnKernelsTest, InARecordedFunctionItIsOneOfTheLaunches) {
  const auto f = [](const DlArray& x) { return Sum(2 * which(x + 1) + x, "B"); };
  auto fast = DlAccelerate(f);
  const DlArray x = Array({5, 4, 3});
  for (int run = 0; run < 3; ++run) {
    ExpectNear(fast(gpu_->ToDevice(x)), Sum(2 + x, "B"), 1e-6);
    ExpectNear(gpu_->ToDevice(fast(x)), Sum(x, "B"), 1e-6);  // By the processor.
  }
  const std::string report = fast.Report();
  EXPECT_NE(report.find("3 launches of 3 kernels"), std::string::npos) << report;
}

// Constants of a few elements stand in the source of Lamina's kernels; this one reads memory.
TEST_P(OwnKernelsTest, ConstantsOfAnySizeAreInputs) {
  const KernelFunction scaled({.name = "Scaled",
                               .source = R"(
    __global__ void Scaled(const T* x, const T* a, T* y, long long n, long long length) {
      const long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
      if (i < n) y[i] = x[i] * a[i % length];
    })",
                               .launch =
                                   [](std::span<const ArraySpec> in, std::span<const ArraySpec>) {
                                     return KernelLaunch{.numbers = {in[0].numel(), in[1].numel()}};
                                   }},
                              [](const DlArray& x, const DlArray& a) { return x * a; });
  for (const int64_t length : {1, 3, 12}) {
    const DlArray x = Array({length, 5, 4}), a = Array({length, 1, 1}, 2);
    const auto f = [&](const DlArray& in) { return scaled(in + a, a) - a; };
    auto fast = DlAccelerate(f);
    for (int run = 0; run < 3; ++run) ExpectNear(fast(gpu_->ToDevice(x)), f(x), 1e-6);
    const std::string report = fast.Report();
    EXPECT_NE(report.find("3 launches of 3 kernels"), std::string::npos) << report;
  }
}

// A loop over time compiles it once.
TEST_P(OwnKernelsTest, StepsShareTheKernel) {
  const Graph graph = RecordGraph(
      [](Arrays in) {
        DlArray x = in[0];
        for (int step = 0; step < 4; ++step) x = snake(x, in[1]);
        return DlArrays{x};
      },
      std::vector<ArraySpec>{Array({5, 4, 3}).spec(), kFrequency.spec()});
  const DeviceKernels kernels(PartsForDevice(graph, *gpu_->device()).graph, gpu_->device());
  EXPECT_EQ(kernels.num_kernels(), 1U);
  EXPECT_EQ(kernels.num_launches(), 4U);
}

DlArrays GradientsOfSquare(const std::function<DlArray(const DlArrays&)>& f, const DlArrays& in) {
  return DlFeval([&](const DlArrays& x) { return DlGradient(Sum(Square(f(x))), x); }, in);
}

TEST_P(OwnKernelsTest, DerivativesAreThoseOfTheFunction) {
  const auto f = [](const DlArray& x, const DlArray& a) { return snake(2 * x, a); };
  const DlArray x = Array({5, 4, 3});
  const DlArrays expected =
      GradientsOfSquare([&](const DlArrays& in) { return f(in[0], in[1]); }, {x, kFrequency});
  auto fast = DlAccelerate(f);
  for (const DlArrays& there :
       {GradientsOfSquare([&](const DlArrays& in) { return f(in[0], in[1]); },
                          {gpu_->ToDevice(x), gpu_->ToDevice(kFrequency)}),
        GradientsOfSquare([&](const DlArrays& in) { return fast(in[0], in[1]); },
                          {gpu_->ToDevice(x), gpu_->ToDevice(kFrequency)})}) {
    for (size_t k = 0; k < 2; ++k) ExpectNear(there[k], expected[k], 2e-4);
  }
}

// As a device and a recording see it: one op with the derivative of its function.
TEST(KernelFunctionOpTest, HasDerivativesOfBothOrders) {
  const auto apply = [](const OpPtr& op) {
    return [op](const DlArrays& x) {
      const DlArrays y = ApplyAll(op, x);
      return y.size() == 1 ? y[0] : y[0] * y[1];
    };
  };
  const auto make = [](std::function<DlArrays(Arrays)> function) {
    return internal::MakeKernelFunctionOp({.name = "F", .source = ""}, typeid(int),
                                          std::move(function));
  };
  const DlArrays in = {RandomInput({3, 2}, "CB"), RandomInput({3, 2}, "CB", 1, 2, 5)};
  EXPECT_TRUE(
      GradientsAgree(apply(make([](Arrays x) { return DlArrays{x[0] * Sin(x[1] * x[0])}; })), in));
  EXPECT_TRUE(GradientsAgree(apply(make([](Arrays x) {
                               return DlArrays{Sin(x[0]) * x[1], Exp(x[1]) / x[1]};
                             })),
                             in));
  // One array as two inputs.
  const OpPtr product = make([](Arrays x) { return DlArrays{x[0] * Square(x[1])}; });
  EXPECT_TRUE(GradientsAgree(
      [&](const DlArrays& x) {
        return Apply(product, {x[0], x[0]});
      },
      {in[0]}));
}

// Rows of a matrix, summed by blocks of 96 threads with shared memory; and the largest of each.
constexpr char kRows[] = R"(
__global__ void Rows(const T* x, T* sum, T* largest, long long length) {
  __shared__ T sums[96], most[96];
  const int t = threadIdx.x;
  T s = 0, m = x[blockIdx.x * length];
  for (long long i = t; i < length; i += blockDim.x) {
    const T v = x[blockIdx.x * length + i];
    s += v;
    m = v > m ? v : m;
  }
  sums[t] = s;
  most[t] = m;
  __syncthreads();
  for (int half = 48; ; half = half / 2) {
    if (t < half) {
      sums[t] += sums[t + half];
      most[t] = most[t + half] > most[t] ? most[t + half] : most[t];
    }
    __syncthreads();
    if (half == 3) break;
  }
  if (t > 0) return;
  sum[blockIdx.x] = sums[0] + sums[1] + sums[2];
  T last = most[0];
  for (int i = 1; i < 3; ++i) last = most[i] > last ? most[i] : last;
  largest[blockIdx.x] = last;
})";
KernelLaunch LaunchRows(std::span<const ArraySpec> x, std::span<const ArraySpec> y) {
  return {.blocks = y[0].numel(), .threads = 96, .numbers = {x[0].sizes[0]}};
}

TEST_P(OwnKernelsTest, SeveralResultsAndALaunchOfItsOwn) {
  const KernelFunction rows({.name = "Rows", .source = kRows, .launch = LaunchRows},
                            [](const DlArray& x) {
                              return std::array{Sum(x, "S"), MaxOver(x, "S")};
                            });
  const DlArray x = Array({333, 4, 2});
  const std::array<DlArray, 2> here = rows(x), there = rows(gpu_->ToDevice(x));
  ExpectNear(there[0], here[0], 1e-4);
  ExpectNear(there[1], here[1], 0);
}

template <int64_t threads>
KernelLaunch LaunchBlocksOf(std::span<const ArraySpec>, std::span<const ArraySpec> y) {
  return {.blocks = (y[0].numel() + threads - 1) / threads,
          .threads = threads,
          .numbers = {y[0].numel()}};
}

// Kernels that differ in nothing but their launch, a function or a lambda, or their types.
TEST_P(OwnKernelsTest, AnotherLaunchAndOtherTypesAreAnotherKernel) {
  const auto threads_of = [](const decltype(DeviceKernel::launch)& launch,
                             const std::vector<DataType>& types) {
    return KernelFunction({.name = "Threads",
                           .source = R"(
                             __global__ void Threads(const T*, T* y, long long n) {
                               const long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
                               if (i < n) y[i] = blockDim.x;
                             })",
                           .types = types,
                           .launch = launch},
                          [](const DlArray& x) { return 0 * x; });
  };
  const std::vector<DataType> single = {DataType::kSingle};
  const auto of_32 = threads_of(LaunchBlocksOf<32>, single),
             of_64 = threads_of(LaunchBlocksOf<64>, single),
             of_96 = threads_of([](auto x, auto y) { return LaunchBlocksOf<96>(x, y); }, single),
             of_128 = threads_of([](auto x, auto y) { return LaunchBlocksOf<128>(x, y); }, single),
             of_256 = threads_of(nullptr, single),
             of_any_type = threads_of(nullptr, {DataType::kSingle, DataType::kDouble});
  const DlArray x = gpu_->ToDevice(Array({5, 4, 3}));
  EXPECT_EQ(Gather(of_32(x)).At(0), 32);
  EXPECT_EQ(Gather(of_64(x)).At(0), 64);
  EXPECT_EQ(Gather(of_96(x)).At(0), 96);
  EXPECT_EQ(Gather(of_128(x)).At(0), 128);
  EXPECT_EQ(Gather(of_256(x)).At(0), 256);
  const auto sum = DlAccelerate([&](const DlArray& in) {
    return of_32(in) + of_64(in) + of_96(in) + of_128(in) + of_256(in);
  });
  EXPECT_EQ(Gather(sum(x)).At(0), 32 + 64 + 96 + 128 + 256);
  const DlArray wide = gpu_->ToDevice(RandomInput({5, 4, 3}, "SCB"));
  EXPECT_EQ(Gather(of_256(wide)).At(0), 0);  // By the function.
  EXPECT_EQ(Gather(of_any_type(wide)).At(0), 256);
}

// Columns turned around, by way of memory whose size the launch says.
TEST_P(OwnKernelsTest, SharedMemoryOfTheLaunch) {
  const KernelFunction turned(
      {.name = "Turned",
       .source = R"(
         __global__ void Turned(const T* x, T* y, long long length) {
           extern __shared__ T column[];
           for (int i = threadIdx.x; i < length; i += blockDim.x) {
             column[i] = x[blockIdx.x * length + i];
           }
           __syncthreads();
           for (int i = threadIdx.x; i < length; i += blockDim.x) {
             y[blockIdx.x * length + i] = column[length - 1 - i];
           }
         })",
       .launch =
           [](std::span<const ArraySpec> x, std::span<const ArraySpec>) {
             const int64_t length = x[0].sizes[0];
             return KernelLaunch{.blocks = x[0].numel() / length,
                                 .threads = 64,
                                 .numbers = {length},
                                 .shared_bytes = length * 4};
           }},
      [](const DlArray& x) { return 0 * x; });  // Says that the function ran.
  for (const int64_t length : {100, 15000}) {   // More than 48 KiB too.
    const DlArray x = Array({length, 2, 1});
    const DlArray y = Gather(turned(gpu_->ToDevice(x)));
    for (int64_t i = 0; i < 2 * length; ++i) {
      ASSERT_EQ(y.At(i), x.At(i / length * length + length - 1 - i % length));
    }
  }
  const DlArray large = Array({1 << 20, 1, 1});
  EXPECT_TRUE(IsEqual(Gather(turned(gpu_->ToDevice(large))), ZerosLike(large)));
}

TEST_P(OwnKernelsTest, WhatDoesNotCompileIsToldWithItsLine) {
  const KernelFunction wrong({.name = "Wrong",
                              .source = "__global__ void Wrong(const T* x, T* y, long long n) {\n"
                                        "  y[0] = undeclared;\n"
                                        "}\n"},
                             [](const DlArray& x) { return x + 1; });
  try {
    wrong(gpu_->ToDevice(Array({5, 4, 3})));
    FAIL() << "An error was expected.";
  } catch (const Error& e) {
    EXPECT_EQ(e.identifier(), "gpu:CannotCompile");
    const std::string text = e.what();
    EXPECT_NE(text.find("Kernel \"Wrong\""), std::string::npos) << text;
    EXPECT_TRUE(text.find("Wrong:2") != std::string::npos ||
                text.find("Wrong(2)") != std::string::npos)
        << text;
    EXPECT_NE(text.find("undeclared"), std::string::npos) << text;
  }
}

TEST_P(OwnKernelsTest, AKernelWithOtherParametersIsToldWhichItTakes) {
  const KernelFunction wrong(
      {.name = "Wrong",
       .source = "__global__ void Wrong(const T* x, T* y, long long n, long long m) {}"},
      [](const DlArray& x) { return x + 1; });
  try {
    wrong(gpu_->ToDevice(Array({5, 4, 3})));
    FAIL() << "An error was expected.";
  } catch (const Error& e) {
    EXPECT_EQ(e.identifier(), "gpu:CannotCompile");
    const std::string text = e.what();
    EXPECT_NE(text.find("Wrong takes (const T*, T*, long long): the inputs"), std::string::npos)
        << text;
  }
}

TEST_P(OwnKernelsTest, ALaunchThatNoDeviceAcceptsIsAnError) {
  const KernelFunction wrong(
      {.name = "Which",
       .source = "__global__ void Which(const T* x, T* y, long long n) { y[0] = x[0]; }",
       .launch = [](std::span<const ArraySpec>,
                    std::span<const ArraySpec>) { return KernelLaunch{.threads = 2000}; }},
      [](const DlArray& x) { return x + 1; });
  EXPECT_EQ(Identifier([&] { wrong(gpu_->ToDevice(Array({5, 4, 3}))); }), "kernel:Launch");
}

}  // namespace
}  // namespace lamina::gpu
