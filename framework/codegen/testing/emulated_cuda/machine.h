// What a kernel asks of the machine that plays its device. Kernels are compiled apart from it, so
// it is an interface, and includes nothing but C.
#ifndef EMULATED_MACHINE_H_
#define EMULATED_MACHINE_H_

#include <stddef.h>
#include <stdint.h>

namespace emulator {

struct Index {
  unsigned x, y, z;
};

/// Where a thread stands: what CUDA calls threadIdx, blockIdx, blockDim, gridDim.
struct Place {
  Index thread = {0, 0, 0}, block = {0, 0, 0}, block_size = {1, 1, 1}, grid_size = {1, 1, 1};
  void* shared = nullptr;  ///< Memory of the block, of the size that the launch says.
};

enum class AccessKind { kRead, kWrite, kAtomic };

/// Each function is called by the thread whose turn it is.
class Machine {
 public:
  /// Returns when all threads of the block have called it.
  virtual void MeetBlock() = 0;
  /// Returns when these lanes of the thread's warp have called it, a bit for each.
  virtual void MeetWarp(unsigned lanes) = 0;
  /// The same, and each hands a value to the others, which Received tells them.
  virtual void Exchange(unsigned lanes, uint64_t value) = 0;
  virtual uint64_t Received(unsigned lane) = 0;

  /// Told before memory is read or written, by the code at this address.
  virtual void Access(const void* memory, size_t bytes, AccessKind kind, const void* code) = 0;
  /// An address is no multiple of what its type asks for; a line of the kernel's text.
  virtual void Misaligned(const void* memory, size_t alignment, unsigned line) = 0;
  /// An index lies outside an array of this type: "'float [32]'".
  virtual void OutsideOfArray(const char* array_type, int64_t index, unsigned line) = 0;

 protected:
  ~Machine() = default;
};

/// A kernel that was compiled, by itself.
struct KernelEntry {
  const char* name;
  size_t num_arguments;
  const size_t* argument_bytes;
  void (*call)(void* const* arguments);  ///< As the thread at the place; the address of each value.
};

/// What the kernels of one library have in common.
struct LibraryEntry {
  Machine** machine;
  Place* place;
  void (*take_shared_memory)();  ///< In the processor's thread that is going to run blocks.
  unsigned most_blocks;          ///< More are not run at a time.
};

}  // namespace emulator

#endif  // EMULATED_MACHINE_H_
