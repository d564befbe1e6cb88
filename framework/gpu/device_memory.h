// Memory of a device that goes with the object.
#ifndef FRAMEWORK_GPU_DEVICE_MEMORY_H_
#define FRAMEWORK_GPU_DEVICE_MEMORY_H_

#include <cstddef>
#include <memory>
#include <utility>

#include "framework/gpu/device.h"

namespace lamina::gpu {

class DeviceMemory {
 public:
  /// Errors: "gpu:OutOfMemory".
  DeviceMemory(std::shared_ptr<Device> device, size_t bytes)
      : device_(std::move(device)), data_(device_->Allocate(bytes)) {}
  ~DeviceMemory() { device_->Free(data_); }
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  void* data() const { return data_; }

 private:
  const std::shared_ptr<Device> device_;
  void* const data_;
};

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_DEVICE_MEMORY_H_
