#ifndef FRAMEWORK_CPU_CONVOLUTION_BLOCKS_H_
#define FRAMEWORK_CPU_CONVOLUTION_BLOCKS_H_

// Convolutions of images whose channels lie in blocks: what oneDNN computes with. Whoever has
// several convolutions in a row keeps the images so, and saves the way there and back.
//
// Memory, first dim fastest: [kChannelBlock x positions x channels / kChannelBlock x batch], where
// plain images are [positions x channels x batch].
//
// Types: single. Threads: may be called from any thread; large work uses the pool of threads.h.

#include <cstdint>

#include "framework/cpu/convolution.h"

namespace lamina::cpu {

inline constexpr int64_t kChannelBlock = 16;

enum class ConvolutionKind : uint8_t { kForward, kBackwardData, kBackwardWeights };

// Whether this convolution is computed with blocks of both images: otherwise they bring nothing, as
// where it, or another kind of this shape, is computed on plain images (convolution_amx.h,
// convolution_winograd.h, convolution_vectors.h).
bool WantsChannelBlocks(ConvolutionKind kind, const ConvolutionShape& shape);

// As the function of convolution.h of this kind, x and y in blocks. `bias` may be null. What is
// written is y, x or weights. WantsChannelBlocks holds.
void ConvolutionInBlocks(ConvolutionKind kind, const ConvolutionShape& shape, float* x,
                         float* weights, float* bias, float* y);

// `channels` is a multiple of kChannelBlock.
void ToChannelBlocks(int64_t positions, int64_t channels, int64_t batch, const float* plain,
                     float* blocks);
void FromChannelBlocks(int64_t positions, int64_t channels, int64_t batch, const float* blocks,
                       float* plain);

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_CONVOLUTION_BLOCKS_H_
