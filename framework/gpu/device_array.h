// An array in the memory of a device: sizes, labels and type on the host, elements there.
//
//   const DeviceArray x = ToDevice(device, array);
//   DlArray back = ToHost(x);
//
// A copy of a DeviceArray shares its elements; the memory goes with the last copy.
//
// Threads: as the device.
#ifndef FRAMEWORK_GPU_DEVICE_ARRAY_H_
#define FRAMEWORK_GPU_DEVICE_ARRAY_H_

#include <memory>
#include <vector>

#include "framework/dlarray/dlarray.h"
#include "framework/gpu/device.h"

namespace lamina::gpu {

/// Memory of a device that goes with the object.
class DeviceMemory {
 public:
  /// Errors: "gpu:OutOfMemory".
  DeviceMemory(std::shared_ptr<Device> device, size_t bytes);
  ~DeviceMemory();
  DeviceMemory(const DeviceMemory&) = delete;
  DeviceMemory& operator=(const DeviceMemory&) = delete;

  void* data() const { return data_; }
  const std::shared_ptr<Device>& device() const { return device_; }

 private:
  std::shared_ptr<Device> device_;
  void* data_;
};

class DeviceArray {
 public:
  /// Room for an array; its elements are not set. Errors: "gpu:OutOfMemory".
  DeviceArray(std::shared_ptr<Device> device, ArraySpec spec);

  const ArraySpec& spec() const { return spec_; }
  size_t bytes() const { return static_cast<size_t>(spec_.numel()) * SizeOf(spec_.type); }
  void* data() const { return memory_->data(); }
  const std::shared_ptr<Device>& device() const { return memory_->device(); }

 private:
  ArraySpec spec_;
  std::shared_ptr<const DeviceMemory> memory_;
};
using DeviceArrays = std::vector<DeviceArray>;

/// Errors: "gpu:OutOfMemory"; "dlarray:NoValues".
DeviceArray ToDevice(const std::shared_ptr<Device>& device, const DlArray& x);
/// Waits for the elements.
DlArray ToHost(const DeviceArray& x);

}  // namespace lamina::gpu

#endif  // FRAMEWORK_GPU_DEVICE_ARRAY_H_
