#include "framework/cpu/pooling.h"

#include <gtest/gtest.h>

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
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

PoolingShape Shape(std::vector<int64_t> input, std::vector<int64_t> window,
                   std::vector<int64_t> stride, std::vector<int64_t> begin = {0, 0, 0},
                   std::vector<int64_t> end = {0, 0, 0}, int64_t planes = 3) {
  PoolingShape s;
  s.spatial_rank = static_cast<int>(input.size());
  s.planes = planes;
  for (size_t d = 0; d < input.size(); ++d) {
    s.input[d] = input[d];
    s.window[d] = window[d];
    s.stride[d] = stride[d];
    s.pad_begin[d] = begin[d];
    s.pad_end[d] = end[d];
  }
  EXPECT_TRUE(ComputeOutputSize(&s));
  return s;
}

std::string Text(const PoolingShape& s) {
  return testing::PrintToString(s.input) + testing::PrintToString(s.window) +
         testing::PrintToString(s.stride) + testing::PrintToString(s.pad_begin) +
         testing::PrintToString(s.pad_end);
}

std::vector<PoolingShape> Shapes() {
  std::vector<PoolingShape> shapes = {
      Shape({1}, {1}, {1}),
      Shape({9}, {2}, {2}),
      Shape({100}, {5}, {3}, {4}, {4}),
      Shape({1}, {3}, {1}, {2}, {2}),
      Shape({50}, {50}, {1}),
      Shape({7, 5}, {7, 5}, {1, 1}),
      Shape({24, 24}, {24, 24}, {1, 1}),
      Shape({7, 9}, {3, 3}, {2, 2}, {1, 1}, {1, 1}),
      Shape({56, 20}, {3, 3}, {2, 2}, {1, 1}, {1, 1}),
      Shape({20, 6}, {3, 2}, {1, 1}, {1, 0}, {1, 1}),
      Shape({40, 6}, {2, 3}, {3, 4}),  // with gaps
      Shape({21, 6}, {2, 2}, {2, 2}, {0, 0}, {1, 1}),
      Shape({6, 5}, {4, 1}, {1, 3}, {3, 0}, {3, 0}),
      Shape({20, 4}, {2, 2}, {2, 2}, {1, 1}, {1, 1}),
      Shape({5, 6, 7}, {2, 3, 2}, {2, 1, 3}, {1, 2, 0}, {0, 1, 1}),
      Shape({20, 6, 4}, {2, 2, 2}, {2, 2, 2}),
      Shape({6, 6, 4}, {2, 2, 1}, {2, 2, 1}),
  };
  for (int64_t width = 2; width <= 70; ++width) shapes.push_back(Shape({width, 7}, {2, 2}, {2, 2}));
  return shapes;
}

// Calls f(input position, output position, elements in the window) for every element of every
// window, in the order of positions in the input.
template <class F>
void ForWindows(const PoolingShape& s, F f) {
  int64_t output = 0;
  for (int64_t p = 0; p < s.planes; ++p) {
    for (int64_t o2 = 0; o2 < s.output[2]; ++o2) {
      for (int64_t o1 = 0; o1 < s.output[1]; ++o1) {
        for (int64_t o0 = 0; o0 < s.output[0]; ++o0, ++output) {
          std::vector<int64_t> inside;
          for (int64_t k2 = 0; k2 < s.window[2]; ++k2) {
            for (int64_t k1 = 0; k1 < s.window[1]; ++k1) {
              for (int64_t k0 = 0; k0 < s.window[0]; ++k0) {
                const int64_t i0 = o0 * s.stride[0] - s.pad_begin[0] + k0;
                const int64_t i1 = o1 * s.stride[1] - s.pad_begin[1] + k1;
                const int64_t i2 = o2 * s.stride[2] - s.pad_begin[2] + k2;
                if (i0 < 0 || i0 >= s.input[0] || i1 < 0 || i1 >= s.input[1] || i2 < 0 ||
                    i2 >= s.input[2]) {
                  continue;
                }
                inside.push_back((i2 * s.input[1] + i1) * s.input[0] + i0);
              }
            }
          }
          f(p, output, inside);
        }
      }
    }
  }
}

int64_t Plane(const PoolingShape& s) { return s.input[0] * s.input[1] * s.input[2]; }
size_t InputCount(const PoolingShape& s) { return static_cast<size_t>(s.planes * Plane(s)); }
size_t OutputCount(const PoolingShape& s) {
  return static_cast<size_t>(s.planes * s.output[0] * s.output[1] * s.output[2]);
}

// Many ties, some NaN, some infinite.
template <class T>
std::vector<T> HardValues(size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<T> x(n);
  for (T& v : x) {
    const unsigned k = random() % 100;
    v = static_cast<T>(k == 0 ? kNan : k == 1 ? kInf : k < 20 ? -kInf : static_cast<double>(k % 9));
  }
  return x;
}
template <class T>
std::vector<T> EasyValues(size_t n, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> uniform(-1, 1);
  std::vector<T> x(n);
  for (T& v : x) v = static_cast<T>(uniform(random));
  return x;
}

template <class T>
void CheckMax() {
  for (const PoolingShape& s : Shapes()) {
    for (bool hard : {true, false}) {
      SCOPED_TRACE(Text(s));
      const auto x = hard ? HardValues<T>(InputCount(s), 1) : EasyValues<T>(InputCount(s), 1);
      std::vector<T> y(OutputCount(s), 77), same(y);
      std::vector<int64_t> indices(y.size(), -1);
      MaxPoolForward(kType<T>, s, x.data(), y.data(), indices.data());
      MaxPoolForward(kType<T>, s, x.data(), same.data(), nullptr);
      const auto dy = EasyValues<T>(y.size(), 2);
      std::vector<double> expected_dx(x.size());
      ForWindows(s, [&](int64_t p, int64_t o, const std::vector<int64_t>& inside) {
        const T* const plane = x.data() + p * Plane(s);
        int64_t best = inside[0];
        for (int64_t i : inside) {
          if (std::isnan(plane[best])) break;
          if (plane[i] > plane[best] || std::isnan(plane[i])) best = i;
        }
        const size_t at = static_cast<size_t>(o);
        ASSERT_EQ(indices[at], best) << "output " << o;
        if (std::isnan(plane[best])) {
          ASSERT_TRUE(std::isnan(y[at]) && std::isnan(same[at])) << "output " << o;
        } else {
          ASSERT_EQ(y[at], plane[best]) << "output " << o;
          ASSERT_EQ(same[at], plane[best]) << "output " << o;
        }
        expected_dx[static_cast<size_t>(p * Plane(s) + best)] += static_cast<double>(dy[at]);
      });
      std::vector<T> dx(x.size(), 77);
      MaxPoolBackward(kType<T>, s, dy.data(), indices.data(), dx.data());
      for (size_t i = 0; i < x.size(); ++i) ASSERT_NEAR(dx[i], expected_dx[i], 1e-5) << i;
    }
  }
}
TEST(PoolingTest, MaxSingle) { CheckMax<float>(); }
TEST(PoolingTest, MaxDouble) { CheckMax<double>(); }

template <class T>
void CheckAverage() {
  const double u = std::numeric_limits<T>::epsilon() / 2;
  for (const PoolingShape& s : Shapes()) {
    for (bool count_padding : {true, false}) {
      SCOPED_TRACE(Text(s));
      const auto x = EasyValues<T>(InputCount(s), 3);
      std::vector<T> y(OutputCount(s), 77);
      AveragePoolForward(kType<T>, s, count_padding, x.data(), y.data());
      const auto dy = EasyValues<T>(y.size(), 4);
      std::vector<T> dx(x.size(), 77);
      AveragePoolBackward(kType<T>, s, count_padding, dy.data(), dx.data());
      std::vector<double> expected_dx(x.size());
      std::vector<int> windows(x.size());
      ForWindows(s, [&](int64_t p, int64_t o, const std::vector<int64_t>& inside) {
        const double count =
            static_cast<double>(count_padding ? s.window[0] * s.window[1] * s.window[2]
                                              : static_cast<int64_t>(inside.size()));
        double sum = 0, magnitude = 0;
        for (int64_t i : inside) {
          const size_t at = static_cast<size_t>(p * Plane(s) + i);
          sum += static_cast<double>(x[at]) / count;
          magnitude += std::abs(static_cast<double>(x[at])) / count;
          expected_dx[at] += static_cast<double>(dy[static_cast<size_t>(o)]) / count;
          ++windows[at];
        }
        const double terms = static_cast<double>(inside.size());
        ASSERT_NEAR(y[static_cast<size_t>(o)], sum, (terms + 2) * u * magnitude + 1e-15)
            << "output " << o;
      });
      for (size_t i = 0; i < x.size(); ++i) {
        // Each window gives a share of at most 1.
        ASSERT_NEAR(dx[i], expected_dx[i], (windows[i] + 2.0) * windows[i] * u + 1e-15) << i;
      }
    }
  }
}
TEST(PoolingTest, AverageSingle) { CheckAverage<float>(); }
TEST(PoolingTest, AverageDouble) { CheckAverage<double>(); }

TEST(PoolingTest, NanAndInfReachTheAverage) {
  const PoolingShape s = Shape({6, 6}, {2, 2}, {2, 2}, {0, 0}, {0, 0}, 2);
  std::vector<float> x(InputCount(s), 1), y(OutputCount(s));
  x[0] = static_cast<float>(kNan);
  x[36] = static_cast<float>(kInf);
  AveragePoolForward(DataType::kSingle, s, true, x.data(), y.data());
  EXPECT_TRUE(std::isnan(y[0]));
  EXPECT_EQ(y[9], kInf);
  for (size_t i = 0; i < y.size(); ++i) {
    if (i != 0 && i != 9) {
      EXPECT_EQ(y[i], 1) << i;
    }
  }
}

TEST(PoolingTest, NoPlanes) {
  const PoolingShape s = Shape({6, 6}, {2, 2}, {2, 2}, {0, 0}, {0, 0}, 0);
  MaxPoolForward(DataType::kSingle, s, nullptr, nullptr, nullptr);
  MaxPoolBackward(DataType::kSingle, s, nullptr, nullptr, nullptr);
  AveragePoolForward(DataType::kDouble, s, true, nullptr, nullptr);
  AveragePoolBackward(DataType::kDouble, s, true, nullptr, nullptr);
  EXPECT_EQ(s.output[0], 3);
}

template <class T>
void CheckThreads(const PoolingShape& s) {
  const auto x = EasyValues<T>(InputCount(s), 5);
  std::vector<T> y[2], mean[2], dx[2], spread[2];
  std::vector<int64_t> indices[2];
  for (size_t i : {size_t{0}, size_t{1}}) {
    SetNumThreads(i == 0 ? 1 : 5);
    y[i] = mean[i] = std::vector<T>(OutputCount(s));
    dx[i] = spread[i] = std::vector<T>(x.size());
    indices[i].resize(y[i].size());
    MaxPoolForward(kType<T>, s, x.data(), y[i].data(), indices[i].data());
    MaxPoolBackward(kType<T>, s, y[i].data(), indices[i].data(), dx[i].data());
    AveragePoolForward(kType<T>, s, false, x.data(), mean[i].data());
    AveragePoolBackward(kType<T>, s, false, y[i].data(), spread[i].data());
  }
  EXPECT_EQ(y[0], y[1]);
  EXPECT_EQ(indices[0], indices[1]);
  EXPECT_EQ(dx[0], dx[1]);
  EXPECT_EQ(mean[0], mean[1]);
  EXPECT_EQ(spread[0], spread[1]);
}
TEST(PoolingTest, TheNumberOfThreadsDoesNotMatter) {
  const int before = NumThreads();
  CheckThreads<float>(Shape({28, 28}, {2, 2}, {2, 2}, {0, 0}, {0, 0}, 403));
  CheckThreads<double>(Shape({14, 14}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, 803));
  SetNumThreads(before);
}

TEST(PoolingTest, OutputSizes) {
  const PoolingShape s = Shape({28, 7, 5}, {2, 3, 5}, {2, 2, 9}, {0, 1, 0}, {0, 1, 0});
  EXPECT_EQ(s.output, (std::array<int64_t, 3>{14, 4, 1}));
  PoolingShape good;
  good.spatial_rank = 2;
  good.planes = 2;
  good.input = {8, 8, 1};
  good.window = {3, 3, 1};
  EXPECT_TRUE(ComputeOutputSize(&good));
  const auto refuse = [&](auto change) {
    PoolingShape bad = good;
    change(bad);
    EXPECT_FALSE(ComputeOutputSize(&bad)) << Text(bad);
  };
  refuse([](PoolingShape& p) { p.window[0] = 9; });
  refuse([](PoolingShape& p) { p.window[0] = 0; });
  refuse([](PoolingShape& p) { p.pad_begin[1] = -1; });
  refuse([](PoolingShape& p) { p.pad_begin[1] = 3; });
  refuse([](PoolingShape& p) { p.pad_end[1] = 3; });
  refuse([](PoolingShape& p) { p.stride[0] = 0; });
  refuse([](PoolingShape& p) { p.spatial_rank = 0; });
  refuse([](PoolingShape& p) { p.spatial_rank = 4; });
  refuse([](PoolingShape& p) { p.planes = -1; });
  refuse([](PoolingShape& p) { p.planes = int64_t{1} << 60; });
  refuse([](PoolingShape& p) { p.input[0] = p.input[1] = int64_t{1} << 40; });
  refuse([](PoolingShape& p) { p.input[0] = std::numeric_limits<int64_t>::max(); });
  refuse([](PoolingShape& p) { p.window[2] = 2, p.pad_end[2] = 1; });
  // Windows of padding alone.
  refuse([](PoolingShape& p) { p.input[0] = 0, p.pad_begin[0] = p.pad_end[0] = 2; });
}

}  // namespace
}  // namespace lamina::cpu
