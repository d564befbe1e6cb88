// Do the workloads have kernels for a device, and does NVRTC take them?
#include <gtest/gtest.h>

#include <chrono>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "framework/gpu/cuda_library.h"
#include "framework/gpu/device_kernels.h"
#include "framework/gpu/testing/compiling_device.h"
#include "framework/graph/optimize.h"
#include "tools/bench/workloads.h"

namespace lamina::bench {
namespace {

TEST(DeviceWorkloadsTest, KernelsAreTakenByTheCompiler) {
  if (!gpu::FindCudaCompiler().ok()) GTEST_SKIP() << gpu::FindCudaCompiler().status();
  // Workloads with an op that has no kernels yet.
  const std::map<std::string, std::string> missing = {{"attention_grad", "attention_gradient"}};
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
    const auto found = missing.find(workload.name);
    std::string why;
    try {
      const gpu::DeviceKernels kernels(graph, device);
      const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
      std::cout << workload.name << ": " << graph.steps().size() << " ops, "
                << kernels.num_launches() << " launches of " << kernels.num_kernels()
                << " kernels, " << seconds.count() << " s to make\n";
    } catch (const Error& e) {
      why = e.what();
    }
    if (found == missing.end()) {
      EXPECT_EQ(why, "") << workload.name;
    } else {
      EXPECT_NE(why.find(found->second), std::string::npos) << workload.name << ": " << why;
    }
  }
}

}  // namespace
}  // namespace lamina::bench
