#ifndef FRAMEWORK_CPU_CONVOLUTION_SLIDING_H_
#define FRAMEWORK_CPU_CONVOLUTION_SLIDING_H_

// Inside of convolution.h: convolutions that move their filters one by one over one or two dims,
// and where their pixels lie when zeros stand around an image.
//
// Rows have their padding between them: so the pixel that a tap reads is equally far from the
// output everywhere, and outputs are computed without regard to rows. What lies between two rows of
// the output is computed too, and not kept.
//
//   image, 3 x 2, padding 1 on each side          output, 3 x 2
//     . . . .                                       pitch 4
//     . a b c                                       A B C -
//     . d e f                                       D E F -
//     . . . .
//
// Threads: plain values and pure functions.

#include <array>
#include <cstdint>

#include "framework/cpu/convolution.h"
#include "framework/cpu/convolution_blocks.h"

namespace lamina::cpu {

inline int64_t Ceiling(int64_t n, int64_t unit) { return (n + unit - 1) / unit; }

struct SlidingFilters {
  int64_t batch, channels_in, channels_out;
  std::array<int64_t, 2> input, output, kernel, dilation, pad;  // pad: at the begin
  int64_t taps() const { return kernel[0] * kernel[1]; }
  int64_t input_plane() const { return input[0] * input[1]; }
  int64_t output_plane() const { return output[0] * output[1]; }
  // How far the last tap is from the first, along one dim.
  int64_t reach(size_t d) const { return (kernel[d] - 1) * dilation[d]; }
  // Elements of zeros behind the last one that are read, along one dim.
  int64_t pad_end(size_t d) const { return output[d] + reach(d) - input[d] - pad[d]; }
  double operations() const {  // of an image
    return 2.0 * static_cast<double>(channels_in * channels_out) *
           static_cast<double>(taps() * output_plane());
  }
};

// Whether the convolution is one of these: one or two dims, no groups, strides of 1, padding that
// is narrower than the filters, a batch.
bool Slides(const ConvolutionShape& shape);

// From x to y.
SlidingFilters ForwardOf(const ConvolutionShape& shape);
// From dy to dx, with the filters turned around.
SlidingFilters BackwardOf(const ConvolutionShape& shape);

// How many pixels a row has with its padding: rows share what is between them.
int64_t Pitch(const SlidingFilters& s);

// The element (i, j) of tap t is at[i * row + j * column + t], for input channel i and output
// channel j; if `turned`, the taps count from the last.
struct FilterMatrix {
  const float* at;
  int64_t row, column;
  bool turned;
};
// The filters that make y of x (kForward), or dx of dy (kBackwardData).
FilterMatrix FiltersOf(ConvolutionKind kind, const ConvolutionShape& shape, const float* weights);

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_CONVOLUTION_SLIDING_H_
