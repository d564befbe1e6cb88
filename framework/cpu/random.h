#ifndef FRAMEWORK_CPU_RANDOM_H_
#define FRAMEWORK_CPU_RANDOM_H_

// Random numbers from a counter: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random
// numbers: as easy as 1, 2, 3", SC 2011). There is no state; value number i of a stream depends
// only on (seed, subsequence, i), so it does not matter who computes it, in which order, on how
// many threads, or on which machine: the bits are the same.
//
// Threads: pure functions; large work is split with ParallelFor.
//
//   cpu::FillUniform(DataType::kSingle, {.seed = 1, .subsequence = 0, .offset = 0}, 100, x);
//   // the same 100 values in two parts
//   cpu::FillUniform(DataType::kSingle, {.seed = 1, .subsequence = 0, .offset = 0}, 37, x);
//   cpu::FillUniform(DataType::kSingle, {.seed = 1, .subsequence = 0, .offset = 37}, 63, x + 37);

#include <array>
#include <cstdint>

#include "framework/dlarray/data_type.h"

namespace lamina::cpu {

/// One block: the ten rounds of Philox4x32 applied to `counter` under `key`.
std::array<uint32_t, 4> Philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

/// Where in which stream. Words: value i takes its bits from the block with the counter
/// (low and high half of the block number, low and high half of the subsequence) and the key (low
/// and high half of the seed). Single: block i / 4, word i mod 4. Double: block i / 2, words
/// 2 (i mod 2) (low half) and 2 (i mod 2) + 1 (high half).
struct RandomStream {
  uint64_t seed = 0;
  uint64_t subsequence = 0;
  uint64_t offset = 0;  ///< number of the first value
};

/// n values, equally spaced in [0, 1): the upper 24 bits of the word times 2^-24 (single), the
/// upper 53 bits of the 64-bit number times 2^-53 (double). Never 1. Types: single, double.
void FillUniform(DataType type, const RandomStream& stream, int64_t n, void* out);

/// n values of the standard normal distribution by Box and Muller (1958): values 2 j and 2 j + 1
/// are
///   r cos(2 pi v), r sin(2 pi v),  r = sqrt(-2 log(1 - u))
/// of the uniform values u = number 2 j, v = number 2 j + 1 of the double stream with the same seed
/// and subsequence, evaluated in double with our own series (no library function, no fused
/// operation: the same bits on every machine) and, for single, rounded at the end.
/// |value| <= 8.572. Types: single, double.
void FillNormal(DataType type, const RandomStream& stream, int64_t n, void* out);

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_RANDOM_H_
