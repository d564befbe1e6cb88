// Fourier transforms by cuFFT, for cuda_device.cc.
//
//   const auto transforms = CudaFourier::Open(stream);
//   if (auto call = transforms->Prepare({.type = type, .n = 1024, .outer = 64})) ...
//
// A plan is kept for each description. It takes lines that begin at equal distances. Those along a
// dim in the middle do not: then there is an execution for each step of the dims before, or for
// each of those after, whichever are fewer. The library gets its memory from the caller, so that
// its kernels can be recorded with others.
//
// Threads: as the device, which lets one thread at a time in, with its context current.
#ifndef FRAMEWORK_GPU_CUDA_FOURIER_H_
#define FRAMEWORK_GPU_CUDA_FOURIER_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "framework/gpu/cuda_library.h"
#include "framework/gpu/library_call.h"

namespace lamina::gpu {

/// How the lines of a transform are shared out: `executions` times `lines` of them, whose first
/// numbers are `distance` apart; the next execution begins `between` numbers later.
struct FourierLines {
  int64_t lines, distance, executions, between;
};
FourierLines LinesOf(const FourierCall& transform);

class CudaFourier {
 public:
  /// Errors: those of FindCufft.
  static absl::StatusOr<std::unique_ptr<CudaFourier>> Open(void* stream);

  /// Null when the library makes no plan, or more than 64 executions were needed.
  std::shared_ptr<const LibraryCall> Prepare(const FourierCall& transform) const;

 private:
  CudaFourier(const Cufft& cufft, void* stream) : cufft_(cufft), stream_(stream) {}

  const Cufft& cufft_;
  void* const stream_;
};

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_CUDA_FOURIER_H_
