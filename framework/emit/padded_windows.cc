#include "framework/emit/padded_windows.h"

#include <algorithm>

namespace lamina::internal {

using loops::Expression;

namespace {

// The widest vector of any machine. Columns of outputs are a multiple of half of it.
constexpr int64_t kVectorBytes = 64;

// Distances between neighbours along each dim, the first `step` apart. Returns that beyond the
// last.
int64_t SetStrides(const Sizes& sizes, int64_t step, std::vector<int64_t>* strides) {
  for (int64_t size : sizes) {
    strides->push_back(step);
    step *= size;
  }
  return step;
}

}  // namespace

bool IsPointwise(const cpu::ConvolutionShape& s) {
  for (int d = 0; d < s.spatial_rank; ++d) {
    if (s.kernel[d] != 1 || s.stride[d] != 1 || s.output[d] != s.input[d]) return false;
  }
  return true;
}

PaddedWindows::PaddedWindows(const cpu::ConvolutionShape& s, DataType type) {
  Sizes rows, shared;
  is_padded = false;
  for (int d = 0; d < s.spatial_rank; ++d) {
    // The elements from the first of the padding to the last that a window touches.
    const int64_t touched = (s.output[d] - 1) * s.stride[d] + (s.kernel[d] - 1) * s.dilation[d] + 1;
    strides_.push_back(s.stride[d]);
    copied.push_back(std::clamp<int64_t>(touched - s.pad_begin[d], 0, s.input[d]));
    // The zeros behind a row are those before the next one, too. A row holds its outputs.
    const int64_t behind = touched - s.pad_begin[d] - copied[d];
    shared.push_back(s.stride[d] > 1 ? 0
                                     : std::min({s.pad_begin[d], behind, touched - s.output[d]}));
    rows.push_back((touched - shared[d] - 1) / s.stride[d] + 1);
    is_padded = is_padded || copied[d] != rows[d] * s.stride[d];
  }
  const int64_t plane = SetStrides(rows, 1, &row_strides);
  channel_stride_ = SetStrides(strides_, plane, &remainder_strides_);

  const int64_t lanes = kVectorBytes / static_cast<int64_t>(SizeOf(type));
  columns = 1;
  for (int d = 0; d < s.spatial_rank; ++d) columns += (s.output[d] - 1) * row_strides[d];
  columns = (columns + lanes / 2 - 1) / (lanes / 2) * (lanes / 2);
  const int64_t channels = s.channels_in / s.groups;
  elements = channels * channel_stride_ + lanes - 1;
  // The zeros behind the last row, for which there is no next one.
  for (int d = 0; d < s.spatial_rank; ++d) elements += shared[d] * row_strides[d];

  int64_t taps = 1;
  for (int d = 0; d < s.spatial_rank; ++d) taps *= s.kernel[d];
  for (int64_t c = 0; c < channels; ++c) {
    for (int64_t tap = 0; tap < taps; ++tap) {
      int64_t rest = tap, offset = c * channel_stride_;
      for (int d = 0; d < s.spatial_rank; ++d) {
        const int64_t at = rest % s.kernel[d] * s.dilation[d];
        rest /= s.kernel[d];
        offset += at / s.stride[d] * row_strides[d] + at % s.stride[d] * remainder_strides_[d];
      }
      offsets.push_back(static_cast<int32_t>(offset));
    }
  }
}

Expression PaddedWindows::Place(const Indices& from_padding, const Expression& channel) const {
  Expression place = channel * Expression(channel_stride_);
  for (size_t d = 0; d < strides_.size(); ++d) {
    const Expression& i = from_padding[d];
    const Expression stride(strides_[d]);
    place = place + (strides_[d] == 1 ? i : i / stride) * Expression(row_strides[d]);
    if (strides_[d] > 1) place = place + i % stride * Expression(remainder_strides_[d]);
  }
  return place;
}

}  // namespace lamina::internal
