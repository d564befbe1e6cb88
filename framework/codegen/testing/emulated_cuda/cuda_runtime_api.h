// A CUDA device played by the CPU, so that generated kernels are run and compared where there is no
// device: as much of the runtime as generated code uses.
//
// The threads of a block take turns at __syncthreads(), in another order each time: what depends on
// it gives other results. Blocks run one after another, and there are never
// more than EMULATED_MOST_BLOCKS, so that the kernels' loops over items are tried too. Memory is
// full of NaN when it is taken. Says nothing about what two threads do at the same time without a barrier between.
#ifndef EMULATED_CUDA_RUNTIME_API_H_
#define EMULATED_CUDA_RUNTIME_API_H_

#include <ucontext.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <numeric>
#include <vector>

#ifndef EMULATED_MOST_BLOCKS
#define EMULATED_MOST_BLOCKS 3
#endif

#define __global__
#define __device__
#define __shared__ static
#define __launch_bounds__(threads)

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

inline unsigned __float_as_uint(float x) {
  unsigned bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}
inline float __uint_as_float(unsigned bits) {
  float x;
  std::memcpy(&x, &bits, sizeof x);
  return x;
}

struct Index {
  unsigned x;
};
inline Index threadIdx{0}, blockIdx{0}, blockDim{0}, gridDim{0};

namespace emulator {

struct Thread {
  ucontext_t context;
  std::vector<char> stack = std::vector<char>(64 * 1024);
  bool has_ended = false;
};
inline ucontext_t scheduler;
inline Thread* running = nullptr;
inline std::function<void()> body;

inline void Begin() {
  body();
  running->has_ended = true;
}

inline void RunBlock(unsigned num_threads) {
  static std::vector<Thread> all(1024);
  if (num_threads == 0 || num_threads > all.size()) std::abort();
  for (unsigned t = 0; t < num_threads; ++t) {
    all[t].has_ended = false;
    getcontext(&all[t].context);
    all[t].context.uc_stack.ss_sp = all[t].stack.data();
    all[t].context.uc_stack.ss_size = all[t].stack.size();
    all[t].context.uc_link = &scheduler;
    makecontext(&all[t].context, Begin, 0);
  }
  static unsigned random = 1;
  for (;;) {
    random = random * 1664525u + 1013904223u;
    unsigned step = random >> 16 | 1u;
    const unsigned first = random >> 8;
    while (std::gcd(step, num_threads) != 1) ++step;  // So that each thread has its turn.
    unsigned num_ended = 0;
    for (unsigned turn = 0; turn < num_threads; ++turn) {
      threadIdx.x = (first % num_threads + turn * (step % num_threads)) % num_threads;
      running = &all[threadIdx.x];
      swapcontext(&scheduler, &running->context);
      num_ended += running->has_ended;
    }
    if (num_ended == num_threads) return;
    if (num_ended > 0) {
      std::fprintf(stderr, "not all threads of a block came to a barrier\n");
      std::abort();
    }
  }
}

template <class... P>
struct Launch {
  void (*kernel)(P...);
  unsigned blocks, threads;
  void operator()(P... arguments) const {
    body = [&] { kernel(arguments...); };
    gridDim.x = std::min(blocks, unsigned{EMULATED_MOST_BLOCKS});
    blockDim.x = threads;
    for (blockIdx.x = 0; blockIdx.x < gridDim.x; ++blockIdx.x) RunBlock(threads);
  }
};

}  // namespace emulator

inline void __syncthreads() {
  emulator::Thread* const thread = emulator::running;
  swapcontext(&thread->context, &emulator::scheduler);
}

/// In the place of kernel<<<blocks, threads, 0, stream>>>(arguments).
template <class... P>
emulator::Launch<P...> Emulated(void (*kernel)(P...), unsigned blocks, unsigned threads,
                                cudaStream_t) {
  return {kernel, blocks, threads};
}

#endif  // EMULATED_CUDA_RUNTIME_API_H_
