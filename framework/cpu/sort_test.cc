// Ranks and gathers of all shapes of arrays against std::stable_sort and loops over indices.
#include "framework/cpu/sort.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "framework/cpu/gather_along.h"
#include "framework/cpu/threads.h"

namespace lamina::cpu {
namespace {

struct Shape {
  int64_t inner, n, outer;
  size_t count() const { return static_cast<size_t>(inner * n * outer); }
  size_t At(int64_t i, int64_t k, int64_t o) const {
    return static_cast<size_t>((o * n + k) * inner + i);
  }
  std::string Text() const {
    return std::to_string(inner) + " x " + std::to_string(n) + " x " + std::to_string(outer);
  }
};

const Shape kShapes[] = {{1, 1, 1},   {5, 1, 3},    {1, 511, 2},   {1, 512, 2}, {1, 9, 300},
                         {3, 40, 2},  {17, 600, 2}, {40, 7, 3},    {600, 5, 1}, {1, 70'000, 1},
                         {33, 3, 30}, {2, 5000, 1}, {20, 4096, 1}, {257, 2, 2}};

// Few values, so that many are equal; the extremes of the type, zeros of both signs, and NaN.
template <class T>
std::vector<T> Values(const Shape& s) {
  std::mt19937 random(1);
  std::vector<T> x(s.count());
  for (T& v : x) {
    const uint32_t draw = random();
    v = static_cast<T>(static_cast<int>(draw / 16 % 101) - 50);
    if constexpr (std::is_floating_point_v<T>) {
      v /= 8;
      if (draw % 16 == 0) v = std::numeric_limits<T>::quiet_NaN();
      if (draw % 16 == 1) v = -std::numeric_limits<T>::quiet_NaN();
      if (draw % 16 == 2) v = std::numeric_limits<T>::infinity();
      if (draw % 16 == 3) v = -std::numeric_limits<T>::infinity();
      if (draw % 16 == 4) v = T{-0.0};
      if (draw % 16 == 5) v = T{0};
      if (draw % 16 == 6) v = std::numeric_limits<T>::denorm_min();
    } else {
      if (draw % 16 == 0) v = std::numeric_limits<T>::max();
      if (draw % 16 == 1) v = std::numeric_limits<T>::min();
    }
  }
  return x;
}

template <class T>
void CheckRanks(DataType type) {
  for (const Shape& s : kShapes) {
    const std::vector<T> x = Values<T>(s);
    std::vector<int64_t> ranks(x.size()), positions(x.size());
    for (const bool descending : {false, true}) {
      SCOPED_TRACE(s.Text() + (descending ? " descending" : ""));
      RankAlong(type, descending, s.inner, s.n, s.outer, x.data(), ranks.data());
      InvertAlong(s.inner, s.n, s.outer, ranks.data(), positions.data());
      std::vector<int64_t> expected(static_cast<size_t>(s.n));
      for (int64_t o = 0; o < s.outer; ++o) {
        for (int64_t i = 0; i < s.inner; ++i) {
          std::iota(expected.begin(), expected.end(), 0);
          std::stable_sort(expected.begin(), expected.end(), [&](int64_t a, int64_t b) {
            const T u = x[s.At(i, a, o)], v = x[s.At(i, b, o)];
            return v != v ? u == u : descending ? u > v : u < v;
          });
          for (int64_t k = 0; k < s.n; ++k) {
            const int64_t position = expected[static_cast<size_t>(k)];
            ASSERT_EQ(positions[s.At(i, k, o)], position);
            ASSERT_EQ(ranks[s.At(i, position, o)], k);
          }
        }
      }
    }
  }
}

TEST(SortTest, RanksOfEachType) {
  CheckRanks<float>(DataType::kSingle);
  CheckRanks<double>(DataType::kDouble);
  CheckRanks<int32_t>(DataType::kInt32);
  CheckRanks<int64_t>(DataType::kInt64);
  CheckRanks<uint8_t>(DataType::kUint8);
}

TEST(SortTest, ThreadsGiveTheSame) {
  const int threads = NumThreads();
  for (const Shape& s : {Shape{1, 100, 500}, Shape{100, 700, 1}}) {
    const std::vector<float> x = Values<float>(s);
    std::vector<int64_t> one(x.size()), several(x.size());
    SetNumThreads(1);
    RankAlong(DataType::kSingle, false, s.inner, s.n, s.outer, x.data(), one.data());
    SetNumThreads(4);
    RankAlong(DataType::kSingle, false, s.inner, s.n, s.outer, x.data(), several.data());
    EXPECT_EQ(one, several);
  }
  SetNumThreads(threads);
}

template <class T>
void CheckGather(DataType type) {
  for (const Shape& s : kShapes) {
    for (const int64_t count : {int64_t{0}, int64_t{1}, s.n, 2 * s.n + 1}) {
      SCOPED_TRACE(s.Text() + " at " + std::to_string(count));
      const Shape out{s.inner, count, s.outer};
      std::mt19937 random(2);
      std::vector<T> x(s.count()), y(out.count()), back(s.count()), expected(s.count());
      for (T& v : x) v = static_cast<T>(random() % 200);
      std::vector<int64_t> positions(out.count());
      for (int64_t& p : positions) p = static_cast<int64_t>(random()) % s.n;
      GatherAlong(sizeof(T), s.inner, s.n, s.outer, x.data(), count, positions.data(), y.data());
      if constexpr (std::is_floating_point_v<T>) {
        ScatterAddAlong(type, s.inner, s.n, s.outer, y.data(), count, positions.data(),
                        back.data());
      }
      for (int64_t o = 0; o < s.outer; ++o) {
        for (int64_t k = 0; k < count; ++k) {
          for (int64_t i = 0; i < s.inner; ++i) {
            const size_t from = s.At(i, positions[out.At(i, k, o)], o);
            ASSERT_EQ(y[out.At(i, k, o)], x[from]);
            if constexpr (std::is_floating_point_v<T>) expected[from] += x[from];
          }
        }
      }
      ASSERT_EQ(back, expected);
    }
  }
}

TEST(GatherAlongTest, TakesFromEachLineAndAddsBack) {
  CheckGather<float>(DataType::kSingle);
  CheckGather<double>(DataType::kDouble);
  CheckGather<uint8_t>(DataType::kUint8);
}

TEST(SortTest, EmptyArrays) {
  int64_t y = 7;
  for (const Shape& s : {Shape{0, 3, 2}, Shape{2, 0, 3}, Shape{1, 3, 0}}) {
    RankAlong(DataType::kDouble, false, s.inner, s.n, s.outer, nullptr, &y);
    InvertAlong(s.inner, s.n, s.outer, nullptr, &y);
  }
  EXPECT_EQ(y, 7);
}

}  // namespace
}  // namespace lamina::cpu
