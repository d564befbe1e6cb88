#ifndef FRAMEWORK_CPU_PHILOX_H_
#define FRAMEWORK_CPU_PHILOX_H_

// The ten rounds of Philox4x32: see random.h. Only integers, so every machine gives the same bits.

#include <cstdint>

#include "framework/cpu/isa_namespace.h"

namespace lamina::cpu {
inline namespace LAMINA_ISA {

struct PhiloxState {
  uint32_t c0, c1, c2, c3;
};

inline PhiloxState PhiloxRounds(PhiloxState s, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53} * s.c0, b = uint64_t{0xCD9E8D57} * s.c2;
    s = {static_cast<uint32_t>(b >> 32) ^ s.c1 ^ key0, static_cast<uint32_t>(b),
         static_cast<uint32_t>(a >> 32) ^ s.c3 ^ key1, static_cast<uint32_t>(a)};
    key0 += 0x9E3779B9;  // the golden ratio
    key1 += 0xBB67AE85;  // sqrt(3) - 1
  }
  return s;
}

}  // namespace LAMINA_ISA
}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_PHILOX_H_
