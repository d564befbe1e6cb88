// Plays kernels that were compiled as C++: their blocks one after another, the threads of a block
// by turns (codegen/testing/emulated_cuda/threads.h), each access of memory watched
// (memory_watch.h).
//
//   const absl::StatusOr<KernelImage> image = CompileForPlayer(source);
//   const PlayedKernels kernels(*image);
//   KernelPlayer player(&regions);
//   player.Play(kernels, 0, {.blocks = 40, .threads = 256}, kernels.Copy(0, arguments));
//
// Threads: one at a time.
#ifndef FRAMEWORK_GPU_TESTING_KERNEL_PLAYER_H_
#define FRAMEWORK_GPU_TESTING_KERNEL_PLAYER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "framework/codegen/testing/emulated_cuda/threads.h"
#include "framework/dlarray/error.h"
#include "framework/gpu/device.h"
#include "framework/gpu/testing/access_counts.h"
#include "framework/gpu/testing/memory_watch.h"
#include "framework/gpu/testing/warp_requests.h"

namespace lamina::gpu::testing {

/// What compiled kernels depend on besides their source.
std::string PlayerKey();

/// By the machine's C++ compiler. Errors: kInvalidArgument with its messages.
absl::StatusOr<KernelImage> CompileForPlayer(const KernelSource& source);

class PlayedKernels : public LoadedKernels {
 public:
  /// The values of a launch's arguments.
  using Values = std::vector<std::vector<char>>;

  explicit PlayedKernels(const KernelImage& image);
  ~PlayedKernels() override;
  PlayedKernels(const PlayedKernels&) = delete;
  PlayedKernels& operator=(const PlayedKernels&) = delete;

  Values Copy(size_t kernel, void* const* arguments) const;
  const emulator::KernelEntry& kernel(size_t i) const { return *kernels_[i]; }
  const emulator::LibraryEntry& compiled() const { return *library_; }
  /// Takes the shared memory of the calling thread of the processor: where it begins.
  uintptr_t TakeSharedMemory() const;
  size_t shared_bytes() const { return shared_bytes_; }
  /// Whether its own code or constants are at the address.
  bool Has(uintptr_t address) const { return address - begin_ < end_ - begin_; }
  /// "line 5" of the kernel's text, for code at an address.
  std::string LineOf(const void* code) const;

 private:
  const std::string image_;
  void* handle_ = nullptr;
  uintptr_t base_ = 0, begin_ = 0, end_ = 0;
  size_t shared_bytes_ = 0;
  const emulator::LibraryEntry* library_ = nullptr;
  std::vector<const emulator::KernelEntry*> kernels_;
};

class KernelPlayer : private emulator::Machine {
 public:
  /// `regions`: of the device's memory, as of each launch.
  explicit KernelPlayer(const MemoryWatch::Regions* regions) : watch_(regions) {}
  ~KernelPlayer() = default;

  /// Errors, each with the kernel, the thread and the line: "kernel:OutOfBounds", "kernel:Unset",
  /// "kernel:Race" (memory_watch.h); "kernel:Misaligned"; "kernel:Barrier" when threads wait for
  /// such that do not come. What follows in the kernel is not played then.
  void Play(const PlayedKernels& kernels, size_t kernel, LaunchSize size,
            const PlayedKernels::Values& values);

  /// Where accesses are counted; null: nowhere.
  void set_counts(AccessCounts* counts) { counts_ = counts; }

 private:
  void MeetBlock() override { threads_.MeetBlock(); }
  void MeetWarp(unsigned lanes) override { threads_.MeetWarp(lanes); }
  void Exchange(unsigned lanes, uint64_t value) override { threads_.Exchange(lanes, value); }
  uint64_t Received(unsigned lane) override { return threads_.Received(lane); }
  void Access(const void* memory, size_t bytes, emulator::AccessKind kind,
              const void* code) override;
  void Misaligned(const void* memory, size_t alignment, unsigned line) override;
  void OutsideOfArray(const char* array_type, int64_t index, unsigned line) override;

  void PlayBlock(const emulator::KernelEntry& kernel, unsigned num_threads, void* const* arguments);
  void Stop(Error fault);
  // "Block 3, thread 4".
  std::string Who() const;

  MemoryWatch watch_;
  WarpRequests requests_;
  AccessCounts* counts_ = nullptr;
  emulator::Threads threads_;
  const PlayedKernels* playing_ = nullptr;
  unsigned block_ = 0;
  std::optional<Error> fault_;
};

}  // namespace lamina::gpu::testing

#endif  // FRAMEWORK_GPU_TESTING_KERNEL_PLAYER_H_
