// Times oneDNN called directly, as a peer of tools/bench/sides.py:
//
//   onednn --benchmark gemm_1024_onednn
//
// prints JSON: {"peer", "threads", "results": {name: {"first_ms", "median_ms", "peak_memory_bytes",
// "variant", "runs"}}}, of the fastest variant.
#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "framework/cpu/threads.h"
#include "framework/io/json.h"
#include "tools/bench/measure.h"
#include "tools/bench/onednn_calls.h"

ABSL_FLAG(std::string, benchmark, "", "this workload alone");
ABSL_FLAG(std::string, compile, "", "torch.compile of this variant: an error here");
ABSL_FLAG(bool, list, false, "print the names of the workloads");

namespace lamina::bench {
namespace {

std::vector<Floats> NormalInputs(const DirectWorkload& workload) {
  std::mt19937 source(0);
  std::normal_distribution<float> normal;
  std::vector<Floats> inputs;
  for (const int64_t size : workload.input_sizes) {
    Floats& values = inputs.emplace_back(size);
    for (float& value : values) value = normal(source);
  }
  return inputs;
}

std::string Peer() {
  const dnnl_version_t& version = *dnnl_version();
  return absl::StrCat("oneDNN ", version.major, ".", version.minor, ".", version.patch);
}

// The fastest variant. The first call is the very first of this process.
Json Best(const DirectWorkload& workload) {
  const std::vector<Floats> inputs = NormalInputs(workload);
  std::optional<double> first_ms;
  std::optional<Timing> best;
  std::string name, missing;  // `missing`: the variants that this oneDNN has not here.
  for (const DirectVariant& variant : workload.variants) {
    try {
      const Timing timing = Measure([&]() -> std::function<void()> {
        return [call = std::shared_ptr<DirectCall>(variant.make(inputs))] { call->Run(); };
      });
      first_ms = first_ms.value_or(timing.first_ms);
      std::cerr << workload.name << ", " << variant.name << ": " << timing.median_ms << " ms\n";
      if (best && best->median_ms <= timing.median_ms) continue;
      best = timing;
      name = variant.name;
    } catch (const dnnl::error& error) {
      if (error.status != dnnl_unimplemented) throw;
      absl::StrAppend(&missing, "; no ", variant.name, " here");
    }
  }
  if (!best) return nullptr;
  return {{"first_ms", *first_ms},
          {"median_ms", best->median_ms},
          {"peak_memory_bytes", best->peak_memory_bytes},
          {"variant", absl::StrCat(Peer(), ", ", name, missing)},
          {"runs", best->runs}};
}

absl::Status Main() {
  if (!absl::GetFlag(FLAGS_compile).empty()) {
    return absl::InvalidArgumentError("There is nothing to compile: the peer is oneDNN.");
  }
  const std::string only = absl::GetFlag(FLAGS_benchmark);
  Json results = Json::object();
  for (const DirectWorkload& workload : DirectWorkloads()) {
    if (!only.empty() && workload.name != only) continue;
    if (absl::GetFlag(FLAGS_list)) {
      std::cout << workload.name << "\n";
    } else {
      results[workload.name] = Best(workload);
    }
  }
  if (absl::GetFlag(FLAGS_list)) return absl::OkStatus();
  if (results.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("There is no workload \"", only, "\"."));
  }
  std::cout << WriteJson({{"peer", Peer()}, {"threads", cpu::NumThreads()}, {"results", results}},
                         1)
            << "\n";
  return absl::OkStatus();
}

}  // namespace
}  // namespace lamina::bench

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("times oneDNN called directly; tools/bench/README.md tells why");
  absl::ParseCommandLine(argc, argv);
  try {
    const absl::Status status = lamina::bench::Main();
    if (status.ok()) return 0;
    std::cerr << status.message() << "\n";
  } catch (const dnnl::error& error) {
    std::cerr << error.what() << "\n";
  }
  return 1;
}
