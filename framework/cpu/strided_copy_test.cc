#include "framework/cpu/strided_copy.h"

#include <gtest/gtest.h>

#include <complex>
#include <vector>

#include "framework/cpu/threads.h"

namespace lamina::cpu {
namespace {

using Sizes = std::vector<int64_t>;

std::vector<float> Iota(int64_t n) {
  std::vector<float> x(static_cast<size_t>(n));
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(i);
  return x;
}

TEST(StridedCopyTest, SliceWithStep) {
  const auto x = Iota(20);  // 4 x 5
  std::vector<float> y(10, -1);
  StridedCopy(4, Sizes{2, 5}, x.data() + 1, Sizes{2, 4}, y.data(), Sizes{1, 2});
  EXPECT_EQ(y, (std::vector<float>{1, 3, 5, 7, 9, 11, 13, 15, 17, 19}));
}

TEST(StridedCopyTest, FlipPadAndRepeat) {
  const auto x = Iota(3);
  std::vector<float> y(5, -1);
  StridedCopy(4, Sizes{3}, x.data() + 2, Sizes{-1}, y.data() + 1, Sizes{1});
  EXPECT_EQ(y, (std::vector<float>{-1, 2, 1, 0, -1}));
  std::vector<float> z(6);
  StridedCopy(4, Sizes{3, 2}, x.data(), Sizes{1, 0}, z.data(), Sizes{1, 3});
  EXPECT_EQ(z, (std::vector<float>{0, 1, 2, 0, 1, 2}));
  StridedCopy(4, Sizes{2, 3}, x.data(), Sizes{0, 1}, z.data(), Sizes{1, 2});
  EXPECT_EQ(z, (std::vector<float>{0, 0, 1, 1, 2, 2}));
}

TEST(StridedCopyTest, AgreesWithTheDefinition) {
  const int before = NumThreads();
  for (int threads : {1, 3}) {
    SetNumThreads(threads);
    for (const Sizes& sizes : {Sizes{}, Sizes{1}, Sizes{5, 6, 7}, Sizes{100'003}, Sizes{3, 50'000},
                               Sizes{0, 4}, Sizes{1, 3, 1, 2}}) {
      Sizes in(sizes.size()), out(sizes.size());
      int64_t a = 2, b = 1, n = 1;
      for (size_t d = 0; d < sizes.size(); ++d) {
        in[d] = a;
        out[d] = b;
        a *= sizes[d] + 1;
        b *= sizes[d] + (d == 0 ? 2 : 0);
        n *= sizes[d];
      }
      const auto x = Iota(a + 2);
      std::vector<float> y(static_cast<size_t>(b) + 2, -1), expected = y;
      for (int64_t i = 0; i < n; ++i) {
        int64_t rest = i, from = 0, to = 0;
        for (size_t d = 0; d < sizes.size(); ++d) {
          from += rest % sizes[d] * in[d];
          to += rest % sizes[d] * out[d];
          rest /= sizes[d];
        }
        expected[static_cast<size_t>(to)] = x[static_cast<size_t>(from)];
      }
      StridedCopy(4, sizes, x.data(), in, y.data(), out);
      EXPECT_EQ(y, expected) << testing::PrintToString(sizes);
    }
  }
  SetNumThreads(before);
}

TEST(GatherTest, TakesAndAddsBackAlongADim) {
  const int before = NumThreads();
  for (int threads : {1, 3}) {
    SetNumThreads(threads);
    for (const auto& [inner, n, outer] :
         std::vector<std::array<int64_t, 3>>{{1, 5, 1}, {3, 5, 2}, {200, 6, 3}, {1, 900, 70}}) {
      std::vector<int64_t> indices;
      for (int64_t i = 0; i < 2 * n; ++i) indices.push_back(i * i % n);  // some twice, some never
      const auto count = static_cast<int64_t>(indices.size());
      const auto x = Iota(inner * n * outer);
      std::vector<float> y(static_cast<size_t>(inner * count * outer));
      Gather(4, inner, n, outer, x.data(), count, indices.data(), y.data());
      std::vector<float> sum(x.size(), 1), expected = sum;
      for (int64_t o = 0; o < outer; ++o) {
        for (int64_t i = 0; i < count; ++i) {
          for (int64_t k = 0; k < inner; ++k) {
            const auto from =
                static_cast<size_t>((o * n + indices[static_cast<size_t>(i)]) * inner + k);
            const auto to = static_cast<size_t>((o * count + i) * inner + k);
            ASSERT_EQ(y[to], x[from]);
            expected[from] += 1;
          }
        }
      }
      const std::vector<float> ones(y.size(), 1);
      ScatterAdd(DataType::kSingle, inner, n, outer, ones.data(), count, indices.data(),
                 sum.data());
      EXPECT_EQ(sum, expected);
    }
  }
  SetNumThreads(before);
}

TEST(GatherTest, OtherTypes) {
  const std::vector<std::complex<double>> x = {{1, 2}, {3, 4}};
  const std::vector<int64_t> indices = {1, 1, 0};
  std::vector<std::complex<double>> y(3), z(2);
  Gather(16, 1, 2, 1, x.data(), 3, indices.data(), y.data());
  EXPECT_EQ(y, (std::vector<std::complex<double>>{{3, 4}, {3, 4}, {1, 2}}));
  ScatterAdd(DataType::kComplexDouble, 1, 2, 1, y.data(), 3, indices.data(), z.data());
  EXPECT_EQ(z, (std::vector<std::complex<double>>{{1, 2}, {6, 8}}));
  const std::vector<uint8_t> b = {7, 8};
  std::vector<uint8_t> c(3);
  Gather(1, 1, 2, 1, b.data(), 3, indices.data(), c.data());
  EXPECT_EQ(c, (std::vector<uint8_t>{8, 8, 7}));
  Gather(1, 1, 2, 1, b.data(), 0, indices.data(), c.data());  // nothing
}

}  // namespace
}  // namespace lamina::cpu
