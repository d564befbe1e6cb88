// A device with arrays on it, and single ops that run there.
//
// An array on a device is a DlArray like any other: sizes, labels and type are known here, the
// elements lie there (dlarray.h). An op that gets one is computed there, and its results stay
// there. So functions, layers, tapes and gradients are the same as ever; what needs the elements
// here calls Gather.
//
//   const DlArray x = GpuArray(a);              // to the current device (ops/gpu_array.h)
//   const DlArray y = Relu(x) + 1;              // computed there
//   std::cout << Gather(y).At(0);
//
// Each op is compiled once for each spec of its inputs, and kept on the disk. An accelerated
// function on such arrays is compiled as a whole (device_graph.h). Random numbers are drawn by the
// processor and brought over: the same bits as ever.
//
// Errors: "gpu:NoDevice", which says what was looked for and what to install; "gpu:OutOfMemory",
// after which all that is there can be used as before; "gpu:NoKernels", which names the op, for one
// that has no printed form and is not composed of others; "dlarray:IndexOutOfRange" when an array
// is brought back, for a position in what was computed before (position_checks.h).
//
// Threads: any.
#ifndef FRAMEWORK_GPU_GPU_H_
#define FRAMEWORK_GPU_GPU_H_

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "framework/gpu/device.h"
#include "framework/gpu/device_kernels.h"
#include "framework/gpu/device_memory.h"
#include "framework/graph/graph_device.h"
#include "framework/ops/op.h"

namespace lamina::gpu {

class Gpu : public GraphDevice, public std::enable_shared_from_this<Gpu> {
 public:
  static std::shared_ptr<Gpu> Make(std::shared_ptr<Device> device);

  /// The array on this device; itself if it lies there. Without what a tape or trace knows of it.
  /// Errors: "gpu:OutOfMemory"; "dlarray:NoValues".
  DlArray ToDevice(const DlArray& x);
  /// An array on this device whose elements are not set. Errors: "gpu:OutOfMemory".
  DlArray Room(ArraySpec spec);
  /// Whether the array lies on this device.
  bool Has(const DlArray& x) const;
  /// Where the elements of an array of this device begin.
  void* Address(const DlArray& x) const;
  /// Computes an op here; what the inputs do not have here is brought over. As DeviceElements::Run.
  void Run(const OpPtr& op, Arrays inputs, const SpecList& specs, std::span<DlArray> outputs);

  /// A graph of plain image layouts as one program.
  std::unique_ptr<GraphRunner> Prepare(const Graph& graph, std::string* why_not) override;

  const std::shared_ptr<Device>& device() const { return device_; }

 private:
  explicit Gpu(std::shared_ptr<Device> device) : device_(std::move(device)) {}
  // A single op. Not a program with its arrays, which keep the Gpu.
  struct OpKernels {
    std::vector<std::unique_ptr<DeviceMemory>> constants;  // The last inputs of the kernels.
    std::unique_ptr<const DeviceKernels> kernels;
  };

  std::shared_ptr<const OpKernels> KernelsOf(const OpPtr& op, Arrays inputs, const SpecList& specs);
  std::shared_ptr<const OpKernels> Compiled(const OpPtr& op, Arrays inputs, const SpecList& specs);

  const std::shared_ptr<Device> device_;
  std::mutex mutex_;  // Of what follows.
  std::map<std::string, std::shared_ptr<const OpKernels>> kernels_;
};

/// The device of GpuArray: the one of the innermost ScopedGpu of this thread, or else the first
/// CUDA device, which is opened when it is first asked for. Errors: "gpu:NoDevice".
std::shared_ptr<Gpu> CurrentGpu();

/// Makes a device the current one of this thread while the object lives.
class ScopedGpu {
 public:
  explicit ScopedGpu(std::shared_ptr<Gpu> gpu);
  ~ScopedGpu();
  ScopedGpu(const ScopedGpu&) = delete;
  ScopedGpu& operator=(const ScopedGpu&) = delete;

 private:
  std::shared_ptr<Gpu> outer_;
};

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_GPU_H_
