#ifndef FRAMEWORK_CPU_ALLOCATOR_H_
#define FRAMEWORK_CPU_ALLOCATOR_H_

// Memory for the values of arrays.
//
// Training allocates the same few sizes again and again; asking the system each time costs page
// faults that are dearer than the arithmetic. So a freed block is kept and given out again. Sizes
// are rounded up to classes (multiples of 64 bytes, then eight classes for each power of two, at
// most 12.5 % more than asked). Blocks up to 32 KiB are kept in lists of the calling thread, larger
// ones and the overflow of those lists in lists shared by all threads under a lock.
//
// Threads: every function may be called from any thread; a block may be freed by a thread other
// than the one that allocated it.
//
// Under the address sanitizer nothing is kept, so that a use after free is reported.
//
//   void* p = cpu::Allocate(1000);      // 64-byte aligned, contents undefined
//   cpu::Deallocate(p, 1000);           // the same size
//   cpu::Stats().bytes_in_use;          // 0

#include <cstddef>
#include <cstdint>

namespace lamina::cpu {

struct AllocatorStats {
  int64_t bytes_in_use;        ///< given out and not yet returned, rounded to size classes
  int64_t peak_bytes_in_use;   ///< greatest value of bytes_in_use since the start or ResetPeak()
  int64_t bytes_cached;        ///< taken from the system and not given out
  int64_t allocations;         ///< successful calls of Allocate since the start
  int64_t system_allocations;  ///< those that had to ask the system
};

/// A block of at least `bytes` bytes, aligned to 64 bytes; nullptr for 0 bytes.
/// Throws std::bad_alloc when the system refuses even after all cached blocks were given back.
void* Allocate(size_t bytes);

/// Returns a block of Allocate(bytes), with the same number. A nullptr is ignored.
void Deallocate(void* block, size_t bytes) noexcept;

/// Exact for everything that happened before the call.
AllocatorStats Stats();

/// Sets peak_bytes_in_use to bytes_in_use.
void ResetPeak();

/// Gives the cached blocks of this thread and the shared ones back to the system. The lists of
/// other threads (at most 256 KiB for each size class) stay until those threads end.
void ReleaseCached();

/// Calls `reclaim` when the system refuses memory, before the last attempt: what it gives back by
/// Deallocate serves that attempt. One function for the process, set once; it allocates nothing.
void SetReclaimer(void (*reclaim)());

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_ALLOCATOR_H_
