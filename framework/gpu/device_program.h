// A graph that runs on a device, as fused kernels.
//
//   const Graph graph = Optimize(RecordGraph(f, specs), ImageLayouts::kPlain);
//   const DeviceProgram program(graph, device);
//   DeviceArrays y = program.Run({ToDevice(device, x)});    // a launch for each kernel
//
//   BoundProgram step(program, x, y);   // always the same arrays: all kernels are one launch
//   step.Start();
//
// A program has memory of its own for what is computed on the way, so that its runs take none but
// for their outputs. Sizes, labels and types are those of the graph. Compiled kernels are kept on
// the disk (LAMINA_CACHE, as in kernel_cache.h).
//
// Results: as those of printed CUDA (emit/cuda_kernels.h). Products and convolutions are plain
// loops.
//
// Threads: as the device.
#ifndef FRAMEWORK_GPU_DEVICE_PROGRAM_H_
#define FRAMEWORK_GPU_DEVICE_PROGRAM_H_

#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "framework/emit/cuda_kernels.h"
#include "framework/emit/program.h"
#include "framework/gpu/device.h"
#include "framework/gpu/device_array.h"
#include "framework/graph/graph.h"

namespace lamina::gpu {

class DeviceProgram {
 public:
  /// Compiles the kernels, or takes them from the disk. Errors: "emit:CannotPrint", which names the
  /// op, for one without kernels (random numbers, complex numbers, transforms); "emit:TooLarge";
  /// "gpu:CannotCompile" with the compiler's messages; "gpu:OutOfMemory".
  DeviceProgram(Graph graph, std::shared_ptr<Device> device);

  /// Errors: "gpu:InputCount", "gpu:InputSpec"; "gpu:OutOfMemory", after which the program can be
  /// run again.
  DeviceArrays Run(std::span<const DeviceArray> inputs) const;

  const std::shared_ptr<Device>& device() const { return device_; }
  const Graph& graph() const { return graph_; }
  /// The kernels' source.
  const std::string& source() const { return source_; }
  size_t num_launches() const { return launches_.size(); }
  /// Kernels that differ; time steps of a loop share theirs.
  size_t num_kernels() const { return num_kernels_; }
  /// True when nothing had to be compiled.
  bool from_cache() const { return from_cache_; }

 private:
  friend class BoundProgram;
  struct Argument {
    int array = -1;          // Of the program; -1: the memory for joins.
    int64_t first_byte = 0;  // In the memory that the array stands in.
  };
  struct Launch {
    size_t kernel;
    LaunchSize size;
    std::vector<Argument> arguments;
  };

  void Print(std::vector<std::string>* kernels);
  KernelImage Compiled(const std::vector<std::string>& kernels);
  void Check(std::span<const DeviceArray> arrays, const std::vector<int>& values,
             const std::string& what) const;
  void LaunchAll(std::span<const DeviceArray> inputs, std::span<const DeviceArray> outputs) const;

  const Graph graph_;
  const std::shared_ptr<Device> device_;
  Program program_;
  std::string source_;
  std::vector<Launch> launches_;
  std::unique_ptr<DeviceMemory> scratch_[kNumDataTypes], joins_;
  std::unique_ptr<LoadedKernels> kernels_;
  size_t num_kernels_ = 0;
  bool from_cache_ = false;
};

/// The launches of a program for certain arrays, started by one call.
class BoundProgram {
 public:
  /// Keeps the arrays. `outputs` share no elements with inputs. Errors: as DeviceProgram::Run.
  BoundProgram(std::shared_ptr<const DeviceProgram> program, DeviceArrays inputs,
               DeviceArrays outputs);

  /// Computes the outputs from what the inputs hold now. Returns before it is done.
  void Start() const;

 private:
  std::shared_ptr<const DeviceProgram> program_;
  DeviceArrays inputs_, outputs_;
  std::unique_ptr<LaunchRecord> record_;
};

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_DEVICE_PROGRAM_H_
