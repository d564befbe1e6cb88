#include "framework/gpu/device_array.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace lamina::gpu {

DeviceMemory::DeviceMemory(std::shared_ptr<Device> device, size_t bytes)
    : device_(std::move(device)), data_(device_->Allocate(bytes)) {}

DeviceMemory::~DeviceMemory() { device_->Free(data_); }

DeviceArray::DeviceArray(std::shared_ptr<Device> device, ArraySpec spec)
    : spec_(std::move(spec)),
      memory_(std::make_shared<DeviceMemory>(std::move(device), DeviceArray::bytes())) {}

DeviceArray ToDevice(const std::shared_ptr<Device>& device, const DlArray& x) {
  if (!x.has_values()) {
    throw Error("dlarray:NoValues", "An array with values goes to a device.",
                absl::StrCat("A ", ToString(x.spec()), " without values came."),
                "Record on the host; take arrays to the device to run.");
  }
  DeviceArray y(device, x.spec());
  if (y.bytes() > 0) device->CopyIn(y.data(), x.data()->bytes(), y.bytes());
  return y;
}

DlArray ToHost(const DeviceArray& x) {
  const internal::ArrayDataPtr y = internal::ArrayData::Make(x.spec());
  if (x.bytes() > 0) x.device()->CopyOut(y->mutable_bytes(), x.data(), x.bytes());
  return DlArray(y);
}

}  // namespace lamina::gpu
