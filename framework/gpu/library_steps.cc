#include "framework/gpu/library_steps.h"

#include <cstdlib>
#include <optional>
#include <string_view>

#include "framework/gpu/product_steps.h"
#include "framework/ops/all_reduce.h"
#include "framework/ops/along_dim.h"
#include "framework/ops/convolution_op.h"
#include "framework/ops/fft_op.h"

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

std::optional<ConvolutionCall> ConvolutionOf(const Graph& graph, const GraphStep& step,
                                             const KnownValues& known) {
  if (step.outputs.size() != 1) return std::nullopt;
  const auto spec = [&](int v) -> const ArraySpec& {
    return graph.values()[static_cast<size_t>(v)].spec;
  };
  const auto in = [&](size_t i) -> const ArraySpec& { return spec(step.inputs[i]); };
  const ArraySpec& out = spec(step.outputs[0]);
  if (out.numel() == 0) return std::nullopt;
  const Op& op = *step.op;
  ConvolutionCall call{.type = out.type, .shape = {}, .is_rounded = known.AllRounded(step.inputs)};
  if (const auto* conv = dynamic_cast<const ConvOp*>(&op)) {
    if (step.inputs.size() != 2) return std::nullopt;
    call.shape = ConvShape(conv->parameters(), in(0), in(1));
  } else if (const auto* data = dynamic_cast<const ConvBackwardDataOp*>(&op)) {
    call.kind = ConvolutionCall::kData;
    call.shape = ConvShape(data->parameters(), out, in(1));
  } else if (const auto* weights = dynamic_cast<const ConvBackwardWeightsOp*>(&op)) {
    call.kind = ConvolutionCall::kWeights;
    call.shape = ConvShape(weights->parameters(), in(0), out);
  } else {
    return std::nullopt;
  }
  return call;
}

std::optional<FourierCall> TransformOf(const Graph& graph, const GraphStep& step) {
  const auto* const op = dynamic_cast<const lamina::internal::FftOp*>(step.op.get());
  if (op == nullptr) return std::nullopt;
  const ArraySpec& x = graph.values()[static_cast<size_t>(step.inputs[0])].spec;
  if (x.numel() == 0) return std::nullopt;
  const lamina::internal::AlongDim along(x.sizes, op->dim());
  return FourierCall{
      .type = x.type, .sign = op->sign(), .inner = along.inner, .n = along.n, .outer = along.outer};
}

std::shared_ptr<const LibraryCall> CallOf(Device& device, const Graph& graph, const GraphStep& step,
                                          const KnownValues& known) {
  if (known.AnyConstant(step.inputs)) return nullptr;
  if (const auto* sum = dynamic_cast<const lamina::internal::AllReduceOp*>(step.op.get())) {
    AllReduceCall call{.ranks = sum->ranks(), .arrays = {}};
    for (const int v : step.inputs) {
      const ArraySpec& spec = graph.values()[static_cast<size_t>(v)].spec;
      call.arrays.push_back({spec.type, spec.numel()});
    }
    return device.Prepare(call);
  }
  if (!AreWanted()) return nullptr;
  if (const auto product = ProductOf(graph, step, known)) return device.Prepare(*product);
  if (const auto transform = TransformOf(graph, step)) return device.Prepare(*transform);
  const auto convolution = ConvolutionOf(graph, step, known);
  if (!convolution || HasFewLongSums(*convolution)) return nullptr;
  return device.Prepare(*convolution);
}

}  // namespace

bool IsTransformByLibrary(Device& device, const Graph& graph, const GraphStep& step) {
  return TransformOf(graph, step) && CallOf(device, graph, step, KnownValues(graph)) != nullptr;
}

LibrarySteps LibraryStepsOf(Device& device, const Graph& graph) {
  const auto is_taken = [&](const ProductCall& call) { return device.Prepare(call) != nullptr; };
  LibrarySteps steps{.graph = AreWanted() ? WithEpilogues(graph, is_taken) : graph, .calls = {}};
  const KnownValues known(steps.graph);
  for (const GraphStep& step : steps.graph.steps()) {
    steps.calls.push_back(CallOf(device, steps.graph, step, known));
  }
  return steps;
}

}  // namespace lamina::gpu
