// Convolutions and their gradients by cuDNN, through its backend interface, for cuda_device.cc.
//
//   const auto convolutions = CudaConvolutions::Open(stream);
//   if (auto call = convolutions->Prepare({.kind = ConvolutionCall::kForward, ...})) ...
//
// The engine is the first that the library's heuristics name and that keeps the precision of the
// numbers (no TF32, but for factors that are rounded to bfloat16), gives the same result each time,
// and whose error in one element depends on few others (no Fourier transforms; Winograd's filtering
// is taken, as on the processor: cpu/convolution.h). Finding it takes some 60 ms.
//
// Threads: as the device, which lets one thread at a time in, with its context current.
#ifndef FRAMEWORK_GPU_CUDA_CONVOLUTIONS_H_
#define FRAMEWORK_GPU_CUDA_CONVOLUTIONS_H_

#include <memory>

#include "absl/status/statusor.h"
#include "framework/gpu/cuda_library.h"
#include "framework/gpu/library_call.h"

namespace lamina::gpu {

class CudaConvolutions {
 public:
  /// Errors: those of FindCudnn; kUnavailable when the library cannot begin.
  static absl::StatusOr<std::unique_ptr<CudaConvolutions>> Open(void* stream);

  /// Null when the library has no engine for it.
  std::shared_ptr<const LibraryCall> Prepare(const ConvolutionCall& convolution) const;

 private:
  CudaConvolutions(const Cudnn& cudnn, void* handle) : cudnn_(cudnn), handle_(handle) {}

  const Cudnn& cudnn_;
  void* const handle_;  // Never destroyed: calls may live as long as the program.
};

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_CUDA_CONVOLUTIONS_H_
