// How kernels use memory, counted by the emulated device: what there is to say about their speed
// where there is no device.
//
//   const AccessCounts counts = device->Count([&] { y = kernel(x); });
//   // counts.loads.SectorsPerRequest(): 4 where 32 neighbours are read side by side, up to 32
//
// A request is one load or store of a warp: of 32 threads of a block that have neighbouring numbers
// and run together. Memory of the device comes in sectors of 32 bytes, so a request moves as many
// sectors as its threads touch, whatever they want of them. What a cache would spare is not
// counted, nor what a compiler would (CUDA's optimises; here each access of the text is one).
#ifndef FRAMEWORK_GPU_TESTING_ACCESS_COUNTS_H_
#define FRAMEWORK_GPU_TESTING_ACCESS_COUNTS_H_

#include <cstdint>

namespace lamina::gpu::testing {

struct AccessCounts {
  /// Of memory of the device.
  struct Requests {
    int64_t requests = 0;
    int64_t bytes = 0;    ///< That the threads asked for.
    int64_t sectors = 0;  ///< Of 32 bytes, each counted once in a request.
    double SectorsPerRequest() const {
      return requests == 0 ? 0 : static_cast<double>(sectors) / static_cast<double>(requests);
    }
  };
  Requests loads, stores;
  /// Of shared memory, loads and stores. It has 32 banks of 4 bytes: threads that touch different
  /// words of one bank wait for one another, and the request takes several passes.
  int64_t shared_requests = 0, shared_passes = 0;
  int64_t barriers = 0;  ///< __syncthreads(), each block's counted.
  int64_t launches = 0, blocks = 0;
};

}  // namespace lamina::gpu::testing

#endif  // FRAMEWORK_GPU_TESTING_ACCESS_COUNTS_H_
