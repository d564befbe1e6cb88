#include "framework/cpu/convolution_amx_kernels.h"

#include "framework/cpu/amx.h"
#include "framework/cpu/amx_vectors.h"

namespace lamina::cpu::amx {
namespace {

#define LAMINA_INLINE inline __attribute__((always_inline))

constexpr float kScale = 0x1p24f;

// May be stored to, and loaded from, arrays of bfloat16.
typedef uint16_t Words __attribute__((vector_size(64), may_alias));

// The nearest bfloat16 to the numbers of `first`, then to those of `second`. A NaN stays one,
// whatever its bits.
LAMINA_INLINE Words Round(Floats first, Floats second) {
  return (Words)_mm512_cvtne2ps_pbh((__m512)second, (__m512)first);
}

struct Split {
  Words high, low;
};

// Of two rows of 16 numbers, first and second in turn.
LAMINA_INLINE Split SplitInTurn(Floats first, Floats second) {
  const Words in_turn = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                         8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  first *= kScale;
  second *= kScale;
  Split s;
  s.high = __builtin_shuffle(Round(first, second), in_turn);
  first -= (Floats)((Bits)s.high << 16);
  second -= (Floats)((Bits)s.high & 0xffff0000);
  s.low = __builtin_shuffle(Round(first, second), in_turn);
  return s;
}

// Of two rows of 16 numbers, one after the other.
LAMINA_INLINE Split SplitInRow(Floats first, Floats second) {
  // Each word of the first half, or the second, as the upper one of 32 bits.
  const Words upper = {0, 0, 0, 1, 0, 2,  0, 3,  0, 4,  0, 5,  0, 6,  0, 7,
                       0, 8, 0, 9, 0, 10, 0, 11, 0, 12, 0, 13, 0, 14, 0, 15};
  first *= kScale;
  second *= kScale;
  Split s;
  s.high = Round(first, second);
  first -= (Floats)((Bits)__builtin_shuffle(s.high, upper) & 0xffff0000);
  second -= (Floats)((Bits)__builtin_shuffle(s.high, upper + 16) & 0xffff0000);
  s.low = Round(first, second);
  return s;
}

LAMINA_INLINE void Put(Words x, uint16_t* to) { *reinterpret_cast<Words*>(to) = x; }

LAMINA_INLINE Floats Load(const float* channel, const Lanes& lanes) {
  return (Floats)_mm512_maskz_expandloadu_ps(lanes.mask, channel + lanes.offset);
}

void SplitPixels(const float* from, int64_t channels, int64_t channel, const Lanes* lanes,
                 int64_t blocks, Halves to) {
  for (int64_t b = 0; b < blocks; ++b) {
    uint16_t *const high = to.high + b * kTileNumbers, *const low = to.low + b * kTileNumbers;
    for (int64_t i = 0; i < kTile; ++i) {
      const float* x = from + i * channel;
      const Split s =
          SplitInTurn(i < channels ? Load(x, lanes[b]) : Floats{},
                      i + kTile < channels ? Load(x + kTile * channel, lanes[b]) : Floats{});
      Put(s.high, high + i * kStep);
      Put(s.low, low + i * kStep);
    }
    TransposeTile(high);
    TransposeTile(low);
  }
}

void SplitRow(const float* from, const Lanes* lanes, int64_t blocks, int64_t step, Halves to) {
  for (int64_t i = 0; i < blocks; i += 2) {
    const Split s = from == nullptr
                        ? Split{}
                        : SplitInRow(Load(from, lanes[i]),
                                     i + 1 < blocks ? Load(from, lanes[i + 1]) : Floats{});
    Put(s.high, to.high + i / 2 * step);
    Put(s.low, to.low + i / 2 * step);
  }
}

void PairPixels(const uint16_t* from, int64_t row, int64_t pairs, uint16_t* to) {
  for (int64_t p = 0; p < pairs; p += kTile, from += kStep, to += kTileNumbers) {
    for (int64_t i = 0; i < kTile; ++i) {
      _mm512_store_si512(to + i * kStep, _mm512_loadu_si512(from + i * row));
    }
    TransposeTile(to);
  }
}

void SplitFilters(const Filters& from, int64_t rows, int64_t columns, Halves to) {
  const __m512i lane = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  const __m512i index = _mm512_mullo_epi32(lane, _mm512_set1_epi32((int)from.row));
  const __mmask16 first = FirstLanes(rows), second = FirstLanes(rows - kTile);
  const __m512 zero = _mm512_setzero_ps();
  for (int64_t j = 0; j < kTile; ++j) {
    const float* x = from.at + j * from.column;
    const __m512 a = _mm512_mask_i32gather_ps(zero, j < columns ? first : 0, index, x, 4);
    const __m512 b =
        _mm512_mask_i32gather_ps(zero, j < columns ? second : 0, index, x + kTile * from.row, 4);
    const Split s = SplitInTurn((Floats)a, (Floats)b);
    Put(s.high, to.high + j * kStep);
    Put(s.low, to.low + j * kStep);
  }
  TransposeTile(to.high);
  TransposeTile(to.low);
}

// Registers: 0 to 3 are sums, 4 and 5 rows, 6 and 7 columns. The compiler does not know that tiles
// are loaded from memory, hence the barriers around the loops.
#define LAMINA_ROWS(at, distance) \
  _tile_loadd(4, (at), 64);       \
  if constexpr (kRows > 1) _tile_loadd(5, (at) + (distance), 64);
#define LAMINA_COLUMNS(at, distance) \
  _tile_loadd(6, (at), 64);          \
  if constexpr (kColumns > 1) _tile_loadd(7, (at) + (distance), 64);
#define LAMINA_MULTIPLY                                \
  _tile_dpbf16ps(0, 4, 6);                             \
  if constexpr (kColumns > 1) _tile_dpbf16ps(1, 4, 7); \
  if constexpr (kRows > 1) _tile_dpbf16ps(2, 5, 6);    \
  if constexpr (kRows > 1 && kColumns > 1) _tile_dpbf16ps(3, 5, 7);

constexpr int64_t kTileSums = kTile * kTile;

template <int kRows, int kColumns>
LAMINA_INLINE void StoreSums(float* sums) {
  _tile_stored(0, sums, 64);
  if constexpr (kColumns > 1) _tile_stored(1, sums + kTileSums, 64);
  if constexpr (kRows > 1) _tile_stored(2, sums + 2 * kTileSums, 64);
  if constexpr (kRows > 1 && kColumns > 1) _tile_stored(3, sums + 3 * kTileSums, 64);
  __asm__ volatile("" ::: "memory");
}

template <int kRows, int kColumns>
void MultiplyTaps(const TapsProduct& p, float* sums) {
  __asm__ volatile("" ::: "memory");
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  const uint16_t* filters = p.filters;
  for (int64_t block = 0; block < p.blocks; ++block) {
    const uint16_t* const high = p.pixels.high + block * p.block;
    const uint16_t* const low = p.pixels.low + block * p.block;
    for (int64_t t = 0; t < p.num_taps; ++t) {
      const int64_t tap = kStep * p.taps[t];
      LAMINA_COLUMNS(filters, kTileNumbers)
      LAMINA_ROWS(low + tap, kTileNumbers)
      LAMINA_MULTIPLY
      LAMINA_ROWS(high + tap, kTileNumbers)
      LAMINA_MULTIPLY
      LAMINA_COLUMNS(filters + kColumns * kTileNumbers, kTileNumbers)
      LAMINA_MULTIPLY
      filters += 2 * kColumns * kTileNumbers;
    }
  }
  StoreSums<kRows, kColumns>(sums);
}

template <int kRows, int kColumns>
void MultiplyPixels(const PixelsProduct& p, float* sums) {
  __asm__ volatile("" ::: "memory");
  _tile_loadd(0, sums, 64);
  if constexpr (kColumns > 1) _tile_loadd(1, sums + kTileSums, 64);
  if constexpr (kRows > 1) _tile_loadd(2, sums + 2 * kTileSums, 64);
  if constexpr (kRows > 1 && kColumns > 1) _tile_loadd(3, sums + 3 * kTileSums, 64);
  for (int64_t strip = 0; strip < p.strips; ++strip) {
    const uint16_t* rows = p.rows + strip * p.rows_strip;
    const uint16_t* high = p.columns.high + strip * p.columns_strip;
    const uint16_t* low = p.columns.low + strip * p.columns_strip;
    for (int64_t s = 0; s < p.steps; ++s) {
      LAMINA_ROWS(rows, 2 * kTileNumbers)
      LAMINA_COLUMNS(low, p.tile)
      LAMINA_MULTIPLY
      LAMINA_COLUMNS(high, p.tile)
      LAMINA_MULTIPLY
      LAMINA_ROWS(rows + kTileNumbers, 2 * kTileNumbers)
      LAMINA_MULTIPLY
      high += kTileNumbers;
      low += kTileNumbers;
      rows += p.step;
    }
  }
  StoreSums<kRows, kColumns>(sums);
}

#undef LAMINA_ROWS
#undef LAMINA_COLUMNS
#undef LAMINA_MULTIPLY

// Calls the form of a product for its numbers of tiles.
#define LAMINA_DISPATCH(Name)                                                             \
  void Name##OfTiles(const Name##Product& p, float* sums) {                               \
    if (p.row_tiles > 1) {                                                                \
      p.column_tiles > 1 ? Multiply##Name<2, 2>(p, sums) : Multiply##Name<2, 1>(p, sums); \
    } else {                                                                              \
      p.column_tiles > 1 ? Multiply##Name<1, 2>(p, sums) : Multiply##Name<1, 1>(p, sums); \
    }                                                                                     \
  }
LAMINA_DISPATCH(Taps)
LAMINA_DISPATCH(Pixels)
#undef LAMINA_DISPATCH

bool Store(float* sums, const Lanes* lanes, int64_t row_tiles, int64_t columns, const float* bias,
           float* to, int64_t channel) {
  const Floats zero = {};
  Floats finite = {};  // 0, or NaN
  for (int64_t r = 0; r < row_tiles; ++r) {
    const __mmask16 mask = lanes[r].mask, kept = FirstLanes(__builtin_popcount(mask));
    float* out = to + lanes[r].offset;
    for (int64_t j = 0; j < columns; ++j, out += channel) {
      float* const tile = sums + (2 * r + j / kTile) * kTileSums;
      if (j % kTile == 0) TransposeTile(reinterpret_cast<uint16_t*>(tile));
      Floats x = *reinterpret_cast<const Floats*>(tile + j % kTile * kTile) * kUnscale;
      if (bias != nullptr) x += bias[j];
      x = (Floats)_mm512_maskz_compress_ps(mask, (__m512)x);
      finite += zero * x;
      _mm512_mask_storeu_ps(out, kept, (__m512)x);
    }
  }
  return _mm512_cmp_ps_mask((__m512)finite, (__m512)zero, _CMP_EQ_OQ) == 0xffff;
}

constexpr ConvolutionKernels kKernels = {SplitPixels, SplitRow,      PairPixels, SplitFilters,
                                         TapsOfTiles, PixelsOfTiles, Store};

}  // namespace

const ConvolutionKernels& FindConvolutionKernels() { return kKernels; }

}  // namespace lamina::cpu::amx
