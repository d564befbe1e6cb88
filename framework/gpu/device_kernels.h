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
#include "framework/graph/graph.h"

namespace lamina::gpu {

class DeviceKernels {
 public:
  /// Compiles the kernels, or takes them from the disk. Errors: "emit:CannotPrint", which names the
  /// op, for one without kernels; "emit:TooLarge"; "gpu:CannotCompile" with the compiler's
  /// messages; "gpu:OutOfMemory".
  DeviceKernels(const Graph& graph, std::shared_ptr<Device> device);

  /// Launches all of them. `inputs` and `outputs`: where the arrays of the graph begin. When the
  /// same addresses come again (memory that was given back is given again), the launches are
  /// recorded, and from then on started as one; not with a sum over ranks among them
  /// (LibraryCall::may_be_recorded), nor after the device refused a record.
  void Run(std::span<void* const> inputs, std::span<void* const> outputs) const;
  /// The launches for these addresses, to be started as one. Runs them before, if they never ran.
  /// Null where they may not be recorded: then they are to be run.
  std::unique_ptr<LaunchRecord> Record(std::span<void* const> inputs,
                                       std::span<void* const> outputs) const;
  /// Starts a record of these kernels; it draws anew.
  void Start(const LaunchRecord& record) const;

  /// The source of all kernels but users' own.
  const std::string& source() const { return source_; }
  size_t num_launches() const { return launches_.size(); }
  /// Those of them that are calls of a library.
  size_t num_library_calls() const;
  /// Kernels that differ; time steps of a loop share theirs. Those of users' own are among them.
  size_t num_kernels() const { return num_kernels_; }
  /// Memory of the device for what is computed on the way.
  int64_t bytes() const { return bytes_; }
  /// How often Run ran, and how often with all launches as one.
  struct Runs {
    int64_t all = 0, as_one = 0;
  };
  Runs runs() const;
  /// True when nothing had to be compiled.
  bool from_cache() const { return from_cache_; }

 private:
  struct Argument {
    int array = -1;          // Of the program; -1: the memory for joins.
    int64_t first_byte = 0;  // In the memory that the array stands in.
  };
  // Of a kernel; or of a library, a draw or a kernel of the user's own: then its arguments are the
  // arrays.
  struct Launch {
    size_t kernel = 0;
    LaunchSize size = {};
    std::vector<Argument> arguments = {};
    std::shared_ptr<const LibraryCall> call = nullptr;
    int draw = -1;
    std::shared_ptr<const OwnLaunch> own = nullptr;
  };

  // Addresses that came, and their launches when they came twice.
  struct Recorded {
    std::vector<void*> addresses;
    std::unique_ptr<LaunchRecord> launches;
  };

  void LaunchAll(std::span<void* const> inputs, std::span<void* const> outputs) const;
  std::unique_ptr<LaunchRecord> RecordAll(std::span<void* const> inputs,
                                          std::span<void* const> outputs) const;
  // `arguments` has the arrays.
  void LaunchOwn(const OwnLaunch& own, std::vector<void*>* arguments) const;
  void TakeNumbers() const;
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
  mutable std::mutex launching_;            // Two runs at a time would share scratch memory.
  mutable std::vector<Recorded> recorded_;  // The last ones first.
  mutable Runs runs_;
  mutable bool has_run_ = false;     // Libraries load what they need in the first run.
  mutable bool is_recorded_ = true;  // Are launches for addresses that come again one?
  size_t num_kernels_ = 0;
  int64_t bytes_ = 0;
  bool from_cache_ = false;
};

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_DEVICE_KERNELS_H_
