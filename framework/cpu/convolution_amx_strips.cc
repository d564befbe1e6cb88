#include "framework/cpu/convolution_amx_strips.h"

#include <algorithm>

namespace lamina::cpu::amx {
namespace {

// Where rows lie that are `pitch` pixels long with padding: those from `row` on, of which those in
// [0, end) are there, with `width` pixels behind a gap.
void AppendLanes(int64_t row, int64_t end, int64_t gap, int64_t width, int64_t pitch,
                 int64_t blocks, std::vector<Lanes>* lanes) {
  int64_t column = 0;
  for (int64_t b = 0; b < blocks; ++b) {
    Lanes block = {0, 0};
    for (unsigned i = 0; i < kTile; ++i) {
      if (row >= 0 && row < end && column >= gap && column < gap + width) {
        if (block.mask == 0) block.offset = row * width + column - gap;
        block.mask = static_cast<uint16_t>(block.mask | 1u << i);
      }
      if (++column == pitch) {
        column = 0;
        ++row;
      }
    }
    lanes->push_back(block);
  }
}

}  // namespace

StripBlocks BlocksOf(const SlidingFilters& s, int64_t rows, int64_t unit) {
  const int64_t pitch = Pitch(s), outputs = Ceiling(rows * pitch, unit) * unit;
  const int64_t last_tap =
      (s.kernel[1] - 1) * s.dilation[1] * pitch + (s.kernel[0] - 1) * s.dilation[0];
  return {Ceiling(outputs + last_tap, kTile), outputs / kTile};
}

Strips::Strips(const SlidingFilters& s, int64_t rows, int64_t unit)
    : count_(Ceiling(s.output[1], rows)), blocks_(BlocksOf(s, rows, unit)) {
  const int64_t pitch = Pitch(s);
  for (int64_t y = 0; y < s.kernel[1]; ++y) {
    for (int64_t x = 0; x < s.kernel[0]; ++x) {
      taps_.push_back(y * s.dilation[1] * pitch + x * s.dilation[0]);
    }
  }
  for (int64_t i = 0; i < count_; ++i) {
    const int64_t first = i * rows, end = std::min(first + rows, s.output[1]);
    AppendLanes(first - s.pad[1], s.input[1], s.pad[0], s.input[0], pitch, blocks_.input, &input_);
    AppendLanes(first, end, 0, s.output[0], pitch, blocks_.output, &output_);
  }
}

}  // namespace lamina::cpu::amx
