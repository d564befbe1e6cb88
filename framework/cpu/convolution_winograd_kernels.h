#ifndef FRAMEWORK_CPU_CONVOLUTION_WINOGRAD_KERNELS_H_
#define FRAMEWORK_CPU_CONVOLUTION_WINOGRAD_KERNELS_H_

// Inside of convolution_winograd.h: its transforms and products, for a part of the tiles, on one
// thread.
//
// Transformed data are 36 matrices, one for each element of a transformed tile, `page` numbers
// apart: of images [tiles x channels], tiles fastest; of filters as the product reads them. Pages
// are no multiple of 4 KiB apart, so that the 36 lie in different sets of a cache.

#include <cstdint>

#include "framework/cpu/isa_namespace.h"

namespace lamina::cpu {

inline constexpr int kWinogradPages = 36;
inline constexpr int64_t kWinogradTiles = 48;  // of a part, at most; multiples of 8
// Of a part that `multiply` gets. Fewer leave more of the second cache to the filters: on two
// threads, images in memory, 34.5 ms instead of 37.5 for residual_block_grad of tools/bench. The
// sums of the gradient of the filters go through the cache once for each part: as many as may be.
inline constexpr int64_t kWinogradConvolvedTiles = 16;

inline namespace LAMINA_ISA {
// Pages of `rows` rows of tiles each.
constexpr int64_t WinogradPage(int64_t rows) { return rows * kWinogradTiles + 16; }
// Channels, filled up to whole vectors.
constexpr int64_t WinogradSumRow(int64_t channels) { return (channels + 15) / 16 * 16; }
}  // namespace LAMINA_ISA

// Images [width x height x channels x images]. Their tile (i, j) begins at the pixel
// (4 i - top, 4 j - left), and what lies outside is 0.
struct WinogradImages {
  const float* data;
  int64_t width, height, channels;
  int64_t top, left;
};

// Tiles one after another in rows of `rows` x `columns` tiles for each image: those from `first`
// on, `count` of them.
struct WinogradPart {
  int64_t rows, columns;
  int64_t first, count;
};

// Filters: element (i, j) of the one from channel c to output o is
// data[o * output_step + c * channel_step + (turned ? 8 - n : n)], n = 3 i + j.
struct WinogradFilters {
  const float* data;
  int64_t outputs, channels;
  int64_t output_step, channel_step;
  bool turned;
};

struct WinogradKernels {
  // Outputs are multiplied in blocks of that many; the last one is filled up with zeros.
  int64_t output_block;
  // Of the blocks of outputs [begin, end), [outputs of a block x channels x blocks] in each page.
  void (*transform_filters)(const WinogradFilters& filters, int64_t begin, int64_t end, float* to);
  // B' d B of all channels. `strips`: scratch memory, kWinogradStrips numbers.
  void (*transform_inputs)(const WinogradPart& part, const WinogradImages& images, float* strips,
                           float* to);
  // to(tiles x outputs) = sum over channels of inputs and filters, for the first
  // kWinogradConvolvedTiles tiles and whole blocks of outputs.
  void (*multiply)(int64_t channels, int64_t blocks, const float* inputs, const float* filters,
                   float* to);
  // A' m A, and the bias (may be null), to the images' memory.
  void (*transform_outputs)(const WinogradPart& part, const float* products, const float* bias,
                            const WinogradImages& images);
  // A dy A' of all channels; tiles that the part does not have become 0.
  void (*transform_gradients)(const WinogradPart& part, const WinogradImages& images, float* strips,
                              float* to);
  // sums(channels x outputs) += sum over tiles of inputs and gradients, for each page; rows of the
  // sums are WinogradSumRow(channels) long. `turned`: scratch memory for tiles of that length.
  void (*add_products)(const WinogradPart& part, int64_t channels, int64_t outputs,
                       const float* inputs, const float* gradients, float* turned, float* sums);
  // G' m G for the outputs [begin, end): filters [9 x channels x outputs].
  void (*transform_sums)(int64_t channels, int64_t outputs, int64_t begin, int64_t end,
                         const float* sums, float* filters);
};

// A strip is what a row of tiles sees: six rows of pixels.
inline constexpr int64_t kWinogradStrip = 8 * kWinogradTiles + 16;
inline constexpr int64_t kWinogradStrips = 6 * kWinogradStrip;

namespace v3 {
const WinogradKernels& FindWinogradKernels();
}  // namespace v3
namespace v4 {
const WinogradKernels& FindWinogradKernels();
}  // namespace v4

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_CONVOLUTION_WINOGRAD_KERNELS_H_
