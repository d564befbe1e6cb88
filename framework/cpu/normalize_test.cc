#include "framework/cpu/normalize.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "framework/cpu/threads.h"

namespace lamina::cpu {
namespace {

using Sizes = std::vector<int64_t>;

template <class T>
constexpr DataType kType = sizeof(T) == 4 ? DataType::kSingle : DataType::kDouble;
template <class T>
constexpr double kUnit = std::numeric_limits<T>::epsilon() / 2;

int64_t Count(const Sizes& sizes, DimMask dims) {
  int64_t n = 1;
  for (size_t d = 0; d < sizes.size(); ++d) n *= ((dims >> d) & 1) != 0 ? sizes[d] : 1;
  return n;
}

// The group of each element.
std::vector<size_t> GroupsOf(const Sizes& sizes, DimMask dims) {
  std::vector<size_t> groups(static_cast<size_t>(Count(sizes, ~DimMask{0})));
  for (size_t e = 0; e < groups.size(); ++e) {
    size_t rest = e, stride = 1;
    for (size_t d = 0; d < sizes.size(); ++d) {
      const size_t size = static_cast<size_t>(sizes[d]);
      if (((dims >> d) & 1) == 0) {
        groups[e] += rest % size * stride;
        stride *= size;
      }
      rest /= size;
    }
  }
  return groups;
}

template <class T>
std::vector<T> RandomValues(size_t n, unsigned seed, double middle = 0.3) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(middle - 1, middle + 1);
  std::vector<T> x(n);
  for (T& v : x) v = static_cast<T>(uniform(random));
  return x;
}

template <class T>
struct Result {
  std::vector<T> y, mean, variance, inverse;
};

template <class T>
Result<T> Compute(const std::vector<T>& x, const Sizes& sizes, DimMask dims, double epsilon) {
  const size_t groups = static_cast<size_t>(Count(sizes, ~dims));
  Result<T> r{std::vector<T>(x.size()), std::vector<T>(groups), std::vector<T>(groups),
              std::vector<T>(groups)};
  Standardize(kType<T>, x.data(), sizes, dims, epsilon, r.y.data(), r.mean.data(),
              r.variance.data(), r.inverse.data());
  return r;
}

// The definition, in more digits.
struct Expected {
  std::vector<long double> mean, magnitude, variance;
};
template <class T>
Expected Define(const std::vector<T>& x, const std::vector<size_t>& group, size_t groups) {
  Expected e{std::vector<long double>(groups), std::vector<long double>(groups),
             std::vector<long double>(groups)};
  const long double n = static_cast<long double>(x.size() / groups);
  for (size_t i = 0; i < x.size(); ++i) {
    e.mean[group[i]] += x[i] / n;
    e.magnitude[group[i]] += std::abs(x[i]) / n;
  }
  for (size_t i = 0; i < x.size(); ++i) {
    const long double d = x[i] - e.mean[group[i]];
    e.variance[group[i]] += d * d / n;
  }
  return e;
}

const Sizes kShapes[] = {{1},
                         {7},
                         {40},
                         {5000},
                         {150'000},
                         {4, 5},
                         {10, 2000},
                         {3, 70'000},
                         {70'000, 3},
                         {1100, 30},
                         {2, 3, 4, 5},
                         {24, 24, 20, 16},
                         {7, 7, 33, 9},
                         {2, 2, 130, 40},
                         {1, 6, 1, 5},
                         {33, 65, 17},
                         {2000, 2, 50},
                         {300, 3, 2, 4, 5},
                         {2, 2, 2, 2, 2, 2}};

template <class T>
void CheckForward() {
  const double epsilon = 1e-3;
  for (const Sizes& sizes : kShapes) {
    const auto x = RandomValues<T>(static_cast<size_t>(Count(sizes, ~DimMask{0})), 1);
    for (DimMask dims = 0; dims < (DimMask{1} << sizes.size()); ++dims) {
      const size_t groups = static_cast<size_t>(Count(sizes, ~dims));
      const auto group = GroupsOf(sizes, dims);
      const Expected e = Define(x, group, groups);
      const Result<T> r = Compute(x, sizes, dims, epsilon);
      const double n = static_cast<double>(x.size() / groups);
      const double bound = (130 + std::log2(n)) * kUnit<T>;
      SCOPED_TRACE(testing::PrintToString(sizes) + " dims " + std::to_string(dims));
      for (size_t g = 0; g < groups; ++g) {
        const double mean_error = bound * static_cast<double>(e.magnitude[g]);
        ASSERT_NEAR(r.mean[g], e.mean[g], mean_error);
        ASSERT_NEAR(r.variance[g], e.variance[g],
                    bound * static_cast<double>(e.variance[g]) + mean_error * mean_error);
        const double inverse = 1 / std::sqrt(static_cast<double>(r.variance[g]) + epsilon);
        ASSERT_NEAR(r.inverse[g], inverse, 2 * kUnit<T> * inverse);
      }
      for (size_t i = 0; i < x.size(); ++i) {
        const double mean = r.mean[group[i]], inverse = r.inverse[group[i]];
        const double y = (static_cast<double>(x[i]) - mean) * inverse;
        ASSERT_NEAR(r.y[i], y, 3 * kUnit<T> * std::abs(y)) << "element " << i;
      }
    }
  }
}
TEST(NormalizeTest, ForwardSingle) { CheckForward<float>(); }
TEST(NormalizeTest, ForwardDouble) { CheckForward<double>(); }

template <class T>
void CheckBackward() {
  for (const Sizes& sizes : kShapes) {
    const size_t n = static_cast<size_t>(Count(sizes, ~DimMask{0}));
    const auto y = RandomValues<T>(n, 2), dy = RandomValues<T>(n, 3);
    for (DimMask dims = 0; dims < (DimMask{1} << sizes.size()); ++dims) {
      const size_t groups = static_cast<size_t>(Count(sizes, ~dims));
      const auto group = GroupsOf(sizes, dims);
      const auto inverse = RandomValues<T>(groups, 4, 2);
      std::vector<long double> mean(groups), slope(groups);
      for (size_t i = 0; i < n; ++i) {
        const long double size = static_cast<long double>(n / groups);
        mean[group[i]] += dy[i] / size;
        slope[group[i]] += static_cast<long double>(dy[i]) * y[i] / size;
      }
      std::vector<T> dx(n);
      StandardizeBackward(kType<T>, y.data(), dy.data(), inverse.data(), sizes, dims, dx.data());
      SCOPED_TRACE(testing::PrintToString(sizes) + " dims " + std::to_string(dims));
      const double bound = 3 * (140 + std::log2(static_cast<double>(n))) * kUnit<T>;
      for (size_t i = 0; i < n; ++i) {
        const size_t g = group[i];
        const double expected =
            static_cast<double>(inverse[g] * (dy[i] - mean[g] - y[i] * slope[g]));
        // All values are below 1.3, the slope below 1.7.
        ASSERT_NEAR(dx[i], expected, bound * 4 * static_cast<double>(inverse[g]))
            << "element " << i;
      }
    }
  }
}
TEST(NormalizeTest, BackwardSingle) { CheckBackward<float>(); }
TEST(NormalizeTest, BackwardDouble) { CheckBackward<double>(); }

// The gradient is that of <y, dy>: central differences in double.
TEST(NormalizeTest, BackwardAgainstDifferences) {
  const Sizes sizes = {3, 4, 5};
  const double epsilon = 1e-2, h = 1e-5;
  auto x = RandomValues<double>(60, 5);
  const auto dy = RandomValues<double>(60, 6);
  for (DimMask dims = 0; dims < 8; ++dims) {
    const auto value = [&] {
      const Result<double> r = Compute(x, sizes, dims, epsilon);
      double sum = 0;
      for (size_t i = 0; i < 60; ++i) sum += r.y[i] * dy[i];
      return sum;
    };
    const Result<double> r = Compute(x, sizes, dims, epsilon);
    std::vector<double> dx(60);
    StandardizeBackward(DataType::kDouble, r.y.data(), dy.data(), r.inverse.data(), sizes, dims,
                        dx.data());
    for (size_t i = 0; i < 60; ++i) {
      const double middle = x[i];
      x[i] = middle + h;
      const double above = value();
      x[i] = middle - h;
      const double below = value();
      x[i] = middle;
      EXPECT_NEAR(dx[i], (above - below) / (2 * h), 1e-7) << "dims " << dims << " element " << i;
    }
  }
}

TEST(NormalizeTest, InPlace) {
  for (DimMask dims : {DimMask{0b1011}, DimMask{0b0100}, DimMask{0b0001}, DimMask{0b1111}}) {
    const Sizes sizes = {12, 11, 10, 70};
    auto x = RandomValues<float>(12 * 11 * 10 * 70, 7), dy = RandomValues<float>(x.size(), 8);
    const Result<float> r = Compute(x, sizes, dims, 1e-5);
    std::vector<float> dx(x.size()), mean(r.mean.size()), inverse(r.mean.size());
    StandardizeBackward(DataType::kSingle, r.y.data(), dy.data(), r.inverse.data(), sizes, dims,
                        dx.data());
    Standardize(DataType::kSingle, x.data(), sizes, dims, 1e-5, x.data(), mean.data(), nullptr,
                inverse.data());
    EXPECT_EQ(x, r.y);
    EXPECT_EQ(mean, r.mean);
    EXPECT_EQ(inverse, r.inverse);
    StandardizeBackward(DataType::kSingle, r.y.data(), dy.data(), r.inverse.data(), sizes, dims,
                        dy.data());
    EXPECT_EQ(dy, dx);
  }
}

// E[x^2] - E[x]^2 would leave no digit here.
TEST(NormalizeTest, ALargeMeanCostsNoDigits) {
  for (DimMask dims : {DimMask{0b01}, DimMask{0b10}}) {
    const Sizes sizes = {1000, 1000};
    const auto x = RandomValues<float>(1'000'000, 9, 4096);
    const Expected e = Define(x, GroupsOf(sizes, dims), 1000);
    const Result<float> r = Compute(x, sizes, dims, 1e-5);
    for (size_t g = 0; g < 1000; ++g) {
      EXPECT_NEAR(r.variance[g], e.variance[g], 1e-5 * static_cast<double>(e.variance[g]));
    }
  }
}

template <class T>
void CheckNan() {
  const Sizes sizes = {8, 9, 10, 40};
  for (DimMask dims = 1; dims < 16; ++dims) {
    const auto group = GroupsOf(sizes, dims);
    for (T bad : {std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::infinity(),
                  -std::numeric_limits<T>::infinity()}) {
      auto x = RandomValues<T>(group.size(), 10);
      x[4321] = bad;
      const Result<T> r = Compute(x, sizes, dims, 1e-5);
      for (size_t i = 0; i < x.size(); ++i) {
        const size_t g = group[i];
        const bool is_bad = g == group[4321];
        ASSERT_EQ(std::isnan(r.y[i]), is_bad) << "dims " << dims << " element " << i;
        ASSERT_EQ(std::isnan(r.mean[g]), is_bad);
        ASSERT_EQ(std::isnan(r.variance[g]), is_bad);
        ASSERT_EQ(std::isnan(r.inverse[g]), is_bad);
      }
    }
  }
}
TEST(NormalizeTest, NanStaysInItsGroup) {
  CheckNan<float>();
  CheckNan<double>();
}

TEST(NormalizeTest, Nothing) {
  float unused = 5;
  Standardize(DataType::kSingle, nullptr, Sizes{0, 3}, 0b10, 1e-5, nullptr, &unused, nullptr,
              &unused);
  EXPECT_EQ(unused, 5);  // no groups
  std::vector<float> mean(3), variance(3), inverse(3);
  Standardize(DataType::kSingle, nullptr, Sizes{0, 3}, 0b01, 1e-5, nullptr, mean.data(),
              variance.data(), inverse.data());
  for (size_t g = 0; g < 3; ++g) {
    EXPECT_TRUE(std::isnan(mean[g]) && std::isnan(variance[g]) && std::isnan(inverse[g]));
  }
  StandardizeBackward(DataType::kSingle, nullptr, nullptr, inverse.data(), Sizes{0, 3}, 1, nullptr);
}

TEST(NormalizeTest, ConstantGroups) {
  for (int64_t n : {1, 5, 100, 40'000}) {
    const std::vector<double> x(static_cast<size_t>(n), 3.5);
    const Result<double> r = Compute(x, {n}, 1, 0.25);
    EXPECT_EQ(r.mean[0], 3.5);
    EXPECT_EQ(r.variance[0], 0);
    EXPECT_EQ(r.inverse[0], 2);
    EXPECT_EQ(r.y.back(), 0);
  }
}

TEST(NormalizeTest, TheNumberOfThreadsDoesNotMatter) {
  const int before = NumThreads();
  for (const Sizes& sizes : {Sizes{600'000}, Sizes{24, 24, 20, 64}, Sizes{7, 100'000},
                             Sizes{3000, 100}, Sizes{64, 200, 64}, Sizes{16, 16, 3, 500}}) {
    const size_t n = static_cast<size_t>(Count(sizes, ~DimMask{0}));
    const auto x = RandomValues<float>(n, 11), dy = RandomValues<float>(n, 12);
    for (DimMask dims = 1; dims < (DimMask{1} << sizes.size()); ++dims) {
      const auto run = [&](int threads) {
        SetNumThreads(threads);
        Result<float> r = Compute(x, sizes, dims, 1e-5);
        StandardizeBackward(DataType::kSingle, r.y.data(), dy.data(), r.inverse.data(), sizes, dims,
                            r.y.data());
        return r;
      };
      const Result<float> one = run(1), many = run(5);
      EXPECT_EQ(std::memcmp(one.y.data(), many.y.data(), n * sizeof(float)), 0);
      EXPECT_EQ(one.mean, many.mean);
      EXPECT_EQ(one.variance, many.variance);
      EXPECT_EQ(one.inverse, many.inverse);
    }
  }
  SetNumThreads(before);
}

}  // namespace
}  // namespace lamina::cpu
