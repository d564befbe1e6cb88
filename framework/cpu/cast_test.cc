#include "framework/cpu/cast.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <limits>
#include <vector>

namespace lamina::cpu {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

template <class From, class To>
std::vector<To> CastAll(DataType from, DataType to, const std::vector<From>& x) {
  std::vector<To> y(x.size());
  Cast(from, to, static_cast<int64_t>(x.size()), x.data(), y.data());
  return y;
}

TEST(CastTest, RealToIntegersRoundsAndSaturates) {
  const std::vector<double> x = {0.5,   -0.5, 2.5,   -2.5, 2.4999, 1e30,
                                 -1e30, kInf, -kInf, kNan, 255.6};
  const int32_t big = std::numeric_limits<int32_t>::max(),
                low = std::numeric_limits<int32_t>::min();
  EXPECT_EQ((CastAll<double, int32_t>(DataType::kDouble, DataType::kInt32, x)),
            (std::vector<int32_t>{1, -1, 3, -3, 2, big, low, big, low, 0, 256}));
  const int64_t big64 = std::numeric_limits<int64_t>::max(),
                low64 = std::numeric_limits<int64_t>::min();
  EXPECT_EQ((CastAll<double, int64_t>(DataType::kDouble, DataType::kInt64, x)),
            (std::vector<int64_t>{1, -1, 3, -3, 2, big64, low64, big64, low64, 0, 256}));
  EXPECT_EQ((CastAll<double, uint8_t>(DataType::kDouble, DataType::kUint8, x)),
            (std::vector<uint8_t>{1, 0, 3, 0, 2, 255, 0, 255, 0, 0, 255}));
  // 2^31 - 1 is not a float: the float just below 2^31 must not overflow.
  EXPECT_EQ(
      (CastAll<float, int32_t>(DataType::kSingle, DataType::kInt32, {0x1.fffffep30f, 0x1p31f})),
      (std::vector<int32_t>{2147483520, big}));
}

TEST(CastTest, ToLogical) {
  EXPECT_EQ((CastAll<double, uint8_t>(DataType::kDouble, DataType::kLogical,
                                      {0.0, -0.0, 0.25, kNan, -3.0})),
            (std::vector<uint8_t>{0, 0, 1, 1, 1}));
  EXPECT_EQ((CastAll<std::complex<float>, uint8_t>(DataType::kComplexSingle, DataType::kLogical,
                                                   {{0, 0}, {0, 1}})),
            (std::vector<uint8_t>{0, 1}));
  EXPECT_EQ((CastAll<uint8_t, uint8_t>(DataType::kUint8, DataType::kLogical, {0, 7})),
            (std::vector<uint8_t>{0, 1}));
}

TEST(CastTest, ComplexAndReal) {
  using Z = std::complex<double>;
  EXPECT_EQ((CastAll<Z, float>(DataType::kComplexDouble, DataType::kSingle, {{1.5, 2}, {-3, 4}})),
            (std::vector<float>{1.5f, -3.0f}));
  EXPECT_EQ((CastAll<float, Z>(DataType::kSingle, DataType::kComplexDouble, {1.5f})),
            (std::vector<Z>{{1.5, 0}}));
  EXPECT_EQ((CastAll<Z, int32_t>(DataType::kComplexDouble, DataType::kInt32, {{2.5, 9}})),
            (std::vector<int32_t>{3}));
}

TEST(CastTest, BetweenIntegersSaturates) {
  EXPECT_EQ((CastAll<int64_t, int32_t>(DataType::kInt64, DataType::kInt32,
                                       {int64_t{1} << 40, -(int64_t{1} << 40), -5})),
            (std::vector<int32_t>{2147483647, -2147483647 - 1, -5}));
  EXPECT_EQ((CastAll<int32_t, uint8_t>(DataType::kInt32, DataType::kUint8, {-1, 300, 17})),
            (std::vector<uint8_t>{0, 255, 17}));
}

// Every pair keeps 0, 1 and 100 (1 for logical), also in long arrays that are split.
TEST(CastTest, EveryPairKeepsSmallNumbers) {
  constexpr int64_t kN = 200'003;
  std::vector<double> start(kN);
  for (size_t i = 0; i < kN; ++i) start[i] = static_cast<double>(i % 3 == 2 ? 100 : i % 3);
  for (int a = 0; a < kNumDataTypes; ++a) {
    for (int b = 0; b < kNumDataTypes; ++b) {
      const auto from = static_cast<DataType>(a), to = static_cast<DataType>(b);
      std::vector<std::complex<double>> x(kN), y(kN);
      std::vector<double> z(kN);
      Cast(DataType::kDouble, from, kN, start.data(), x.data());
      Cast(from, to, kN, x.data(), y.data());
      Cast(to, DataType::kDouble, kN, y.data(), z.data());
      const bool logical = from == DataType::kLogical || to == DataType::kLogical;
      for (size_t i = 0; i < kN; ++i) {
        ASSERT_EQ(z[i], logical ? (start[i] != 0 ? 1 : 0) : start[i]) << a << " to " << b;
      }
    }
  }
}

TEST(CastTest, FillSetsAllAndNoMore) {
  for (int64_t n : {0, 1, 5, 100'000}) {
    std::vector<float> x(static_cast<size_t>(n) + 1, -1.0f);
    const float value = 2.5f;
    Fill(DataType::kSingle, n, &value, x.data());
    for (int64_t i = 0; i < n; ++i) ASSERT_EQ(x[static_cast<size_t>(i)], 2.5f);
    EXPECT_EQ(x.back(), -1.0f);
  }
}

}  // namespace
}  // namespace lamina::cpu
