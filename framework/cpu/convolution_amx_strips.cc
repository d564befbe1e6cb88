#include "framework/cpu/convolution_amx_strips.h"

#include <algorithm>
#include <utility>

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

SlidingFilters ForwardOf(const ConvolutionShape& s) {
  const auto two = [&s](const std::array<int64_t, 3>& a, int64_t missing) {
    return std::array{a[0], s.spatial_rank > 1 ? a[1] : missing};
  };
  return {s.batch,          s.channels_in,    s.channels_out,     two(s.input, 1),
          two(s.output, 1), two(s.kernel, 1), two(s.dilation, 1), two(s.pad_begin, 0)};
}

SlidingFilters BackwardOf(const ConvolutionShape& shape) {
  SlidingFilters s = ForwardOf(shape);
  std::swap(s.channels_in, s.channels_out);
  std::swap(s.input, s.output);
  for (size_t d = 0; d < 2; ++d) s.pad[d] = (s.kernel[d] - 1) * s.dilation[d] - s.pad[d];
  return s;
}

int64_t Pitch(const SlidingFilters& s) {
  const int64_t reach = (s.kernel[0] - 1) * s.dilation[0];
  const int64_t pad_end = s.output[0] + reach - s.input[0] - s.pad[0];
  return s.input[0] + std::max(s.pad[0], pad_end);
}

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
