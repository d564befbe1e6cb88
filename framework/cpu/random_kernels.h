#ifndef FRAMEWORK_CPU_RANDOM_KERNELS_H_
#define FRAMEWORK_CPU_RANDOM_KERNELS_H_

// Inside of random.h: making the values of one group of blocks, compiled for each instruction set.

#include <cstdint>

#include "framework/cpu/isa_namespace.h"

namespace lamina::cpu {

// Blocks that are computed together.
inline constexpr int kGroupBlocks = 64;

struct RandomKernels {
  // The values of blocks first .. first + kGroupBlocks - 1: 4 (single) or 2 (double, both normal
  // forms) of each block.
  void (*uniform_single)(uint64_t seed, uint64_t subsequence, uint64_t first, float* out);
  void (*uniform_double)(uint64_t seed, uint64_t subsequence, uint64_t first, double* out);
  void (*normal)(uint64_t seed, uint64_t subsequence, uint64_t first, double* out);
};

namespace v2 {
const RandomKernels& FindRandomKernels();
}
namespace v3 {
const RandomKernels& FindRandomKernels();
}
namespace v4 {
const RandomKernels& FindRandomKernels();
}

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_RANDOM_KERNELS_H_
