#include "framework/gpu/device_graph.h"

#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "framework/dlarray/counted.h"
#include "framework/gpu/device_parts.h"

namespace lamina::gpu {
DeviceGraph::DeviceGraph(const Graph& graph, const std::shared_ptr<Gpu>& gpu) {
  DeviceParts parts = PartsForDevice(graph, *gpu->device());
  draws_ = std::move(parts.draws);
  for (const DlArray& constant : parts.constants) constants_.push_back(gpu->ToDevice(constant));
  const auto start = std::chrono::steady_clock::now();
  program_ = std::make_unique<const DeviceProgram>(std::move(parts.graph), gpu);
  seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

DlArrays DeviceGraph::Run(Arrays inputs) const {
  Gpu& gpu = *program_->gpu();
  DlArrays all;
  for (const DlArray& x : inputs) all.push_back(gpu.ToDevice(x));
  for (const OpPtr& draw : draws_) all.push_back(gpu.ToDevice(Apply(draw, Arrays())));
  all.insert(all.end(), constants_.begin(), constants_.end());
  return program_->Run(all);
}

std::string DeviceGraph::Describe() const {
  const DeviceKernels& kernels = program_->kernels();
  const size_t calls = kernels.num_library_calls();
  const DeviceKernels::Runs runs = kernels.runs();
  return absl::StrCat(
      internal::Counted(kernels.num_launches(), "launch", "launches"),
      calls == 0 ? "" : absl::StrCat(" (", calls, " by a library)"), " of ",
      internal::Counted(kernels.num_kernels(), "kernel"),
      draws_.empty() ? "" : " and " + internal::Counted(draws_.size(), "draw"),
      kernels.from_cache() ? ", loaded in " : ", compiled in ",
      absl::StrFormat("%.3f s; %d of %d runs were ", seconds_, runs.recorded, runs.all),
      kernels.num_starts() == 1 ? "one launch" : absl::StrCat(kernels.num_starts(), " launches"));
}

int64_t DeviceGraph::bytes() const {
  int64_t bytes = program_->kernels().bytes();
  for (const DlArray& c : constants_) {
    bytes += c.numel() * static_cast<int64_t>(SizeOf(c.type()));
  }
  return bytes;
}

}  // namespace lamina::gpu
