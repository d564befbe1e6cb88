// Large copies between the memory of the processor and that of a device, by way of pinned memory.
//
// Pinned memory is what a device reads and writes by itself. Other memory the driver copies by way
// of pinned memory of its own, and whoever asks for a large copy waits there for all that the
// device was asked for before. Here the processor copies into chunks of pinned memory and goes on,
// as long as a chunk is free; and while it copies one chunk the device copies another.
//
//   Staging staging(std::move(pinned), {});
//   if (!staging.CopyIn(to, from, bytes)) ...     // small, or no pinned memory: copy as it is
//
// Threads: one at a time.
#ifndef FRAMEWORK_GPU_STAGING_H_
#define FRAMEWORK_GPU_STAGING_H_

#include <cstddef>
#include <memory>
#include <vector>

namespace lamina::gpu {

/// Pinned memory, and a device's copies from and to it, which are done in the order of its work.
class PinnedCopies {
 public:
  virtual ~PinnedCopies() = default;
  /// Null when there is none.
  virtual void* Take(size_t bytes) = 0;
  virtual void Give(void* pinned) = 0;
  /// Asks for a copy, of the chunk with this number, and returns.
  virtual void AskIn(void* to, const void* pinned, size_t bytes, size_t chunk) = 0;
  virtual void AskOut(void* pinned, const void* from, size_t bytes, size_t chunk) = 0;
  /// Returns when the last copy that was asked for with this number is done.
  virtual void WaitFor(size_t chunk) = 0;
};

class Staging {
 public:
  struct Options {
    /// Smaller copies are left to the driver, which has room for them in its commands.
    size_t smallest = (size_t{64} << 10) + 1;
    /// A copy of this size takes far longer than to ask for it.
    size_t chunk_bytes = size_t{1} << 20;
    size_t most_chunks = 16;  ///< They are taken when they are needed.
  };

  Staging(std::unique_ptr<PinnedCopies> copies, const Options& options);
  /// Of a device that has done all its work.
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  /// To the device. `from` may be changed as soon as it returns. False when nothing was done: the
  /// copy is small, or there is no pinned memory. Errors: those of PinnedCopies.
  bool CopyIn(void* to, const void* from, size_t bytes);
  /// From the device, when all that was asked for before is done. Likewise.
  bool CopyOut(void* to, const void* from, size_t bytes);

 private:
  struct Chunk {
    void* memory = nullptr;
    bool is_busy = false;  // It may be that a copy is not done.
  };

  // A new chunk, or the one that was asked for first. False when there is none at all.
  bool Next(size_t* chunk);
  // Waits until its copy is done.
  void Finish(size_t chunk);

  const std::unique_ptr<PinnedCopies> copies_;
  const Options options_;
  std::vector<Chunk> chunks_;
  size_t most_chunks_;  // Fewer than wanted when no more could be had.
  size_t next_ = 0;
};

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_STAGING_H_
