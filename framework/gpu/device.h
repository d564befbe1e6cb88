// A device that runs kernels: what the rest of the room needs of it, whoever makes it.
//
// Work is done in the order in which it is asked for, and asking returns before it is done, but for
// CopyOut and Wait. There are two: a CUDA device (cuda_device.h) and, for tests on machines without
// one, a device that is played by the CPU (testing/emulated_device.h).
//
//   void* x = device.Allocate(bytes);
//   device.CopyIn(x, host, bytes);
//   const auto image = device.Compile({.text = text, .kernels = {"Kernel0<true>"}});
//   const auto kernels = device.Load(*image);
//   void* arguments[] = {&x};
//   device.Launch(*kernels, 0, {.blocks = 40, .threads = 256}, arguments);
//
// Errors: "gpu:OutOfMemory" when the device has no room for an array, kernels or a record, after
// which all that is there can be used as before; "gpu:Driver" for what else the driver refuses,
// with its name for it.
//
// Threads: any.
#ifndef FRAMEWORK_GPU_DEVICE_H_
#define FRAMEWORK_GPU_DEVICE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "framework/gpu/library_call.h"

namespace lamina::gpu {

/// What is to be compiled.
struct KernelSource {
  std::string text;
  std::vector<std::string> kernels;  ///< What is wanted of it, as C++ names it.
  /// May a product and a sum be one operation with one rounding? It is faster, and of other bits.
  bool may_fuse = true;
  /// Do they give the same when fewer blocks run than were asked for? An emulated device tries it.
  bool runs_any_number_of_blocks = true;
};

/// Compiled kernels, as they are kept on a disk.
struct KernelImage {
  std::string code;
  std::vector<std::string> symbols;  ///< The name of each kernel in the code.
};

/// Kernels on a device, ready to be launched.
class LoadedKernels {
 public:
  virtual ~LoadedKernels() = default;
};

/// Launches that were recorded, to be started by one call.
class LaunchRecord {
 public:
  virtual ~LaunchRecord() = default;
};

struct LaunchSize {
  unsigned blocks = 1, threads = 1;
  /// Of the array without a size that the kernel declares. With those of a fixed size it is
  /// MaxSharedBytes at most.
  unsigned shared_bytes = 0;
};

class Device {
 public:
  virtual ~Device() = default;

  /// For a reader: "NVIDIA H200, 139.8 GiB".
  virtual std::string Name() const = 0;
  /// All that a compiled kernel depends on besides its source.
  virtual std::string CompilerKey() const = 0;
  /// The most memory that the threads of a block may share.
  virtual size_t MaxSharedBytes() const = 0;

  /// Memory that begins at a multiple of 256 bytes.
  virtual void* Allocate(size_t bytes) = 0;
  virtual void Free(void* memory) = 0;
  /// From the host to the device. The host's memory may be changed as soon as it returns.
  virtual void CopyIn(void* to, const void* from, size_t bytes) = 0;
  /// From the device to the host, when all that was asked for before is done.
  virtual void CopyOut(void* to, const void* from, size_t bytes) = 0;
  /// Returns when all that was asked for is done.
  virtual void Wait() = 0;
  /// Memory of the host in which kernels note what it should know: so many numbers, 0 at first.
  /// Kernels use the same address, and what they wrote is there when the host has waited for them.
  static constexpr int kNotes = 4;
  virtual int64_t* Notes() = 0;

  /// Errors: kInvalidArgument with the compiler's messages.
  virtual absl::StatusOr<KernelImage> Compile(const KernelSource& source) = 0;
  virtual std::unique_ptr<LoadedKernels> Load(const KernelImage& image) = 0;
  /// Launches the kernel with this number in the image; `arguments` has the address of each value.
  virtual void Launch(const LoadedKernels& kernels, size_t kernel, LaunchSize size,
                      void** arguments) = 0;

  /// A call of a library of the vendor's that does this, kept by the device; null where there is
  /// none or it does not take these sizes or this type.
  virtual std::shared_ptr<const LibraryCall> Prepare(const ProductCall& call) = 0;
  virtual std::shared_ptr<const LibraryCall> Prepare(const ConvolutionCall& call) = 0;
  virtual std::shared_ptr<const LibraryCall> Prepare(const FourierCall& call) = 0;
  /// All ranks prepare it and start it as often. Errors: "gpu:NoCollectives", which tells what to
  /// install, where there is no such library; those of the communicator, then and from all that
  /// waits for the device, when a rank is lost.
  virtual std::shared_ptr<const LibraryCall> Prepare(const AllReduceCall& call) = 0;
  /// `arrays` and `workspace`: as LibraryCall::Start.
  virtual void Start(const LibraryCall& call, std::span<void* const> arrays, void* workspace) = 0;

  /// The launches and calls that `launches` asks for, written down instead of done. It asks for
  /// nothing else, and for no call that was not started before or that may not be recorded; other
  /// threads wait.
  virtual std::unique_ptr<LaunchRecord> Record(const std::function<void()>& launches) = 0;
  virtual void Start(const LaunchRecord& record) = 0;
};

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_DEVICE_H_
