// The workloads of //tools/bench, as tools/bench/README.md describes them.
#ifndef TOOLS_BENCH_WORKLOADS_H_
#define TOOLS_BENCH_WORKLOADS_H_

#include <functional>
#include <string>
#include <vector>

namespace lamina::bench {

struct Workload {
  std::string name;
  /// Makes the data and returns one step.
  std::function<std::function<void()>()> make;
};

const std::vector<Workload>& Workloads();

}  // namespace lamina::bench

#endif  // TOOLS_BENCH_WORKLOADS_H_
