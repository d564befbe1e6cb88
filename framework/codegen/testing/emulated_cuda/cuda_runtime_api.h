// A CUDA device played by the CPU, so that generated code is run and compared where there is no
// device: as much of the runtime as it uses. Kernels are compiled with it (device_functions.h).
//
// Blocks run one after another, and there are never more than EMULATED_MOST_BLOCKS, so that the
// kernels' loops over items are tried too; the threads of a block take turns (threads.h). Memory is
// full of NaN when it is taken.
#ifndef EMULATED_CUDA_RUNTIME_API_H_
#define EMULATED_CUDA_RUNTIME_API_H_

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>

#include "device_functions.h"
#include "threads.h"

#ifndef EMULATED_MOST_BLOCKS
#define EMULATED_MOST_BLOCKS 3
#endif

enum cudaError_t { cudaSuccess = 0, cudaErrorInvalidValue = 1, cudaErrorMemoryAllocation = 2 };
enum cudaMemcpyKind { cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };
using cudaStream_t = void*;

inline cudaError_t cudaMalloc(void** memory, size_t bytes) {
  *memory = std::malloc(bytes);
  if (*memory == nullptr) return cudaErrorMemoryAllocation;
  std::memset(*memory, 0xff, bytes);
  return cudaSuccess;
}
inline void cudaFree(void* memory) { std::free(memory); }
inline cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind) {
  std::memcpy(to, from, bytes);
  return cudaSuccess;
}
inline cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind,
                                   cudaStream_t) {
  std::memcpy(to, from, bytes);
  return cudaSuccess;
}
inline cudaError_t cudaGetLastError() { return cudaSuccess; }
inline const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaSuccess ? "no error" : "error";
}

namespace emulator {

class ThreadsAlone : public Machine {
 public:
  void MeetBlock() override { threads_.MeetBlock(); }
  void MeetWarp(unsigned lanes) override { threads_.MeetWarp(lanes); }
  void Exchange(unsigned lanes, uint64_t value) override { threads_.Exchange(lanes, value); }
  uint64_t Received(unsigned lane) override { return threads_.Received(lane); }
  void Access(const void*, size_t, AccessKind, const void*) override {}
  void Misaligned(const void*, size_t, unsigned) override {}
  void OutsideOfArray(const char*, int64_t, unsigned) override {}

  void RunBlock(unsigned num_threads, const std::function<void()>& body) {
    machine = this;
    if (threads_.Run(num_threads, &place.thread, body)) return;
    std::fprintf(stderr, "%s\n", threads_.WhoWaits().c_str());
    std::abort();
  }

 private:
  Threads threads_;
};

template <class... P>
struct Launch {
  void (*kernel)(P...);
  unsigned blocks, threads;
  void operator()(P... arguments) const {
    static ThreadsAlone device;
    const unsigned count = std::min(blocks, unsigned{EMULATED_MOST_BLOCKS});
    place.grid_size.x = count;
    place.block_size.x = threads;
    for (unsigned block = 0; block < count; ++block) {
      place.block.x = block;
      device.RunBlock(threads, [&] { kernel(arguments...); });
    }
  }
};

}  // namespace emulator

/// In the place of kernel<<<blocks, threads, 0, stream>>>(arguments).
template <class... P>
emulator::Launch<P...> Emulated(void (*kernel)(P...), unsigned blocks, unsigned threads,
                                cudaStream_t) {
  return {kernel, blocks, threads};
}

#endif  // EMULATED_CUDA_RUNTIME_API_H_
