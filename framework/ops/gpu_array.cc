#include "framework/ops/gpu_array.h"

#include <string>

#include "framework/dlarray/error.h"

namespace lamina {
namespace {

// Without contents until framework/gpu, which may be left out, opens it.
internal::GpuRoom room{};

}  // namespace

bool internal::OpenGpuRoom(const GpuRoom& opened) {
  room = opened;
  return true;
}

absl::Status CanUseGpu() {
  if (room.can_use != nullptr) return room.can_use();
  return absl::FailedPreconditionError(
      "This program was built without the room for devices: its target must depend on "
      "//framework/gpu.");
}

DlArray GpuArray(const DlArray& x) {
  if (const absl::Status status = CanUseGpu(); !status.ok()) {
    throw Error("gpu:NoDevice", "An array was to go to a device.", std::string(status.message()),
                "Compute with the processor, or see docs/gpu.md.");
  }
  return room.bring_over(x);
}

}  // namespace lamina
