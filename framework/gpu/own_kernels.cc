#include "framework/gpu/own_kernels.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
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

std::string Repeated(const std::string& type, size_t times) {
  std::string text;
  for (size_t i = 0; i < times; ++i) absl::StrAppend(&text, text.empty() ? "" : ", ", type);
  return text;
}

// A launch hands over addresses of values, and nothing else would notice that a kernel takes
// others.
std::string CheckOfParameters(const std::string& kernel, size_t inputs, size_t results,
                              size_t numbers) {
  std::vector<std::string> parts;
  for (const auto& [type, times] : {std::pair<const char*, size_t>{"const T*", inputs},
                                    {"T*", results},
                                    {"long long", numbers}}) {
    if (times > 0) parts.push_back(Repeated(type, times));
  }
  const std::string parameters = absl::StrJoin(parts, ", ");
  return absl::StrCat(
      "#line 1 \"parameters of ", kernel, "\"\n",
      "template <class A, class B> struct LaminaSame { static constexpr bool kIs = false; };\n"
      "template <class A> struct LaminaSame<A, A> { static constexpr bool kIs = true; };\n"
      "static_assert(LaminaSame<decltype(",
      kernel, "), void(", parameters, ")>::kIs,\n\"", kernel, " takes (", parameters,
      "): the inputs, the results, the numbers of its launch\");\n");
}

}  // namespace

bool HasOwnKernel(const Device& device, const Graph& graph, const GraphStep& step) {
  const auto* const op = dynamic_cast<const DeviceKernelOp*>(step.op.get());
  if (op == nullptr) return false;
  const std::vector<ArraySpec> inputs = SpecsOf(graph, step.inputs),
                               results = SpecsOf(graph, step.outputs);
  return op->Takes(inputs, results) &&
         static_cast<size_t>(op->LaunchFor(inputs, results).shared_bytes) <=
             device.MaxSharedBytes();
}

OwnLaunch OwnKernels::For(const Graph& graph, const GraphStep& step) {
  const auto& op = dynamic_cast<const DeviceKernelOp&>(*step.op);
  const DeviceKernel& kernel = op.kernel();
  const std::vector<ArraySpec> results = SpecsOf(graph, step.outputs);
  KernelLaunch launch = op.LaunchFor(SpecsOf(graph, step.inputs), results);
  // The compiler's messages tell lines of the user's text.
  const std::string text = absl::StrCat(
      CudaPreamble(), "using T = ", results[0].type == DataType::kSingle ? "float" : "double",
      ";\n#line 1 \"", kernel.name, "\"\n", kernel.source, "\n",
      CheckOfParameters(kernel.name, step.inputs.size(), results.size(), launch.numbers.size()));
  std::shared_ptr<const LoadedKernels>& loaded = loaded_[text];
  if (loaded == nullptr) {
    const KernelSource source = {
        .text = text, .kernels = {kernel.name}, .runs_any_number_of_blocks = false};
    const absl::StatusOr<KernelImage> image = FindOrCompile(*device_, source);
    if (!image.ok()) {
      throw Error("gpu:CannotCompile", absl::StrCat("Kernel \"", kernel.name, "\" compiles."),
                  std::string(image.status().message()), "Lines are those of its source.");
    }
    loaded = device_->Load(*image);
  }
  return {.kernels = loaded,
          .size = {.blocks = static_cast<unsigned>(launch.blocks),
                   .threads = static_cast<unsigned>(launch.threads),
                   .shared_bytes = static_cast<unsigned>(launch.shared_bytes)},
          .numbers = std::move(launch.numbers)};
}

}  // namespace lamina::gpu
