// One of the graphs of a trace, made ready to run: by kernels of the processor, which are compiled
// when it is run for the second time, or as a program of the device on which the inputs lie.
//
// Used by trace.cc. Threads: may be run from any number of threads at once.
#ifndef FRAMEWORK_ACCELERATION_TRACE_PART_H_
#define FRAMEWORK_ACCELERATION_TRACE_PART_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "framework/acceleration/executable.h"
#include "framework/graph/graph_device.h"

namespace lamina::internal {

/// What it took to get kernels.
struct CompilationCount {
  double seconds = 0;
  int compiled = 0, loaded = 0;  ///< Programs; loaded ones were compiled before.
};

class TracePart {
 public:
  /// `device`: where it runs; null for the processor.
  TracePart(const Graph& graph, std::shared_ptr<GraphDevice> device);

  DlArrays Run(Arrays inputs, bool wait_for_compiler);

  /// Whether runs go by compiled kernels now.
  bool UsesKernels() const;
  int64_t bytes() const;
  /// "forward: 12 runs; 3 kernels and 1 call of an op, compiled in 0.21 s"
  std::string Describe(const char* name) const;
  void AddCompilation(CompilationCount* count) const;

 private:
  // Null where the graph has an op without kernels of the device.
  const GraphRunner* Runner();

  std::atomic<int64_t> runs_{0};
  // On the processor; without kernels on a device, too, op by op.
  Executable executable_;
  const std::shared_ptr<GraphDevice> device_;
  mutable std::mutex mutex_;  // Of what follows.
  bool is_prepared_ = false;
  std::unique_ptr<GraphRunner> runner_;
  std::string why_not_;
};

}  // namespace lamina::internal

#endif  // FRAMEWORK_ACCELERATION_TRACE_PART_H_
