// What the emulated device finds in kernels, and what it counts.
#include "framework/gpu/testing/emulated_device.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "framework/dlarray/error.h"
#include "gmock/gmock.h"

namespace lamina::gpu::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// Arrays of float on a device.
class Arrays {
 public:
  explicit Arrays(std::shared_ptr<EmulatedDevice> device) : device_(std::move(device)) {}
  ~Arrays() {
    for (void* const memory : all_) device_->Free(memory);
  }
  float* Of(const std::vector<float>& values) {
    all_.push_back(device_->Allocate(values.size() * sizeof(float)));
    device_->CopyIn(all_.back(), values.data(), values.size() * sizeof(float));
    return static_cast<float*>(all_.back());
  }
  std::vector<float> Values(const float* array, size_t count) {
    std::vector<float> values(count);
    device_->CopyOut(values.data(), array, count * sizeof(float));
    return values;
  }

 private:
  const std::shared_ptr<EmulatedDevice> device_;
  std::vector<void*> all_;
};

class EmulatedDeviceTest : public ::testing::Test {
 protected:
  // Runs a kernel K(float* x, float* y): x counts from 0, y has as many zeros.
  void Run(const std::string& text, size_t elements, LaunchSize size) {
    const absl::StatusOr<KernelImage> image =
        device_->Compile({.text = text, .kernels = {"K"}, .runs_any_number_of_blocks = false});
    ASSERT_TRUE(image.ok()) << image.status();
    const std::unique_ptr<LoadedKernels> kernels = device_->Load(*image);
    std::vector<float> values(elements);
    for (size_t i = 0; i < elements; ++i) values[i] = static_cast<float>(i);
    Arrays arrays(device_);
    float *x = arrays.Of(values), *y = arrays.Of(std::vector<float>(elements));
    void* arguments[] = {&x, &y};
    counts_ = device_->Count([&] { device_->Launch(*kernels, 0, size, arguments); });
    y_ = arrays.Values(y, elements);
  }
  // The message of what is found; "" for nothing.
  std::string FoundIn(const std::string& text, size_t elements = 64,
                      LaunchSize size = {.blocks = 1, .threads = 64}) {
    y_.clear();
    try {
      Run(text, elements, size);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }

  const std::shared_ptr<EmulatedDevice> device_ = MakeEmulatedDevice();
  AccessCounts counts_;
  std::vector<float> y_;
  float Result(size_t i) const { return i < y_.size() ? y_[i] : -99; }
};

TEST_F(EmulatedDeviceTest, FindsAccessesBeyondAnArray) {
  EXPECT_THAT(
      FoundIn("__global__ void K(const float* x, float* y) {\n"
              "  const int i = blockIdx.x * blockDim.x + threadIdx.x;\n"
              "  y[i] = 1;\n"
              "}\n",
              100, {.blocks = 2, .threads = 64}),
      AllOf(HasSubstr("Kernel \"K\" on an emulated device"), HasSubstr("Block 1, thread "),
            HasSubstr("line 3 writes 4 bytes at byte 4"),
            HasSubstr(" of argument 2, which has 400 bytes"), HasSubstr("[kernel:OutOfBounds]")));
  EXPECT_THAT(FoundIn("__global__ void K(const float* x, float* y) {\n"
                      "  y[threadIdx.x] = x[(int)threadIdx.x - 1];\n"
                      "}\n"),
              HasSubstr("Block 0, thread 0, line 2 reads 4 bytes at an address where the device"));
  EXPECT_EQ(FoundIn("__global__ void K(const float* x, float* y) {\n"
                    "  if (threadIdx.x < 60) y[threadIdx.x] = x[threadIdx.x];\n"
                    "}\n",
                    60),
            "");
}

TEST_F(EmulatedDeviceTest, FindsAnIndexOutsideOfSharedMemory) {
  EXPECT_THAT(FoundIn("__global__ void K(const float* x, float* y) {\n"
                      "  __shared__ float part[32];\n"
                      "  part[threadIdx.x] = 0;\n"
                      "}\n"),
              AllOf(HasSubstr("line 3 has index "), HasSubstr("of 'float [32]'"),
                    HasSubstr("[kernel:OutOfBounds]")));
}

TEST_F(EmulatedDeviceTest, FindsAddressesThatAreNotAligned) {
  const std::string text =
      "__global__ void K(const float* x, float* y) {\n"
      "  const float4 v = *(const float4*)(x + BY * threadIdx.x);\n"
      "  y[threadIdx.x] = v.x;\n"
      "}\n";
  EXPECT_THAT(FoundIn("#define BY 1\n#line 1\n" + text, 128),
              AllOf(HasSubstr("line 2 has an address that is no multiple of 16"),
                    HasSubstr("[kernel:Misaligned]")));
  EXPECT_EQ(FoundIn("#define BY 4\n" + text, 256), "");
}

// y[0] is the sum of x, by a tree; `first` and `later` stand where barriers are needed.
std::string Tree(const std::string& first, const std::string& later) {
  return "__global__ void K(const float* x, float* y) {\n"
         "  __shared__ float part[256];\n"
         "  const int t = threadIdx.x;\n"
         "  part[t] = x[t];\n"
         "  " +
         first +
         "\n"
         "  for (int half = blockDim.x / 2; half > 0; half /= 2) {\n"
         "    if (t < half) part[t] += part[t + half];\n"
         "    " +
         later +
         "\n"
         "  }\n"
         "  if (t == 0) y[0] = part[0];\n"
         "}\n";
}

TEST_F(EmulatedDeviceTest, FindsAMissingBarrier) {
  const LaunchSize size = {.blocks = 1, .threads = 256};
  EXPECT_EQ(FoundIn(Tree("__syncthreads();", "__syncthreads();"), 256, size), "");
  EXPECT_EQ(Result(0), 255 * 256 / 2);
  EXPECT_THAT(FoundIn(Tree("", "__syncthreads();"), 256, size),
              // Either finds the other one's place unset, or both meet.
              AllOf(HasSubstr("line 7"), HasSubstr("[kernel:")));
  EXPECT_THAT(FoundIn(Tree("__syncthreads();", ""), 256, size),
              AllOf(HasSubstr(", line 7 "), HasSubstr("with no barrier between"),
                    HasSubstr("[kernel:Race]")));
}

// It is found in every order, also where the results happen to be right.
TEST_F(EmulatedDeviceTest, FindsARaceWhoseResultIsRight) {
  EXPECT_THAT(FoundIn("__global__ void K(const float* x, float* y) {\n"
                      "  y[0] = 1;\n"
                      "}\n"),
              AllOf(HasSubstr(", line 2 writes byte 0 of argument 2, which has 256 bytes; block"),
                    HasSubstr(", line 2 writes the same place, "), HasSubstr("[kernel:Race]")));
}

// What is read in one round must not be written over in the next.
TEST_F(EmulatedDeviceTest, FindsAMissingBarrierAtTheEndOfALoop) {
  const auto text = [](const std::string& last) {
    return "__global__ void K(const float* x, float* y) {\n"
           "  __shared__ float tile[64];\n"
           "  const int t = threadIdx.x;\n"
           "  float sum = 0;\n"
           "  for (int k = 0; k < 2; ++k) {\n"
           "    tile[t] = x[64 * k + t];\n"
           "    __syncthreads();\n"
           "    for (int i = 0; i < 64; ++i) sum += tile[i];\n"
           "    " +
           last +
           "\n"
           "  }\n"
           "  y[t] = sum;\n"
           "}\n";
  };
  EXPECT_EQ(FoundIn(text("__syncthreads();"), 128), "");
  EXPECT_EQ(Result(63), 127 * 128 / 2);
  EXPECT_THAT(FoundIn(text(""), 128),
              AllOf(HasSubstr(", line 8 reads "), HasSubstr(", line 6 writes "),
                    HasSubstr("[kernel:Race]")));
}

TEST_F(EmulatedDeviceTest, FindsWhatTwoBlocksDoToOneAnother) {
  const LaunchSize size = {.blocks = 2, .threads = 32};
  EXPECT_THAT(FoundIn("__global__ void K(const float* x, float* y) {\n"
                      "  y[threadIdx.x] += x[threadIdx.x];\n"
                      "}\n",
                      64, size),
              AllOf(HasSubstr("Block 0, thread "), HasSubstr("block 1, thread "),
                    HasSubstr("Blocks run in any order"), HasSubstr("[kernel:Race]")));
  EXPECT_THAT(FoundIn("__global__ void K(const float* x, float* y) {\n"
                      "  if (blockIdx.x == 0) y[threadIdx.x] = y[threadIdx.x + 32];\n"
                      "  else y[threadIdx.x + 32] = 1;\n"
                      "}\n",
                      64, size),
              AllOf(HasSubstr("reads byte "), HasSubstr("[kernel:Race]")));
}

TEST_F(EmulatedDeviceTest, AtomicSumsAreNoRace) {
  EXPECT_EQ(FoundIn("__global__ void K(const float* x, float* y) {\n"
                    "  atomicAdd(y, x[blockIdx.x * 32 + threadIdx.x]);\n"
                    "}\n",
                    64, {.blocks = 2, .threads = 32}),
            "");
  EXPECT_EQ(Result(0), 63 * 64 / 2);
  EXPECT_THAT(FoundIn("__global__ void K(const float* x, float* y) {\n"
                      "  atomicAdd(y, 1.0f);\n"
                      "  x[0] == y[0] ? y[1] = 0 : 0;\n"
                      "}\n"),
              AllOf(HasSubstr(", line 2 changes "), HasSubstr(", line 3 reads "),
                    HasSubstr("byte 0 of argument 2")));
}

TEST_F(EmulatedDeviceTest, SmallNeighboursAreNoRace) {
  EXPECT_EQ(FoundIn("__global__ void K(const float* x, float* y) {\n"
                    "  __shared__ bool is_even[64];\n"
                    "  const int t = threadIdx.x;\n"
                    "  is_even[t] = t % 2 == 0;\n"
                    "  __syncthreads();\n"
                    "  y[t] = is_even[63 - t];\n"
                    "}\n"),
            "");
  EXPECT_EQ(Result(0), 0);
  EXPECT_EQ(Result(1), 1);
}

TEST_F(EmulatedDeviceTest, FindsSharedMemoryThatWasNotSet) {
  EXPECT_THAT(FoundIn("__global__ void K(const float* x, float* y) {\n"
                      "  __shared__ float part[128];\n"
                      "  part[threadIdx.x] = x[threadIdx.x];\n"
                      "  __syncthreads();\n"
                      "  y[threadIdx.x] = part[threadIdx.x + 1];\n"
                      "}\n"),
              AllOf(HasSubstr("Block 0, thread 63, line 5 reads what no thread"),
                    HasSubstr("[kernel:Unset]")));
}

TEST_F(EmulatedDeviceTest, FindsBarriersToWhichNotAllCome) {
  EXPECT_THAT(FoundIn("__global__ void K(const float* x, float* y) {\n"
                      "  if (threadIdx.x >= 40) return;\n"
                      "  __syncthreads();\n"
                      "}\n"),
              AllOf(HasSubstr("In block 0 thread 40 has ended, thread 0 waits at __syncthreads()"),
                    HasSubstr("[kernel:Barrier]")));
  EXPECT_THAT(FoundIn("__global__ void K(const float* x, float* y) {\n"
                      "  if (threadIdx.x == 0) __syncthreads(); else __syncwarp();\n"
                      "}\n"),
              HasSubstr("[kernel:Barrier]"));
}

TEST_F(EmulatedDeviceTest, WarpsExchangeValues) {
  EXPECT_EQ(FoundIn("__global__ void K(const float* x, float* y) {\n"
                    "  float sum = x[threadIdx.x];\n"
                    "  for (int by = 16; by > 0; by /= 2) sum += __shfl_down_sync(~0u, sum, by);\n"
                    "  const float first = __shfl_sync(~0u, sum, 0);\n"
                    "  float all = x[threadIdx.x];\n"
                    "  for (int by = 1; by < 32; by *= 2) all += __shfl_xor_sync(~0u, all, by);\n"
                    "  const unsigned odd = __ballot_sync(~0u, threadIdx.x % 2);\n"
                    "  y[threadIdx.x] = all == first && odd == 0xaaaaaaaau ? all : -1;\n"
                    "}\n"),
            "");
  EXPECT_EQ(Result(0), 31 * 32 / 2);
  EXPECT_EQ(Result(63), 31 * 32 / 2 + 32 * 32);
}

// Lanes that take no part have nothing to give.
TEST_F(EmulatedDeviceTest, AValueOfALaneThatIsNotThereIsNaN) {
  EXPECT_EQ(FoundIn("__global__ void K(const float* x, float* y) {\n"
                    "  y[threadIdx.x] = __shfl_down_sync(~0u, x[threadIdx.x], 1);\n"
                    "}\n",
                    40, {.blocks = 1, .threads = 40}),
            "");
  EXPECT_EQ(Result(0), 1);
  EXPECT_EQ(Result(31), 31);  // Beyond the group: its own.
  EXPECT_TRUE(Result(39) != Result(39));
}

TEST_F(EmulatedDeviceTest, AWarpHasABarrierOfItsOwn) {
  const auto text = [](const std::string& barrier, int from) {
    return "__global__ void K(const float* x, float* y) {\n"
           "  __shared__ float part[64];\n"
           "  part[threadIdx.x] = x[threadIdx.x];\n"
           "  " +
           barrier +
           "\n"
           "  y[threadIdx.x] = part[threadIdx.x ^ " +
           std::to_string(from) +
           "];\n"
           "}\n";
  };
  EXPECT_EQ(FoundIn(text("__syncwarp();", 1)), "");
  EXPECT_EQ(Result(0), 1);
  EXPECT_THAT(FoundIn(text("__syncwarp();", 32)), HasSubstr("[kernel:"));  // Another warp's.
  // Values are exchanged, and memory is not put in order.
  EXPECT_THAT(FoundIn(text("__shfl_sync(~0u, 0, 0);", 1)), HasSubstr("[kernel:Race]"));
}

TEST_F(EmulatedDeviceTest, WhatWasFoundEndsTheLaunchAlone) {
  EXPECT_NE(FoundIn("__global__ void K(const float* x, float* y) { y[1000] = 1; }"), "");
  EXPECT_EQ(FoundIn("__global__ void K(const float* x, float* y) { y[threadIdx.x] = 3; }"), "");
  EXPECT_EQ(y_, std::vector<float>(64, 3));
}

TEST_F(EmulatedDeviceTest, CountsWhatARequestMoves) {
  const auto count = [&](const std::string& index, size_t elements) {
    EXPECT_EQ(FoundIn("__global__ void K(const float* x, float* y) {\n"
                      "  const int t = threadIdx.x;\n"
                      "  y[t] = x[" +
                          index +
                          "];\n"
                          "}\n",
                      elements),
              "");
    return counts_;
  };
  const AccessCounts side_by_side = count("t", 64);
  EXPECT_EQ(side_by_side.launches, 1);
  EXPECT_EQ(side_by_side.blocks, 1);
  EXPECT_EQ(side_by_side.loads.requests, 2);
  EXPECT_EQ(side_by_side.loads.bytes, 256);
  EXPECT_EQ(side_by_side.loads.sectors, 8);
  EXPECT_EQ(side_by_side.stores.sectors, 8);
  EXPECT_EQ(count("8 * t", 512).loads.SectorsPerRequest(), 32);
  EXPECT_EQ(count("2 * t", 512).loads.SectorsPerRequest(), 8);
  EXPECT_EQ(count("0", 64).loads.SectorsPerRequest(), 1);
  EXPECT_EQ(FoundIn("__global__ void K(const float* x, float* y) {\n"
                    "  ((float4*)y)[threadIdx.x] = ((const float4*)x)[threadIdx.x];\n"
                    "}\n",
                    256),
            "");
  EXPECT_EQ(counts_.loads.requests, 2);
  EXPECT_EQ(counts_.loads.bytes, 1024);
  EXPECT_EQ(counts_.loads.SectorsPerRequest(), 16);
  EXPECT_EQ(Result(255), 255);
}

TEST_F(EmulatedDeviceTest, CountsHowOftenBanksMeet) {
  const auto passes = [&](const std::string& index) {
    EXPECT_EQ(FoundIn("__global__ void K(const float* x, float* y) {\n"
                      "  __shared__ float s[32 * 33];\n"
                      "  const int t = threadIdx.x;\n"
                      "  for (int i = t; i < 32 * 33; i += 32) s[i] = i;\n"
                      "  __syncthreads();\n"
                      "  y[t] = s[" +
                          index +
                          "];\n"
                          "}\n",
                      32, {.blocks = 1, .threads = 32}),
              "");
    EXPECT_EQ(counts_.shared_requests, 34);
    EXPECT_EQ(counts_.barriers, 1);
    return counts_.shared_passes - 33;  // Of the load.
  };
  EXPECT_EQ(passes("t"), 1);
  EXPECT_EQ(passes("5"), 1);
  EXPECT_EQ(passes("2 * t"), 2);
  EXPECT_EQ(passes("32 * t"), 32);
  EXPECT_EQ(passes("33 * t"), 1);
}

}  // namespace
}  // namespace lamina::gpu::testing
