// Times the libraries of a CUDA device, called directly, beside Lamina:
// bazel run //tools/bench:device_libraries
//
// For each case the two take turns on the same inputs, in one process. The library has its best
// algorithm: each that its heuristics name is tried (direct_cuda.h). Printed are the median times
// of a call and their ratio, and how far the two results are from one another. Products and
// convolutions are what Lamina calls the same libraries for; normalization, pooling and LSTM are
// kernels of its own, and the ratio says whether calling the library would pay. Ends with status 1
// when one of the two refuses a case or they differ.
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
#include "absl/strings/str_format.h"
#include "framework/gpu/device_parts.h"
#include "framework/gpu/device_program.h"
#include "framework/gpu/gpu.h"
#include "framework/graph/optimize.h"
#include "framework/ops/gpu_array.h"
#include "framework/ops/random.h"
#include "tools/bench/library_cases.h"

ABSL_FLAG(std::string, only, "", "the cases whose names contain this");

namespace lamina::bench {
namespace {

using gpu::BoundProgram;
using gpu::DeviceProgram;
using gpu::Gpu;
using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Starts `count` of them and waits for the end; seconds for one.
double SecondsOf(const std::function<void()>& start, const std::function<void()>& wait, int count) {
  const Clock::time_point begin = Clock::now();
  for (int i = 0; i < count; ++i) start();
  wait();
  return SecondsSince(begin) / count;
}

int CountFor(double seconds, double of_a_round) {
  return std::clamp(static_cast<int>(of_a_round / seconds), 2, 10000);
}

double Median(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return x[x.size() / 2];
}

// Results of both have the error of a sum of products in single, by a Fourier transform or
// Winograd's algorithm too.
constexpr double kMostDifference = 1e-3;

// The fastest variant that the device takes; none when it takes none.
const DirectVariant* Fastest(const DirectDevice& device, const DirectCase& direct, int* taken) {
  const auto wait = [&] { device.Wait(); };
  const DirectVariant* best = nullptr;
  double least = INFINITY;
  *taken = 0;
  for (const DirectVariant& variant : direct.variants) {
    if (variant.start() != 0) continue;
    device.Wait();
    ++*taken;
    const auto start = [&] { variant.start(); };
    const double seconds = SecondsOf(start, wait, CountFor(SecondsOf(start, wait, 3), 0.01));
    if (seconds < least) {
      least = seconds;
      best = &variant;
    }
  }
  return best;
}

// The largest difference in parts of the largest value.
double Difference(const DlArray& y, const Floats& z) {
  double difference = 0, largest = 0;
  for (int64_t i = 0; i < y.numel(); ++i) {
    const double apart = std::abs(y.At(i) - z[static_cast<size_t>(i)]);
    difference = std::isnan(apart) ? INFINITY : std::max(difference, apart);
    largest = std::max(largest, std::abs(y.At(i)));
  }
  return largest > 0 ? difference / largest : difference;
}

// What there is to say of a case; `ok` becomes false where the two results differ.
std::string Timed(const std::shared_ptr<Gpu>& gpu, const DirectDevice& device, const LibraryCase& c,
                  bool* ok) {
  std::vector<ArraySpec> specs;
  std::vector<Floats> floats;
  for (const DlArray& x : c.inputs) {
    specs.push_back(x.spec());
    floats.push_back(x.ToVector<float>());
  }
  const Graph graph = Optimize(
      RecordGraph([&](Arrays in) { return c.function(DlArrays(in.begin(), in.end())); }, specs),
      ImageLayouts::kPlain);
  const gpu::DeviceParts parts = gpu::PartsForDevice(graph, *gpu->device());
  const auto program = std::make_shared<const DeviceProgram>(parts.graph, gpu);
  DlArrays inputs;
  for (const DlArray& x : c.inputs) inputs.push_back(gpu->ToDevice(x));
  for (const DlArray& x : parts.constants) inputs.push_back(gpu->ToDevice(x));
  const DlArrays outputs = program->RoomForOutputs();
  const BoundProgram ours(program, inputs, outputs);
  ours.Start();
  const DlArray y = Gather(outputs[0]);

  const DirectCase direct = c.direct(device, floats);
  int taken = 0;
  const DirectVariant* const best = Fastest(device, direct, &taken);
  if (best == nullptr) return "the library takes it in no way";
  best->start();
  const double difference =
      Difference(y, device.Fetch(direct.result, static_cast<size_t>(y.numel())));

  if (!(difference <= kMostDifference)) *ok = false;

  const auto start_ours = [&] { ours.Start(); };
  const auto wait_ours = [&] { gpu->device()->Wait(); };
  const auto start_direct = [&] { best->start(); };
  const auto wait_direct = [&] { device.Wait(); };
  constexpr double kSecondsOfARound = 0.05;
  const int ours_count = CountFor(SecondsOf(start_ours, wait_ours, 3), kSecondsOfARound),
            direct_count = CountFor(SecondsOf(start_direct, wait_direct, 3), kSecondsOfARound);
  std::vector<double> of_ours, of_direct;
  for (int round = 0; round < 7; ++round) {
    of_ours.push_back(SecondsOf(start_ours, wait_ours, ours_count));
    of_direct.push_back(SecondsOf(start_direct, wait_direct, direct_count));
  }
  const double a = Median(of_ours), b = Median(of_direct);
  return absl::StrFormat(
      "%9.2f us  library %9.2f us  ours / library %5.2f  difference %.1e  (%s; %d taken of %d)",
      a * 1e6, b * 1e6, a / b, difference, best->name, taken, direct.variants.size());
}

int Main() {
  const auto device = DirectDevice::Open();
  if (!device.ok() || !CanUseGpu().ok()) {
    std::cout << "Nothing is timed. " << (device.ok() ? CanUseGpu() : device.status()).message()
              << "\n";
    return 0;
  }
  const std::shared_ptr<Gpu> gpu = gpu::CurrentGpu();
  std::cout << gpu->device()->Name() << ", " << gpu->device()->CompilerKey() << "\n";
  Rng(1);
  bool ok = true;
  for (const LibraryCase& c : LibraryCases()) {
    if (c.name.find(absl::GetFlag(FLAGS_only)) == std::string::npos) continue;
    std::cout << absl::StrFormat("%-44s ", c.name) << std::flush;
    try {
      std::cout << Timed(gpu, **device, c, &ok) << std::endl;
    } catch (const Error& error) {
      std::cout << error.what() << std::endl;
      ok = false;
    }
  }
  return ok ? 0 : 1;
}

}  // namespace
}  // namespace lamina::bench

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("times the libraries of a CUDA device beside Lamina");
  absl::ParseCommandLine(argc, argv);
  try {
    return lamina::bench::Main();
  } catch (const lamina::Error& error) {
    std::cerr << error.what() << "\n";
  }
  return 1;
}
