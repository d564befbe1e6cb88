// What cuBLASLt is told of a product, and what becomes of the algorithms that it chooses. Its
// heuristics and its products need a device, so they are played here; where the library is found
// all else is its own.
#include "framework/gpu/cuda_products.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "framework/dlarray/error.h"
#include "framework/io/temporary_folder.h"

namespace lamina::gpu {
namespace {

constexpr size_t kMegabyte = size_t{1} << 20;

struct Played {
  int chosen = 0, checked = 0, tried = 0;
  std::map<int, std::string> told;  // Of the product: the bytes of each attribute.
  bool has_memory = true, keeps_nan = true, multiplies = true, sums = true;
  int64_t allocated = 0;
  void *bias = nullptr, *result = nullptr;
  int answer_of_check = 0, answer_of_choice = 0;
  size_t workspace = 3 * kMegabyte;
  uint64_t started = 0;  // What the algorithm begins with.
  int version = 130100;
};
Played& Library() {
  static Played& played = *new Played;
  return played;
}
int kHandle = 0, kStream = 0, kOtherStream = 0;

template <class T>
T Told(int attribute) {
  T value;
  const std::string& bytes = Library().told.at(attribute);
  EXPECT_EQ(bytes.size(), sizeof(value));
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

// The library's own, where it is found.
CudaBlas& Real() {
  static CudaBlas& real = *new CudaBlas(*FindCudaBlas());
  return real;
}
int MatmulDescSetAttribute(void* product, int attribute, const void* value, size_t bytes) {
  Library().told[attribute] = std::string(static_cast<const char*>(value), bytes);
  return Real().MatmulDescSetAttribute(product, attribute, value, bytes);
}

int Create(void** handle) {
  *handle = &kHandle;
  return 0;
}
int GetVersion() { return Library().version; }
int AlgoGetHeuristic(void*, void*, void*, void*, void*, void*, void*, int, CublasAlgorithm* found,
                     int* count) {
  ++Library().chosen;
  *count = 1;
  *found = {};
  for (size_t i = 0; i < 8; ++i) found->algorithm[i] = 100 + i;
  found->workspace_bytes = Library().workspace;
  return Library().answer_of_choice;
}
int AlgoCheck(void*, void*, void*, void*, void*, void*, const void* algorithm,
              CublasAlgorithm* found) {
  ++Library().checked;
  uint64_t numbers[8];
  std::memcpy(numbers, algorithm, sizeof(numbers));
  EXPECT_EQ(numbers[0], 100u);
  EXPECT_EQ(numbers[7], 107u);
  found->workspace_bytes = Library().workspace;  // The library leaves the algorithm as it is.
  return Library().answer_of_check;
}
int Matmul(void* handle, void*, const void*, const void* x, void*, const void*, void*, const void*,
           const void* c, void*, void* d, void*, const void* algorithm, void*, size_t,
           void* stream) {
  EXPECT_EQ(handle, &kHandle);
  EXPECT_EQ(c, d);
  Library().result = d;
  if (Library().told.count(8) > 0) Library().bias = Told<void*>(8);
  std::memcpy(&Library().started, algorithm, sizeof(uint64_t));
  if (stream != &kStream) {
    // The trial: 4 x 5 numbers of 6 products.
    EXPECT_EQ(stream, &kOtherStream);
    ++Library().tried;
    EXPECT_TRUE(std::isnan(*static_cast<const float*>(x)));
    if (Library().keeps_nan) std::fill_n(static_cast<float*>(d), 20, std::nanf(""));
    const uint32_t epilogue = Library().told.count(7) > 0 ? Told<uint32_t>(7) : 0;
    if (Library().sums && epilogue >= 256) {
      std::fill_n(static_cast<float*>(Library().bias), epilogue == 256 ? 4 : 5, std::nanf(""));
    }
  }
  return Library().multiplies ? 0 : 14;
}

CudaDriver PlayedDriver() {
  CudaDriver driver;
  driver.StreamCreate = [](void** stream, unsigned) {
    *stream = &kOtherStream;
    return 0;
  };
  driver.StreamDestroy = [](void* stream) { return stream == &kOtherStream ? 0 : 1; };
  driver.StreamSynchronize = [](void* stream) { return stream == &kOtherStream ? 0 : 1; };
  driver.MemAllocAsync = [](CudaAddress* memory, size_t bytes, void* stream) {
    if (!Library().has_memory) return 2;
    ++Library().allocated;
    *memory = reinterpret_cast<CudaAddress>(std::aligned_alloc(256, (bytes + 255) / 256 * 256));
    return stream == &kOtherStream ? 0 : 1;
  };
  driver.MemFreeAsync = [](CudaAddress memory, void* stream) {
    --Library().allocated;
    std::free(reinterpret_cast<void*>(memory));
    return stream == &kOtherStream ? 0 : 1;
  };
  driver.MemsetD8Async = [](CudaAddress memory, unsigned char value, size_t bytes, void*) {
    std::memset(reinterpret_cast<void*>(memory), value, bytes);
    return 0;
  };
  driver.MemcpyDtoHAsync = [](void* to, CudaAddress from, size_t bytes, void*) {
    std::memcpy(to, reinterpret_cast<void*>(from), bytes);
    return 0;
  };
  return driver;
}

class CudaProductsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(setenv("LAMINA_CACHE", cache_.path().c_str(), 1), 0);
    if (!FindCudaBlas().ok()) GTEST_SKIP() << FindCudaBlas().status();
    Library() = {};
    CudaBlas blas = Real();
    blas.Create = Create;
    blas.MatmulDescSetAttribute = MatmulDescSetAttribute;
    blas.GetVersion = GetVersion;
    blas.AlgoGetHeuristic = AlgoGetHeuristic;
    blas.AlgoCheck = AlgoCheck;
    blas.Matmul = Matmul;
    blas_ = std::move(blas);
  }
  // As another process would.
  std::shared_ptr<const LibraryCall> Prepare(const ProductCall& call,
                                             const std::string& device = "a device") {
    return (*CudaProducts::Open(blas_, driver_, &kStream, device))->Prepare(call);
  }

  const TemporaryFolder cache_{"cuda_products"};
  absl::StatusOr<CudaBlas> blas_;
  const CudaDriver driver_ = PlayedDriver();
};

TEST_F(CudaProductsTest, AlgorithmsAreChosenOnce) {
  const ProductCall call = {.m = 4, .n = 5, .k = 6};
  ASSERT_NE(Prepare(call), nullptr);
  EXPECT_EQ(Library().chosen, 1);
  EXPECT_EQ(Library().checked, 0);
  const auto again = Prepare(call);
  ASSERT_NE(again, nullptr);
  EXPECT_EQ(Library().chosen, 1);
  EXPECT_EQ(Library().checked, 1);
  EXPECT_EQ(again->workspace_bytes(), 3 * kMegabyte);
  void* const arrays[] = {nullptr, nullptr, nullptr};
  again->Start(arrays, nullptr);
  EXPECT_EQ(Library().started, 100u);
}

TEST_F(CudaProductsTest, AlgorithmsAreForOneDescriptionDeviceAndVersion) {
  const ProductCall call = {.m = 4, .n = 5, .k = 6};
  std::vector<ProductCall> others(12, call);
  others[0].type = DataType::kDouble;
  others[1].m = 8;
  others[2].n = 8;
  others[3].k = 8;
  others[4].transpose_x = true;
  others[5].transpose_y = true;
  others[6].pages = 2;
  others[6].x_page = 24;
  others[7].is_rounded = true;
  others[8].adds_bias = true;
  others[9].has_relu = true;
  others[10].sums = ProductCall::kOfX;
  others[11].sums = ProductCall::kOfY;
  ASSERT_NE(Prepare(call), nullptr);
  int expected = 1;
  for (const ProductCall& other : others) {
    ASSERT_NE(Prepare(other), nullptr);
    EXPECT_EQ(Library().chosen, ++expected) << "description " << expected - 2;
  }
  ASSERT_NE(Prepare(call, "another device"), nullptr);
  EXPECT_EQ(Library().chosen, ++expected);
  Library().version = 130200;
  ASSERT_NE(Prepare(call), nullptr);
  EXPECT_EQ(Library().chosen, ++expected);
}

TEST_F(CudaProductsTest, WhatTheLibraryDoesNotTakeAnyMoreIsChosenAnew) {
  const ProductCall call = {.m = 4, .n = 5, .k = 6};
  ASSERT_NE(Prepare(call), nullptr);
  Library().answer_of_check = 7;
  ASSERT_NE(Prepare(call), nullptr);
  EXPECT_EQ(Library().chosen, 2);
  Library().answer_of_check = 0;
  Library().workspace = 100 * kMegabyte;  // More than is given.
  ASSERT_NE(Prepare(call), nullptr);
  EXPECT_EQ(Library().chosen, 3);
}

TEST_F(CudaProductsTest, WithoutAnAlgorithmThereIsNoCall) {
  Library().answer_of_choice = 15;
  EXPECT_EQ(Prepare({.m = 4, .n = 5, .k = 6}), nullptr);
  Library().answer_of_choice = 0;
  EXPECT_NE(Prepare({.m = 4, .n = 5, .k = 6}), nullptr);
}

// The values are those of cublasLt.h; attribute 7 is the epilogue, 8 the vector.
TEST_F(CudaProductsTest, EpiloguesAreTold) {
  ProductCall call = {.m = 4, .n = 5, .k = 6};
  ASSERT_NE(Prepare(call), nullptr);
  EXPECT_EQ(Library().told.count(7) + Library().told.count(8), 0u);
  // The library chooses by the alignment of the vector, which is that of all arrays.
  call.adds_bias = true;
  const auto with_bias = Prepare(call);
  EXPECT_EQ(Told<uint32_t>(7), 4u);
  EXPECT_EQ(Told<uintptr_t>(8) % 256, 0u);
  EXPECT_NE(Told<uintptr_t>(8), 0u);
  int x, y, bias, z, sums;
  void* const of_bias[] = {&x, &y, &bias, &z};
  with_bias->Start(of_bias, nullptr);
  EXPECT_EQ(Library().bias, &bias);
  EXPECT_EQ(Library().result, &z);
  call.has_relu = true;
  ASSERT_NE(Prepare(call), nullptr);
  EXPECT_EQ(Told<uint32_t>(7), 6u);
  call.adds_bias = false;
  Library().told.clear();
  ASSERT_NE(Prepare(call), nullptr);
  EXPECT_EQ(Told<uint32_t>(7), 2u);
  EXPECT_EQ(Library().told.count(8), 0u);
  for (const auto& [of, epilogue] :
       {std::pair{ProductCall::kOfX, 256U}, {ProductCall::kOfY, 512U}}) {
    const auto with_sums = Prepare({.m = 4, .n = 5, .k = 6, .sums = of});
    ASSERT_NE(with_sums, nullptr);
    EXPECT_EQ(Told<uint32_t>(7), epilogue);
    void* const of_sums[] = {&x, &y, &z, &sums};
    with_sums->Start(of_sums, nullptr);
    EXPECT_EQ(Library().bias, &sums);
    EXPECT_EQ(Library().result, &z);
  }
}

TEST_F(CudaProductsTest, AReluIsTriedOnceForNan) {
  const ProductCall call = {.m = 4, .n = 5, .k = 6, .adds_bias = true, .has_relu = true};
  for (int i = 0; i < 2; ++i) {
    ASSERT_NE(Prepare(call), nullptr);
    EXPECT_EQ(Library().tried, 1);
    EXPECT_EQ(Library().chosen, 1);
    EXPECT_EQ(Library().allocated, 0);
  }
  EXPECT_NE(Prepare({.m = 4, .n = 5, .k = 6}), nullptr);
  EXPECT_EQ(Library().tried, 1);
}

// The heuristics do not know all that a product refuses.
TEST_F(CudaProductsTest, EachEpilogueIsTriedOnce) {
  int tried = 0;
  for (const ProductCall& call : {ProductCall{.m = 4, .n = 5, .k = 6, .adds_bias = true},
                                  ProductCall{.m = 4, .n = 5, .k = 6, .sums = ProductCall::kOfX},
                                  ProductCall{.m = 4, .n = 5, .k = 6, .sums = ProductCall::kOfY}}) {
    Library().multiplies = false;
    EXPECT_EQ(Prepare(call), nullptr);
    Library().multiplies = true;
    Library().bias = nullptr;
    for (int i = 0; i < 2; ++i) EXPECT_NE(Prepare(call), nullptr);
    EXPECT_NE(Library().bias, nullptr);
    EXPECT_EQ(Library().tried, tried += 2);
    EXPECT_EQ(Library().allocated, 0);
  }
}

TEST_F(CudaProductsTest, AReluThatLosesNanIsNotTaken) {
  Library().keeps_nan = false;
  const ProductCall call = {.m = 4, .n = 5, .k = 6, .has_relu = true};
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Prepare(call), nullptr);
    EXPECT_EQ(Library().tried, 1);  // The answer is kept.
    EXPECT_EQ(Library().allocated, 0);
  }
}

TEST_F(CudaProductsTest, AProductThatWritesNoSumsIsNotTaken) {
  for (const auto of : {ProductCall::kOfX, ProductCall::kOfY}) {
    const ProductCall call = {.m = 4, .n = 5, .k = 6, .sums = of};
    Library().sums = false;
    EXPECT_EQ(Prepare(call), nullptr);
    Library().sums = true;
    EXPECT_EQ(Prepare(call), nullptr);  // The answer is kept.
  }
}

TEST_F(CudaProductsTest, WhatCouldNotBeTriedIsNotTakenYet) {
  const ProductCall call = {.m = 4, .n = 5, .k = 6, .has_relu = true};
  Library().has_memory = false;
  EXPECT_EQ(Prepare(call), nullptr);
  EXPECT_EQ(Library().tried, 0);
  Library().has_memory = true;
  Library().multiplies = false;
  EXPECT_EQ(Prepare(call), nullptr);
  EXPECT_EQ(Library().allocated, 0);
  Library().multiplies = true;
  EXPECT_NE(Prepare(call), nullptr);
}

}  // namespace
}  // namespace lamina::gpu
