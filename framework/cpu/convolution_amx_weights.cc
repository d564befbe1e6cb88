#include <algorithm>

#include "framework/cpu/convolution_amx_passes.h"
#include "framework/cpu/scratch.h"
#include "framework/cpu/threads.h"

namespace lamina::cpu::amx {
namespace {

constexpr int64_t kRange = 64;         // output channels of a task
constexpr int64_t kTasks = 8;          // tasks, where sizes allow so many groups:
constexpr int64_t kPixels = 1024;      // pixels of a group at least, as its sums cost time,
constexpr int64_t kMaxSums = 1 << 21;  // and numbers in all sums at most, as they take memory

// Strips are divided into groups, and output channels into ranges, by sizes alone. A task is a
// range of a group, and each group has its own sums.
struct Division {
  explicit Division(const SlidingFilters& s)
      : strips(s, RowsWithin(s, kSplitBytes, [&](int64_t n) { return BytesOf(s, n); }), kStep),
        ranges(Ceiling(s.channels_out, kRange)),
        in_panels(Ceiling(s.channels_in, kPanel)),
        out_panels(Ceiling(s.channels_out, kPanel)),
        column(in_panels * s.taps() * kSums),
        size(out_panels * column),
        count(s.batch * strips.count()),
        groups(std::clamp(std::min(kMaxSums / size, s.batch * s.output_plane() / kPixels),
                          int64_t{1}, std::min(count, Ceiling(kTasks, ranges)))) {}

  static int64_t BytesOf(const SlidingFilters& s, int64_t rows) {
    const StripBlocks blocks = BlocksOf(s, rows, kStep);
    return 4 * kTile *
           (2 * s.channels_in * blocks.input + std::min(s.channels_out, kRange) * blocks.output);
  }

  const Strips strips;
  const int64_t ranges, in_panels, out_panels;
  const int64_t column, size;  // of the sums of 32 output channels, and of all
  const int64_t count, groups;
};

struct Call {
  const SlidingFilters& s;
  const float* x;
  const float* dy;
};

// What one thread computes.
class Part {
 public:
  Part(const Call& call, const Division& division)
      : call_(call),
        division_(division),
        strips_(division.strips),
        in_tiles_(Ceiling(call.s.channels_in, kTile)),
        steps_(strips_.output_blocks() / 2),
        row_(Ceiling(strips_.input_blocks() + 1, 2) * kStep),
        // Not a power of two.
        tile_(row_ / 2 * kStep + kStep),
        x_size_(4 * in_tiles_ * tile_),
        dy_size_(kRange / kTile * 2 * steps_ * kTileNumbers),
        together_(std::max<int64_t>(1, kSplitBytes / 2 / (x_size_ + dy_size_))),
        x_(together_ * x_size_),
        dy_(together_ * dy_size_),
        rows_(2 * kTile * (row_ + kStep)) {
    // What is read and belongs to no pixel.
    std::fill_n(rows_.data(), 2 * kTile * (row_ + kStep), 0);
  }

  // Of the strips in [begin, end), numbered image by image.
  void Run(int64_t begin, int64_t end, int64_t range, float* sums) {
    first_out_ = range * kRange;
    outs_ = std::min(call_.s.channels_out - first_out_, kRange);
    std::fill_n(sums, Ceiling(outs_, kPanel) * division_.column, 0.0f);
    for (int64_t first = begin; first < end; first += together_) {
      const int64_t last = std::min(first + together_, end);
      for (int64_t i = first; i < last; ++i) {
        SplitX(i, i - first);
        SplitDy(i, i - first);
      }
      Multiply(last - first, last, std::min(last + together_, end), sums);
    }
  }

 private:
  int64_t Image(int64_t strip) const { return strip / strips_.count(); }
  const float* XOf(int64_t strip) const {
    return call_.x + Image(strip) * call_.s.channels_in * call_.s.input_plane();
  }
  const float* DyOf(int64_t strip) const {
    return call_.dy + (Image(strip) * call_.s.channels_out + first_out_) * call_.s.output_plane();
  }

  // Pairs of pixels of 16 channels; the first begins with pixel `odd`.
  Halves X(int64_t i, int64_t tile, int64_t odd) {
    uint16_t* const high = x_.data() + i * x_size_ + (2 * odd * in_tiles_ + tile) * tile_;
    return {high, high + in_tiles_ * tile_};
  }

  void SplitX(int64_t strip, int64_t i) {
    const int64_t channels = call_.s.channels_in, row = row_ + kStep;
    const Lanes* const lanes = strips_.input(strip % strips_.count());
    uint16_t *const high = rows_.data(), *const low = high + kTile * row;
    for (int64_t t = 0; t < in_tiles_; ++t) {
      for (int64_t j = 0; j < kTile; ++j) {
        const int64_t c = t * kTile + j;
        FindConvolutionKernels().split_row(
            c < channels ? XOf(strip) + c * call_.s.input_plane() : nullptr, lanes,
            strips_.input_blocks(), kStep, {high + j * row, low + j * row});
      }
      for (const int64_t odd : {0, 1}) {
        if (odd == 1 && !strips_.any_odd_tap()) continue;
        const Halves to = X(i, t, odd);
        FindConvolutionKernels().pair_pixels(high + odd, row, row_ / 2, to.high);
        FindConvolutionKernels().pair_pixels(low + odd, row, row_ / 2, to.low);
      }
    }
  }

  void SplitDy(int64_t strip, int64_t i) {
    const int64_t tiles = Ceiling(outs_, kTile);
    const Lanes* const lanes = strips_.output(strip % strips_.count());
    for (int64_t k = 0; k < tiles * kTile; ++k) {
      uint16_t* const to =
          dy_.data() + i * dy_size_ + k / kTile * 2 * kTileNumbers + k % kTile * kStep;
      FindConvolutionKernels().split_row(
          k < outs_ ? DyOf(strip) + k * call_.s.output_plane() : nullptr, lanes, 2 * steps_,
          tiles * 2 * kTileNumbers, {to, to + kTileNumbers});
    }
  }

  // Of `count` strips; those from `next` on come to the cache meanwhile.
  void Multiply(int64_t count, int64_t next, int64_t next_end, float* sums) {
    const SlidingFilters& s = call_.s;
    const int64_t tiles = Ceiling(outs_, kTile), taps = s.taps();
    const int64_t steps = Ceiling(outs_, kPanel) * division_.in_panels * taps;
    const int64_t images = strips_.count() == 1 ? std::max<int64_t>(next_end - next, 0) : 0;
    Prefetcher next_x(XOf(next), images, s.channels_in * s.input_plane(),
                      s.channels_in * s.input_plane(), steps);
    Prefetcher next_dy(DyOf(next), images, s.channels_out * s.output_plane(),
                       outs_ * s.output_plane(), steps);
    for (int64_t k = 0; k < tiles; k += 2) {
      for (int64_t c = 0; c < in_tiles_; c += 2) {
        for (const int64_t tap : strips_.taps()) {
          next_x.Step();
          next_dy.Step();
          const Halves x = X(0, c, tap % 2);
          FindConvolutionKernels().multiply_pixels(
              {.rows = dy_.data() + k * 2 * kTileNumbers,
               .step = tiles * 2 * kTileNumbers,
               .rows_strip = dy_size_,
               .columns = {x.high + tap / 2 * kStep, x.low + tap / 2 * kStep},
               .tile = tile_,
               .columns_strip = x_size_,
               .strips = count,
               .steps = steps_,
               .row_tiles = std::min<int64_t>(2, tiles - k),
               .column_tiles = std::min<int64_t>(2, in_tiles_ - c)},
              sums);
          sums += kSums;
        }
      }
    }
  }

  const Call& call_;
  const Division& division_;
  const Strips& strips_;
  const int64_t in_tiles_, steps_, row_, tile_, x_size_, dy_size_, together_;
  int64_t first_out_ = 0, outs_ = 0;
  ScratchArray<uint16_t> x_, dy_, rows_;
};

// Adds the groups in order and brings 32 x 32 channels to dw; false if a sum is not finite.
bool Finish(const SlidingFilters& s, const Division& division, int64_t out_panel, int64_t in_panel,
            float* sums, float* dw) {
  const int64_t taps = s.taps();
  float* const total = sums + out_panel * division.column + in_panel * taps * kSums;
  for (int64_t g = 1; g < division.groups; ++g) {
    const float* other = total + g * division.size;
    for (int64_t i = 0; i < taps * kSums; ++i) total[i] += other[i];
  }
  const int64_t ins = std::min(s.channels_in - in_panel * kPanel, kPanel);
  const int64_t outs = std::min(s.channels_out - out_panel * kPanel, kPanel);
  float finite = 0;  // or NaN
  for (int64_t k = 0; k < outs; ++k) {
    float* to = dw + ((out_panel * kPanel + k) * s.channels_in + in_panel * kPanel) * taps;
    for (int64_t c = 0; c < ins; ++c) {
      const float* from =
          total + (k / kTile * 2 + c / kTile) * kTile * kTile + k % kTile * kTile + c % kTile;
      for (int64_t t = 0; t < taps; ++t) {
        const float x = from[t * kSums] * kUnscale;
        finite += x * 0;
        *to++ = x;
      }
    }
  }
  return finite == 0;
}

}  // namespace

bool SumPixels(const SlidingFilters& s, const float* x, const float* dy, float* dw) {
  const Division d(s);
  const Call call = {s, x, dy};
  ScratchArray<float> sums(d.groups * d.size);
  ParallelFor(d.groups * d.ranges, 1, [&](int64_t begin, int64_t end) {
    const AmxTiles tiles;
    Part part(call, d);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t group = i / d.ranges, range = i % d.ranges;
      part.Run(group * d.count / d.groups, (group + 1) * d.count / d.groups, range,
               sums.data() + group * d.size + range * (kRange / kPanel) * d.column);
    }
  });
  std::vector<uint8_t> finite(static_cast<size_t>(d.in_panels * d.out_panels));
  ParallelFor(d.in_panels * d.out_panels, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      finite[static_cast<size_t>(i)] =
          Finish(s, d, i / d.in_panels, i % d.in_panels, sums.data(), dw);
    }
  });
  return std::all_of(finite.begin(), finite.end(), [](uint8_t ok) { return ok != 0; });
}

}  // namespace lamina::cpu::amx
