#include <algorithm>

#include "framework/cpu/convolution_amx_passes.h"
#include "framework/cpu/one_thread.h"
#include "framework/cpu/scratch.h"
#include "framework/cpu/threads.h"

namespace lamina::cpu::amx {
namespace {

// Filters, split, as TapsProduct reads them: a panel for each 32 output channels.
class Panels {
 public:
  Panels(const SlidingFilters& s, const FilterMatrix& from)
      : s_(s),
        count_(Ceiling(s.channels_out, kPanel)),
        blocks_(Ceiling(s.channels_in, kPanel)),
        size_(blocks_ * s.taps() * 4 * kTileNumbers),
        numbers_(count_ * size_) {
    ParallelFor(count_ * blocks_, 4, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) Split(from, i / blocks_, i % blocks_);
    });
  }
  int64_t count() const { return count_; }
  const uint16_t* panel(int64_t i) { return numbers_.data() + i * size_; }

 private:
  void Split(const FilterMatrix& from, int64_t panel, int64_t block) {
    const int64_t rows = std::min(s_.channels_in - block * kPanel, kPanel);
    const int64_t columns = std::min(s_.channels_out - panel * kPanel, kPanel);
    const int64_t tiles = Ceiling(columns, kTile), taps = s_.taps();
    uint16_t* to = numbers_.data() + panel * size_ + block * taps * 2 * tiles * kTileNumbers;
    for (int64_t t = 0; t < taps; ++t, to += 2 * tiles * kTileNumbers) {
      const float* at = from.at + block * kPanel * from.row + panel * kPanel * from.column +
                        (from.turned ? taps - 1 - t : t);
      for (int64_t k = 0; k < tiles; ++k) {
        FindConvolutionKernels().split_filters(
            {at + k * kTile * from.column, from.row, from.column}, rows, columns - k * kTile,
            {to + k * kTileNumbers, to + (tiles + k) * kTileNumbers});
      }
    }
  }

  const SlidingFilters& s_;
  const int64_t count_, blocks_, size_;
  ScratchArray<uint16_t> numbers_;
};

struct Call {
  const SlidingFilters& s;
  const float* x;
  const float* bias;
  float* y;
};

// What one thread computes: strips one after another, so many at a time as fit into the cache, each
// panel of filters with all of these.
class Part {
 public:
  Part(const Call& call, const Strips& strips, Panels& panels)
      : call_(call),
        strips_(strips),
        panels_(panels),
        blocks_(Ceiling(call.s.channels_in, kPanel)),
        // Not a power of two.
        block_((strips.input_blocks() * kTile + 1) * kStep),
        strip_(2 * blocks_ * block_),
        together_(std::max<int64_t>(1, kSplitBytes / 2 / strip_)),
        pixels_(together_ * strip_),
        sums_(kSums) {}

  // Strips are numbered image by image. `failed` is set to 1 for those with a result that is not
  // finite.
  void Run(int64_t begin, int64_t end, uint8_t* failed) {
    for (int64_t first = begin; first < end; first += together_) {
      const int64_t last = std::min(first + together_, end);
      for (int64_t i = first; i < last; ++i) Split(i, Pixels(i - first));
      Prefetcher next = Next(last, std::min(last + together_, end), last - first);
      for (int64_t panel = 0; panel < panels_.count(); ++panel) {
        for (int64_t i = first; i < last; ++i) {
          if (!Multiply(panel, i, Pixels(i - first), &next)) failed[i] = 1;
        }
      }
    }
  }

 private:
  Halves Pixels(int64_t i) {
    uint16_t* const high = pixels_.data() + i * strip_;
    return {high, high + blocks_ * block_};
  }
  int64_t Image(int64_t strip) const { return strip / strips_.count(); }
  const float* X(int64_t image) const {
    return call_.x + image * call_.s.channels_in * call_.s.input_plane();
  }

  void Split(int64_t i, Halves to) {
    const int64_t channel = call_.s.input_plane();
    for (int64_t b = 0; b < blocks_; ++b) {
      FindConvolutionKernels().split_pixels(
          X(Image(i)) + b * kPanel * channel, call_.s.channels_in - b * kPanel, channel,
          strips_.input(i % strips_.count()), strips_.input_blocks(),
          {to.high + b * block_, to.low + b * block_});
    }
  }

  // What the strips from `first` on read. Those of one image have most of it already.
  Prefetcher Next(int64_t first, int64_t last, int64_t now) const {
    const int64_t images = strips_.count() == 1 ? std::max<int64_t>(last - first, 0) : 0;
    return Prefetcher(X(Image(first)), images, call_.s.channels_in * call_.s.input_plane(),
                      call_.s.channels_in * call_.s.input_plane(),
                      now * panels_.count() * Ceiling(strips_.output_blocks(), 2));
  }

  bool Multiply(int64_t panel, int64_t i, Halves pixels, Prefetcher* next) {
    const SlidingFilters& s = call_.s;
    const int64_t k = panel * kPanel, columns = std::min(s.channels_out - k, kPanel);
    const Lanes* const lanes = strips_.output(i % strips_.count());
    float* const y = call_.y + (Image(i) * s.channels_out + k) * s.output_plane();
    bool finite = true;
    for (int64_t q = 0; q < strips_.output_blocks(); q += 2) {
      const int64_t row_tiles = std::min<int64_t>(strips_.output_blocks() - q, 2);
      next->Step();
      for (int64_t j = 0; j < columns; ++j) {  // what will be written
        const float* at = y + j * s.output_plane() + lanes[q].offset;
        __builtin_prefetch(at, 1);
        __builtin_prefetch(at + kTile, 1);
      }
      FindConvolutionKernels().multiply_taps(
          {.pixels = {pixels.high + q * kTileNumbers, pixels.low + q * kTileNumbers},
           .block = block_,
           .blocks = blocks_,
           .taps = strips_.taps().data(),
           .num_taps = s.taps(),
           .filters = panels_.panel(panel),
           .row_tiles = row_tiles,
           .column_tiles = Ceiling(columns, kTile)},
          sums_.data());
      finite &= FindConvolutionKernels().store(sums_.data(), lanes + q, row_tiles, columns,
                                               call_.bias == nullptr ? nullptr : call_.bias + k, y,
                                               s.output_plane());
    }
    return finite;
  }

  const Call& call_;
  const Strips& strips_;
  Panels& panels_;
  const int64_t blocks_, block_, strip_, together_;
  ScratchArray<uint16_t> pixels_;
  ScratchArray<float> sums_;
};

}  // namespace

std::vector<bool> Slide(const SlidingFilters& s, const FilterMatrix& filters, const float* x,
                        const float* bias, float* y) {
  int64_t rows = RowsWithin(s, kSplitBytes, [&](int64_t n) {
    return 4 * kTile * Ceiling(s.channels_in, kPanel) * kPanel * BlocksOf(s, n, kTile).input;
  });
  // A few images are divided among the threads.
  const int64_t parts = Ceiling(NumThreads(), s.batch);
  if (s.operations() > kParallelOperations) rows = std::min(rows, Ceiling(s.output[1], parts));
  const Strips strips(s, rows, kTile);
  Panels panels(s, filters);
  const int64_t count = s.batch * strips.count();
  const auto grain = static_cast<int64_t>(kParallelOperations / 2 *
                                          static_cast<double>(strips.count()) / s.operations()) +
                     1;
  const Call call = {s, x, bias, y};
  std::vector<uint8_t> failed(static_cast<size_t>(count));
  ParallelFor(count, grain, [&](int64_t begin, int64_t end) {
    const AmxTiles tiles;
    Part(call, strips, panels).Run(begin, end, failed.data());
  });
  std::vector<bool> images(static_cast<size_t>(s.batch));
  for (size_t i = 0; i < failed.size(); ++i) {
    if (failed[i] != 0) images[i / static_cast<size_t>(strips.count())] = true;
  }
  return images;
}

}  // namespace lamina::cpu::amx
