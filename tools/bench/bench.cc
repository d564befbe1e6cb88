// Times Lamina's workloads: bazel run //tools/bench [-- --benchmark NAME] [--json FILE]
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_format.h"
#include "framework/cpu/threads.h"
#include "framework/io/file.h"
#include "framework/io/json.h"
#include "tools/bench/measure.h"
#include "tools/bench/workloads.h"

ABSL_FLAG(std::string, benchmark, "", "this workload alone");
ABSL_FLAG(std::string, json, "",
          "writes a list of {name, first_ms, median_ms, peak_memory_bytes, runs} to this file");

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("times named workloads; tools/bench/README.md describes them");
  absl::ParseCommandLine(argc, argv);
  const std::string only = absl::GetFlag(FLAGS_benchmark), file = absl::GetFlag(FLAGS_json);
  std::cout << absl::StrFormat("%d threads\n%-16s %12s %12s %14s\n", lamina::cpu::NumThreads(),
                               "workload", "first ms", "median ms", "peak memory MB");
  lamina::Json results = lamina::Json::array();
  for (const lamina::bench::Workload& w : lamina::bench::Workloads()) {
    if (!only.empty() && w.name != only) continue;
    const lamina::bench::Timing t = lamina::bench::Measure(w.make);
    std::cout << absl::StrFormat("%-16s %12.3f %12.4f %14.1f\n", w.name, t.first_ms, t.median_ms,
                                 t.peak_memory_bytes / 1e6)
              << std::flush;
    results.push_back({{"name", w.name},
                       {"first_ms", t.first_ms},
                       {"median_ms", t.median_ms},
                       {"peak_memory_bytes", t.peak_memory_bytes},
                       {"runs", t.runs}});
  }
  if (results.empty()) {
    std::cerr << "There is no workload \"" << only << "\".\n";
    return 1;
  }
  if (!file.empty()) {
    const absl::Status written =
        lamina::WriteFileAtomically(file, lamina::WriteJson(results, 1) + "\n");
    if (!written.ok()) {
      std::cerr << written << "\n";
      return 1;
    }
  }
  return 0;
}
