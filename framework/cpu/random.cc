#include "framework/cpu/random.h"

#include <algorithm>
#include <numbers>

#include "framework/cpu/math.h"
#include "framework/cpu/threads.h"
#include "framework/dlarray/error.h"

// This file is compiled once, for every machine alike and without fused operations: only so are the
// bits the same everywhere.

namespace lamina::cpu {
namespace {

using Block = std::array<uint32_t, 4>;

// Ten rounds take about 40 operations for four words: fewer values than this are not worth a
// second thread.
constexpr int64_t kGrain = 8 * 1024;

Block BlockOf(const RandomStream& s, uint64_t number) {
  return Philox({static_cast<uint32_t>(number), static_cast<uint32_t>(number >> 32),
                 static_cast<uint32_t>(s.subsequence), static_cast<uint32_t>(s.subsequence >> 32)},
                {static_cast<uint32_t>(s.seed), static_cast<uint32_t>(s.seed >> 32)});
}

float UnitSingle(uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }
double UnitDouble(uint32_t low, uint32_t high) {
  const uint64_t bits = static_cast<uint64_t>(high) << 32 | low;
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

// Calls put(i, values) for the blocks of `kPerBlock` values that hold values begin .. end - 1 of
// the request; value i of the request is number stream.offset + i of the stream.
template <int kPerBlock, class T, class Values>
void Fill(const RandomStream& stream, int64_t n, T* out, const Values& values_of) {
  ParallelFor(n, kGrain, [&](int64_t begin, int64_t end) {
    T values[kPerBlock];
    for (int64_t i = begin; i < end;) {
      const uint64_t number = stream.offset + static_cast<uint64_t>(i);
      const int first = static_cast<int>(number % kPerBlock);
      values_of(BlockOf(stream, number / kPerBlock), values);
      const int64_t count = std::min<int64_t>(kPerBlock - first, end - i);
      for (int64_t k = 0; k < count; ++k) out[i + k] = values[first + k];
      i += count;
    }
  });
}

// Taylor series for |r| <= pi / 4, where the first term left out is below 2^-57. The C library's
// functions will not do: their last bits differ from machine to machine.
double SinNear(double r) {
  const double z = r * r;
  return r + r * z *
                 math::Polynomial(z, -1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880,
                                  -1.0 / 39916800, 1.0 / 6227020800, -1.0 / 1307674368000,
                                  1.0 / 355687428096000);
}
double CosNear(double r) {
  const double z = r * r;
  return 1 + z * math::Polynomial(z, -1.0 / 2, 1.0 / 24, -1.0 / 720, 1.0 / 40320, -1.0 / 3628800,
                                  1.0 / 479001600, -1.0 / 87178291200, 1.0 / 20922789888000);
}

// The two values of the standard normal distribution from one block.
void NormalPair(const Block& block, double* pair) {
  const double u = UnitDouble(block[0], block[1]), v = UnitDouble(block[2], block[3]);
  const double radius = math::Sqrt(-2 * math::Log(1 - u));
  // The angle 2 pi v is a number of quarter turns and a rest of at most half a quarter.
  const int quarters = static_cast<int>(4 * v + 0.5);
  const double rest = 2 * std::numbers::pi * (v - 0.25 * quarters);
  const double s = SinNear(rest), c = CosNear(rest);
  const double cos[] = {c, -s, -c, s, c}, sin[] = {s, c, -s, -c, s};
  pair[0] = radius * cos[quarters];
  pair[1] = radius * sin[quarters];
}

}  // namespace

Block Philox(Block counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53} * counter[0];
    const uint64_t b = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(a)};
    // The golden ratio and the square root of 3 less 1, as fractions of 2^32.
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

void FillUniform(DataType type, const RandomStream& stream, int64_t n, void* out) {
  if (type == DataType::kSingle) {
    Fill<4>(stream, n, static_cast<float*>(out), [](const Block& block, float* values) {
      for (int k = 0; k < 4; ++k) values[k] = UnitSingle(block[k]);
    });
    return;
  }
  LAMINA_CHECK(type == DataType::kDouble);
  Fill<2>(stream, n, static_cast<double*>(out), [](const Block& block, double* values) {
    values[0] = UnitDouble(block[0], block[1]);
    values[1] = UnitDouble(block[2], block[3]);
  });
}

void FillNormal(DataType type, const RandomStream& stream, int64_t n, void* out) {
  if (type == DataType::kSingle) {
    Fill<2>(stream, n, static_cast<float*>(out), [](const Block& block, float* values) {
      double pair[2];
      NormalPair(block, pair);
      values[0] = static_cast<float>(pair[0]);
      values[1] = static_cast<float>(pair[1]);
    });
    return;
  }
  LAMINA_CHECK(type == DataType::kDouble);
  Fill<2>(stream, n, static_cast<double*>(out), NormalPair);
}

}  // namespace lamina::cpu
