#ifndef FRAMEWORK_CPU_MATH_TRIGONOMETRIC_H_
#define FRAMEWORK_CPU_MATH_TRIGONOMETRIC_H_

// Sine and its family. For float everything is computed in double, over the whole range of x, and
// rounded once; double goes to the C library. See math.h for the promises.

#include "framework/cpu/math_basic.h"

namespace lamina::cpu {
inline namespace LAMINA_ISA {
namespace math {

// Bits of 2 / pi, after Payne and Hanek (1983). Row r serves the floats below 2^(26 + r): it leaves
// out the bits whose product with such a float is a multiple of 4 (whole turns), and holds the
// next 28, 28 and 53. A float has 24 bits, so the first two products are exact in double.
inline constexpr double kTwoOverPiHead[103] = {
    0xa2f9836p-28,  0x45f306dp-29,  0x8be60dbp-30,  0x17cc1b7p-31,  0x2f9836ep-32,  0x5f306dcp-33,
    0xbe60db9p-34,  0x7cc1b72p-35,  0xf9836e4p-36,  0xf306dc9p-37,  0xe60db93p-38,  0xcc1b727p-39,
    0x9836e4ep-40,  0x306dc9cp-41,  0x60db939p-42,  0xc1b7272p-43,  0x836e4e4p-44,  0x6dc9c8p-45,
    0xdb9391p-46,   0x1b72722p-47,  0x36e4e44p-48,  0x6dc9c88p-49,  0xdb93910p-50,  0xb727220p-51,
    0x6e4e441p-52,  0xdc9c882p-53,  0xb939105p-54,  0x727220ap-55,  0xe4e4415p-56,  0xc9c882ap-57,
    0x9391054p-58,  0x27220a9p-59,  0x4e44152p-60,  0x9c882a5p-61,  0x391054ap-62,  0x7220a94p-63,
    0xe441529p-64,  0xc882a53p-65,  0x91054a7p-66,  0x220a94fp-67,  0x441529fp-68,  0x882a53fp-69,
    0x1054a7fp-70,  0x20a94fep-71,  0x41529fcp-72,  0x82a53f8p-73,  0x54a7f0p-74,   0xa94fe1p-75,
    0x1529fc2p-76,  0x2a53f84p-77,  0x54a7f09p-78,  0xa94fe13p-79,  0x529fc27p-80,  0xa53f84ep-81,
    0x4a7f09dp-82,  0x94fe13ap-83,  0x29fc275p-84,  0x53f84eap-85,  0xa7f09d5p-86,  0x4fe13abp-87,
    0x9fc2757p-88,  0x3f84eafp-89,  0x7f09d5fp-90,  0xfe13abep-91,  0xfc2757dp-92,  0xf84eafap-93,
    0xf09d5f4p-94,  0xe13abe8p-95,  0xc2757d1p-96,  0x84eafa3p-97,  0x9d5f47p-98,   0x13abe8fp-99,
    0x2757d1fp-100, 0x4eafa3ep-101, 0x9d5f47dp-102, 0x3abe8fap-103, 0x757d1f5p-104, 0xeafa3eap-105,
    0xd5f47d4p-106, 0xabe8fa9p-107, 0x57d1f53p-108, 0xafa3ea6p-109, 0x5f47d4dp-110, 0xbe8fa9ap-111,
    0x7d1f534p-112, 0xfa3ea69p-113, 0xf47d4d3p-114, 0xe8fa9a6p-115, 0xd1f534dp-116, 0xa3ea69bp-117,
    0x47d4d37p-118, 0x8fa9a6ep-119, 0x1f534ddp-120, 0x3ea69bbp-121, 0x7d4d377p-122, 0xfa9a6eep-123,
    0xf534ddcp-124, 0xea69bb8p-125, 0xd4d3770p-126, 0xa9a6ee0p-127, 0x534ddc0p-128, 0xa69bb81p-129,
    0x4d37703p-130};
inline constexpr double kTwoOverPiMiddle[103] = {
    0xe4e4415p-56,  0xc9c882ap-57,  0x9391054p-58,  0x27220a9p-59,  0x4e44152p-60,  0x9c882a5p-61,
    0x391054ap-62,  0x7220a94p-63,  0xe441529p-64,  0xc882a53p-65,  0x91054a7p-66,  0x220a94fp-67,
    0x441529fp-68,  0x882a53fp-69,  0x1054a7fp-70,  0x20a94fep-71,  0x41529fcp-72,  0x82a53f8p-73,
    0x54a7f0p-74,   0xa94fe1p-75,   0x1529fc2p-76,  0x2a53f84p-77,  0x54a7f09p-78,  0xa94fe13p-79,
    0x529fc27p-80,  0xa53f84ep-81,  0x4a7f09dp-82,  0x94fe13ap-83,  0x29fc275p-84,  0x53f84eap-85,
    0xa7f09d5p-86,  0x4fe13abp-87,  0x9fc2757p-88,  0x3f84eafp-89,  0x7f09d5fp-90,  0xfe13abep-91,
    0xfc2757dp-92,  0xf84eafap-93,  0xf09d5f4p-94,  0xe13abe8p-95,  0xc2757d1p-96,  0x84eafa3p-97,
    0x9d5f47p-98,   0x13abe8fp-99,  0x2757d1fp-100, 0x4eafa3ep-101, 0x9d5f47dp-102, 0x3abe8fap-103,
    0x757d1f5p-104, 0xeafa3eap-105, 0xd5f47d4p-106, 0xabe8fa9p-107, 0x57d1f53p-108, 0xafa3ea6p-109,
    0x5f47d4dp-110, 0xbe8fa9ap-111, 0x7d1f534p-112, 0xfa3ea69p-113, 0xf47d4d3p-114, 0xe8fa9a6p-115,
    0xd1f534dp-116, 0xa3ea69bp-117, 0x47d4d37p-118, 0x8fa9a6ep-119, 0x1f534ddp-120, 0x3ea69bbp-121,
    0x7d4d377p-122, 0xfa9a6eep-123, 0xf534ddcp-124, 0xea69bb8p-125, 0xd4d3770p-126, 0xa9a6ee0p-127,
    0x534ddc0p-128, 0xa69bb81p-129, 0x4d37703p-130, 0x9a6ee06p-131, 0x34ddc0dp-132, 0x69bb81bp-133,
    0xd377036p-134, 0xa6ee06dp-135, 0x4ddc0dbp-136, 0x9bb81b6p-137, 0x377036dp-138, 0x6ee06dbp-139,
    0xddc0db6p-140, 0xbb81b6cp-141, 0x77036d8p-142, 0xee06db1p-143, 0xdc0db62p-144, 0xb81b6c5p-145,
    0x7036d8ap-146, 0xe06db14p-147, 0xc0db629p-148, 0x81b6c52p-149, 0x36d8a5p-150,  0x6db14ap-151,
    0xdb6295p-152,  0x1b6c52bp-153, 0x36d8a56p-154, 0x6db14acp-155, 0xdb62959p-156, 0xb6c52b3p-157,
    0x6d8a566p-158};
inline constexpr double kTwoOverPiTail[103] = {
    0x53f84eafa3ea6p-109,  0xa7f09d5f47d4dp-110,  0x14fe13abe8fa9ap-111, 0x9fc2757d1f534p-112,
    0x13f84eafa3ea69p-113, 0x7f09d5f47d4d3p-114,  0xfe13abe8fa9a6p-115,  0x1fc2757d1f534dp-116,
    0x1f84eafa3ea69bp-117, 0x1f09d5f47d4d37p-118, 0x1e13abe8fa9a6ep-119, 0x1c2757d1f534ddp-120,
    0x184eafa3ea69bbp-121, 0x109d5f47d4d377p-122, 0x13abe8fa9a6eep-123,  0x2757d1f534ddcp-124,
    0x4eafa3ea69bb8p-125,  0x9d5f47d4d3770p-126,  0x13abe8fa9a6ee0p-127, 0x757d1f534ddc0p-128,
    0xeafa3ea69bb81p-129,  0x1d5f47d4d37703p-130, 0x1abe8fa9a6ee06p-131, 0x157d1f534ddc0dp-132,
    0xafa3ea69bb81bp-133,  0x15f47d4d377036p-134, 0xbe8fa9a6ee06dp-135,  0x17d1f534ddc0dbp-136,
    0xfa3ea69bb81b6p-137,  0x1f47d4d377036dp-138, 0x1e8fa9a6ee06dbp-139, 0x1d1f534ddc0db6p-140,
    0x1a3ea69bb81b6cp-141, 0x147d4d377036d8p-142, 0x8fa9a6ee06db1p-143,  0x11f534ddc0db62p-144,
    0x3ea69bb81b6c5p-145,  0x7d4d377036d8ap-146,  0xfa9a6ee06db14p-147,  0x1f534ddc0db629p-148,
    0x1ea69bb81b6c52p-149, 0x1d4d377036d8a5p-150, 0x1a9a6ee06db14ap-151, 0x1534ddc0db6295p-152,
    0xa69bb81b6c52bp-153,  0x14d377036d8a56p-154, 0x9a6ee06db14acp-155,  0x134ddc0db62959p-156,
    0x69bb81b6c52b3p-157,  0xd377036d8a566p-158,  0x1a6ee06db14accp-159, 0x14ddc0db629599p-160,
    0x9bb81b6c52b32p-161,  0x1377036d8a5664p-162, 0x6ee06db14acc9p-163,  0xddc0db6295993p-164,
    0x1bb81b6c52b327p-165, 0x177036d8a5664fp-166, 0xee06db14acc9ep-167,  0x1dc0db6295993cp-168,
    0x1b81b6c52b3278p-169, 0x17036d8a5664f1p-170, 0xe06db14acc9e2p-171,  0x1c0db6295993c4p-172,
    0x181b6c52b32788p-173, 0x1036d8a5664f10p-174, 0x6db14acc9e21p-175,   0xdb6295993c43p-176,
    0x1b6c52b327887p-177,  0x36d8a5664f10ep-178,  0x6db14acc9e21cp-179,  0xdb6295993c439p-180,
    0x1b6c52b3278872p-181, 0x16d8a5664f10e4p-182, 0xdb14acc9e21c8p-183,  0x1b6295993c4390p-184,
    0x16c52b32788720p-185, 0xd8a5664f10e41p-186,  0x1b14acc9e21c82p-187, 0x16295993c43904p-188,
    0xc52b327887208p-189,  0x18a5664f10e410p-190, 0x114acc9e21c820p-191, 0x295993c439041p-192,
    0x52b3278872083p-193,  0xa5664f10e4107p-194,  0x14acc9e21c820fp-195, 0x95993c439041fp-196,
    0x12b3278872083fp-197, 0x5664f10e4107fp-198,  0xacc9e21c820ffp-199,  0x15993c439041fep-200,
    0xb3278872083fcp-201,  0x1664f10e4107f9p-202, 0xcc9e21c820ff2p-203,  0x1993c439041fe5p-204,
    0x13278872083fcap-205, 0x64f10e4107f94p-206,  0xc9e21c820ff28p-207,  0x193c439041fe51p-208,
    0x1278872083fca2p-209, 0x4f10e4107f945p-210,  0x9e21c820ff28bp-211};

// x = (turns + 4 k) pi/2 + r, |r| <= pi/4 and a bit, `turns` taken modulo 4.
struct QuarterTurns {
  double r;
  int64_t turns;
};
inline QuarterTurns ReduceQuarterTurns(float x) {
  // As a double, x has the biased exponent e for 2^(e - 1023) <= |x|. The lowest of its 24 bits
  // then weighs 2^(e - 1046), and the bits of 2 / pi above weight 2^(1048 - e) do not matter.
  const double v = static_cast<double>(x);
  int64_t row = ((ToBits(v) >> 52) & 2047) - 1048;
  row = row < 0 ? 0 : row;
  row = row > 102 ? 102 : row;  // inf and NaN: NaN comes of them anyway
  const double a = v * kTwoOverPiHead[row];
  const double b = v * kTwoOverPiMiddle[row];
  const Rounded<double> n = RoundToInteger(a + b);
  const double fraction = ((a - n.value) + b) + v * kTwoOverPiTail[row];
  return {fraction * 1.57079632679489661923, n.integer & 3};
}

// Taylor series: the first terms left out are below 1e-11.
inline double SinNearZero(double r) {
  const double z = r * r;
  return r + r * z * Polynomial(z, -1.0 / 6, 1.0 / 120, -1.0 / 5040, 1.0 / 362880, -1.0 / 39916800);
}
inline double CosNearZero(double r) {
  const double z = r * r;
  return 1 + z * Polynomial(z, -0.5, 1.0 / 24, -1.0 / 720, 1.0 / 40320, -1.0 / 3628800,
                            1.0 / 479001600);
}

inline float Sin(float x) {
  const QuarterTurns q = ReduceQuarterTurns(x);
  const double s = SinNearZero(q.r), c = CosNearZero(q.r);
  const double y = (q.turns & 1) != 0 ? c : s;
  const float result = static_cast<float>((q.turns & 2) != 0 ? -y : y);
  return x == 0 ? x : result;
}
inline double Sin(double x) { return __builtin_sin(x); }

inline float Cos(float x) {
  const QuarterTurns q = ReduceQuarterTurns(x);
  const double s = SinNearZero(q.r), c = CosNearZero(q.r);
  const double y = (q.turns & 1) != 0 ? s : c;
  return static_cast<float>(((q.turns + 1) & 2) != 0 ? -y : y);
}
inline double Cos(double x) { return __builtin_cos(x); }

inline float Tan(float x) {
  const QuarterTurns q = ReduceQuarterTurns(x);
  const double s = SinNearZero(q.r), c = CosNearZero(q.r);
  const bool odd = (q.turns & 1) != 0;
  const float result = static_cast<float>((odd ? -c : s) / (odd ? s : c));
  return x == 0 ? x : result;
}
inline double Tan(double x) { return __builtin_tan(x); }

// atan(t), 0 <= t <= 1, error below 1e-11.
inline double AtanBelowOne(double t) {
  const double z = t * t;
  return t +
         t * z *
             Polynomial(z, -0.33333333332308579805, 0.19999999652693451211, -0.14285694570640293269,
                        0.11110666303625419355, -0.090856241778870715574, 0.076542954726443985952,
                        -0.064870623566065624307, 0.05294390881619926865, -0.038767022568525906968,
                        0.023248373698435818221, -0.010257166271499645462, 0.0028754856099434249131,
                        -0.00037788580766626091694);
}

// The angle of the point (x, y), y >= 0, in [0, pi]; 0 for (+0, 0), pi for (-0, 0).
inline double Angle(double y, double x) {
  const double a = Abs(x);
  const bool steep = y > a;
  const double low = steep ? a : y, high = steep ? y : a;
  double t = low / high;
  t = high == 0 ? 0.0 : t;
  t = low == static_cast<double>(__builtin_inf()) ? 1.0 : t;  // both infinite: 45 degrees
  double angle = AtanBelowOne(t);
  angle = steep ? 1.57079632679489661923 - angle : angle;
  return CopySign(1.0, x) < 0 ? 3.14159265358979323846 - angle : angle;
}

inline float Atan2(float y, float x) {
  const double angle = Angle(static_cast<double>(Abs(y)), static_cast<double>(x));
  const float result = CopySign(static_cast<float>(angle), y);
  return (x != x) | (y != y) ? x + y : result;
}
inline double Atan2(double y, double x) { return __builtin_atan2(y, x); }

inline float Atan(float x) {
  const float result = CopySign(static_cast<float>(Angle(static_cast<double>(Abs(x)), 1.0)), x);
  return x != x ? x : result;
}
inline double Atan(double x) { return __builtin_atan(x); }

inline float Asin(float x) {
  const double a = static_cast<double>(Abs(x));
  const float result = CopySign(static_cast<float>(Angle(a, Sqrt((1 - a) * (1 + a)))), x);
  return a <= 1 ? result : __builtin_nanf("");
}
inline double Asin(double x) { return __builtin_asin(x); }

inline float Acos(float x) {
  const double v = static_cast<double>(x);
  const float result = static_cast<float>(Angle(Sqrt((1 - v) * (1 + v)), v));
  return (x >= -1) & (x <= 1) ? result : __builtin_nanf("");
}
inline double Acos(double x) { return __builtin_acos(x); }

}  // namespace math
}  // namespace LAMINA_ISA
}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_MATH_TRIGONOMETRIC_H_
