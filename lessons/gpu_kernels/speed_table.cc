#include "lessons/gpu_kernels/speed_table.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "framework/gpu/device_parts.h"
#include "framework/gpu/device_program.h"
#include "framework/gpu/gpu.h"
#include "framework/graph/optimize.h"
#include "tools/bench/device_timing.h"

namespace lamina {
namespace {

using gpu::BoundProgram;
using gpu::DeviceParts;
using gpu::DeviceProgram;
using gpu::Gpu;

// What the others are measured by: four neighbours at once, as 16 bytes.
const KernelFunction copy({.name = "Copy",
                           .source = R"(
struct alignas(16) Four { float at[4]; };
__global__ void Copy(const T* x, T* y, long long n) {
  const long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
  if (i < n) ((Four*)y)[i] = ((const Four*)x)[i];
}
)",
                           .launch =
                               [](std::span<const ArraySpec> x, std::span<const ArraySpec>) {
                                 const int64_t n = x[0].numel() / 4;
                                 return KernelLaunch{.blocks = (n + 255) / 256, .numbers = {n}};
                               }},
                          [](const DlArray& x) { return 1 * x; });

struct Timed {
  double seconds = 0;
  DlArray result;
  int64_t bytes = 0;  // Of inputs and results.
};

Timed Time(const std::shared_ptr<Gpu>& gpu, const KernelVersion& version, const DlArrays& there,
           double round) {
  std::vector<ArraySpec> specs;
  Timed timed;
  for (const DlArray& x : there) {
    specs.push_back(x.spec());
    timed.bytes += x.numel() * static_cast<int64_t>(SizeOf(x.type()));
  }
  const Graph graph = Optimize(
      RecordGraph([&](Arrays x) { return DlArrays{version.compute(DlArrays(x.begin(), x.end()))}; },
                  specs),
      ImageLayouts::kPlain);
  const DeviceParts parts = gpu::PartsForDevice(graph, *gpu->device());
  const auto program = std::make_shared<const DeviceProgram>(parts.graph, gpu);
  DlArrays inputs = there;
  for (const DlArray& x : parts.constants) inputs.push_back(gpu->ToDevice(x));
  const DlArrays outputs = program->RoomForOutputs();
  const BoundProgram call(program, inputs, outputs);
  timed.seconds = bench::MedianSeconds(*gpu->device(), {&call, 1}, round);
  timed.result = outputs[0];
  timed.bytes += timed.result.numel() * static_cast<int64_t>(SizeOf(timed.result.type()));
  return timed;
}

constexpr double kMostApart = 1e-4;

// The greatest difference, in parts of the largest value; NaN where one is.
double Apart(const DlArray& a, const DlArray& b) {
  const DlArray x = Gather(a), y = Gather(b);
  const DlArray apart = Abs(x - y);
  const double sum = Sum(apart).Scalar();  // MaxOver passes over NaN.
  return std::isnan(sum) ? sum : MaxOver(apart).Scalar() / MaxOver(Abs(y)).Scalar();
}

bool PrintChapter(const std::shared_ptr<Gpu>& gpu, const KernelChapter& chapter,
                  const SpeedTableOptions& options, double copied, std::ostream& out) {
  DlArrays there;
  for (const DlArray& x : chapter.inputs(options.sizes(chapter), DataType::kSingle)) {
    there.push_back(gpu->ToDevice(x));
  }
  std::vector<std::pair<std::string, Timed>> all;
  for (const KernelVersion& v : chapter.versions)
    all.emplace_back(v.name, Time(gpu, v, there, options.round));
  const Timed without = Time(gpu, chapter.without, there, options.round);
  all.emplace_back(chapter.without.name, without);
  out << "\n" << chapter.name;
  for (const DlArray& x : there) out << ", " << ToString(x.spec());
  out << absl::StrFormat("\n%-26s %10s %10s %10s %10s\n", "version", "us",
                         chapter.is_product ? "TFLOP/s" : "GB/s",
                         chapter.is_product ? "of without" : "of a copy", "apart");
  bool agree = true;
  for (const auto& [name, timed] : all) {
    const double apart = Apart(timed.result, without.result);
    agree = agree && apart <= kMostApart;
    const double operations =
        2.0 * static_cast<double>(timed.result.numel()) * static_cast<double>(there[0].sizes()[1]);
    const double rate = chapter.is_product
                            ? operations / timed.seconds * 1e-12
                            : static_cast<double>(timed.bytes) / timed.seconds * 1e-9;
    const double part = chapter.is_product ? without.seconds / timed.seconds : rate * 1e9 / copied;
    out << absl::StrFormat("%-26s %10.1f %10.1f %10.3f %10.1e\n", name, timed.seconds * 1e6, rate,
                           part, apart);
  }
  return agree;
}

}  // namespace

bool PrintSpeedTable(const std::shared_ptr<gpu::Gpu>& gpu, const SpeedTableOptions& options,
                     std::ostream& out) {
  out << gpu->device()->Name() << ", " << gpu->device()->CompilerKey() << "\n";
  Rng(1);
  const DlArrays x = {gpu->ToDevice(Rand({options.copied, 1}, DataType::kSingle))};
  const Timed copied =
      Time(gpu, {"copy", [](const DlArrays& in) { return copy(in[0]); }}, x, options.round);
  const double bandwidth = static_cast<double>(copied.bytes) / copied.seconds;
  out << absl::StrFormat("a copy of %d bytes: %.1f GB/s, read and written\n", copied.bytes / 2,
                         bandwidth * 1e-9);
  bool agree = true;
  for (const KernelChapter& chapter : KernelChapters()) {
    agree = PrintChapter(gpu, chapter, options, bandwidth, out) && agree;
  }
  return agree;
}

}  // namespace lamina
