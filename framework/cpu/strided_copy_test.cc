#include "framework/cpu/strided_copy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <complex>
#include <numeric>
#include <random>
#include <vector>

#include "framework/cpu/permute.h"

namespace lamina::cpu {
namespace {

// Index by index, as the header says it.
template <class T>
void SlowCopy(const std::vector<int64_t>& sizes, const T* in, const std::vector<int64_t>& from,
              T* out, const std::vector<int64_t>& to) {
  const int64_t n = std::accumulate(sizes.begin(), sizes.end(), int64_t{1}, std::multiplies<>());
  for (int64_t i = 0; i < n; ++i) {
    int64_t rest = i, a = 0, b = 0;
    for (size_t d = 0; d < sizes.size(); ++d) {
      a += rest % sizes[d] * from[d];
      b += rest % sizes[d] * to[d];
      rest /= sizes[d];
    }
    out[b] = in[a];
  }
}

std::vector<int64_t> Dense(const std::vector<int64_t>& sizes) {
  std::vector<int64_t> strides;
  int64_t step = 1;
  for (int64_t s : sizes) {
    strides.push_back(step);
    step *= s;
  }
  return strides;
}

template <class T>
class StridedCopyTest : public testing::Test {};
struct Sixteen {
  uint64_t a, b;
  bool operator==(const Sixteen&) const = default;
};
using Elements = testing::Types<uint8_t, uint32_t, uint64_t, Sixteen>;
TYPED_TEST_SUITE(StridedCopyTest, Elements);

template <class T>
T Make(int64_t i) {
  if constexpr (std::is_same_v<T, Sixteen>) {
    return {static_cast<uint64_t>(i), static_cast<uint64_t>(~i)};
  } else {
    return static_cast<T>(i * 7 + 3);
  }
}

TYPED_TEST(StridedCopyTest, PermutesOfAllOrdersAgreeWithTheDefinition) {
  using T = TypeParam;
  for (const std::vector<int64_t>& sizes :
       {std::vector<int64_t>{5, 1, 7, 3}, {33, 4, 65, 2}, {1, 1, 1, 1}, {130, 70, 2, 9}}) {
    const int64_t n = std::accumulate(sizes.begin(), sizes.end(), int64_t{1}, std::multiplies<>());
    std::vector<T> in(n), got(n), want(n);
    for (int64_t i = 0; i < n; ++i) in[i] = Make<T>(i);
    std::vector<int> order{0, 1, 2, 3};
    do {
      std::vector<int64_t> out_sizes, from;
      for (int d : order) {
        out_sizes.push_back(sizes[d]);
        from.push_back(Dense(sizes)[d]);
      }
      SlowCopy(out_sizes, in.data(), from, want.data(), Dense(out_sizes));
      Permute(sizeof(T), in.data(), sizes, order, got.data());
      ASSERT_EQ(got, want);
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

TYPED_TEST(StridedCopyTest, RandomRegionsAgreeWithTheDefinition) {
  using T = TypeParam;
  std::mt19937 random(1);
  std::vector<T> in(1 << 16);
  for (size_t i = 0; i < in.size(); ++i) in[i] = Make<T>(static_cast<int64_t>(i));
  for (int trial = 0; trial < 300; ++trial) {
    const int rank = 1 + trial % 4;
    std::vector<int64_t> sizes, from, to;
    int64_t step = 1, start = 0;
    for (int d = 0; d < rank; ++d) {
      sizes.push_back(1 + random() % 9);
      const int64_t stride =
          static_cast<int64_t>(random() % 7) - 3;  // Negative: flipped; 0: repeated.
      from.push_back(stride * (d + 1));
      if (stride < 0) start -= from.back() * (sizes.back() - 1);
      to.push_back(step);
      step *= sizes.back() + random() % 2;  // Gaps in the output.
    }
    std::vector<T> got(step + 16, Make<T>(0)), want = got;
    StridedCopy(sizeof(T), sizes, in.data() + start, from, got.data(), to);
    SlowCopy(sizes, in.data() + start, from, want.data(), to);
    ASSERT_EQ(got, want) << "trial " << trial;
  }
}

TEST(StridedCopyTest, CopiesNothingOfAnEmptyRegion) {
  float in = 1, out = 2;
  const int64_t sizes[] = {3, 0}, strides[] = {1, 3};
  StridedCopy(4, sizes, &in, strides, &out, strides);
  EXPECT_EQ(out, 2);
}

TEST(GatherTest, TakesAndAddsBack) {
  const int64_t indices[] = {3, 0, 3};
  std::vector<double> in(2 * 4 * 3), out(2 * 3 * 3), back(in.size(), 0), want(in.size(), 0);
  std::iota(in.begin(), in.end(), 1);
  Gather(sizeof(double), 2, 4, 3, in.data(), 3, indices, out.data());
  for (int o = 0; o < 3; ++o) {
    for (int j = 0; j < 3; ++j) {
      for (int i = 0; i < 2; ++i) {
        const double x = in[(o * 4 + indices[j]) * 2 + i];
        EXPECT_EQ(out[(o * 3 + j) * 2 + i], x);
        want[(o * 4 + indices[j]) * 2 + i] += x;
      }
    }
  }
  ScatterAdd(DataType::kDouble, 2, 4, 3, out.data(), 3, indices, back.data());
  EXPECT_EQ(back, want);
}

TEST(GatherTest, ScatterAddsComplexNumbersInALargeDim) {
  const int64_t n = 100, inner = 3000;
  std::vector<int64_t> indices(5 * n);
  for (size_t i = 0; i < indices.size(); ++i) indices[i] = static_cast<int64_t>(i * i) % n;
  std::vector<std::complex<float>> in(indices.size() * inner), out(n * inner), want(n * inner);
  for (size_t i = 0; i < in.size(); ++i) in[i] = {static_cast<float>(i % 17), 1};
  ScatterAdd(DataType::kComplexSingle, inner, n, 1, in.data(), static_cast<int64_t>(indices.size()),
             indices.data(), out.data());
  for (size_t j = 0; j < indices.size(); ++j) {
    for (int64_t i = 0; i < inner; ++i) want[indices[j] * inner + i] += in[j * inner + i];
  }
  EXPECT_EQ(out, want);
}

}  // namespace
}  // namespace lamina::cpu
