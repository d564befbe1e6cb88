// A device that compiles kernels by NVRTC and runs nothing: whether all kernels of a program are
// taken is known without a device.
#ifndef FRAMEWORK_GPU_TESTING_COMPILING_DEVICE_H_
#define FRAMEWORK_GPU_TESTING_COMPILING_DEVICE_H_

#include <memory>
#include <string>

#include "framework/gpu/device.h"

namespace lamina::gpu::testing {

/// For an architecture, "sm_90". Compile gives an error where there is no NVRTC. For "" nothing is
/// compiled: only whether there are kernels is known.
std::shared_ptr<Device> MakeCompilingDevice(const std::string& architecture);

}  // namespace lamina::gpu::testing

#endif  // FRAMEWORK_GPU_TESTING_COMPILING_DEVICE_H_
