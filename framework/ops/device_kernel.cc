#include "framework/ops/device_kernel.h"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "framework/ops/abstract_run.h"

namespace lamina {
namespace {

constexpr int64_t kThreads = 256, kMostThreads = 1024, kMostBlocks = 2147483647;

// A launch is known by its function, or by the type of its lambda.
std::string IdentityOf(const decltype(DeviceKernel::launch)& launch) {
  using Function = KernelLaunch (*)(std::span<const ArraySpec>, std::span<const ArraySpec>);
  if (const Function* function = launch.target<Function>()) {
    return absl::StrCat(reinterpret_cast<uintptr_t>(*function));
  }
  return launch.target_type().name();
}

// What tells a kernel of a function of this type from others.
std::string IdentityOf(const DeviceKernel& kernel, const std::string& type) {
  const auto number = [](std::string* text, DataType t) {
    absl::StrAppend(text, static_cast<int>(t));
  };
  return absl::StrCat(type, "|", kernel.source, "|", absl::StrJoin(kernel.types, ",", number), "|",
                      IdentityOf(kernel.launch));
}

}  // namespace

DeviceKernelOp::DeviceKernelOp(DeviceKernel kernel, const std::string& type,
                               std::function<DlArrays(Arrays)> function)
    : kernel_(std::move(kernel)),
      function_(std::move(function)),
      attributes_(absl::StrCat(kernel_.name, ", ",
                               absl::Hex(std::hash<std::string>()(IdentityOf(kernel_, type))))) {}

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
