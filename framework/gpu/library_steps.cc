#include "framework/gpu/library_steps.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "framework/ops/all_reduce.h"
#include "framework/ops/bfloat16.h"
#include "framework/ops/convolution_op.h"
#include "framework/ops/matmul_op.h"

namespace lamina::gpu {
namespace {

using lamina::internal::ConvBackwardDataOp;
using lamina::internal::ConvBackwardWeightsOp;
using lamina::internal::ConvOp;

bool AreWanted() {
  const char* const value = std::getenv("LAMINA_GPU_LIBRARIES");
  return value == nullptr || std::string_view(value) != "0";
}

// Without tensor cores and without additions in any order, cuDNN's engines for the gradient of the
// weights have one block for each tile of it, which walks through the whole sum: 375 us for the 72
// numbers of a first layer (docs/gpu.md). For a few numbers of long sums our kernel, whose blocks
// share a sum, has less to do.
bool HasFewLongSums(const ConvolutionCall& call) {
  constexpr int64_t kMostNumbers = 512, kLongSum = 8192;
  if (call.kind != ConvolutionCall::kWeights || call.is_rounded) return false;
  const cpu::ConvolutionShape& s = call.shape;
  int64_t numbers = s.channels_out * (s.channels_in / s.groups), terms = s.batch;
  for (int d = 0; d < s.spatial_rank; ++d) {
    numbers *= s.kernel[static_cast<size_t>(d)];
    terms *= s.output[static_cast<size_t>(d)];
  }
  return numbers <= kMostNumbers && terms >= kLongSum;
}

bool MovesElements(const Op& op) { return op.Name() == "reshape" || op.Name() == "permute"; }

std::optional<ProductCall> ProductOf(const MatMulOp& op, const ArraySpec& x, const ArraySpec& y,
                                     const ArraySpec& z) {
  ProductCall call{.type = z.type,
                   .m = z.sizes[0],
                   .n = z.sizes[1],
                   .k = x.sizes[op.transpose_x() ? 0 : 1],
                   .transpose_x = op.transpose_x(),
                   .transpose_y = op.transpose_y()};
  if (call.k == 0) return std::nullopt;
  const int64_t page_x = call.m * call.k, page_y = call.k * call.n;
  call.pages = z.numel() / (call.m * call.n);
  // All pages or one; where dims of pages are repeated each for itself, no stride fits.
  const auto fits = [&](int64_t numel, int64_t page) {
    return numel == page || numel == page * call.pages;
  };
  if (!fits(x.numel(), page_x) || !fits(y.numel(), page_y)) return std::nullopt;
  call.x_page = x.numel() == page_x ? 0 : page_x;
  call.y_page = y.numel() == page_y ? 0 : page_y;
  return call;
}

std::shared_ptr<const LibraryCall> CallOf(Device& device, const Graph& graph, const GraphStep& step,
                                          bool is_rounded) {
  const auto spec = [&](int v) -> const ArraySpec& {
    return graph.values()[static_cast<size_t>(v)].spec;
  };
  if (const auto* sum = dynamic_cast<const lamina::internal::AllReduceOp*>(step.op.get())) {
    AllReduceCall call{.ranks = sum->ranks(), .arrays = {}};
    for (const int v : step.inputs) call.arrays.push_back({spec(v).type, spec(v).numel()});
    return device.Prepare(call);
  }
  if (!AreWanted() || step.outputs.size() != 1) return nullptr;
  const auto in = [&](size_t i) -> const ArraySpec& { return spec(step.inputs[i]); };
  const ArraySpec& out = spec(step.outputs[0]);
  if (out.numel() == 0) return nullptr;
  const Op& op = *step.op;
  if (const auto* product = dynamic_cast<const MatMulOp*>(&op)) {
    auto call = ProductOf(*product, in(0), in(1), out);
    if (!call) return nullptr;
    call->is_rounded = is_rounded;
    return device.Prepare(*call);
  }
  ConvolutionCall call{.type = out.type, .shape = {}, .is_rounded = is_rounded};
  if (const auto* conv = dynamic_cast<const ConvOp*>(&op)) {
    if (step.inputs.size() != 2) return nullptr;
    call.shape = ConvShape(conv->parameters(), in(0), in(1));
  } else if (const auto* data = dynamic_cast<const ConvBackwardDataOp*>(&op)) {
    call.kind = ConvolutionCall::kData;
    call.shape = ConvShape(data->parameters(), out, in(1));
  } else if (const auto* weights = dynamic_cast<const ConvBackwardWeightsOp*>(&op)) {
    call.kind = ConvolutionCall::kWeights;
    call.shape = ConvShape(weights->parameters(), in(0), out);
  } else {
    return nullptr;
  }
  return HasFewLongSums(call) ? nullptr : device.Prepare(call);
}

}  // namespace

std::vector<std::shared_ptr<const LibraryCall>> LibraryCallsOf(Device& device, const Graph& graph) {
  std::vector<std::shared_ptr<const LibraryCall>> calls(graph.steps().size());
  // What follows from constants alone may stand in the source of kernels, not in memory.
  std::vector<bool> is_constant, is_rounded(graph.values().size());
  for (const GraphValue& v : graph.values()) is_constant.push_back(!v.constant.empty());
  for (size_t s = 0; s < calls.size(); ++s) {
    const GraphStep& step = graph.steps()[s];
    const auto known = [&](int v) { return is_constant[static_cast<size_t>(v)]; };
    const auto rounded = [&](int v) { return is_rounded[static_cast<size_t>(v)]; };
    const bool all_rounded = std::all_of(step.inputs.begin(), step.inputs.end(), rounded);
    const bool rounds = IsRoundToBfloat16(*step.op) ||
                        (all_rounded && !step.inputs.empty() && MovesElements(*step.op));
    if (rounds) {
      for (const int v : step.outputs) is_rounded[static_cast<size_t>(v)] = true;
    }
    if (std::none_of(step.inputs.begin(), step.inputs.end(), known)) {
      calls[s] = CallOf(device, graph, step, all_rounded);
    } else if (std::all_of(step.inputs.begin(), step.inputs.end(), known)) {
      for (const int v : step.outputs) is_constant[static_cast<size_t>(v)] = true;
    }
  }
  return calls;
}

}  // namespace lamina::gpu
