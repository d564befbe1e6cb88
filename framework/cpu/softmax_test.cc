#include "framework/cpu/softmax.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "framework/cpu/threads.h"

namespace lamina::cpu {
namespace {

template <class T>
constexpr DataType kType = sizeof(T) == 4 ? DataType::kSingle : DataType::kDouble;
template <class T>
constexpr double kUnit = std::numeric_limits<T>::epsilon() / 2;

struct Sizes {
  int64_t inner, n, outer;
  size_t count() const { return static_cast<size_t>(inner * n * outer); }
  std::string Text() const {
    return std::to_string(inner) + " x " + std::to_string(n) + " x " + std::to_string(outer);
  }
};

std::vector<Sizes> Shapes() {
  std::vector<Sizes> shapes = {
      {1, 1, 1},    {1, 10, 128}, {1, 1000, 7}, {1, 5000, 3}, {1, 3, 1001}, {5, 10, 300},
      {15, 600, 3}, {3, 5000, 2}, {1, 31, 65},  {7, 7, 7},    {16, 10, 5},  {600, 10, 3},
      {257, 33, 2}, {1024, 1, 2}, {33, 2, 1},   {2, 2, 2},    {1, 20, 1},   {1, 200'000, 1}};
  for (int64_t n = 1; n <= 80; ++n) shapes.push_back({1, n, 3});
  return shapes;
}

template <class T>
std::vector<T> RandomValues(size_t n, double size) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> uniform(-size, size);
  std::vector<T> x(n);
  for (T& v : x) v = static_cast<T>(uniform(random));
  return x;
}

// Calls f(positions) with the positions of the elements of each line.
template <class F>
void ForLines(const Sizes& s, F f) {
  std::vector<size_t> line(static_cast<size_t>(s.n));
  for (int64_t o = 0; o < s.outer; ++o) {
    for (int64_t i = 0; i < s.inner; ++i) {
      for (int64_t k = 0; k < s.n; ++k) {
        line[static_cast<size_t>(k)] = static_cast<size_t>((o * s.n + k) * s.inner + i);
      }
      f(line);
    }
  }
}

template <class T>
void CheckValues() {
  for (const Sizes& s : Shapes()) {
    for (double size : {1.0, 30.0, 2000.0}) {
      SCOPED_TRACE(s.Text() + " of size " + std::to_string(size));
      const auto x = RandomValues<T>(s.count(), size);
      std::vector<T> y(x.size()), l(x.size());
      Softmax(kType<T>, s.inner, s.n, s.outer, x.data(), y.data());
      LogSoftmax(kType<T>, s.inner, s.n, s.outer, x.data(), l.data());
      ForLines(s, [&](const std::vector<size_t>& line) {
        long double largest = x[line[0]];
        for (size_t p : line) largest = std::max<long double>(largest, x[p]);
        long double sum = 0;
        for (size_t p : line) sum += std::exp(static_cast<long double>(x[p]) - largest);
        const long double logarithm = std::log(sum);
        for (size_t p : line) {
          const double expected_log = static_cast<double>(x[p] - largest - logarithm);
          // 2 u (1 + |y|), which the sum of many exponentials, each exact to about one unit, may
          // pass a little.
          ASSERT_NEAR(l[p], expected_log, 3 * kUnit<T> * (1 + std::abs(expected_log))) << p;
          const double expected = static_cast<double>(std::exp(x[p] - largest) / sum);
          // The difference x - m is rounded before exp.
          const double bound = kUnit<T> * (6 + static_cast<double>(largest - x[p]));
          ASSERT_NEAR(y[p], expected, bound * expected + std::numeric_limits<T>::denorm_min()) << p;
        }
      });
    }
  }
}
TEST(SoftmaxTest, Single) { CheckValues<float>(); }
TEST(SoftmaxTest, Double) { CheckValues<double>(); }

TEST(SoftmaxTest, InPlace) {
  for (const Sizes& s : Shapes()) {
    SCOPED_TRACE(s.Text());
    const auto x = RandomValues<float>(s.count(), 3);
    auto y = x, same = x;
    std::vector<float> z(x.size());
    Softmax(DataType::kSingle, s.inner, s.n, s.outer, x.data(), z.data());
    Softmax(DataType::kSingle, s.inner, s.n, s.outer, y.data(), y.data());
    EXPECT_EQ(y, z);
    LogSoftmax(DataType::kSingle, s.inner, s.n, s.outer, x.data(), z.data());
    LogSoftmax(DataType::kSingle, s.inner, s.n, s.outer, same.data(), same.data());
    EXPECT_EQ(same, z);
  }
}

template <class T>
void CheckSpecialValues() {
  const T inf = std::numeric_limits<T>::infinity(), nan = std::numeric_limits<T>::quiet_NaN();
  for (const Sizes& s : Shapes()) {
    SCOPED_TRACE(s.Text());
    // In the first line a bad value, in the last one a single -inf.
    for (T bad : {nan, inf, -inf}) {
      auto x = RandomValues<T>(s.count(), 3);
      std::vector<std::vector<size_t>> lines;
      ForLines(s, [&](const std::vector<size_t>& line) { lines.push_back(line); });
      if (bad == -inf) {
        for (size_t p : lines[0]) x[p] = bad;  // nothing but -inf
      } else {
        x[lines[0][lines[0].size() / 2]] = bad;
      }
      if (lines.size() > 1) x[lines.back().back()] = -inf;
      std::vector<T> y(x.size()), l(x.size());
      Softmax(kType<T>, s.inner, s.n, s.outer, x.data(), y.data());
      LogSoftmax(kType<T>, s.inner, s.n, s.outer, x.data(), l.data());
      for (size_t i = 0; i < lines.size(); ++i) {
        const bool only = i > 0 && i + 1 == lines.size() && s.n == 1;  // a line of -inf only
        for (size_t p : lines[i]) {
          ASSERT_EQ(std::isnan(y[p]), i == 0 || only) << "line " << i;
          ASSERT_EQ(std::isnan(l[p]), i == 0 || only) << "line " << i;
        }
      }
      if (lines.size() > 1 && s.n > 1) {
        EXPECT_EQ(y[lines.back().back()], 0);
        EXPECT_EQ(l[lines.back().back()], -inf);
      }
    }
  }
}
TEST(SoftmaxTest, NanAndInfinity) {
  CheckSpecialValues<float>();
  CheckSpecialValues<double>();
}

TEST(SoftmaxTest, LargestNumbersDoNotOverflow) {
  const float big = std::numeric_limits<float>::max();
  const std::vector<float> x = {big, -big, big, 0};
  std::vector<float> y(4);
  Softmax(DataType::kSingle, 1, 4, 1, x.data(), y.data());
  EXPECT_EQ(y, (std::vector<float>{0.5, 0, 0.5, 0}));
}

TEST(SoftmaxTest, Nothing) {
  float y = 5;
  Softmax(DataType::kSingle, 0, 3, 1, nullptr, &y);
  Softmax(DataType::kSingle, 1, 0, 1, nullptr, &y);
  LogSoftmax(DataType::kDouble, 1, 3, 0, nullptr, &y);
  EXPECT_EQ(y, 5);
}

template <class T>
void CheckThreads(const Sizes& s) {
  SCOPED_TRACE(s.Text());
  const auto x = RandomValues<T>(s.count(), 5);
  std::vector<T> y[2], l[2];
  for (size_t i : {size_t{0}, size_t{1}}) {
    SetNumThreads(i == 0 ? 1 : 5);
    y[i] = l[i] = std::vector<T>(x.size());
    Softmax(kType<T>, s.inner, s.n, s.outer, x.data(), y[i].data());
    LogSoftmax(kType<T>, s.inner, s.n, s.outer, x.data(), l[i].data());
  }
  EXPECT_EQ(y[0], y[1]);
  EXPECT_EQ(l[0], l[1]);
}
TEST(SoftmaxTest, TheNumberOfThreadsDoesNotMatter) {
  const int before = NumThreads();
  for (const Sizes& s : {Sizes{1, 10, 5003}, Sizes{1, 1001, 103}, Sizes{7, 11, 501},
                         Sizes{1000, 10, 7}, Sizes{5001, 9, 1}}) {
    CheckThreads<float>(s);
    CheckThreads<double>(s);
  }
  SetNumThreads(before);
}

}  // namespace
}  // namespace lamina::cpu
