// A device as those see it who have whole graphs to run: accelerated functions.
//
//   if (const auto device = GraphDeviceOf(inputs)) {
//     std::string why_not;
//     const auto runner = device->Prepare(Optimize(graph, ImageLayouts::kPlain), &why_not);
//     DlArrays outputs = runner->Run(inputs);
//   }
//
// framework/gpu has the one implementation. Threads: any.
#ifndef FRAMEWORK_GRAPH_GRAPH_DEVICE_H_
#define FRAMEWORK_GRAPH_GRAPH_DEVICE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "framework/graph/graph.h"
#include "framework/ops/device_elements.h"

namespace lamina {

/// A graph that is ready to run on a device.
class GraphRunner {
 public:
  virtual ~GraphRunner() = default;
  /// The outputs, on the device; inputs that lie elsewhere are brought over. Random numbers are
  /// drawn afresh. Errors: those of the device.
  virtual DlArrays Run(Arrays inputs) const = 0;
  /// For a reader: "12 launches of 3 kernels, compiled in 0.210 s".
  virtual std::string Describe() const = 0;
  /// Memory of the device that it holds.
  virtual int64_t bytes() const = 0;
};

class GraphDevice {
 public:
  virtual ~GraphDevice() = default;
  /// Null where the graph has an op without kernels, with the reason in `why_not`. Errors: those of
  /// the device.
  virtual std::unique_ptr<GraphRunner> Prepare(const Graph& graph, std::string* why_not) = 0;
};

/// What the elements of arrays on such a device are.
class GraphDeviceElements : public DeviceElements {
 public:
  virtual std::shared_ptr<GraphDevice> graph_device() const = 0;
};

/// The device of the first of these arrays that lies on one; null where none does.
std::shared_ptr<GraphDevice> GraphDeviceOf(Arrays arrays);

}  // namespace lamina

#endif  // FRAMEWORK_GRAPH_GRAPH_DEVICE_H_
