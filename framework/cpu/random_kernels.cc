// Compiled once for each instruction set, with LAMINA_ISA set to its name (see multi_isa.bzl), and
// with -ffp-contract=off: without fused operations every step is rounded as IEEE 754 says, so all
// forms give the same bits.

#include "framework/cpu/random_kernels.h"

#include "framework/cpu/math.h"
#include "framework/cpu/philox.h"

namespace lamina::cpu {
inline namespace LAMINA_ISA {
namespace {

// The four words of each block of a group, word by word.
struct Words {
  uint32_t w[4][kGroupBlocks];
};

void MakeWords(uint64_t seed, uint64_t subsequence, uint64_t first, Words* words) {
  for (int b = 0; b < kGroupBlocks; ++b) {
    const uint64_t block = first + static_cast<uint64_t>(b);
    PhiloxState s = {static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32),
                     static_cast<uint32_t>(subsequence), static_cast<uint32_t>(subsequence >> 32)};
    s = PhiloxRounds(s, static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32));
    words->w[0][b] = s.c0;
    words->w[1][b] = s.c1;
    words->w[2][b] = s.c2;
    words->w[3][b] = s.c3;
  }
}

void UniformSingle(uint64_t seed, uint64_t subsequence, uint64_t first, float* out) {
  Words words;
  MakeWords(seed, subsequence, first, &words);
  for (int b = 0; b < kGroupBlocks; ++b) {
    for (int k = 0; k < 4; ++k) {
      out[4 * b + k] = static_cast<float>(static_cast<int32_t>(words.w[k][b] >> 8)) * 0x1p-24f;
    }
  }
}

// The upper 53 bits of a number of 64, times 2^-53; exact in every step.
double ToUnit(uint32_t low, uint32_t high) {
  const double upper = static_cast<double>(static_cast<int32_t>(high >> 5));  // 27 bits
  const uint32_t rest = (high & 31) << 21 | low >> 11;                        // 26 bits
  return upper * 0x1p-27 + static_cast<double>(static_cast<int32_t>(rest)) * 0x1p-53;
}

void UniformDouble(uint64_t seed, uint64_t subsequence, uint64_t first, double* out) {
  Words words;
  MakeWords(seed, subsequence, first, &words);
  for (int b = 0; b < kGroupBlocks; ++b) {
    out[2 * b] = ToUnit(words.w[0][b], words.w[1][b]);
    out[2 * b + 1] = ToUnit(words.w[2][b], words.w[3][b]);
  }
}

void Normal(uint64_t seed, uint64_t subsequence, uint64_t first, double* out) {
  Words words;
  MakeWords(seed, subsequence, first, &words);
  double cosines[kGroupBlocks], sines[kGroupBlocks];
  for (int b = 0; b < kGroupBlocks; ++b) {
    const double u = ToUnit(words.w[0][b], words.w[1][b]);
    const double v = ToUnit(words.w[2][b], words.w[3][b]);
    const double radius = math::Sqrt(-2 * math::Log(1 - u));
    // 2 pi v = quarters pi / 2 + r, |r| <= pi / 4; the subtraction is exact.
    const math::Rounded<double> quarters = math::RoundToInteger(4 * v);
    const double r = (4 * v - quarters.value) * 1.57079632679489661923;
    // Taylor series: the first terms left out are below 2^-56.
    const double z = r * r;
    const double s =
        r + r * z *
                math::Polynomial(z, -1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880, -1.0 / 39916800,
                                 1.0 / 6227020800, -1.0 / 1307674368000);
    const double c =
        1 + z * math::Polynomial(z, -1.0 / 2, 1.0 / 24, -1.0 / 720, 1.0 / 40320, -1.0 / 3628800,
                                 1.0 / 479001600, -1.0 / 87178291200, 1.0 / 20922789888000);
    const bool odd = (quarters.integer & 1) != 0;
    const double cosine = odd ? s : c, sine = odd ? c : s;
    cosines[b] = radius * (((quarters.integer + 1) & 2) != 0 ? -cosine : cosine);
    sines[b] = radius * ((quarters.integer & 2) != 0 ? -sine : sine);
  }
  for (int b = 0; b < kGroupBlocks; ++b) {
    out[2 * b] = cosines[b];
    out[2 * b + 1] = sines[b];
  }
}

constexpr RandomKernels kKernels = {UniformSingle, UniformDouble, Normal};

}  // namespace

const RandomKernels& FindRandomKernels() { return kKernels; }

}  // namespace LAMINA_ISA
}  // namespace lamina::cpu
