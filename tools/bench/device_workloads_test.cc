// Do the workloads have kernels for a device, and does NVRTC take them?
#include <gtest/gtest.h>

#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/gpu/cuda_library.h"
#include "framework/gpu/device_kernels.h"
#include "framework/gpu/device_parts.h"
#include "framework/gpu/testing/compiling_device.h"
#include "framework/graph/optimize.h"
#include "tools/bench/workloads.h"

namespace lamina::bench {
namespace {

TEST(DeviceWorkloadsTest, KernelsAreTakenByTheCompiler) {
  if (!gpu::FindCudaCompiler().ok()) GTEST_SKIP() << gpu::FindCudaCompiler().status();
  const auto device = gpu::testing::MakeCompilingDevice("sm_90");
  for (const Workload& workload : Workloads()) {
    Work work = workload.make(DataType::kSingle);
    if (work.is_eager) continue;
    if (work.rates) work.inputs[0] = work.rates(1);
    std::vector<ArraySpec> specs;
    for (const DlArray& x : work.inputs) specs.push_back(x.spec());
    const Graph graph = Optimize(
        RecordGraph([&](Arrays in) { return work.function(DlArrays(in.begin(), in.end())); },
                    specs),
        ImageLayouts::kPlain);
    const auto start = std::chrono::steady_clock::now();
    try {
      const gpu::DeviceParts parts = gpu::PartsForDevice(graph, *device);
      const gpu::DeviceKernels kernels(parts.graph, device);
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      std::cout << workload.name << ": " << parts.graph.steps().size() << " ops, "
                << kernels.num_launches() << " launches of " << kernels.num_kernels()
                << " kernels, " << seconds.count() << " s to make\n";
    } catch (const Error& e) {
      ADD_FAILURE() << workload.name << ": " << e.what();
    }
  }
}

}  // namespace
}  // namespace lamina::bench
