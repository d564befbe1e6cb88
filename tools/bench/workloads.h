// The workloads of //tools/bench, as tools/bench/README.md describes them.
#ifndef TOOLS_BENCH_WORKLOADS_H_
#define TOOLS_BENCH_WORKLOADS_H_

#include <cstdint>
#include <vector>

#include "tools/bench/workload.h"

namespace lamina::bench {

/// Those that are compared with a peer.
const std::vector<Workload>& Workloads();

/// Small ones, to see whether they lose by a second thread.
const std::vector<Workload>& SmallWorkloads();

/// The workload srelu_grad with another number of elements, a multiple of 1024: to see how time
/// grows with size.
Workload SReluGradOf(int64_t elements);

}  // namespace lamina::bench

#endif  // TOOLS_BENCH_WORKLOADS_H_
