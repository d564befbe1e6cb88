// Plans of cuDNN: how a convolution, pooling or a gradient of them is computed on a device.
//
//   const CudnnPlans plans(cudnn, handle, device);
//   if (const auto plan = plans.For({.kind = ConvolutionCall::kForward, ...})) ...
//
// The engine is the first that the library's heuristics name and that keeps the precision of the
// numbers (no TF32, but for factors that are rounded to bfloat16), gives the same result each time,
// and whose error in one element depends on few others (no Fourier transforms; Winograd's filtering
// is taken, as on the processor: cpu/convolution.h). To find it takes long; so plans are kept on
// the disk (disk_store.h), for the same call, library and device. One that cannot be loaded
// is made anew.
//
// Threads: as the device, which lets one thread at a time in, with its context current.
#ifndef FRAMEWORK_GPU_CUDNN_PLANS_H_
#define FRAMEWORK_GPU_CUDNN_PLANS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "framework/gpu/cuda_library.h"
#include "framework/gpu/cudnn_descriptor.h"
#include "framework/gpu/cudnn_operations.h"
#include "framework/gpu/library_call.h"

namespace lamina::gpu {

class CudnnPlans {
 public:
  struct Plan {
    CudnnDescriptor descriptor;
    int64_t workspace_bytes = 0;
    bool was_kept = false;  ///< It comes from the disk.
  };

  /// Plans for the device of a handle. `device`: all of it that a plan depends on.
  CudnnPlans(const Cudnn& cudnn, void* handle, const std::string& device);
  /// Plans for a device that need not be there, so that they cannot be executed: for tests.
  /// `properties`: as cuDNN describes it, in JSON. Errors: kUnimplemented when cuDNN does not take
  /// them, which one before 9.8 never does.
  static absl::StatusOr<std::unique_ptr<const CudnnPlans>> ForDescribedDevice(
      const Cudnn& cudnn, const std::string& properties);

  /// Null when the library has no engine for it.
  std::unique_ptr<const Plan> For(const ConvolutionCall& call) const;
  std::unique_ptr<const Plan> For(const PoolingCall& call) const;

 private:
  // With a handle or with properties.
  CudnnPlans(const Cudnn& cudnn, void* handle, std::optional<CudnnDescriptor> properties,
             const std::string& device);

  // `text`: all of the operation that is made.
  std::unique_ptr<const Plan> For(const std::string& text,
                                  const std::function<CudnnDescriptor()>& operation,
                                  bool is_rounded) const;
  std::unique_ptr<const Plan> Load(const std::string& text) const;
  std::unique_ptr<const Plan> Make(const CudnnDescriptor& operation, bool is_rounded) const;
  std::unique_ptr<const Plan> FromConfig(const CudnnDescriptor& config) const;
  std::unique_ptr<const Plan> Finished(CudnnDescriptor plan, bool was_kept) const;
  CudnnDescriptor Unfinished() const;

  const Cudnn& cudnn_;
  void* const handle_;                               // Or null,
  const std::optional<CudnnDescriptor> properties_;  // and these stand for it.
  const std::string made_from_;                      // All that is the same for all plans.
};

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_CUDNN_PLANS_H_
