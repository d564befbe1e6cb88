// Scans of all shapes of arrays against the definition in long double.
#include "framework/cpu/scan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "framework/cpu/threads.h"

namespace lamina::cpu {
namespace {

template <class T>
constexpr DataType TypeOf() {
  if constexpr (std::is_same_v<T, float>) return DataType::kSingle;
  if constexpr (std::is_same_v<T, double>) return DataType::kDouble;
  if constexpr (std::is_same_v<T, std::complex<float>>) return DataType::kComplexSingle;
  if constexpr (std::is_same_v<T, std::complex<double>>) return DataType::kComplexDouble;
  if constexpr (std::is_same_v<T, int32_t>) return DataType::kInt32;
  if constexpr (std::is_same_v<T, int64_t>) return DataType::kInt64;
  return DataType::kUint8;
}

template <class T>
constexpr bool kIsComplex = !std::is_arithmetic_v<T>;

struct Shape {
  int64_t inner, n, outer;
  size_t count() const { return static_cast<size_t>(inner * n * outer); }
  std::string Text() const {
    return std::to_string(inner) + " x " + std::to_string(n) + " x " + std::to_string(outer);
  }
};

std::vector<Shape> Shapes() {
  std::vector<Shape> shapes = {{1, 1, 1},     {5, 1, 3},    {1, 1000, 3}, {1, 3, 1000},
                               {1, 9000, 1},  {2, 5000, 2}, {7, 700, 3},  {8, 33, 5},
                               {9, 17, 2},    {127, 9, 2},  {128, 5, 3},  {129, 31, 2},
                               {1000, 40, 1}, {2500, 3, 2}, {3, 1366, 1}, {7, 586, 1}};
  for (int64_t n = 2; n <= 10; ++n) shapes.push_back({1, n, 3});
  return shapes;
}

template <class T>
std::vector<T> Values(size_t n, uint32_t seed, double low, double high) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(low, high);
  std::vector<T> x(n);
  for (T& v : x) {
    if constexpr (kIsComplex<T>) {
      const double re = uniform(random);
      v = T(static_cast<typename T::value_type>(re),
            static_cast<typename T::value_type>(uniform(random)));
    } else {
      v = static_cast<T>(uniform(random));
    }
  }
  return x;
}

// Calls f(positions) with the positions of the elements of each line, in the order of the scan.
template <class F>
void ForLines(const Shape& s, bool reverse, F f) {
  std::vector<size_t> line(static_cast<size_t>(s.n));
  for (int64_t o = 0; o < s.outer; ++o) {
    for (int64_t i = 0; i < s.inner; ++i) {
      for (int64_t k = 0; k < s.n; ++k) {
        line[static_cast<size_t>(k)] = static_cast<size_t>((o * s.n + k) * s.inner + i);
      }
      if (reverse) std::reverse(line.begin(), line.end());
      f(line);
    }
  }
}

using Exact = std::complex<long double>;

template <class T>
Exact ExactOf(T x) {
  return Exact(x);
}

// Rounding in double of all terms, and of the result to T.
template <class T>
double Bound(size_t k, long double size, const Exact& expected) {
  constexpr double kStep = kIsComplex<T> ? 4 : 1;
  constexpr double kUnit = sizeof(T) == (kIsComplex<T> ? 8 : 4) ? 0x1p-24 : 0;
  return static_cast<double>(kStep * static_cast<long double>(k) * 0x1p-53L * size +
                             kUnit * std::abs(expected));
}

template <class T>
void CheckNumbers() {
  for (const Shape& s : Shapes()) {
    for (const bool reverse : {false, true}) {
      SCOPED_TRACE(s.Text() + (reverse ? " reverse" : ""));
      // Products of these stay in range.
      const auto x = Values<T>(s.count(), 1, -1, 1), b = Values<T>(s.count(), 2, -1, 1);
      std::vector<T> near_one(x), sum(x.size()), prod(x.size()), y(x.size());
      for (T& v : near_one) v = T(1) + v / T(50);
      Scan(ScanKind::kSum, TypeOf<T>(), reverse, s.inner, s.n, s.outer, x.data(), sum.data());
      Scan(ScanKind::kProd, TypeOf<T>(), reverse, s.inner, s.n, s.outer, near_one.data(),
           prod.data());
      LinearRecurrence(TypeOf<T>(), reverse, s.inner, s.n, s.outer, near_one.data(), b.data(),
                       y.data());
      bool good = true;
      ForLines(s, reverse, [&](const std::vector<size_t>& line) {
        Exact expected_sum = 0, expected_prod = 1, expected_y = 0;
        long double sum_size = 0, y_size = 0, largest = 1;
        for (size_t k = 0; k < line.size(); ++k) {
          const size_t p = line[k];
          const Exact factor = ExactOf(near_one[p]);
          expected_sum += ExactOf(x[p]);
          expected_prod *= factor;
          expected_y = factor * expected_y + ExactOf(b[p]);
          sum_size += std::abs(ExactOf(x[p]));
          y_size = std::abs(factor) * y_size + std::abs(ExactOf(b[p]));
          largest = std::max(largest, std::abs(expected_prod));
          const auto near = [&](T came, const Exact& expected, long double size) {
            return std::abs(ExactOf(came) - expected) <= Bound<T>(k + 1, size, expected);
          };
          good = good && near(sum[p], expected_sum, sum_size);
          good = good && near(prod[p], expected_prod, std::abs(expected_prod));
          good = good && near(y[p], expected_y, 2 * y_size);
          ASSERT_TRUE(good) << "element " << p << ", number " << k << " of its line";
        }
      });
    }
  }
}

TEST(ScanTest, SumsProductsAndRecurrences) {
  CheckNumbers<float>();
  CheckNumbers<double>();
  CheckNumbers<std::complex<float>>();
  CheckNumbers<std::complex<double>>();
}

template <class T>
void CheckExtremes(double low, double high) {
  for (const Shape& s : Shapes()) {
    for (const bool reverse : {false, true}) {
      SCOPED_TRACE(s.Text() + (reverse ? " reverse" : ""));
      auto x = Values<T>(s.count(), 3, low, high);
      if constexpr (std::is_floating_point_v<T>) {
        for (size_t i = 0; i < x.size(); i += 3) x[i] = std::numeric_limits<T>::quiet_NaN();
      }
      std::vector<T> max(x.size()), min(x.size());
      Scan(ScanKind::kMax, TypeOf<T>(), reverse, s.inner, s.n, s.outer, x.data(), max.data());
      Scan(ScanKind::kMin, TypeOf<T>(), reverse, s.inner, s.n, s.outer, x.data(), min.data());
      ForLines(s, reverse, [&](const std::vector<size_t>& line) {
        std::vector<T> known;
        for (const size_t p : line) {
          if (x[p] == x[p]) known.push_back(x[p]);
          if (known.empty()) {
            ASSERT_NE(max[p], max[p]);
            ASSERT_NE(min[p], min[p]);
          } else {
            known = {*std::min_element(known.begin(), known.end()),
                     *std::max_element(known.begin(), known.end())};
            ASSERT_EQ(min[p], known[0]);
            ASSERT_EQ(max[p], known[1]);
          }
        }
      });
    }
  }
}

TEST(ScanTest, Extremes) {
  CheckExtremes<float>(-9, 9);
  CheckExtremes<double>(-9, 9);
  CheckExtremes<int32_t>(-99, 99);
  CheckExtremes<int64_t>(-99, 99);
  CheckExtremes<uint8_t>(0, 200);
}

TEST(ScanTest, WholeNumbersWrapAround) {
  const std::vector<int64_t> x = {INT64_MAX, 1, 5};
  std::vector<int64_t> y(3);
  Scan(ScanKind::kSum, DataType::kInt64, false, 1, 3, 1, x.data(), y.data());
  EXPECT_EQ(y, (std::vector<int64_t>{INT64_MAX, INT64_MIN, INT64_MIN + 5}));
  Scan(ScanKind::kProd, DataType::kInt64, true, 1, 3, 1, x.data(), y.data());
  EXPECT_EQ(
      y, (std::vector<int64_t>{static_cast<int64_t>(5 * static_cast<uint64_t>(INT64_MAX)), 5, 5}));
}

// A zero stays one, whatever comes; the factor of the first element is not read.
TEST(ScanTest, SpecialNumbers) {
  constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kHuge = 3e38F;
  const std::vector<float> x = {kHuge, kHuge, kHuge, 0, kHuge, kHuge, kHuge, kHuge, kHuge};
  std::vector<float> y(9);
  Scan(ScanKind::kProd, DataType::kSingle, false, 1, 9, 1, x.data(), y.data());
  EXPECT_EQ(y, (std::vector<float>{kHuge, INFINITY, INFINITY, 0, 0, 0, 0, 0, 0}));
  const std::vector<float> a = {kNan, 2, INFINITY}, b = {1, 3, 0};
  LinearRecurrence(DataType::kSingle, false, 1, 3, 1, a.data(), b.data(), y.data());
  EXPECT_EQ(y[0], 1);
  EXPECT_EQ(y[1], 5);
  EXPECT_EQ(y[2], INFINITY);
  // Single comes back from beyond its range, since it is multiplied in double.
  const std::vector<float> there = {kHuge, 10, 0.01F};
  Scan(ScanKind::kProd, DataType::kSingle, false, 1, 3, 1, there.data(), y.data());
  EXPECT_EQ(y[1], INFINITY);
  EXPECT_NEAR(y[2] / 3e37F, 1, 1e-6);
}

TEST(ScanTest, EmptyArrays) {
  float y = 7;
  for (const Shape& s : {Shape{0, 3, 2}, Shape{2, 0, 3}, Shape{1, 3, 0}}) {
    Scan(ScanKind::kSum, DataType::kSingle, true, s.inner, s.n, s.outer, nullptr, &y);
    LinearRecurrence(DataType::kSingle, true, s.inner, s.n, s.outer, nullptr, nullptr, &y);
  }
  EXPECT_EQ(y, 7);
}

TEST(ScanTest, ThreadsGiveTheSameBits) {
  const int threads = NumThreads();
  for (const Shape& s : {Shape{1, 100, 2000}, Shape{1000, 300, 1}, Shape{3, 1000, 200}}) {
    const auto x = Values<float>(s.count(), 5, -1, 1);
    std::vector<float> one(x.size()), several(x.size());
    SetNumThreads(1);
    Scan(ScanKind::kSum, DataType::kSingle, false, s.inner, s.n, s.outer, x.data(), one.data());
    SetNumThreads(4);
    Scan(ScanKind::kSum, DataType::kSingle, false, s.inner, s.n, s.outer, x.data(), several.data());
    EXPECT_EQ(one, several) << s.Text();
  }
  SetNumThreads(threads);
}

}  // namespace
}  // namespace lamina::cpu
