#include "framework/cpu/convolution_amx.h"

#include <algorithm>
#include <vector>

#include "framework/cpu/amx.h"
#include "framework/cpu/convolution_amx_passes.h"

namespace lamina::cpu {
namespace {

// Pixels that are computed or split for one that is wanted, at most `limit`: small images and wide
// padding have more.
bool IsDense(const SlidingFilters& s, int64_t unit, double limit) {
  const int64_t pitch = Pitch(s);
  const auto wanted = static_cast<double>(s.output_plane());
  const int64_t computed = Ceiling(pitch * s.output[1], unit) * unit;
  return static_cast<double>(computed) <= limit * wanted &&
         static_cast<double>(pitch * (s.output[1] + s.reach(1))) <= 2 * limit * wanted;
}

}  // namespace

bool AmxConvolutionPays(ConvolutionKind kind, const ConvolutionShape& shape) {
  constexpr int64_t kMinTerms = 256, kMaxFilters = int64_t{1} << 26;
  if (!HasAmx() || !Slides(shape)) return false;
  const SlidingFilters s =
      kind == ConvolutionKind::kBackwardData ? BackwardOf(shape) : ForwardOf(shape);
  // Distances between filters are 32 bits.
  if (s.taps() * s.channels_in * s.channels_out > kMaxFilters) return false;
  // Measured, as docs/performance.md tells.
  if (kind == ConvolutionKind::kBackwardWeights) {
    return s.batch * s.output_plane() >= 2 * kMinTerms &&
           std::min(s.channels_in, s.channels_out) >= 8 && IsDense(s, amx::kStep, 2);
  }
  return s.taps() * s.channels_in >= kMinTerms && s.channels_in >= 16 && s.channels_out >= 8 &&
         IsDense(s, amx::kTile, 2.5);
}

void AmxConvolution(ConvolutionKind kind, const ConvolutionShape& s, float* x, float* weights,
                    const float* bias, float* y, PlainConvolution plain) {
  const SlidingFilters forward = ForwardOf(s);
  if (kind == ConvolutionKind::kBackwardWeights) {
    if (!amx::SumPixels(forward, x, y, weights)) plain(kind, s, x, weights, nullptr, y);
    return;
  }
  const FilterMatrix filters = FiltersOf(kind, s, weights);
  const std::vector<bool> failed = kind == ConvolutionKind::kForward
                                       ? amx::Slide(forward, filters, x, bias, y)
                                       : amx::Slide(BackwardOf(s), filters, y, nullptr, x);
  ConvolutionShape one = s;
  one.batch = 1;
  for (int64_t i = 0; i < s.batch; ++i) {
    if (!failed[static_cast<size_t>(i)]) continue;
    plain(kind, one, x + i * s.channels_in * forward.input_plane(), weights,
          const_cast<float*>(bias), y + i * s.channels_out * forward.output_plane());
  }
}

}  // namespace lamina::cpu
