#ifndef FRAMEWORK_CPU_CONVOLUTION_VECTORS_KERNELS_H_
#define FRAMEWORK_CPU_CONVOLUTION_VECTORS_KERNELS_H_

// Inside of convolution_vectors.h: the loops. Which pixels they are called for, and on which
// thread, stands in convolution_vectors.cc.
//
// Arrays of the item that is worked on have room for kVectorRoom more numbers than is told.

#include <cstdint>

#include "framework/cpu/isa_namespace.h"

namespace lamina::cpu {

inline constexpr int64_t kVectorRoom = 16;
// Filters are in groups of so many; the last group may be smaller.
inline constexpr int64_t kFilterGroup = 8;

// Rows of `width` numbers.
struct PlaneRows {
  int64_t rows, width;
};

// Sums over terms: a term of the output at i is pixels[i + offsets[term]] times a filter's number.
struct SlideTask {
  const float* pixels;
  const int32_t* offsets;
  int64_t terms;
  const float* filters;  // group after group, in each term after term
  int64_t channels;      // of the output
  const float* bias;     // of each channel of the output, or nullptr
  int64_t vectors;       // outputs: times kVectorRoom
  float* sums;           // `plane` numbers apart for neighbouring channels
  int64_t plane;
};

// Sums over pixels, of each pair of a term and a channel of the output:
//   sums[term + channel * terms] += sum over i of
//       pixels[i + offsets[term]] * dy[i + channel * plane]
struct PixelSumTask {
  const float* pixels;
  const int32_t* offsets;
  int64_t terms;
  const float* dy;  // 0 where there is no output
  int64_t plane;
  int64_t channels;
  int64_t vectors;  // pixels: times kVectorRoom
  float* sums;
  float* dy_sums;  // dy_sums[channel] += sum over i of dy[i + channel * plane], or nullptr
};

struct ConvolutionVectorKernels {
  void (*slide)(const SlideTask& task);
  void (*sum_pixels)(const PixelSumTask& task);
  // Copies rows to places `pitch` apart, with zeros between them and, after the last, until `end`
  // numbers from the first are written; `to` may be written kVectorRoom numbers beyond.
  void (*spread_rows)(const float* from, PlaneRows rows, int64_t pitch, int64_t end, float* to);
  // The other way. What lies between the rows is not copied, and nothing is written beyond.
  void (*join_rows)(const float* from, int64_t pitch, PlaneRows rows, float* to);
};

namespace v2 {
const ConvolutionVectorKernels& FindConvolutionVectorKernels();
}  // namespace v2
namespace v3 {
const ConvolutionVectorKernels& FindConvolutionVectorKernels();
}  // namespace v3
namespace v4 {
const ConvolutionVectorKernels& FindConvolutionVectorKernels();
}  // namespace v4

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_CONVOLUTION_VECTORS_KERNELS_H_
