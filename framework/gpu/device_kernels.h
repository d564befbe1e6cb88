// A graph as kernels on a device, launched on given addresses.
//
// Used by single ops on a device (gpu.h) and by whole programs (device_program.h). What the device
// has a library for (library_steps.h) is a call of it, all else a kernel. Both have memory of their
// own for what is computed on the way. Compiled ones are kept on the disk
// (LAMINA_CACHE, as in kernel_cache.h).
//
// Threads: any.
#ifndef FRAMEWORK_GPU_DEVICE_KERNELS_H_
#define FRAMEWORK_GPU_DEVICE_KERNELS_H_

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "framework/emit/program.h"
#include "framework/gpu/device.h"
#include "framework/gpu/device_draws.h"
#include "framework/gpu/device_memory.h"
#include "framework/gpu/library_steps.h"
#include "framework/gpu/own_kernels.h"
#include "framework/gpu/position_checks.h"
#include "framework/graph/graph.h"

namespace lamina::gpu {

/// Launches of a DeviceKernels for certain arrays, and their records.
class BoundLaunches {
  friend class DeviceKernels;
  std::vector<void*> inputs_, outputs_;
  std::vector<void*> arrays_;  // Where those of the program begin.
  // One for each stretch; null for one that is launched. None where nothing is recorded.
  std::vector<std::unique_ptr<LaunchRecord>> records_;
};

class DeviceKernels {
 public:
  /// Compiles the kernels, or takes them from the disk. Errors: "emit:CannotPrint", which names the
  /// op, for one without kernels; "emit:TooLarge"; "gpu:CannotCompile" with the compiler's
  /// messages; "gpu:OutOfMemory"; "dlarray:IndexOutOfRange" for constant positions.
  DeviceKernels(const Graph& graph, std::shared_ptr<Device> device);

  /// Launches all of them, and checks of positions (position_checks.h). `inputs` and `outputs`:
  /// where the arrays of the graph begin. When the same addresses come again (memory that was given
  /// back is given again), the launches are recorded, and from then on started as one. Calls that
  /// may not be recorded (LibraryCall::may_be_recorded: sums over ranks) are always started by
  /// themselves, and what stands between two of them is a record of its own; one launch is none.
  /// After the device refused a record it is asked for no more, and what was not recorded is
  /// launched.
  void Run(std::span<void* const> inputs, std::span<void* const> outputs) const;
  /// The launches for addresses that come again and again: Start runs them, and records them unless
  /// nothing of these kernels ran before. They live no longer than these kernels.
  BoundLaunches Bind(std::span<void* const> inputs, std::span<void* const> outputs) const;
  void Start(BoundLaunches& bound) const;

  /// The source of all kernels but users' own.
  const std::string& source() const { return source_; }
  size_t num_launches() const { return launches_.size(); }
  /// Those of them that are calls of a library.
  size_t num_library_calls() const;
  /// Of how many starts a recorded run is: of records, and of launches and calls by themselves.
  size_t num_starts() const { return stretches_.size(); }
  /// Kernels that differ; time steps of a loop share theirs. Those of users' own are among them.
  size_t num_kernels() const { return num_kernels_; }
  /// Memory of the device for what is computed on the way.
  int64_t bytes() const { return bytes_; }
  /// How often they ran, and how often by no more than num_starts starts.
  struct Runs {
    int64_t all = 0, recorded = 0;
  };
  Runs runs() const;
  /// True when nothing had to be compiled.
  bool from_cache() const { return from_cache_; }

 private:
  struct Argument {
    int array = -1;          // Of the program; -1: the memory for joins.
    int64_t first_byte = 0;  // In the memory that the array stands in.
  };
  // Of a kernel; or of a library, a draw, a check or a kernel of the user's own: then its arguments
  // are the arrays.
  struct Launch {
    size_t kernel = 0;
    LaunchSize size = {};
    std::vector<Argument> arguments = {};
    std::shared_ptr<const LibraryCall> call = nullptr;
    int draw = -1, check = -1;
    std::shared_ptr<const OwnLaunch> own = nullptr;
  };

  // Launches that are recorded together, as many as stand side by side; or a call that may not be.
  struct Stretch {
    size_t first, end;
  };

  void CutIntoStretches();
  void StartRecorded(BoundLaunches& bound) const;
  void StartStretches(const BoundLaunches& bound) const;
  void Record(BoundLaunches& bound) const;
  void LaunchStretch(const Stretch& stretch, std::span<void* const> arrays) const;
  // `arguments` has the arrays.
  void LaunchOwn(const OwnLaunch& own, std::vector<void*>* arguments) const;
  // Writes the program; for each step what it is instead of a kernel, if anything.
  std::vector<Launch> WriteSteps(const LibrarySteps& steps);
  void Print(const Graph& graph, const std::vector<Launch>& called,
             std::vector<std::string>* kernels);
  void AddCall(const GraphStep& step, Launch launch);

  const std::shared_ptr<Device> device_;
  Program program_;
  std::string source_;
  std::vector<Launch> launches_;
  std::unique_ptr<DeviceMemory> scratch_[kNumDataTypes], joins_, workspace_;
  std::unique_ptr<LoadedKernels> kernels_;
  std::unique_ptr<const DeviceDraws> draws_;
  std::unique_ptr<PositionChecks> checks_;
  std::vector<Stretch> stretches_;
  mutable std::mutex launching_;              // Two runs at a time would share scratch memory.
  mutable std::vector<BoundLaunches> bound_;  // Of Run, the last ones first.
  mutable Runs runs_;
  mutable bool has_run_ = false;       // Libraries load what they need in the first run.
  mutable bool takes_records_ = true;  // The device did not refuse one.
  size_t num_kernels_ = 0;
  int64_t bytes_ = 0;
  bool from_cache_ = false;
};

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_DEVICE_KERNELS_H_
