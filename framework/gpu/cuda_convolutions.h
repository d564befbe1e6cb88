// Convolutions and their gradients by cuDNN, for cuda_device.cc.
//
//   const auto convolutions = CudaConvolutions::Open(FindCudnn(), stream, device);
//   if (auto call = convolutions->Prepare({.kind = ConvolutionCall::kForward, ...})) ...
//
// How each is computed cudnn_plans.h decides.
//
// Threads: as the device, which lets one thread at a time in, with its context current.
#ifndef FRAMEWORK_GPU_CUDA_CONVOLUTIONS_H_
#define FRAMEWORK_GPU_CUDA_CONVOLUTIONS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "framework/gpu/cuda_library.h"
#include "framework/gpu/cudnn_plans.h"
#include "framework/gpu/library_call.h"

namespace lamina::gpu {

class CudaConvolutions {
 public:
  /// `cudnn` lives as long as the program. `device`: all of the device that a plan depends on.
  /// Errors: those of `cudnn`; kUnavailable when the library cannot begin.
  static absl::StatusOr<std::unique_ptr<CudaConvolutions>> Open(const absl::StatusOr<Cudnn>& cudnn,
                                                                void* stream,
                                                                const std::string& device);

  /// Null when the library has no engine for it.
  std::shared_ptr<const LibraryCall> Prepare(const ConvolutionCall& convolution) const;

 private:
  CudaConvolutions(const Cudnn& cudnn, void* handle, const std::string& device)
      : cudnn_(cudnn), handle_(handle), plans_(cudnn, handle, device) {}

  const Cudnn& cudnn_;
  void* const handle_;  // Never destroyed: calls may live as long as the program.
  const CudnnPlans plans_;
};

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_CUDA_CONVOLUTIONS_H_
