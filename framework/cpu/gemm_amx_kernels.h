#ifndef FRAMEWORK_CPU_GEMM_AMX_KERNELS_H_
#define FRAMEWORK_CPU_GEMM_AMX_KERNELS_H_

// Inside of gemm_amx.h: what one thread does. How matrices are divided stands in gemm_amx.cc.

#include <cstdint>

#include "framework/cpu/amx.h"

namespace lamina::cpu::amx {

inline constexpr int64_t kPanel = 2 * kTile;  // rows or columns of C in a panel
inline constexpr float kScale = 0x1p24f;      // numbers are multiplied by it before they are split
inline constexpr float kUnscale = 1 / (kScale * kScale);

// A factor of a product: element (i, l) is data[i ld + l] if `along`, or data[i + l ld], where i
// lies along C's rows or columns.
struct Factor {
  const float* data;
  int64_t ld;
  bool along;
  int64_t size;  // how many i
};

constexpr int64_t TilesOf(int64_t size) { return (size + kTile - 1) / kTile; }
// bfloat16 numbers of a panel of that many i, and k numbers of each.
constexpr int64_t PackedSize(int64_t size, int64_t k) {
  return TilesOf(size) * ((k + kStep - 1) / kStep) * 3 * kTile * kStep;
}

struct GemmKernels {
  // Splits the elements (i, l) for i in [first, first + size) and l in [start, start + k) to panels
  // that are panel_size apart; `right`: for the right panels of `multiply`.
  void (*pack)(const Factor& from, int64_t first, int64_t size, int64_t start, int64_t k,
               bool right, uint16_t* to, int64_t panel_size);
  // Asks the caches for part `part` of `parts` of what `pack` would read.
  void (*prefetch)(const Factor& from, int64_t first, int64_t size, int64_t start, int64_t k,
                   int64_t part, int64_t parts);
  // Where there is an AmxTiles: C = factor left right + beta C, C with columns that are ldc apart
  // and lie along the rows of the left panel. False, and C as before, if a sum is not finite. sum:
  // memory for kPanel x kPanel.
  bool (*multiply)(const uint16_t* left, int64_t columns, const uint16_t* right, int64_t rows,
                   int64_t k, float factor, float beta, float* c, int64_t ldc, float* sum);
};
const GemmKernels& FindGemmKernels();

}  // namespace lamina::cpu::amx

#endif  // FRAMEWORK_CPU_GEMM_AMX_KERNELS_H_
