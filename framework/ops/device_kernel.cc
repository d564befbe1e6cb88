#include "framework/ops/device_kernel.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "framework/ops/abstract_run.h"

namespace lamina {
namespace {

constexpr int64_t kThreads = 256, kMostThreads = 1024, kMostBlocks = 2147483647;

}  // namespace

DeviceKernelOp::DeviceKernelOp(DeviceKernel kernel, const std::string& type,
                               std::function<DlArrays(Arrays)> function)
    : kernel_(std::move(kernel)),
      function_(std::move(function)),
      attributes_(absl::StrCat(
          kernel_.name, ", ",
          absl::Hex(std::hash<std::string>()(absl::StrCat(type, "|", kernel_.source))))) {}

void DeviceKernelOp::Infer(const Specs& inputs, SpecList* outputs) const {
  AbstractRun run;
  DlArrays x;
  for (size_t i = 0; i < inputs.size(); ++i) x.push_back(AbstractArray(inputs[i]));
  for (const DlArray& y : function_(x)) outputs->push_back(y.spec());
}

void DeviceKernelOp::Run(Arrays inputs, Results outputs) const {
  const DlArrays y = function_(inputs);
  for (size_t i = 0; i < y.size(); ++i) outputs.Share(i, y[i]);
}

bool DeviceKernelOp::Takes(std::span<const ArraySpec> inputs,
                           std::span<const ArraySpec> results) const {
  if (results.empty()) return false;
  const DataType type = results[0].type;
  const auto has_type = [&](const ArraySpec& spec) { return spec.type == type; };
  return (type == DataType::kSingle || type == DataType::kDouble) &&
         std::find(kernel_.types.begin(), kernel_.types.end(), type) != kernel_.types.end() &&
         std::all_of(inputs.begin(), inputs.end(), has_type) &&
         std::all_of(results.begin(), results.end(), has_type);
}

KernelLaunch DeviceKernelOp::LaunchFor(std::span<const ArraySpec> inputs,
                                       std::span<const ArraySpec> results) const {
  if (kernel_.launch == nullptr) {
    const int64_t n = results[0].numel();
    return {.blocks = (n + kThreads - 1) / kThreads, .threads = kThreads, .numbers = {n}};
  }
  KernelLaunch launch = kernel_.launch(inputs, results);
  if (launch.blocks < 0 || launch.blocks > kMostBlocks || launch.threads < 1 ||
      launch.threads > kMostThreads || launch.shared_bytes < 0) {
    throw Error("kernel:Launch",
                absl::StrCat("The launch of kernel \"", kernel_.name, "\" has 0 to ", kMostBlocks,
                             " blocks of 1 to ", kMostThreads,
                             " threads, and 0 bytes of shared memory or more."),
                absl::StrCat(launch.blocks, " blocks of ", launch.threads, " threads and ",
                             launch.shared_bytes, " bytes came."),
                "Let a thread compute several elements, or use more blocks.");
  }
  return launch;
}

}  // namespace lamina
