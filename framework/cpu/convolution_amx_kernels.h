#ifndef FRAMEWORK_CPU_CONVOLUTION_AMX_KERNELS_H_
#define FRAMEWORK_CPU_CONVOLUTION_AMX_KERNELS_H_

// Inside of convolution_amx.h: what one thread computes with its tiles (amx.h). Which images,
// channels and rows these are stands in convolution_amx.cc.
//
// A number x is split into two of bfloat16, high and low, of 2^24 x. Memory of bfloat16 comes in
// two arrays of the same form, the high parts and the low parts. Sums are 2^48 times too large.

#include <cstdint>

#include "framework/cpu/amx.h"

namespace lamina::cpu::amx {

inline constexpr int64_t kPanel = 2 * kTile;  // rows and columns of sums computed together
inline constexpr int64_t kTileNumbers = kTile * kStep;  // bfloat16 numbers of a tile
inline constexpr int64_t kSums = kPanel * kPanel;       // four tiles of sums, row by row
inline constexpr float kUnscale = 0x1p-48f;

// Where 16 neighbours in padded rows, end to end, lie in an image without padding: those of `mask`
// follow each other there, from `offset` on. The others are padding.
struct Lanes {
  int64_t offset;
  uint16_t mask;
};

struct Halves {
  uint16_t *high, *low;
};

// Filters as a matrix: element (i, j) of a tap is at[i * row + j * column], for input channel i
// and output channel j.
struct Filters {
  const float* at;
  int64_t row, column;
};

// Sums over channels and taps, for up to 32 pixels by up to 32 output channels.
struct TapsProduct {
  Halves pixels;        // 32 channels of one pixel after the other
  int64_t block;        // numbers from 32 channels to the next 32
  int64_t blocks;       // how many
  const int64_t* taps;  // how many pixels each lies behind the first
  int64_t num_taps;
  // For each block and tap the high parts of column_tiles tiles, then their low parts.
  const uint16_t* filters;
  int64_t row_tiles, column_tiles;  // 1 or 2
};

// Sums over pixels, for up to 32 output channels by up to 32 input channels.
struct PixelsProduct {
  const uint16_t* rows;  // of dy: high and low for each of row_tiles tiles, `step` numbers apart
  int64_t step;
  int64_t rows_strip;  // numbers from one strip of dy to the next
  Halves columns;      // of x: pairs of pixels after the other, each of 16 channels
  int64_t tile;        // numbers from 16 channels to the next 16
  int64_t columns_strip;
  int64_t strips;
  int64_t steps;                    // of 32 pixels in a strip
  int64_t row_tiles, column_tiles;  // 1 or 2
};

struct ConvolutionKernels {
  // Splits `blocks` times 16 pixels of up to 32 channels that are `channel` numbers apart. All of a
  // pixel follow each other, 32 numbers: c and c + 16 in turn.
  void (*split_pixels)(const float* from, int64_t channels, int64_t channel, const Lanes* lanes,
                       int64_t blocks, Halves to);
  // Splits `blocks`, an even number, times 16 pixels of a channel (nullptr: of zeros). 32 of them
  // follow each other, `step` numbers from the next.
  void (*split_row)(const float* from, const Lanes* lanes, int64_t blocks, int64_t step, Halves to);
  // Of 16 rows that are `row` numbers apart, pairs of pixels after the other: `pairs`, a multiple
  // of 16.
  void (*pair_pixels)(const uint16_t* from, int64_t row, int64_t pairs, uint16_t* to);
  // A tile of filters, of rows x columns, at most 32 x 16, zeros in the rest.
  void (*split_filters)(const Filters& from, int64_t rows, int64_t columns, Halves to);
  // sums = what the product tells.
  void (*multiply_taps)(const TapsProduct& product, float* sums);
  // sums += what the product tells.
  void (*multiply_pixels)(const PixelsProduct& product, float* sums);
  // Brings sums of multiply_taps, scaled, with their bias (or nullptr), to `columns` channels that
  // are `channel` numbers apart; the sums are lost. False if one is not finite.
  bool (*store)(float* sums, const Lanes* lanes, int64_t row_tiles, int64_t columns,
                const float* bias, float* to, int64_t channel);
};
const ConvolutionKernels& FindConvolutionKernels();

}  // namespace lamina::cpu::amx

#endif  // FRAMEWORK_CPU_CONVOLUTION_AMX_KERNELS_H_
