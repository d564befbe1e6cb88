// A device that is played by the CPU, so that what runs on devices is tried where there is none:
// kernels are compiled as C++ (kernel_player.h). It is slow.
//
//   const std::shared_ptr<EmulatedDevice> device = MakeEmulatedDevice();
//   const AccessCounts counts = device->Count([&] { y = kernel(gpu->ToDevice(x)); });
//
// It finds what a real device may pass over, and tells the thread and the line: accesses outside of
// arrays, races between threads, shared memory that was not set, barriers to which not all come. A
// launch, or what waits for it, throws such an Error (memory_watch.h, kernel_player.h).
//
// Memory that was given back is taken again, as devices do. It is full of NaN then. Copies of
// pinned memory are done as late as a device may do them.
#ifndef FRAMEWORK_GPU_TESTING_EMULATED_DEVICE_H_
#define FRAMEWORK_GPU_TESTING_EMULATED_DEVICE_H_

#include <functional>
#include <memory>

#include "framework/gpu/device.h"
#include "framework/gpu/testing/access_counts.h"

namespace lamina::gpu::testing {

class EmulatedDevice : public Device {
 public:
  /// What is not given back yet, and what may be taken at most.
  virtual size_t bytes_in_use() const = 0;
  virtual void set_most_bytes(size_t bytes) = 0;
  /// What the threads of a block may share at most; at first that of an H100.
  virtual void set_max_shared_bytes(size_t bytes) = 0;
  /// How many records there may be at most; "gpu:OutOfMemory" for one more.
  virtual void set_most_records(int records) = 0;
  virtual int num_records() const = 0;
  /// Whether products with an epilogue are calls.
  virtual void set_takes_epilogues(bool takes) = 0;
  /// Of copies by way of pinned memory (staging.h).
  static constexpr size_t kSmallestStaged = 256, kChunkBytes = 4096, kMostChunks = 3;
  virtual void set_most_chunks(int chunks) = 0;
  /// How often a copy from the device was asked for right after one to it: what comes next is on
  /// its way before results are waited for.
  virtual int num_copies_ahead() const = 0;
  /// How often kernels were compiled, how often records were started, and how often kernels and
  /// calls of a library by themselves.
  virtual int num_compiled() const = 0;
  virtual int num_starts() const = 0;
  virtual int num_single_starts() const = 0;
  /// How many calls of a library with factors that are rounded to bfloat16 were asked for.
  virtual int num_rounded() const = 0;
  /// How the kernels that `work` launches, in this thread, use memory; calls of a library are not
  /// counted.
  virtual AccessCounts Count(const std::function<void()>& work) = 0;
};

/// `has_libraries`: products of matrices, convolutions and Fourier transforms are calls, which the
/// ops' own code for the processor answers. Sums over ranks are calls always, which the
/// communicator answers.
std::shared_ptr<EmulatedDevice> MakeEmulatedDevice(bool has_libraries = false);

}  // namespace lamina::gpu::testing

#endif  // FRAMEWORK_GPU_TESTING_EMULATED_DEVICE_H_
