// Images whose channels lie in blocks: ops that bring arrays into that layout and back, and
// convolutions of what is in it. A pass over graphs puts them in
// (framework/graph/channel_blocks.h); users never see them, and they have no gradients.
//
// Threads: ops are immutable.
#ifndef FRAMEWORK_OPS_CHANNEL_BLOCKS_H_
#define FRAMEWORK_OPS_CHANNEL_BLOCKS_H_

#include <cstdint>

#include "framework/ops/op.h"

namespace lamina {

/// An array's memory as images: positions x channels x batch. In blocks it is an unlabelled array
/// [16 x positions x channels / 16 x batch].
struct ImageView {
  int64_t positions = 1, channels = 1, batch = 1;
  bool operator==(const ImageView&) const = default;
  Sizes BlockedSizes() const;
};

/// The images of an array labelled S.. C B T, some missing.
ImageView ImageViewOf(const ArraySpec& x);

/// Of a single array with the memory of `view`: the array in blocks.
OpPtr ToChannelBlocksOp(const ImageView& view);
/// The way back, to an array of this spec.
OpPtr FromChannelBlocksOp(const ImageView& view, const ArraySpec& plain);

/// What a convolution op (convolution_op.h) does, on images in blocks: its data inputs and its
/// output, all but weights and bias, are in blocks. Null for other ops, and where blocks bring
/// nothing.
OpPtr ConvolutionInBlocksOp(const Op& op, const Specs& inputs, const ArraySpec& output);
bool IsConvolution(const Op& op);
/// Which inputs of a convolution op are images, bit i for input i, and whether its output is one.
uint32_t ImageInputs(const Op& op);
bool IsImageOutput(const Op& op);

}  // namespace lamina

#endif  // FRAMEWORK_OPS_CHANNEL_BLOCKS_H_
