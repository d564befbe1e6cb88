#include "framework/gpu/own_kernels.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/emit/cuda_kernels.h"
#include "framework/gpu/kernel_store.h"
#include "framework/ops/device_kernel.h"

namespace lamina::gpu {
namespace {

std::vector<ArraySpec> SpecsOf(const Graph& graph, const std::vector<int>& values) {
  std::vector<ArraySpec> specs;
  for (const int v : values) specs.push_back(graph.values()[static_cast<size_t>(v)].spec);
  return specs;
}

}  // namespace

bool HasOwnKernel(const Graph& graph, const GraphStep& step) {
  const auto* const op = dynamic_cast<const DeviceKernelOp*>(step.op.get());
  return op != nullptr && op->Takes(SpecsOf(graph, step.inputs), SpecsOf(graph, step.outputs));
}

OwnLaunch OwnKernels::For(const Graph& graph, const GraphStep& step) {
  const auto& op = dynamic_cast<const DeviceKernelOp&>(*step.op);
  const DeviceKernel& kernel = op.kernel();
  const std::vector<ArraySpec> results = SpecsOf(graph, step.outputs);
  // The compiler's messages tell lines of the user's text.
  const std::string text = absl::StrCat(
      CudaPreamble(), "using T = ", results[0].type == DataType::kSingle ? "float" : "double",
      ";\n#line 1 \"", kernel.name, "\"\n", kernel.source, "\n");
  std::shared_ptr<const LoadedKernels>& loaded = loaded_[text];
  if (loaded == nullptr) {
    const KernelSource source = {
        .text = text, .kernels = {kernel.name}, .runs_any_number_of_blocks = false};
    try {
      loaded = device_->Load(CompiledKernels(*device_, source));
    } catch (Error& e) {
      e.AddPlace(absl::StrCat("Kernel \"", kernel.name, "\""));
      throw;
    }
  }
  KernelLaunch launch = op.LaunchFor(SpecsOf(graph, step.inputs), results);
  return {.kernels = loaded,
          .size = {.blocks = static_cast<unsigned>(launch.blocks),
                   .threads = static_cast<unsigned>(launch.threads)},
          .numbers = std::move(launch.numbers)};
}

}  // namespace lamina::gpu
