#include "framework/cpu/reduce.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "framework/cpu/threads.h"

namespace lamina::cpu {
namespace {

using Sizes = std::vector<int64_t>;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// The result that element i of an array belongs to, and the position among its terms.
struct Place {
  size_t result, position;
};
Place PlaceOf(int64_t i, const Sizes& sizes, DimMask dims) {
  int64_t result = 0, result_stride = 1, position = 0, position_stride = 1;
  for (size_t d = 0; d < sizes.size(); ++d) {
    const int64_t index = i % sizes[d];
    i /= sizes[d];
    if (((dims >> d) & 1) != 0) {
      position += index * position_stride;
      position_stride *= sizes[d];
    } else {
      result += index * result_stride;
      result_stride *= sizes[d];
    }
  }
  return {static_cast<size_t>(result), static_cast<size_t>(position)};
}

int64_t Count(const Sizes& sizes, DimMask dims) {
  int64_t n = 1;
  for (size_t d = 0; d < sizes.size(); ++d) n *= ((dims >> d) & 1) != 0 ? sizes[d] : 1;
  return n;
}

// The terms of each result, in order: the obvious oracle.
template <class T>
std::vector<std::vector<T>> Terms(const std::vector<T>& x, const Sizes& sizes, DimMask dims) {
  std::vector<std::vector<T>> terms(static_cast<size_t>(Count(sizes, ~dims)),
                                    std::vector<T>(static_cast<size_t>(Count(sizes, dims))));
  for (size_t i = 0; i < x.size(); ++i) {
    const Place p = PlaceOf(static_cast<int64_t>(i), sizes, dims);
    terms[p.result][p.position] = x[i];
  }
  return terms;
}

const Sizes kShapes[] = {{},
                         {1},
                         {7},
                         {5000},
                         {4, 5},
                         {3, 70000},
                         {70000, 3},
                         {10, 3000},
                         {2, 3, 4, 5},
                         {24, 24, 20, 16},
                         {1, 6, 1, 5},
                         {33, 65, 17},
                         {2000, 2, 50},
                         {2, 2, 2, 2, 2, 2},
                         {200000}};

template <class T>
std::vector<T> RandomValues(int64_t n) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::vector<T> x(static_cast<size_t>(n));
  for (T& v : x) v = static_cast<T>(uniform(random));
  return x;
}

template <class T>
void CheckSums(DataType type) {
  const double u = std::numeric_limits<T>::epsilon() / 2;
  for (const Sizes& sizes : kShapes) {
    const auto x = RandomValues<T>(Count(sizes, ~DimMask{0}));
    for (DimMask dims = 0; dims < (DimMask{1} << sizes.size()); ++dims) {
      const auto terms = Terms(x, sizes, dims);
      std::vector<T> sum(terms.size()), squares(terms.size()), max(terms.size()), min(terms.size());
      Reduce(Reduction::kSum, type, x.data(), sizes, dims, sum.data());
      Reduce(Reduction::kSumSquares, type, x.data(), sizes, dims, squares.data());
      Reduce(Reduction::kMax, type, x.data(), sizes, dims, max.data());
      Reduce(Reduction::kMin, type, x.data(), sizes, dims, min.data());
      std::vector<int64_t> argmax(terms.size()), argmin(terms.size());
      Reduce(Reduction::kArgMax, type, x.data(), sizes, dims, argmax.data());
      Reduce(Reduction::kArgMin, type, x.data(), sizes, dims, argmin.data());
      for (size_t r = 0; r < terms.size(); ++r) {
        long double s = 0, a = 0, q = 0;
        for (T v : terms[r]) {
          s += v;
          a += std::abs(v);
          q += static_cast<long double>(v) * v;
        }
        const double bound = (130 + std::log2(static_cast<double>(terms[r].size()))) * u;
        ASSERT_NEAR(sum[r], s, bound * a) << testing::PrintToString(sizes) << " dims " << dims;
        ASSERT_NEAR(squares[r], q, bound * q);
        const auto largest = std::max_element(terms[r].begin(), terms[r].end());
        const auto least = std::min_element(terms[r].begin(), terms[r].end());
        ASSERT_EQ(max[r], *largest);
        ASSERT_EQ(min[r], *least);
        ASSERT_EQ(argmax[r], largest - terms[r].begin());
        ASSERT_EQ(argmin[r], least - terms[r].begin());
      }
    }
  }
}

TEST(ReduceTest, SingleAgainstTheObviousLoop) { CheckSums<float>(DataType::kSingle); }
TEST(ReduceTest, DoubleAgainstTheObviousLoop) { CheckSums<double>(DataType::kDouble); }

TEST(ReduceTest, ComplexAndIntegers) {
  using Z = std::complex<double>;
  const Sizes sizes = {6, 50, 7};
  std::vector<Z> x(2100);
  std::vector<int64_t> k(2100);
  for (size_t i = 0; i < x.size(); ++i) {
    x[i] = Z(std::sin(1.0 + i), std::cos(0.3 * i));
    k[i] = static_cast<int64_t>(i * 7919 % 101) - 50;
  }
  for (DimMask dims = 0; dims < 8; ++dims) {
    const auto terms = Terms(x, sizes, dims);
    const auto integer_terms = Terms(k, sizes, dims);
    std::vector<Z> sum(terms.size()), prod(terms.size()), squares(terms.size());
    Reduce(Reduction::kSum, DataType::kComplexDouble, x.data(), sizes, dims, sum.data());
    Reduce(Reduction::kProd, DataType::kComplexDouble, x.data(), sizes, dims, prod.data());
    Reduce(Reduction::kSumSquares, DataType::kComplexDouble, x.data(), sizes, dims, squares.data());
    std::vector<int64_t> integer_sum(terms.size()), argmin(terms.size());
    Reduce(Reduction::kSum, DataType::kInt64, k.data(), sizes, dims, integer_sum.data());
    Reduce(Reduction::kArgMin, DataType::kInt64, k.data(), sizes, dims, argmin.data());
    for (size_t r = 0; r < terms.size(); ++r) {
      Z s = 0, p = 1;
      double q = 0;
      for (const Z& z : terms[r]) {
        s += z;
        p *= z;
        q += std::norm(z);
      }
      EXPECT_NEAR(std::abs(sum[r] - s), 0, 1e-12);
      EXPECT_NEAR(std::abs(prod[r] - p), 0, 1e-12 * std::abs(p));
      EXPECT_NEAR(squares[r].real(), q, 1e-12 * q);
      EXPECT_EQ(squares[r].imag(), 0);
      int64_t t = 0;
      for (int64_t v : integer_terms[r]) t += v;
      EXPECT_EQ(integer_sum[r], t);
      EXPECT_EQ(argmin[r], std::min_element(integer_terms[r].begin(), integer_terms[r].end()) -
                               integer_terms[r].begin());
    }
  }
}

TEST(ReduceTest, ExtremesSkipNan) {
  for (size_t n : {size_t{3}, size_t{40}, size_t{300}}) {
    std::vector<float> x(n, static_cast<float>(kNan));
    const Sizes sizes = {static_cast<int64_t>(n)};
    float max;
    int64_t arg;
    Reduce(Reduction::kMax, DataType::kSingle, x.data(), sizes, 1, &max);
    EXPECT_TRUE(std::isnan(max));
    Reduce(Reduction::kArgMax, DataType::kSingle, x.data(), sizes, 1, &arg);
    EXPECT_EQ(arg, 0);
    x[n / 2] = -5;
    x[n - 1] = -5;
    Reduce(Reduction::kMax, DataType::kSingle, x.data(), sizes, 1, &max);
    EXPECT_EQ(max, -5);
    Reduce(Reduction::kArgMin, DataType::kSingle, x.data(), sizes, 1, &arg);
    EXPECT_EQ(arg, static_cast<int64_t>(n / 2));
    float sum;
    Reduce(Reduction::kSum, DataType::kSingle, x.data(), sizes, 1, &sum);
    EXPECT_TRUE(std::isnan(sum));
  }
}

TEST(ReduceTest, AnyAndAll) {
  std::vector<float> x(100, 0);
  uint8_t any, all;
  const Sizes sizes = {100};
  const auto run = [&] {
    Reduce(Reduction::kAny, DataType::kSingle, x.data(), sizes, 1, &any);
    Reduce(Reduction::kAll, DataType::kSingle, x.data(), sizes, 1, &all);
  };
  run();
  EXPECT_EQ(any, 0);
  EXPECT_EQ(all, 0);
  x[77] = static_cast<float>(kNan);
  run();
  EXPECT_EQ(any, 1);
  EXPECT_EQ(all, 0);
  x.assign(100, -1);
  run();
  EXPECT_EQ(all, 1);
  const std::vector<uint8_t> mask = {1, 0, 1, 1};
  std::vector<uint8_t> y(2);
  Reduce(Reduction::kAll, DataType::kLogical, mask.data(), Sizes{2, 2}, 1, y.data());
  EXPECT_EQ(y, (std::vector<uint8_t>{0, 1}));
}

TEST(ReduceTest, OverNothing) {
  std::vector<double> y(3, 9);
  const auto run = [&](Reduction r) {
    Reduce(r, DataType::kDouble, nullptr, Sizes{0, 3}, 1, y.data());
    return y[2];
  };
  EXPECT_EQ(run(Reduction::kSum), 0);
  EXPECT_EQ(run(Reduction::kProd), 1);
  EXPECT_TRUE(std::isnan(run(Reduction::kMax)));
  std::vector<int64_t> arg(3, 9);
  Reduce(Reduction::kArgMax, DataType::kDouble, nullptr, Sizes{0, 3}, 1, arg.data());
  EXPECT_EQ(arg[1], 0);
  Reduce(Reduction::kSum, DataType::kDouble, nullptr, Sizes{0, 3}, 2, y.data());  // no results
}

TEST(ReduceTest, TheNumberOfThreadsDoesNotMatter) {
  const int before = NumThreads();
  for (const Sizes& sizes : {Sizes{1 << 20}, Sizes{24, 24, 20, 128}, Sizes{7, 100'000},
                             Sizes{3000, 100}, Sizes{64, 200, 64}}) {
    const auto x = RandomValues<float>(Count(sizes, ~DimMask{0}));
    for (DimMask dims = 1; dims < (DimMask{1} << sizes.size()); ++dims) {
      std::vector<float> one(static_cast<size_t>(Count(sizes, ~dims))), many(one.size());
      SetNumThreads(1);
      Reduce(Reduction::kSum, DataType::kSingle, x.data(), sizes, dims, one.data());
      SetNumThreads(5);
      Reduce(Reduction::kSum, DataType::kSingle, x.data(), sizes, dims, many.data());
      EXPECT_EQ(std::memcmp(one.data(), many.data(), one.size() * sizeof(float)), 0);
    }
  }
  SetNumThreads(before);
}

// A plain loop would be off by 1e-3 and more here: 2^24 + 1 is not a float.
TEST(ReduceTest, LongSumsStayExact) {
  const int64_t n = int64_t{1} << 25;
  const std::vector<float> x(static_cast<size_t>(n), 0.1f);
  float sum;
  Reduce(Reduction::kSum, DataType::kSingle, x.data(), Sizes{n}, 1, &sum);
  EXPECT_NEAR(sum / (0.1f * static_cast<double>(n)), 1, 1e-6);
}

TEST(ReduceTest, SupportedPairs) {
  EXPECT_FALSE(IsReductionSupported(Reduction::kMax, DataType::kComplexSingle));
  EXPECT_FALSE(IsReductionSupported(Reduction::kSum, DataType::kLogical));
  EXPECT_TRUE(IsReductionSupported(Reduction::kAny, DataType::kComplexSingle));
  EXPECT_EQ(ReductionResultType(Reduction::kArgMax, DataType::kSingle), DataType::kInt64);
  EXPECT_EQ(ReductionResultType(Reduction::kAll, DataType::kSingle), DataType::kLogical);
}

}  // namespace
}  // namespace lamina::cpu
