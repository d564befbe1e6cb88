#include "framework/ops/testing/bfloat16_numbers.h"

#include <bit>
#include <cmath>
#include <vector>

namespace lamina {
namespace {

// The number with this upper half, as if 2^128 were finite.
double Value(uint32_t upper) {
  const int sign = upper >> 15 ? -1 : 1;
  const int exponent = static_cast<int>(upper >> 7 & 0xff),
            fraction = static_cast<int>(upper & 0x7f);
  if (exponent == 0) return sign * std::ldexp(fraction, -126 - 7);
  return sign * std::ldexp(128 + fraction, exponent - 127 - 7);
}

float Nearest(float x) {
  if (!std::isfinite(x)) return x;
  const uint32_t below = std::bit_cast<uint32_t>(x) >> 16, above = below + 1;  // By magnitude.
  const double to_below = std::abs(x - Value(below)), to_above = std::abs(x - Value(above));
  const bool takes_below = to_below < to_above || (to_below == to_above && below % 2 == 0);
  return std::bit_cast<float>((takes_below ? below : above) << 16);
}

}  // namespace

DlArray NumbersAroundBfloat16() {
  std::vector<float> numbers;
  for (uint32_t upper = 0; upper < 0x10000; ++upper) {
    for (const uint32_t lower : {0x0000, 0x0001, 0x1234, 0x7fff, 0x8000, 0x8001, 0xabcd, 0xffff}) {
      numbers.push_back(std::bit_cast<float>(upper << 16 | lower));
    }
  }
  return DlArray::FromVector(numbers, {static_cast<int64_t>(numbers.size())});
}

::testing::AssertionResult IsNearestBfloat16(const DlArray& x, const DlArray& y) {
  if (y.spec() != x.spec()) return ::testing::AssertionFailure() << ToString(y.spec());
  const float *from = x.Data<float>(), *came = y.Data<float>();
  for (int64_t i = 0; i < x.numel(); ++i) {
    const float expected = Nearest(from[i]);
    if (std::isnan(expected) && std::isnan(came[i])) continue;
    if (std::bit_cast<uint32_t>(expected) == std::bit_cast<uint32_t>(came[i])) continue;
    return ::testing::AssertionFailure()
           << std::hexfloat << from[i] << " became " << came[i] << " instead of " << expected;
  }
  return ::testing::AssertionSuccess();
}

}  // namespace lamina
