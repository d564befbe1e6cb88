// Times Lamina's workloads on a CUDA device: bazel run //tools/bench:device_bench
//
// A workload is recorded and optimised as on the CPU, and runs as one launch for each call; that of
// a training hands its parameters on in the memory of the device. Printed are the median time of a
// call, how far the results are from those of the CPU, and what is not there yet. Ends with status
// 1 when a workload fails or its results are wrong.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "framework/gpu/device_parts.h"
#include "framework/gpu/device_program.h"
#include "framework/gpu/gpu.h"
#include "framework/graph/optimize.h"
#include "framework/ops/elementwise.h"
#include "tools/bench/device_timing.h"
#include "tools/bench/workloads.h"

ABSL_FLAG(std::string, benchmark, "", "this workload alone");
ABSL_FLAG(int64_t, elements, 0,
          "srelu_grad with this number of elements, a multiple of 1024, instead of its own");

namespace lamina::bench {
namespace {

using gpu::BoundProgram;
using gpu::DeviceParts;
using gpu::DeviceProgram;
using gpu::Gpu;
using Clock = std::chrono::steady_clock;

// A ReLU of what is nearly 0 may go the other way: residual_block_grad is 2.6e-3 off (docs/gpu.md).
constexpr double kMostError = 1e-2;

size_t BytesOf(const DlArray& x) { return static_cast<size_t>(x.numel()) * SizeOf(x.type()); }

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// The largest difference, in parts of the largest value of all arrays: some (the gradient of a bias
// before a normalization) would be 0 but for rounding. Parameters after a step are left out: Adam
// makes a whole step of such a gradient. Infinite where a difference is NaN.
double ErrorOf(Arrays came, const DlArrays& expected, size_t carried) {
  double difference = 0, largest = 0;
  for (size_t k = carried; k < expected.size(); ++k) {
    const DlArray y = Single(Gather(came[k])), z = Single(expected[k]);
    const float *const a = y.Data<float>(), *const b = z.Data<float>();
    for (int64_t i = 0; i < y.numel(); ++i) {
      const double apart = std::abs(static_cast<double>(a[i]) - b[i]);
      difference = std::isnan(apart) ? INFINITY : std::max(difference, apart);
      largest = std::max(largest, std::abs(static_cast<double>(b[i])));
    }
  }
  return largest > 0 ? difference / largest : difference;
}

// The calls of a workload. A training has two, which hand parameters to one another: the last
// `carried` of the first `end` inputs.
std::vector<BoundProgram> CallsOf(const std::shared_ptr<const DeviceProgram>& program,
                                  const DlArrays& inputs, size_t end, size_t carried) {
  const DlArrays first = program->RoomForOutputs();
  std::vector<BoundProgram> calls;
  if (carried == 0) {
    calls.emplace_back(program, inputs, first);
    return calls;
  }
  const DlArrays second = program->RoomForOutputs();
  const auto begin = static_cast<std::ptrdiff_t>(end - carried);
  const auto with = [&](const DlArrays& from) {
    DlArrays x = inputs;
    std::copy(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(carried), x.begin() + begin);
    return x;
  };
  calls.emplace_back(program, with(second), first);
  calls.emplace_back(program, with(first), second);
  // The first step starts from the workload's own parameters.
  for (size_t i = 0; i < carried; ++i) {
    const DlArray x = Gather(inputs[static_cast<size_t>(begin) + i]);
    const Gpu& gpu = *program->gpu();
    gpu.device()->CopyIn(gpu.Address(second[i]), x.data()->bytes(), BytesOf(x));
  }
  return calls;
}

// What there is to say of a workload, and whether all went well.
struct Line {
  std::string text;
  bool ok = true;
};

Line Timed(const std::shared_ptr<Gpu>& gpu, const Workload& workload) {
  Work work = workload.make(DataType::kSingle);
  if (work.is_eager) return {"no function that could be recorded"};
  if (work.rates) work.inputs[0] = work.rates(1);
  std::vector<ArraySpec> specs;
  for (const DlArray& x : work.inputs) specs.push_back(x.spec());
  const Clock::time_point start = Clock::now();
  const Graph graph = Optimize(
      RecordGraph([&](Arrays in) { return work.function(DlArrays(in.begin(), in.end())); }, specs),
      ImageLayouts::kPlain);
  try {
    const DeviceParts parts = gpu::PartsForDevice(graph, *gpu->device());
    if (!parts.draws.empty()) return {"random numbers, which the processor draws"};
    const auto program = std::make_shared<const DeviceProgram>(parts.graph, gpu);
    const double made = SecondsSince(start);
    DlArrays inputs;
    size_t bytes = 0;
    for (const DlArray& x : work.inputs) {
      inputs.push_back(gpu->ToDevice(x));
      bytes += BytesOf(x);
    }
    for (const DlArray& x : parts.constants) inputs.push_back(gpu->ToDevice(x));
    const DlArrays outputs = program->Run(inputs);
    for (const DlArray& y : outputs) bytes += BytesOf(y);
    const double error = ErrorOf(outputs, work.function(work.inputs), work.carried);
    const double seconds =
        MedianSeconds(*gpu->device(), CallsOf(program, inputs, work.inputs.size(), work.carried));
    return {absl::StrFormat(
                "%10.2f us %8.1f GB/s %5d launches of %3d kernels, %6.2f s to make, error %.1e%s",
                seconds * 1e6, static_cast<double>(bytes) / seconds * 1e-9,
                program->kernels().num_launches(), program->kernels().num_kernels(), made, error,
                error <= kMostError ? "" : ": too much"),
            error <= kMostError};
  } catch (const Error& e) {
    return {e.what(), false};
  }
}

int Main() {
  const std::shared_ptr<Gpu> gpu = gpu::CurrentGpu();
  std::cout << gpu->device()->Name() << ", " << gpu->device()->CompilerKey() << "\n";
  const std::string only = absl::GetFlag(FLAGS_benchmark);
  const int64_t elements = absl::GetFlag(FLAGS_elements);
  const std::vector<Workload> workloads =
      elements != 0 ? std::vector<Workload>{SReluGradOf(elements)} : Workloads();
  bool ok = true;
  for (const Workload& w : workloads) {
    if (!only.empty() && w.name != only) continue;
    std::cout << absl::StrFormat("%-24s ", w.name) << std::flush;
    const Line line = Timed(gpu, w);
    std::cout << line.text << std::endl;
    ok = ok && line.ok;
  }
  return ok ? 0 : 1;
}

}  // namespace
}  // namespace lamina::bench

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("times the workloads of tools/bench on a CUDA device");
  absl::ParseCommandLine(argc, argv);
  try {
    return lamina::bench::Main();
  } catch (const lamina::Error& error) {
    std::cerr << error.what() << "\n";
  }
  return 1;
}
