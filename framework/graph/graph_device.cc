#include "framework/graph/graph_device.h"

namespace lamina {

std::shared_ptr<GraphDevice> GraphDeviceOf(Arrays arrays) {
  for (const DlArray& x : arrays) {
    if (!x.on_device()) continue;
    const auto* const elements = dynamic_cast<const GraphDeviceElements*>(x.data()->remote.get());
    return elements == nullptr ? nullptr : elements->graph_device();
  }
  return nullptr;
}

}  // namespace lamina
