// What cuBLASLt is told of a product, and what becomes of the algorithms that it chooses. Its
// heuristics and its products need a device, so they are played here; where the library is found
// all else is its own.
#include "framework/gpu/cuda_products.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstring>
#include <iostream>
#include <string>
#include <vector>

#include "framework/dlarray/error.h"
#include "framework/io/temporary_folder.h"

namespace lamina::gpu {
namespace {

constexpr size_t kMegabyte = size_t{1} << 20;

struct Played {
  int chosen = 0, checked = 0;
  int answer_of_check = 0, answer_of_choice = 0;
  size_t workspace = 3 * kMegabyte;
  uint64_t started = 0;  // What the algorithm begins with.
  int version = 130100;
};
Played& Library() {
  static Played& played = *new Played;
  return played;
}
int kHandle = 0, kStream = 0;

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
int Matmul(void* handle, void*, const void*, const void*, void*, const void*, void*, const void*,
           const void*, void*, void*, void*, const void* algorithm, void*, size_t, void* stream) {
  EXPECT_EQ(handle, &kHandle);
  EXPECT_EQ(stream, &kStream);
  std::memcpy(&Library().started, algorithm, sizeof(uint64_t));
  return 0;
}

class CudaProductsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(setenv("LAMINA_CACHE", cache_.path().c_str(), 1), 0);
    if (!FindCudaBlas().ok()) GTEST_SKIP() << FindCudaBlas().status();
    Library() = {};
    CudaBlas blas = *FindCudaBlas();
    blas.Create = Create;
    blas.GetVersion = GetVersion;
    blas.AlgoGetHeuristic = AlgoGetHeuristic;
    blas.AlgoCheck = AlgoCheck;
    blas.Matmul = Matmul;
    blas_ = std::move(blas);
  }
  // As another process would.
  std::shared_ptr<const LibraryCall> Prepare(const ProductCall& call,
                                             const std::string& device = "a device") {
    return (*CudaProducts::Open(blas_, &kStream, device))->Prepare(call);
  }

  const TemporaryFolder cache_{"cuda_products"};
  absl::StatusOr<CudaBlas> blas_;
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
  std::vector<ProductCall> others(8, call);
  others[0].type = DataType::kDouble;
  others[1].m = 8;
  others[2].n = 8;
  others[3].k = 8;
  others[4].transpose_x = true;
  others[5].transpose_y = true;
  others[6].pages = 2;
  others[6].x_page = 24;
  others[7].is_rounded = true;
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

}  // namespace
}  // namespace lamina::gpu
