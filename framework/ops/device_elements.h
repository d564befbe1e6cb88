// The elements of an array on a device, as the door through which ops pass sees them.
//
// An op that gets an array on a device is computed there: the door hands it to the device of the
// first such input. framework/gpu has the one implementation; a program without that room never
// has such arrays.
#ifndef FRAMEWORK_OPS_DEVICE_ELEMENTS_H_
#define FRAMEWORK_OPS_DEVICE_ELEMENTS_H_

#include <span>

#include "framework/ops/op.h"

namespace lamina {

class DeviceElements : public internal::RemoteElements {
 public:
  /// Computes `op` on the device of these elements and puts arrays of `specs` there into `outputs`.
  /// Inputs that lie elsewhere are brought over. Errors: those of the device, which name the op
  /// where it has no kernels.
  virtual void Run(const OpPtr& op, Arrays inputs, const SpecList& specs,
                   std::span<DlArray> outputs) const = 0;
  /// The array on this device. Errors: those of the device.
  virtual DlArray BringOver(const DlArray& x) const = 0;
};

/// `x` on the device of `like`; itself where `like` is on none, or `x` has no values.
inline DlArray OnDeviceOf(const DlArray& like, DlArray x) {
  if (!like.on_device() || !x.has_values()) return x;
  return dynamic_cast<const DeviceElements&>(*like.data()->remote).BringOver(x);
}

}  // namespace lamina

#endif  // FRAMEWORK_OPS_DEVICE_ELEMENTS_H_
