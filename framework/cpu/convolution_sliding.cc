#include "framework/cpu/convolution_sliding.h"

#include <algorithm>
#include <utility>

namespace lamina::cpu {

bool Slides(const ConvolutionShape& s) {
  if (s.spatial_rank > 2 || s.groups != 1 || s.batch == 0) return false;
  for (size_t d = 0; static_cast<int>(d) < s.spatial_rank; ++d) {
    const int64_t reach = (s.kernel[d] - 1) * s.dilation[d];
    if (s.stride[d] != 1 || s.pad_begin[d] > reach || s.pad_end[d] > reach) return false;
  }
  return true;
}

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
  for (size_t d = 0; d < 2; ++d) s.pad[d] = s.reach(d) - s.pad[d];
  return s;
}

int64_t Pitch(const SlidingFilters& s) { return s.input[0] + std::max(s.pad[0], s.pad_end(0)); }

FilterMatrix FiltersOf(ConvolutionKind kind, const ConvolutionShape& shape, const float* weights) {
  const SlidingFilters s = ForwardOf(shape);
  const int64_t of_input = s.taps(), of_output = s.taps() * s.channels_in;
  if (kind == ConvolutionKind::kBackwardData) return {weights, of_output, of_input, true};
  return {weights, of_input, of_output, false};
}

}  // namespace lamina::cpu
