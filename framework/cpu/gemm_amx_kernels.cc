// Tiles of the matrix unit. Compiled for processors with AMX alone; uses no inline function that
// other units have.
//
// Two bfloat16 that follow each other in a row are those of k and k + 16, in both factors, so that
// pairs are made lane by lane.

#include "framework/cpu/gemm_amx_kernels.h"

#include <immintrin.h>

#include "framework/cpu/amx_vectors.h"

namespace lamina::cpu::amx {
namespace {

constexpr int64_t kTileSize = kTile * kStep;

struct Parts {
  Bits high, middle, low;
};
// Rounded to nearest, so that the third part is exact.
inline __attribute__((always_inline)) Parts Split(Floats x) {
  x *= kScale;
  Parts p;
  p.high = RoundToBfloat16(x);
  const Floats rest = x - (Floats)p.high;
  p.middle = RoundToBfloat16(rest);
  p.low = (Bits)(rest - (Floats)p.middle);
  return p;
}
// The three parts of 16 pairs, `part` apart.
inline __attribute__((always_inline)) void StorePairs(Floats first, Floats second, int64_t part,
                                                      uint16_t* to) {
  const Parts p = Split(first), q = Split(second);
  *reinterpret_cast<Bits*>(to) = Pair(p.high, q.high);
  *reinterpret_cast<Bits*>(to + part) = Pair(p.middle, q.middle);
  *reinterpret_cast<Bits*>(to + 2 * part) = Pair(p.low, q.low);
}

// Splits the elements (i, l) for i in [first, first + size), at most a panel, and l in
// [start, start + k), at most kStep, to tiles that have zeros where there are no elements.
// `right`: for the second factor of the unit, whose i lie along the columns of a tile of sums.
void PackStep(const Factor& from, int64_t first, int64_t size, int64_t start, int64_t k, bool right,
              uint16_t* to) {
  const int64_t tiles = TilesOf(size), part = tiles * kTileSize;
  for (int64_t t = 0; t < tiles; ++t, to += kTileSize) {
    const int64_t i0 = first + t * kTile, rows = size - t * kTile;
    if (from.along) {
      const float* x = from.data + i0 * from.ld + start;
      const __mmask16 low = FirstLanes(k), high = FirstLanes(k - kTile);
      for (int64_t i = 0; i < kTile; ++i, x += from.ld) {
        StorePairs(_mm512_maskz_loadu_ps(i < rows ? low : 0, x),
                   _mm512_maskz_loadu_ps(i < rows ? high : 0, x + kTile), part, to + i * kStep);
      }
    } else {
      const float* x = from.data + i0 + start * from.ld;
      const __mmask16 lanes = FirstLanes(rows);
      for (int64_t l = 0; l < kTile; ++l, x += from.ld) {
        StorePairs(_mm512_maskz_loadu_ps(l < k ? lanes : 0, x),
                   _mm512_maskz_loadu_ps(l + kTile < k ? lanes : 0, x + kTile * from.ld), part,
                   to + l * kStep);
      }
    }
    if (from.along == right) {
      for (int q = 0; q < 3; ++q) TransposeTile(to + q * part);
    }
  }
}

// Registers: 0 to 3 are sums, 4 and 5 of the left panel, 6 and 7 of the right one.
#define LAMINA_TILES_LEFT(part)                        \
  _tile_loadd(4, left + (part)*kRows * kTileSize, 64); \
  if constexpr (kRows > 1) _tile_loadd(5, left + ((part)*kRows + 1) * kTileSize, 64);
#define LAMINA_TILES_RIGHT(part)                           \
  _tile_loadd(6, right + (part)*kColumns * kTileSize, 64); \
  if constexpr (kColumns > 1) _tile_loadd(7, right + ((part)*kColumns + 1) * kTileSize, 64);
#define LAMINA_TILES_MULTIPLY                          \
  _tile_dpbf16ps(0, 4, 6);                             \
  if constexpr (kColumns > 1) _tile_dpbf16ps(1, 4, 7); \
  if constexpr (kRows > 1) _tile_dpbf16ps(2, 5, 6);    \
  if constexpr (kRows > 1 && kColumns > 1) _tile_dpbf16ps(3, 5, 7);

// sum = left right, row-major with rows of kPanel, for packed panels of kRows and kColumns tiles.
template <int kRows, int kColumns>
void TileProduct(const uint16_t* left, const uint16_t* right, int64_t steps, float* sum) {
  // The compiler does not know that tiles are loaded from memory.
  __asm__ volatile("" ::: "memory");
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (int64_t s = 0; s < steps; ++s) {
    LAMINA_TILES_RIGHT(0)
    LAMINA_TILES_LEFT(2)
    LAMINA_TILES_MULTIPLY
    LAMINA_TILES_LEFT(1)
    LAMINA_TILES_MULTIPLY
    LAMINA_TILES_RIGHT(1)
    LAMINA_TILES_MULTIPLY
    LAMINA_TILES_LEFT(0)
    LAMINA_TILES_MULTIPLY
    LAMINA_TILES_RIGHT(2)
    LAMINA_TILES_MULTIPLY
    LAMINA_TILES_RIGHT(0)
    LAMINA_TILES_MULTIPLY
    left += 3 * kRows * kTileSize;
    right += 3 * kColumns * kTileSize;
  }
  constexpr int64_t kRow = kPanel * sizeof(float);
  float* const below = sum + kTile * kPanel;
  _tile_stored(0, sum, kRow);
  if constexpr (kColumns > 1) _tile_stored(1, sum + kTile, kRow);
  if constexpr (kRows > 1) _tile_stored(2, below, kRow);
  if constexpr (kRows > 1 && kColumns > 1) _tile_stored(3, below + kTile, kRow);
}

#undef LAMINA_TILES_LEFT
#undef LAMINA_TILES_RIGHT
#undef LAMINA_TILES_MULTIPLY

void Pack(const Factor& from, int64_t first, int64_t size, int64_t start, int64_t k, bool right,
          uint16_t* to, int64_t panel_size) {
  const int64_t panels = (size + kPanel - 1) / kPanel, steps = (k + kStep - 1) / kStep;
  // In the order of memory.
  for (int64_t n = 0; n < panels * steps; ++n) {
    const int64_t p = from.along ? n / steps : n % panels, s = from.along ? n % steps : n / panels;
    const int64_t rows = size - p * kPanel < kPanel ? size - p * kPanel : kPanel;
    const int64_t depth = k - s * kStep < kStep ? k - s * kStep : kStep;
    PackStep(from, first + p * kPanel, rows, start + s * kStep, depth, right,
             to + p * panel_size + s * PackedSize(rows, kStep));
  }
}

void Prefetch(const Factor& from, int64_t first, int64_t size, int64_t start, int64_t k,
              int64_t part, int64_t parts) {
  const int64_t n = from.along ? size : k, length = from.along ? k : size;
  const float* x = from.data + (from.along ? first * from.ld + start : first + start * from.ld);
  for (int64_t i = part * n / parts; i < (part + 1) * n / parts; ++i) {
    for (int64_t l = 0; l < length; l += 16) __builtin_prefetch(x + i * from.ld + l, 0, 2);
  }
}

bool Finite(const float* sum, int64_t columns, int64_t rows) {
  const Floats zero = {};
  Floats even = {}, odd = {};
  for (int64_t j = 0; j < columns; ++j, sum += kPanel) {
    even += zero * *reinterpret_cast<const Floats*>(sum);
    if (rows > kTile) odd += zero * *reinterpret_cast<const Floats*>(sum + kTile);
  }
  return _mm512_cmp_ps_mask(even + odd, zero, _CMP_EQ_OQ) == 0xffff;
}

bool Multiply(const uint16_t* left, int64_t columns, const uint16_t* right, int64_t rows, int64_t k,
              float factor, float beta, float* c, int64_t ldc, float* sum) {
  for (int64_t j = 0; j < columns; ++j) {
    __builtin_prefetch(c + j * ldc, 1);
    __builtin_prefetch(c + j * ldc + rows - 1, 1);
  }
  const int64_t steps = (k + kStep - 1) / kStep;
  if (columns > kTile && rows > kTile) {
    TileProduct<2, 2>(left, right, steps, sum);
  } else if (columns > kTile) {
    TileProduct<2, 1>(left, right, steps, sum);
  } else if (rows > kTile) {
    TileProduct<1, 2>(left, right, steps, sum);
  } else {
    TileProduct<1, 1>(left, right, steps, sum);
  }
  if (!Finite(sum, columns, rows)) return false;
  const __mmask16 lanes[2] = {FirstLanes(rows), FirstLanes(rows - kTile)};
  for (int64_t j = 0; j < columns; ++j, sum += kPanel, c += ldc) {
#pragma GCC unroll 2
    for (int i = 0; i < 2; ++i) {
      Floats x = *reinterpret_cast<const Floats*>(sum + i * kTile) * factor;
      if (beta != 0) x += beta * (Floats)_mm512_maskz_loadu_ps(lanes[i], c + i * kTile);
      _mm512_mask_storeu_ps(c + i * kTile, lanes[i], x);
    }
  }
  return true;
}

constexpr GemmKernels kKernels = {Pack, Prefetch, Multiply};

}  // namespace

const GemmKernels& FindGemmKernels() { return kKernels; }

}  // namespace lamina::cpu::amx
