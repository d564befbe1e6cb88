// A graph that runs on a device, as fused kernels.
//
//   const Graph graph = Optimize(RecordGraph(f, specs), ImageLayouts::kPlain);
//   const DeviceProgram program(graph, gpu);
//   DlArrays y = program.Run({gpu->ToDevice(x)});    // a launch for each kernel
//
//   BoundProgram step(program, x, y);   // always the same arrays: all kernels are one launch
//   step.Start();
//
// A run takes no memory but for its outputs. Sizes, labels and types are those of the graph.
//
// Results: as those of printed CUDA (emit/cuda_kernels.h), and of the libraries that take products,
// convolutions and Fourier transforms (library_steps.h).
//
// Threads: any.
#ifndef FRAMEWORK_GPU_DEVICE_PROGRAM_H_
#define FRAMEWORK_GPU_DEVICE_PROGRAM_H_

#include <memory>
#include <string>
#include <vector>

#include "framework/gpu/device_kernels.h"
#include "framework/gpu/gpu.h"
#include "framework/graph/graph.h"

namespace lamina::gpu {

class DeviceProgram {
 public:
  /// Compiles the kernels, or takes them from the disk. Errors: as DeviceKernels.
  DeviceProgram(Graph graph, std::shared_ptr<Gpu> gpu);

  /// Inputs and outputs lie on the device. Errors: "gpu:InputCount", "gpu:InputSpec";
  /// "gpu:OutOfMemory", after which the program can be run again.
  DlArrays Run(Arrays inputs) const;

  const Graph& graph() const { return graph_; }
  const DeviceKernels& kernels() const { return kernels_; }
  const std::shared_ptr<Gpu>& gpu() const { return gpu_; }
  /// Arrays for the outputs, whose elements are not set. Errors: "gpu:OutOfMemory".
  DlArrays RoomForOutputs() const;

 private:
  friend class BoundProgram;
  // The addresses of arrays that stand for these values of the graph.
  std::vector<void*> Addresses(Arrays arrays, const std::vector<int>& values,
                               const std::string& what) const;

  const Graph graph_;
  const std::shared_ptr<Gpu> gpu_;
  const DeviceKernels kernels_;
};

/// The launches of a program for certain arrays, recorded as DeviceKernels::Run tells: all are
/// started as one, but for sums over ranks and what stands between these.
class BoundProgram {
 public:
  /// Keeps the arrays. `outputs` share no elements with inputs. Errors: as DeviceProgram::Run.
  BoundProgram(std::shared_ptr<const DeviceProgram> program, DlArrays inputs, DlArrays outputs);

  /// Computes the outputs from what the inputs hold now. Returns before it is done.
  void Start() const;

 private:
  std::shared_ptr<const DeviceProgram> program_;
  DlArrays inputs_, outputs_;
  mutable BoundLaunches launches_;  // Recorded when they are started.
};

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_DEVICE_PROGRAM_H_
