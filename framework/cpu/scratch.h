#ifndef FRAMEWORK_CPU_SCRATCH_H_
#define FRAMEWORK_CPU_SCRATCH_H_

// Memory of the allocator that a kernel needs while it runs.
//
// Threads: an object belongs to one thread.
//
//   ScratchArray<float> sums(n);   // contents undefined, aligned to 64 bytes
//   sums[0] = 0;

#include <cstddef>
#include <cstdint>

#include "framework/cpu/allocator.h"

namespace lamina::cpu {

template <class T>
class ScratchArray {
 public:
  explicit ScratchArray(int64_t n)
      : bytes_(static_cast<size_t>(n) * sizeof(T)), data_(static_cast<T*>(Allocate(bytes_))) {}
  ~ScratchArray() { Deallocate(data_, bytes_); }
  ScratchArray(const ScratchArray&) = delete;
  ScratchArray& operator=(const ScratchArray&) = delete;

  T* data() { return data_; }
  T& operator[](int64_t i) { return data_[i]; }

 private:
  const size_t bytes_;
  T* const data_;
};

}  // namespace lamina::cpu

#endif  // FRAMEWORK_CPU_SCRATCH_H_
