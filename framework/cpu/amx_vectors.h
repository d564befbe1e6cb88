#ifndef FRAMEWORK_CPU_AMX_VECTORS_H_
#define FRAMEWORK_CPU_AMX_VECTORS_H_

// What kernels on the matrix unit (amx.h) share: vectors of 16 numbers on the way to its tiles.
// Included only by units that are compiled with AMX_COPTS, so that all copies are alike.

#include <immintrin.h>

#include <cstdint>

namespace lamina::cpu::amx {

typedef float Floats __attribute__((vector_size(64)));
// May be stored to, and loaded from, arrays of bfloat16.
typedef uint32_t Bits __attribute__((vector_size(64), may_alias));

// The nearest bfloat16 to each number, as singles; halves away from 0.
inline __attribute__((always_inline)) Bits RoundToBfloat16(Floats x) {
  return ((Bits)x + 0x8000) & 0xffff0000;
}

// Two bfloat16 that follow each other in memory, for each lane.
inline __attribute__((always_inline)) Bits Pair(Bits first, Bits second) {
  return first >> 16 | (second & 0xffff0000);
}

inline __mmask16 FirstLanes(int64_t n) {
  return n >= 16 ? 0xffff : n <= 0 ? 0 : static_cast<__mmask16>((1u << n) - 1);
}

// A tile as a square of 16 x 16 pairs of bfloat16, in place.
inline void TransposeTile(uint16_t* tile) {
  auto* const at = reinterpret_cast<Bits*>(tile);
  Bits a[16], b[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) a[i] = at[i];
  const Bits low = {0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23}, high = low + 8;
#pragma GCC unroll 4
  for (int round = 0; round < 4; ++round) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      b[2 * i] = __builtin_shuffle(a[i], a[i + 8], low);
      b[2 * i + 1] = __builtin_shuffle(a[i], a[i + 8], high);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) a[i] = b[i];
  }
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) at[i] = a[i];
}

}  // namespace lamina::cpu::amx

#endif  // FRAMEWORK_CPU_AMX_VECTORS_H_
