// Arrays on a device and single ops there, against the same ops here.
#include "framework/gpu/gpu.h"

#include <gtest/gtest.h>

#include <climits>
#include <complex>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/acceleration/dl_accelerate.h"
#include "framework/autodiff/dlgradient.h"
#include "framework/dlarray/testing/thrown_error.h"
#include "framework/gpu/testing/each_device.h"
#include "framework/ops/creation.h"
#include "framework/ops/elementwise.h"
#include "framework/ops/finite_check.h"
#include "framework/ops/gpu_array.h"
#include "framework/ops/matmul.h"
#include "framework/ops/random.h"
#include "framework/ops/reduction.h"
#include "framework/ops/shape.h"

namespace lamina::gpu {
namespace {

using testing::Identifier;
class GpuTest : public testing::EachDevice {
 protected:
  // The array on this test's device.
  DlArray There(const DlArray& x) {
    const ScopedGpu scope(gpu_);
    return GpuArray(x);
  }
};
INSTANTIATE_TEST_SUITE_P(Devices, GpuTest, ::testing::Bool(), testing::DeviceKind);

// An op without a printed form: twice its input.
class Unprinted : public Op {
 public:
  std::string_view Name() const override { return "unprinted"; }
  void Infer(const Specs& in, SpecList* out) const override { out->push_back(in[0]); }
  void Run(Arrays in, Results out) const override { out.Share(0, in[0] * 2); }
};
DlArray ApplyUnprinted(const DlArray& x) { return Apply(std::make_shared<Unprinted>(), {x}); }

DlArray Ramp() { return DlArray::FromVector<float>({1, -2, 3, -4, 5, 6}, {3, 2}, "CB"); }

// Large copies go by way of pinned memory (staging.h), where there is any.
TEST_P(GpuTest, CopiesOfAllSizesAreWhole) {
  using testing::EmulatedDevice;
  constexpr int64_t kSmallest = EmulatedDevice::kSmallestStaged / 4,
                    kChunk = EmulatedDevice::kChunkBytes / 4;
  for (const int chunks : {INT_MAX, 1, 0}) {
    const auto device = testing::MakeEmulatedDevice();
    device->set_most_chunks(chunks);
    const auto gpu = emulated_ != nullptr ? Gpu::Make(device) : gpu_;
    for (const int64_t n : {int64_t{0}, int64_t{1}, kSmallest - 1, kSmallest, kChunk - 1, kChunk,
                            kChunk + 1, 4 * kChunk, 7 * kChunk + 3, int64_t{1} << 20}) {
      const DlArray x = Randn({n}), y = Randn({n});
      const DlArray a = gpu->ToDevice(x), b = gpu->ToDevice(y);
      EXPECT_TRUE(IsEqual(Gather(a), x)) << n;
      EXPECT_TRUE(IsEqual(Gather(b), y)) << n;
    }
  }
}

TEST_P(GpuTest, ArraysComeBackAsTheyWent) {
  for (const DlArray& x : {DlArray(2.5), Ramp(), DlArray::FromVector<int64_t>({-1, 1}, {2}),
                           DlArray::FromVector<std::complex<double>>({{1, 2}, {3, 4}}, {2}),
                           DlArray::FromVector<float>({}, {0, 3})}) {
    const DlArray there = There(x);
    EXPECT_TRUE(there.on_device());
    EXPECT_FALSE(there.has_values());
    EXPECT_EQ(there.spec(), x.spec());
    EXPECT_TRUE(IsEqual(Gather(there), x)) << there;
  }
}

TEST_P(GpuTest, OpsOnAnArrayThereStayThere) {
  const DlArray x = Ramp(), there = There(x);
  const auto expect = [](const DlArray& came, const DlArray& expected) {
    EXPECT_TRUE(came.on_device());
    EXPECT_TRUE(IsEqual(Gather(came), expected)) << came << expected;
  };
  expect(Relu(there) * 2 + 1, Relu(x) * 2 + 1);
  expect(Sum(there, "C"), Sum(x, "C"));
  expect(Where(there > 0, there, DlArray(0.5F)), Where(x > 0, x, DlArray(0.5F)));
  expect(DlArray(there, "BC"), DlArray(x, "BC"));  // Permuted.
  expect(Reshape(StripDims(there), {2, 3}), Reshape(StripDims(x), {2, 3}));
  const DlArray w = DlArray::FromVector<float>({1, 2, 3, 4, 5, 6}, {2, 3});
  expect(MatMul(w, StripDims(there)), MatMul(w, StripDims(x)));
  const DlArray none = DlArray::FromVector<float>({}, {0, 3});
  expect(Sum(none + There(DlArray(1.0F))), Sum(none));
}

// The derivative of a sum is made of nothing but the loss.
TEST_P(GpuTest, AFiniteCheckLooksThereToo) {
  const ScopedGpu scope(gpu_);
  const DlArray x = GpuArray(DlArray::FromVector<float>({1, 4, -1}, {3}));
  const FiniteCheck check;
  const DlArray y = Exp(x);
  EXPECT_TRUE(y.on_device());
  const std::string message = MessageOf([&] { Log(x); });
  EXPECT_NE(message.find("log gave NaN at 2 of 3 elements of a 3 single DlArray. It got -1."),
            std::string::npos)
      << message;
}

TEST_P(GpuTest, TheGradientOfASumStaysThere) {
  const DlArrays g =
      DlFeval([](const DlArrays& p) { return DlGradient(Sum(p[0]), p); }, DlArrays{There(Ramp())});
  EXPECT_TRUE(g[0].on_device());
  EXPECT_TRUE(IsEqual(Gather(g[0]), OnesLike(Ramp())));
}

TEST_P(GpuTest, RandomNumbersHaveTheSameBits) {
  const DlArray x = Ramp(), there = There(x);
  const auto draw = [](const DlArray& like) {
    RandomSource source(3);
    const ScopedRandomSource scope(source);
    return RandnLike(like);
  };
  EXPECT_TRUE(draw(there).on_device());
  EXPECT_TRUE(IsEqual(Gather(draw(there)), draw(x)));
}

// Function and derivative are a program each; on the processor the trace is another one.
TEST_P(GpuTest, AnAcceleratedFunctionRunsWhereItsInputsLie) {
  const DlArray big = DlArray::FromVector<float>(std::vector<float>(30, 0.25F), {3, 10}, "CU");
  const auto f = [big](const DlArray& x, const DlArray& w) {
    return Tanh(x * w) + RandLike(x) + Sum(big, "U");
  };
  auto fast = DlAccelerate(f);
  const DlArray x = Ramp(), w = DlArray::FromVector<float>({0.5F, 1, -1}, {3}, "C");
  const auto values_and_gradients = [](auto& function, const DlArrays& in) {
    RandomSource source(3);
    const ScopedRandomSource scope(source);
    return DlFeval(
        [&](const DlArrays& p) {
          const DlArray y = function(p[0], p[1]);
          DlArrays all = DlGradient(Sum(y * y), p);
          all.push_back(y);
          return all;
        },
        in);
  };
  const DlArrays here = values_and_gradients(f, {x, w});
  for (int run = 0; run < 3; ++run) {
    const DlArrays there = values_and_gradients(fast, {There(x), There(w)});
    for (size_t k = 0; k < here.size(); ++k) {
      EXPECT_TRUE(there[k].on_device());
      for (int64_t i = 0; i < here[k].numel(); ++i) {
        EXPECT_NEAR(Gather(there[k]).At(i), here[k].At(i), 1e-4) << k << ", " << i;
      }
    }
  }
  EXPECT_EQ(fast.NumTraces(), 1);
  const std::string report = fast.Report();
  EXPECT_NE(report.find("forward: 3 runs; "), std::string::npos) << report;
  EXPECT_NE(report.find("2 launches of 2 kernels, compiled in"), std::string::npos) << report;
  EXPECT_NE(report.find("on a device"), std::string::npos) << report;
  fast(x, w);
  EXPECT_EQ(fast.NumTraces(), 2);
}

TEST_P(GpuTest, ConstantsMayHaveNoElements) {
  const DlArray none = Zeros({3, 0});
  const auto f = [&](const DlArray& x) {
    return DlArrays{Cat(1, {none, x, none * 2}) + 1, none + Sum(x), Sum(none + Sum(x), 1) + x,
                    MatMul(none, Zeros({0, 2})) + Sum(x)};
  };
  const auto fast = DlAccelerate(f);
  const DlArray x = StripDims(Ramp());
  const DlArrays expected = f(x), came = fast(There(x));
  ASSERT_EQ(came.size(), expected.size());
  for (size_t k = 0; k < came.size(); ++k) {
    EXPECT_TRUE(IsEqual(Gather(came[k]), expected[k])) << k << "\n" << Gather(came[k]);
  }
}

TEST_P(GpuTest, AnAcceleratedFunctionWithoutKernelsNamesTheOp) {
  auto fast = DlAccelerate([](const DlArray& x) { return ApplyUnprinted(x) + 1; });
  EXPECT_EQ(Identifier([&] { fast(There(Ramp())); }), "gpu:NoKernels");
  EXPECT_NE(fast.Report().find("op by op on a device: "), std::string::npos) << fast.Report();
}

TEST_P(GpuTest, ReadingIsAnErrorThatTellsTheLine) {
  const DlArray there = There(Ramp());
  const int line = __LINE__ + 2;
  try {
    there.At(0);
    FAIL() << "An error was expected.";
  } catch (const Error& e) {
    EXPECT_EQ(std::string(e.what()),
              absl::StrCat("The values of an array were read in framework/gpu/gpu_test.cc:", line,
                           ". This 3(C) x 2(B) single DlArray lies on ", gpu_->device()->Name(),
                           ". Gather it first. [dlarray:OnDevice]"));
  }
}

TEST_P(GpuTest, PrintingShowsValuesAndDevice) {
  EXPECT_EQ(ToString(There(Ramp())),
            absl::StrCat(ToString(Ramp()), "\non ", gpu_->device()->Name()));
}

TEST_P(GpuTest, AnOpWithoutKernelsIsNamed) {
  try {
    ApplyUnprinted(There(Ramp()));
    FAIL() << "An error was expected.";
  } catch (const Error& e) {
    EXPECT_EQ(
        std::string(e.what()),
        absl::StrCat(
            gpu_->device()->Name(),
            " was asked for unprinted of 3(C) x 2(B) single DlArray. There are no kernels for "
            "it. Gather its inputs, and compute it here. [gpu:NoKernels]"));
  }
}

TEST_P(GpuTest, ArraysOfTwoDevicesMeetOnTheFirst) {
  const auto other = Gpu::Make(testing::MakeEmulatedDevice());
  const DlArray y = There(Ramp()) + other->ToDevice(Ramp());
  EXPECT_TRUE(gpu_->Has(y));
  EXPECT_FALSE(other->Has(y));
  EXPECT_TRUE(IsEqual(Gather(y), Ramp() + Ramp()));
}

TEST_P(GpuTest, AnOpIsCompiledOnceForEachSpec) {
  if (emulated_ == nullptr) GTEST_SKIP() << "Only the emulated device counts.";
  const DlArray there = There(Ramp());
  const DlArray once = Tanh(there), again = Tanh(there * 1);
  EXPECT_EQ(emulated_->num_compiled(), 2);  // times, too.
  Gpu::Make(emulated_)->ToDevice(Ramp());
  EXPECT_TRUE(IsEqual(Gather(Tanh(Gpu::Make(emulated_)->ToDevice(Ramp()))), Gather(once)));
  EXPECT_EQ(emulated_->num_compiled(), 2);  // The disk has it.
}

// Whatever does not fit is refused, and all goes on.
TEST_P(GpuTest, MemoryThatIsFullIsAnError) {
  if (emulated_ == nullptr) GTEST_SKIP() << "Only the emulated device can be made small.";
  const DlArray there = There(Ramp());
  Tanh(there);
  const size_t used = emulated_->bytes_in_use();
  emulated_->set_most_bytes(used + 8);
  EXPECT_EQ(Identifier([&] { Tanh(there); }), "gpu:OutOfMemory");
  EXPECT_EQ(Identifier([&] { There(Ramp()); }), "gpu:OutOfMemory");
  EXPECT_EQ(emulated_->bytes_in_use(), used);
  emulated_->set_most_bytes(SIZE_MAX);
  EXPECT_TRUE(IsEqual(Gather(Relu(there)), Relu(Ramp())));
}

TEST_P(GpuTest, ThreadsShareADevice) {
  const DlArray x = Ramp(), there = There(x);
  const DlArray expected = Relu(x * 2) - 1;
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (int& count : wrong) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) count += IsEqual(Gather(Relu(there * 2) - 1), expected) ? 0 : 1;
    });
  }
  for (std::thread& t : threads) t.join();
  EXPECT_EQ(wrong, std::vector<int>(4));
}

TEST(WithoutGpuTest, TheErrorSaysWhy) {
  if (CanUseGpu().ok()) GTEST_SKIP() << "There is a device.";
  try {
    GpuArray(Ramp());
    FAIL() << "An error was expected.";
  } catch (const Error& e) {
    EXPECT_EQ(e.identifier(), "gpu:NoDevice");
    EXPECT_NE(std::string(e.what()).find(std::string(CanUseGpu().message())), std::string::npos);
  }
}

}  // namespace
}  // namespace lamina::gpu
