#include "framework/cpu/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <thread>
#include <vector>

#include "framework/cpu/threads.h"

namespace lamina::cpu {
namespace {

// Published with the generator (Random123, kat_vectors, philox4x32 10).
TEST(PhiloxTest, GivesThePublishedBlocks) {
  using Block = std::array<uint32_t, 4>;
  EXPECT_EQ(Philox({0, 0, 0, 0}, {0, 0}), (Block{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  const uint32_t f = 0xffffffff;
  EXPECT_EQ(Philox({f, f, f, f}, {f, f}), (Block{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Block{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(UniformTest, TakesTheUpperBitsOfTheWords) {
  float single[5];
  FillUniform(DataType::kSingle, {}, 5, single);
  EXPECT_EQ(single[0], 0x6627e8 * 0x1p-24f);
  EXPECT_EQ(single[3], 0x9b00db * 0x1p-24f);
  double pair[2];
  FillUniform(DataType::kDouble, {}, 2, pair);
  EXPECT_EQ(pair[0], static_cast<double>(0xe169c58d6627e8d5 >> 11) * 0x1p-53);
  EXPECT_EQ(pair[1], static_cast<double>(0x9b00dbd8bc57ac4c >> 11) * 0x1p-53);
}

using Words = std::array<uint32_t, 4>;
const RandomStream kStream = {0x123456789abcdef0u, 0x0fedcba987654321u, 0};

// The mapping of random.h, value by value.
Words BlockOf(const RandomStream& s, uint64_t block) {
  return Philox({static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32),
                 static_cast<uint32_t>(s.subsequence), static_cast<uint32_t>(s.subsequence >> 32)},
                {static_cast<uint32_t>(s.seed), static_cast<uint32_t>(s.seed >> 32)});
}
double DoubleOf(const RandomStream& s, uint64_t i) {
  const Words w = BlockOf(s, i / 2);
  const uint64_t bits = uint64_t{w[2 * (i % 2) + 1]} << 32 | w[2 * (i % 2)];
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

TEST(RandomTest, UniformIsTheStatedMapping) {
  std::vector<float> x(1000);
  std::vector<double> y(1000);
  FillUniform(DataType::kSingle, kStream, 1000, x.data());
  FillUniform(DataType::kDouble, kStream, 1000, y.data());
  for (uint64_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(x[i], static_cast<float>(BlockOf(kStream, i / 4)[i % 4] >> 8) * 0x1p-24f);
    EXPECT_EQ(y[i], DoubleOf(kStream, i));
  }
}

// FNV-1a of the bits. The numbers were recorded from the -v2 form; the test runs under every
// instruction set that the machine has.
uint64_t Hash(const std::vector<double>& x) {
  uint64_t h = 0xcbf29ce484222325u;
  for (const double v : x) {
    uint64_t bits;
    std::memcpy(&bits, &v, 8);
    for (int i = 0; i < 8; ++i) h = (h ^ ((bits >> (8 * i)) & 255)) * 0x100000001b3u;
  }
  return h;
}

TEST(RandomTest, TheBitsAreTheSameEverywhere) {
  std::vector<double> x(100'000);
  FillNormal(DataType::kDouble, kStream, 100'000, x.data());
  EXPECT_EQ(Hash(x), 6220254843939810984u);
  FillUniform(DataType::kDouble, kStream, 100'000, x.data());
  EXPECT_EQ(Hash(x), 15890334182238305089u);
}

template <class T>
void ExpectPartsEqualTheWhole(void (*fill)(DataType, const RandomStream&, int64_t, void*)) {
  const RandomStream stream{
      .seed = 0x123456789abcdef, .subsequence = 5, .offset = (1ull << 33) - 7};
  const int64_t n = 100'000;
  std::vector<T> whole(n), parts(n);
  fill(DataTypeOf<T>(), stream, n, whole.data());
  const int threads = NumThreads();
  SetNumThreads(1);
  for (int64_t i = 0, step = 1; i < n; step = step * 3 + 1) {
    RandomStream rest = stream;
    rest.offset += i;
    fill(DataTypeOf<T>(), rest, std::min(step, n - i), parts.data() + i);
    i += step;
  }
  SetNumThreads(threads);
  EXPECT_EQ(whole, parts);
}

TEST(RandomTest, ValuesDoNotDependOnPartsOrThreads) {
  ExpectPartsEqualTheWhole<float>(FillUniform);
  ExpectPartsEqualTheWhole<double>(FillUniform);
  ExpectPartsEqualTheWhole<float>(FillNormal);
  ExpectPartsEqualTheWhole<double>(FillNormal);
}

TEST(UniformTest, HasTheMomentsOfTheDistributionAndNeverReachesOne) {
  const int64_t n = 1 << 20;
  std::vector<float> x(n);
  FillUniform(DataType::kSingle, {.seed = 1}, n, x.data());
  double mean = 0, square = 0;
  for (float v : x) {
    ASSERT_GE(v, 0);
    ASSERT_LT(v, 1);
    mean += v;
    square += static_cast<double>(v) * v;
  }
  // Five standard errors.
  EXPECT_NEAR(mean / n, 0.5, 5 * std::sqrt(1.0 / 12 / n));
  EXPECT_NEAR(square / n, 1.0 / 3, 5 * std::sqrt(4.0 / 45 / n));
}

TEST(NormalTest, IsTheTransformOfTheUniformValues) {
  const int64_t n = 1 << 20;
  std::vector<double> u(n), x(n);
  FillUniform(DataType::kDouble, {.seed = 2}, n, u.data());
  FillNormal(DataType::kDouble, {.seed = 2}, n, x.data());
  double mean = 0, square = 0, fourth = 0;
  for (int64_t i = 0; i < n; i += 2) {
    const double radius = std::sqrt(-2 * std::log1p(-u[i])), angle = 2 * M_PI * u[i + 1];
    ASSERT_NEAR(x[i], radius * std::cos(angle), 4e-15 * (1 + radius));
    ASSERT_NEAR(x[i + 1], radius * std::sin(angle), 4e-15 * (1 + radius));
    for (double v : {x[i], x[i + 1]}) {
      ASSERT_LE(std::abs(v), 8.572);
      mean += v;
      square += v * v;
      fourth += v * v * v * v;
    }
  }
  EXPECT_NEAR(mean / n, 0, 5 / std::sqrt(n));
  EXPECT_NEAR(square / n, 1, 5 * std::sqrt(2.0 / n));
  EXPECT_NEAR(fourth / n, 3, 5 * std::sqrt(96.0 / n));
}

TEST(NormalTest, SingleValuesAreTheRoundedDoubleOnes) {
  std::vector<double> x(1000);
  std::vector<float> y(1000);
  FillNormal(DataType::kDouble, {.seed = 3}, 1000, x.data());
  FillNormal(DataType::kSingle, {.seed = 3}, 1000, y.data());
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(y[i], static_cast<float>(x[i]));
}

}  // namespace
}  // namespace lamina::cpu
