#ifndef FRAMEWORK_CPU_CONVOLUTION_DNNL_H_
#define FRAMEWORK_CPU_CONVOLUTION_DNNL_H_

// Inside of convolution.h: convolutions of single by oneDNN.
//
// oneDNN compiles a primitive for each shape (some milliseconds), so the primitives are kept, the
// least recently used of more than kMaxPrimitives forgotten. Where it pays, data is reordered to
// the blocked layouts that the primitive likes and back.
//
// Threads: may be called from any thread.

#include "framework/cpu/convolution.h"
#include "framework/cpu/convolution_blocks.h"

namespace lamina::cpu {

inline constexpr size_t kMaxPrimitives = 256;

// Computes as the function of convolution.h of the same name does: for kForward `y` (and `bias`,
// may be nullptr, is read), for kBackwardData `x`, for kBackwardWeights `weights` (and `bias`, may
// be nullptr) are written. Returns false, with nothing written, where oneDNN has no implementation.
bool DnnlConvolution(ConvolutionKind kind, const ConvolutionShape& shape, float* x, float* weights,
                     float* bias, float* y);

// Number of primitives that are kept now.
size_t NumKeptPrimitives();

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_CONVOLUTION_DNNL_H_
