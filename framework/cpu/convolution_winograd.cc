#include "framework/cpu/convolution_winograd.h"

#include <algorithm>

#include "framework/cpu/convolution_winograd_kernels.h"
#include "framework/cpu/instruction_set.h"
#include "framework/cpu/scratch.h"
#include "framework/cpu/threads.h"

namespace lamina::cpu {
namespace {

// Null where the processor has no kernels.
const WinogradKernels* Kernels() {
  switch (CurrentInstructionSet()) {
    case InstructionSet::kV4:
      return &v4::FindWinogradKernels();
    case InstructionSet::kV3:
      return &v3::FindWinogradKernels();
    default:
      return nullptr;
  }
}

int64_t Ceil(int64_t a, int64_t b) { return (a + b - 1) / b; }

// The tiles of an output of that size, and how many parts they make.
struct Tiles {
  int64_t rows, columns, count, of_part;
  Tiles(int64_t width, int64_t height, int64_t batch, int64_t of_part)
      : rows(Ceil(height, 4)),
        columns(Ceil(width, 4)),
        count(rows * columns * batch),
        of_part(of_part) {}
  int64_t parts() const { return Ceil(count, of_part); }
  WinogradPart Part(int64_t i) const {
    const int64_t first = i * of_part;
    return {rows, columns, first, std::min(of_part, count - first)};
  }
};

// outputs = filters * inputs, both plain images.
void Convolve(const WinogradKernels& kernels, int64_t batch, const WinogradImages& inputs,
              const WinogradFilters& filters, const float* bias, const WinogradImages& outputs) {
  const Tiles tiles(outputs.width, outputs.height, batch, kWinogradConvolvedTiles);
  const int64_t blocks = Ceil(filters.outputs, kernels.output_block),
                padded_outputs = blocks * kernels.output_block;
  ScratchArray<float> transformed(kWinogradPages * filters.channels * padded_outputs);
  // A filter takes some 300 operations.
  const int64_t grain = Ceil(kElementwiseGrain / 300, kernels.output_block * filters.channels);
  ParallelFor(blocks, grain, [&](int64_t begin, int64_t end) {
    kernels.transform_filters(filters, begin, end, transformed.data());
  });
  ParallelFor(tiles.parts(), 1, [&](int64_t begin, int64_t end) {
    ScratchArray<float> strips(kWinogradStrips);
    ScratchArray<float> in(kWinogradPages * WinogradPage(filters.channels));
    ScratchArray<float> out(kWinogradPages * WinogradPage(padded_outputs));
    for (int64_t i = begin; i < end; ++i) {
      const WinogradPart part = tiles.Part(i);
      kernels.transform_inputs(part, inputs, strips.data(), in.data());
      kernels.multiply(filters.channels, blocks, in.data(), transformed.data(), out.data());
      kernels.transform_outputs(part, out.data(), bias, outputs);
    }
  });
}

// The gradient of the filters. `inputs` and `gradients` have the same tiles.
void DifferentiateFilters(const WinogradKernels& kernels, int64_t batch,
                          const WinogradImages& inputs, const WinogradImages& gradients,
                          float* filters) {
  const Tiles tiles(gradients.width, gradients.height, batch, kWinogradTiles);
  const int64_t row = WinogradSumRow(inputs.channels),
                size = kWinogradPages * row * gradients.channels;
  // Each thread has sums of its own.
  const int64_t threads = std::min<int64_t>(NumThreads(), tiles.parts());
  ScratchArray<float> sums(threads * size);
  ParallelFor(threads, 1, [&](int64_t begin, int64_t end) {
    ScratchArray<float> strips(kWinogradStrips);
    ScratchArray<float> in(kWinogradPages * WinogradPage(inputs.channels));
    ScratchArray<float> out(kWinogradPages * WinogradPage(gradients.channels));
    ScratchArray<float> turned(kWinogradTiles * row);
    for (int64_t thread = begin; thread < end; ++thread) {
      float* const sum = sums.data() + thread * size;
      std::fill_n(sum, size, 0.0F);
      for (int64_t i = tiles.parts() * thread / threads; i < tiles.parts() * (thread + 1) / threads;
           ++i) {
        const WinogradPart part = tiles.Part(i);
        kernels.transform_inputs(part, inputs, strips.data(), in.data());
        kernels.transform_gradients(part, gradients, strips.data(), out.data());
        kernels.add_products(part, inputs.channels, gradients.channels, in.data(), out.data(),
                             turned.data(), sum);
      }
    }
  });
  ParallelFor(size, kElementwiseGrain, [&](int64_t begin, int64_t end) {
    for (int64_t thread = 1; thread < threads; ++thread) {
      const float* const sum = sums.data() + thread * size;
      for (int64_t i = begin; i < end; ++i) sums[i] += sum[i];
    }
  });
  const int64_t grain = Ceil(kElementwiseGrain / 300, inputs.channels);
  ParallelFor(gradients.channels, grain, [&](int64_t begin, int64_t end) {
    kernels.transform_sums(inputs.channels, gradients.channels, begin, end, sums.data(), filters);
  });
}

}  // namespace

bool WinogradPays(ConvolutionKind kind, const ConvolutionShape& s) {
  if (s.spatial_rank != 2 || s.groups != 1 || s.batch == 0) return false;
  for (size_t d = 0; d < 2; ++d) {
    if (s.kernel[d] != 3 || s.stride[d] != 1 || s.dilation[d] != 1 || s.pad_begin[d] > 2 ||
        s.pad_end[d] > 2) {
      return false;
    }
  }
  const auto& size = kind == ConvolutionKind::kBackwardData ? s.input : s.output;
  const Tiles tiles(size[0], size[1], s.batch, kWinogradTiles);
  // Each thread has sums of its own, which go through memory once for each part of the tiles.
  constexpr int64_t kMostSums = int64_t{4} << 20;
  if (kind == ConvolutionKind::kBackwardWeights &&
      kWinogradPages * s.channels_in * s.channels_out > kMostSums) {
    return false;
  }
  return std::min(s.channels_in, s.channels_out) >= 16 && tiles.count >= 192 &&
         Kernels() != nullptr;
}

void WinogradConvolution(ConvolutionKind kind, const ConvolutionShape& s, float* x, float* weights,
                         const float* bias, float* y) {
  const WinogradKernels& kernels = *Kernels();
  const WinogradImages in{x, s.input[0], s.input[1], s.channels_in, s.pad_begin[1], s.pad_begin[0]};
  const WinogradImages out{y, s.output[0], s.output[1], s.channels_out, 0, 0};
  const int64_t step_in = 9, step_out = 9 * s.channels_in;
  switch (kind) {
    case ConvolutionKind::kForward:
      return Convolve(kernels, s.batch, in,
                      {weights, s.channels_out, s.channels_in, step_out, step_in, /*turned=*/false},
                      bias, out);
    case ConvolutionKind::kBackwardData: {
      WinogradImages dy = out, dx = in;
      dy.top = 2 - s.pad_begin[1];
      dy.left = 2 - s.pad_begin[0];
      dx.top = dx.left = 0;
      return Convolve(kernels, s.batch, dy,
                      {weights, s.channels_in, s.channels_out, step_in, step_out, /*turned=*/true},
                      nullptr, dx);
    }
    case ConvolutionKind::kBackwardWeights:
      return DifferentiateFilters(kernels, s.batch, in, out, weights);
  }
}

}  // namespace lamina::cpu
