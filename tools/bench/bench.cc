// Times Lamina's workloads: bazel run //tools/bench [-- --benchmark NAME] [--json FILE]
#include <iostream>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "framework/cpu/threads.h"
#include "framework/io/file.h"
#include "framework/io/json.h"
#include "framework/io/safetensors.h"
#include "framework/ops/random.h"
#include "tools/bench/measure.h"
#include "tools/bench/workloads.h"

ABSL_FLAG(std::string, benchmark, "", "this workload alone");
ABSL_FLAG(std::string, json, "",
          "writes a list of {name, first_ms, median_ms, peak_memory_bytes, runs} to this file");
ABSL_FLAG(int64_t, elements, 0,
          "srelu_grad with this number of elements, a multiple of 1024, instead of its own");
ABSL_FLAG(double, seconds, 1.5, "how long a workload is timed after its warm-up");
ABSL_FLAG(bool, small, false, "the small workloads, which no peer has, instead of the others");
ABSL_FLAG(bool, list, false, "times nothing: prints the names of the workloads");
ABSL_FLAG(std::string, values, "",
          "times nothing: writes the inputs and outputs of the workload, in/0, .., out/0, .., to "
          "this safetensors file; of a training the outputs after two steps");

namespace lamina::bench {
namespace {

std::vector<Workload> Chosen() {
  const std::string only = absl::GetFlag(FLAGS_benchmark);
  const int64_t elements = absl::GetFlag(FLAGS_elements);
  if (elements != 0 && (only.empty() || only == "srelu_grad")) return {SReluGradOf(elements)};
  std::vector<Workload> chosen;
  for (const Workload& w : absl::GetFlag(FLAGS_small) ? SmallWorkloads() : Workloads()) {
    if (only.empty() || w.name == only) chosen.push_back(w);
  }
  return chosen;
}

Json Timed(const std::vector<Workload>& workloads) {
  std::cout << absl::StrFormat("%d threads\n%-27s %12s %12s %14s\n", cpu::NumThreads(), "workload",
                               "first ms", "median ms", "peak memory MB");
  Json results = Json::array();
  for (const Workload& w : workloads) {
    const Timing t =
        Measure([&] { return StepOf(w.make(DataType::kSingle)); }, absl::GetFlag(FLAGS_seconds));
    std::cout << absl::StrFormat("%-27s %12.3f %12.4f %14.1f\n", w.name, t.first_ms, t.median_ms,
                                 t.peak_memory_bytes / 1e6)
              << std::flush;
    results.push_back({{"name", w.name},
                       {"first_ms", t.first_ms},
                       {"median_ms", t.median_ms},
                       {"peak_memory_bytes", t.peak_memory_bytes},
                       {"runs", t.runs}});
  }
  return results;
}

absl::Status WriteValues(const std::string& path, const Workload& workload) {
  Work work = workload.make(workload.compared_in);
  // The peer has rates of its own.
  const DlArrays inputs(work.inputs.begin() + (work.rates ? 1 : 0), work.inputs.end());
  // The first step of Adam hardly depends on the size of the gradient, so a training takes two.
  const DlArrays outputs = Run(work, work.carried > 0 ? 2 : 1);
  std::vector<TensorView> tensors;
  const auto add = [&](const char* name, const DlArrays& arrays) {
    for (size_t i = 0; i < arrays.size(); ++i) {
      const ArraySpec& spec = arrays[i].spec();
      const auto* bytes = static_cast<const char*>(arrays[i].data()->bytes());
      tensors.push_back({absl::StrCat(name, "/", i),
                         spec.type,
                         {spec.sizes.begin(), spec.sizes.end()},
                         {bytes, arrays[i].numel() * SizeOf(spec.type)}});
    }
  };
  add("in", inputs);
  add("out", outputs);
  return WriteSafetensors(path, tensors);
}

absl::Status Main() {
  const std::vector<Workload> workloads = Chosen();
  if (workloads.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("There is no workload \"", absl::GetFlag(FLAGS_benchmark), "\"."));
  }
  if (absl::GetFlag(FLAGS_list)) {
    for (const Workload& w : workloads) std::cout << w.name << "\n";
    return absl::OkStatus();
  }
  const std::string values = absl::GetFlag(FLAGS_values), json = absl::GetFlag(FLAGS_json);
  if (!values.empty()) {
    if (workloads.size() == 1) return WriteValues(values, workloads[0]);
    return absl::InvalidArgumentError("--values needs --benchmark.");
  }
  const Json results = Timed(workloads);
  return json.empty() ? absl::OkStatus() : WriteFileAtomically(json, WriteJson(results, 1) + "\n");
}

}  // namespace
}  // namespace lamina::bench

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("times named workloads; tools/bench/README.md describes them");
  absl::ParseCommandLine(argc, argv);
  try {
    const absl::Status status = lamina::bench::Main();
    if (status.ok()) return 0;
    std::cerr << status.message() << "\n";
  } catch (const lamina::Error& error) {
    std::cerr << error.what() << "\n";
  }
  return 1;
}
