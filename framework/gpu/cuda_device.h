// A CUDA device, through its driver and NVRTC.
//
//   const auto device = OpenCudaDevice();
//   if (!device.ok()) std::cerr << device.status();    // why there is none
//
// Memory comes from the driver's pool, in the order of the device's stream; what is given back is
// kept for the next array of its size (idle_memory.h), until the device is full.
#ifndef FRAMEWORK_GPU_CUDA_DEVICE_H_
#define FRAMEWORK_GPU_CUDA_DEVICE_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "framework/gpu/cuda_library.h"
#include "framework/gpu/device.h"

namespace lamina::gpu {

/// The device with this number, as CUDA counts. Errors: kNotFound without a driver, a compiler of
/// kernels or such a device; kFailedPrecondition when one of them is too old; kUnavailable when the
/// driver refuses to begin.
absl::StatusOr<std::shared_ptr<Device>> OpenCudaDevice(int number = 0);

/// What stays for as long as there are devices of it. Tests play it.
struct CudaLibraries {
  const CudaDriver& driver;
  const CudaCompiler& compiler;
  const absl::StatusOr<Nccl>& nccl;
};
/// `device`: as the driver names it. Errors: kUnavailable.
absl::StatusOr<std::shared_ptr<Device>> OpenCudaDevice(const CudaLibraries& libraries, int device);

/// How many devices the driver counts. Errors: as OpenCudaDevice.
absl::StatusOr<int> CountCudaDevices();

/// Compiles kernels for an architecture ("sm_90"); no device is needed. Errors: as Device::Compile;
/// those of FindCudaCompiler.
absl::StatusOr<KernelImage> CompileCudaKernels(const KernelSource& source,
                                               const std::string& architecture);

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_CUDA_DEVICE_H_
